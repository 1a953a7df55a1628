//! Additional lines of the container's hosts file, as in `--add-host name:address`.

use std::net::IpAddr;

use super::InvalidValue;

/// The address that the engine replaces by that of its host.
const HOST_GATEWAY: &str = "host-gateway";

/// Parses `name:address` or `name=address`, an IPv6 address with or without brackets; returns the first form without
/// brackets.
pub(crate) fn parse(text: &str) -> Result<String, InvalidValue> {
    let (name, address) = text
        .split_once('=')
        .or_else(|| text.split_once(':'))
        .filter(|(name, _)| !name.is_empty() && !name.contains(':'))
        .ok_or_else(|| InvalidValue::new(format!("bad format for add-host: {text:?}")))?;
    let bare = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(address);
    if bare != HOST_GATEWAY && bare.parse::<IpAddr>().is_err() {
        return Err(InvalidValue::new(format!(
            "invalid IP address in add-host: {address:?}"
        )));
    }
    Ok(format!("{name}:{bare}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        for (text, host) in [
            ("a:1.2.3.4", "a:1.2.3.4"),
            ("a=1.2.3.4", "a:1.2.3.4"),
            ("a:[::1]", "a:::1"),
            ("a:::1", "a:::1"),
            ("a=::1", "a:::1"),
            ("a=[::1]", "a:::1"),
            ("a:[1.2.3.4]", "a:1.2.3.4"),
            ("a:::FFFF:1.2.3.4", "a:::FFFF:1.2.3.4"),
            ("a:host-gateway", "a:host-gateway"),
            ("a=host-gateway", "a:host-gateway"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(host));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for text in ["", "a", ":1.2.3.4", "=1.1.1.1", "a:b=1.1.1.1"] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                format!("bad format for add-host: {text:?}")
            );
        }
        for (text, address) in [
            ("a=", ""),
            ("a:", ""),
            ("a:foo", "foo"),
            ("a:b:1.2.3.4", "b:1.2.3.4"),
            ("a:1.2.3.4:5", "1.2.3.4:5"),
            ("a=b=1.1.1.1", "b=1.1.1.1"),
            ("a:[::1", "[::1"),
            ("a:Host-Gateway", "Host-Gateway"),
            ("a:fe80::1%eth0", "fe80::1%eth0"),
        ] {
            let message = format!("invalid IP address in add-host: {address:?}");
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn every_address_passes(name in "[a-z]{1,8}", address: IpAddr, separator in "[:=]") {
            assert_eq!(parse(&format!("{name}{separator}{address}")), Ok(format!("{name}:{address}")));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = parse(&text);
        }
    }
}
