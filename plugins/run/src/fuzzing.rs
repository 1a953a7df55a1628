//! The bodies of the fuzz targets in `fuzz/`, which a test runs over their corpora too. They panic on what is wrong.

use std::path::Path;

use docker_cli::env_file;

use crate::endpoints;
use crate::options::NetworkOptions;
use crate::values;
use crate::values::volume::{self, Volume};
use crate::values::{
    block_device, byte_size, cpus, csv, device, device_rule, dns, duration, extra_host, gpus,
    integer, ip_address, label, link, mac_address, mount, network, port, restart, security, sysctl,
    ulimit,
};

fn text(data: &[u8]) -> &str {
    str::from_utf8(data).unwrap_or_default()
}

/// Every published port is exposed, and has a protocol.
pub fn port(data: &[u8]) {
    let lines: Vec<String> = text(data).lines().map(str::to_owned).collect();
    // A range has up to 65,536 ports, so the lines are few.
    let few = &lines[..lines.len().min(4)];
    if let Ok(ports) = port::parse(few, &[]) {
        assert!(
            ports
                .bindings
                .keys()
                .all(|port| ports.exposed.contains(port))
        );
        assert!(ports.bindings.keys().all(|port| {
            port.split_once('/')
                .is_some_and(|(number, _)| number.parse::<u16>().is_ok())
        }));
    }
    if let Ok(ports) = port::parse(&[], few) {
        assert!(ports.bindings.is_empty());
    }
}

/// A bind keeps what stands behind its source.
pub fn volume(data: &[u8]) {
    let text = text(data);
    match volume::parse(text, Path::new("/home/dir")) {
        Ok(Volume::Anonymous(path)) => assert_eq!(path, text),
        Ok(Volume::Bind(bind)) if text.starts_with('.') => {
            let rest = text
                .split_once(':')
                .map(|(_, rest)| rest)
                .expect("a bind has a colon");
            assert!(bind.starts_with('/') && bind.ends_with(rest));
        }
        Ok(Volume::Bind(bind)) => assert_eq!(bind, text),
        Err(_) => {}
    }
}

/// Every entry has a name without blanks, and a value.
pub fn env_file(data: &[u8]) {
    for entry in env_file::parse(data, |_| Ok(Some(String::new()))).unwrap_or_default() {
        let (name, _) = entry.split_once('=').expect("a value");
        assert!(!name.is_empty() && !name.contains([' ', '\t']), "{entry:?}");
    }
}

/// Numbers, sizes and durations: none panics, and sizes are not negative.
pub fn number(data: &[u8]) {
    let text = text(data);
    assert!(byte_size::parse(text).is_ok_and(|size| size >= 0) || byte_size::parse(text).is_err());
    if let Ok(value) = integer::parse(text) {
        assert_eq!(integer::parse(&value.to_string()), Ok(value));
    }
    if let Ok(value) = integer::parse_unsigned(text) {
        assert!(value >= 0);
        assert_eq!(integer::parse(text), Ok(value));
        assert_eq!(integer::parse_u16(text).ok(), u16::try_from(value).ok());
    }
    let _ = cpus::parse(text);
    let _ = duration::parse(text);
    let _ = ulimit::parse(text);
}

/// A record of fields is the same when it is written with quotes.
pub fn csv(data: &[u8]) {
    if let Ok(fields) = csv::record(text(data)) {
        // A carriage return before a line's end is not kept.
        if fields.iter().any(|field| field.contains('\r')) {
            return;
        }
        let quoted: Vec<String> = fields
            .iter()
            .map(|field| format!("\"{}\"", field.replace('"', "\"\"")))
            .collect();
        assert_eq!(csv::record(&quoted.join(",")), Ok(fields));
    }
}

/// A mount has options of its own type only, and a source that is absolute or was not relative.
pub fn mount(data: &[u8]) {
    if let Ok(new) = mount::parse(text(data)) {
        let is_relative = new.is_relative();
        let mount = new
            .within(Path::new("/home/dir"))
            .expect("an absolute path");
        assert!(!is_relative || mount.source.is_some_and(|source| source.starts_with('/')));
        assert_eq!(mount.typ.is_none(), new.words.typ.is_some());
        let kinds = [
            mount.bind_options.is_some(),
            mount.volume_options.is_some(),
            mount.image_options.is_some(),
            mount.tmpfs_options.is_some(),
        ];
        assert!(kinds.into_iter().filter(|is_there| *is_there).count() <= 1);
        let _ = new.features();
    }
}

