//! `NO_PROXY`: hosts that are reached without a proxy.

use std::net::IpAddr;

/// Whether this list has an entry for the host, or the host is this machine itself.
///
/// Entries are separated by commas: a name, which stands for all below it too; `.name` or `*.name` for those below it
/// alone; an address; a network such as `10.0.0.0/8`; `*` for all. Names and addresses may have a port.
pub(super) fn has(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok().map(canonical);
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    list.split(',')
        .map(|entry| entry.trim().to_ascii_lowercase())
        .any(|entry| matches(&entry, &host, address, port))
}

fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry.is_empty() {
        return false;
    }
    if entry == "*" {
        return true;
    }
    if let Some(network) = network(entry) {
        return address.is_some_and(|address| is_within(address, network));
    }
    let (name, wanted) = split_port(entry);
    if wanted.is_some_and(|wanted| wanted != port.to_string()) {
        return false;
    }
    if let Ok(entry) = name.parse() {
        return address == Some(canonical(entry));
    }
    let (name, itself) = match name.strip_prefix("*.").or_else(|| name.strip_prefix('.')) {
        Some(name) => (name, false),
        None => (name, true),
    };
    if name.is_empty() {
        return false;
    }
    match host.strip_suffix(name) {
        Some("") => itself,
        Some(below) => below.ends_with('.'),
        None => false,
    }
}

/// The name and the port of an entry. A bare IPv6 address has no port.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((name, rest)) = entry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        return (name, rest.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, Some(port)),
        _ => (entry, None),
    }
}

fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = entry.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    (bits <= most).then_some((address, bits))
}

fn is_within(address: IpAddr, (network, bits): (IpAddr, u32)) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let differ = u32::from(address) ^ u32::from(network);
            differ.leading_zeros() >= bits
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let differ = u128::from(address) ^ u128::from(network);
            differ.leading_zeros() >= bits
        }
        _ => false,
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_match() {
        for (list, host, expected) in [
            ("", "localhost", true),
            ("", "127.3.2.1", true),
            ("", "::1", true),
            ("", "engine", false),
            ("*", "engine", true),
            ("engine", "engine", true),
            ("Engine", "ENGINE", true),
            ("example", "a.example", true),
            ("example", "notexample", false),
            (".example", "a.b.example", true),
            (".example", "example", false),
            ("*.example", "example", false),
            ("*.example", "a.example", true),
            ("example:2375", "example", true),
            ("example:80", "example", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.0.0.0/99", "10.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:2375", "10.1.2.3", true),
            ("10.1.2.3:1", "10.1.2.3", false),
            ("fd00::/8", "fd00::7", true),
            ("fd00::7", "fd00::7", true),
            ("[fd00::7]:2375", "fd00::7", true),
            ("[fd00::7]:1", "fd00::7", false),
            (" a , b ", "b", true),
            (",,", "b", false),
            (".", "b", false),
        ] {
            assert_eq!(has(list, host, 2375), expected, "{list} {host}");
        }
    }
}