/// Devices, rules about them and their limits.
pub fn device(data: &[u8]) {
    let text = text(data);
    for os_type in [None, Some("linux"), Some("windows")] {
        if let Ok(devices) = device::parse_all(&[text.to_owned()], os_type) {
            let count = devices.mappings.len() + usize::from(devices.request.is_some());
            assert_eq!(count, 1);
        }
    }
    if let Ok(rule) = device_rule::parse(text) {
        assert_eq!(rule, text);
    }
    for limit in [
        block_device::parse_byte_rate(text),
        block_device::parse_operation_rate(text),
    ]
    .into_iter()
    .flatten()
    {
        assert!(limit.path.is_some_and(|path| text.starts_with(&path)));
        assert!(limit.rate.is_some_and(|rate| rate >= 0));
    }
    if let Ok(limit) = block_device::parse_weight(text) {
        assert!(limit.weight.is_some_and(|weight| weight <= 1000));
    }
}

/// A request for GPUs asks for some.
pub fn gpus(data: &[u8]) {
    if let Ok(request) = gpus::parse(text(data)) {
        assert!(request.count.is_some() || request.device_ids.is_some());
        assert!(request.capabilities.is_some_and(|all| all.len() == 1));
    }
}

/// Networks, one a line: the first is the mode, and each has its endpoint unless it stands alone.
pub fn network(data: &[u8]) {
    let networks: Result<Vec<_>, _> = text(data).lines().map(network::parse).collect();
    let options = NetworkOptions {
        network: networks.unwrap_or_default(),
        ..NetworkOptions::default()
    };
    if let Ok(endpoints) = endpoints::endpoints(&options) {
        let first = options.network.first();
        assert_eq!(
            endpoints.mode,
            first.map_or("default", |network| &network.network)
        );
        let config = endpoints
            .networking_config
            .and_then(|config| config.endpoints_config);
        let count = config.map_or(0, |endpoints| endpoints.len());
        assert!(count == options.network.len().max(1) || options.network.len() == 1);
    }
}

/// Addresses and links: what is accepted is accepted again.
pub fn address(data: &[u8]) {
    fn stays(parse: fn(&str) -> Result<String, values::InvalidValue>, text: &str) {
        if let Ok(normal) = parse(text) {
            assert_eq!(parse(&normal).as_ref(), Ok(&normal));
        }
    }
    let text = text(data);
    stays(ip_address::parse_option, text);
    stays(ip_address::parse_field, text);
    stays(mac_address::parse, text);
    stays(link::parse, text);
}

/// The small syntaxes, by the first byte.
pub fn option(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    let text = text(rest);
    match which % 6 {
        0 => drop(extra_host::parse(text)),
        1 => drop(label::parse(text)),
        2 => drop(sysctl::parse(text)),
        3 => drop(restart::parse(text)),
        4 => {
            let all = [text.to_owned()];
            drop(security::parse(&all, |_| Ok(text.to_owned())));
        }
        _ => {
            drop(dns::parse_server(text));
            if let Ok(domain) = dns::parse_search_domain(text) {
                assert_eq!(
                    dns::parse_search_domain(&domain),
                    Ok::<_, values::InvalidValue>(domain)
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    /// Runs one target over its corpus.
    fn corpus(name: &str, target: fn(&[u8])) {
        harness::corpus(env!("CARGO_MANIFEST_DIR"), name, target);
    }

    #[test]
    fn corpora() {
        corpus("port", super::port);
        corpus("volume", super::volume);
        corpus("env_file", super::env_file);
        corpus("number", super::number);
        corpus("option", super::option);
        corpus("csv", super::csv);
        corpus("gpus", super::gpus);
        corpus("mount", super::mount);
        corpus("device", super::device);
        corpus("network", super::network);
        corpus("address", super::address);
    }
}
