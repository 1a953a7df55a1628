//! What `inspect` shows of a container's network.

use std::collections::HashMap;

use bollard_stubs::models::{EndpointSettings, NetworkSettings};
use serde_json::{Map, Value, json};

use super::mode::Mode;
use super::port::{self, Published};
use super::request::Request;
use crate::Layout;

/// The settings of a container that has never run, or runs no more: its network's name, and nothing on it.
pub(crate) fn stopped(request: &Request) -> NetworkSettings {
    let mut networks = HashMap::new();
    if let Some(name) = request.mode.name() {
        let endpoint = EndpointSettings {
            mac_address: Some(request.mac.map(|mac| mac.to_string()).unwrap_or_default()),
            ..EndpointSettings::default()
        };
        networks.insert(name.to_owned(), endpoint);
    }
    NetworkSettings {
        sandbox_id: Some(String::new()),
        sandbox_key: Some(String::new()),
        ports: Some(HashMap::new()),
        networks: Some(networks),
    }
}

/// The settings of a running container, `published` being its ports on the machine.
pub(crate) fn running(
    layout: &Layout,
    request: &Request,
    published: &[Published],
) -> NetworkSettings {
    let mut settings = stopped(request);
    if let Some(name) = request.mode.name()
        && let Some(endpoint) = settings
            .networks
            .as_mut()
            .and_then(|networks| networks.get_mut(name))
    {
        endpoint.network_id = Some(network_id(layout, name));
    }
    if request.mode == Mode::Bridge {
        settings.ports = Some(port::map(&request.exposed, published));
    }
    settings
}

/// The id of one of the engine's networks: the same for as long as its root has its path.
pub(crate) fn network_id(layout: &Layout, name: &str) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(layout.root().as_os_str().as_encoded_bytes());
    hash.update([0]);
    hash.update(name);
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The settings as the Engine API shows them: in a stable order, and with the fields of the first network at the top,
/// where clients of versions before 1.52 look for them.
pub fn inspect(settings: &NetworkSettings) -> Value {
    let text = |text: &Option<String>| Value::from(text.clone().unwrap_or_default());
    let mut shown = Map::new();
    shown.insert("Bridge".to_owned(), json!(""));
    shown.insert("SandboxID".to_owned(), text(&settings.sandbox_id));
    shown.insert("SandboxKey".to_owned(), text(&settings.sandbox_key));

    let mut ports = Map::new();
    let mut keys: Vec<_> = settings.ports.iter().flatten().collect();
    keys.sort_by_key(|(port, _)| {
        let number = port
            .split('/')
            .next()
            .and_then(|number| number.parse::<u16>().ok());
        (number, (*port).clone())
    });
    for (port, bindings) in keys {
        ports.insert(port.clone(), json!(bindings));
    }
    shown.insert("Ports".to_owned(), Value::Object(ports));
    shown.insert("HairpinMode".to_owned(), json!(false));
    shown.insert("LinkLocalIPv6Address".to_owned(), json!(""));
    shown.insert("LinkLocalIPv6PrefixLen".to_owned(), json!(0));
    shown.insert("SecondaryIPAddresses".to_owned(), Value::Null);
    shown.insert("SecondaryIPv6Addresses".to_owned(), Value::Null);

    // Only the default bridge's endpoint was ever shown there.
    let bridge = settings
        .networks
        .as_ref()
        .and_then(|networks| networks.get("bridge"));
    let default = EndpointSettings::default();
    let first = endpoint(bridge.unwrap_or(&default));
    for name in [
        "EndpointID",
        "Gateway",
        "GlobalIPv6Address",
        "GlobalIPv6PrefixLen",
        "IPAddress",
        "IPPrefixLen",
        "IPv6Gateway",
        "MacAddress",
    ] {
        shown.insert(name.to_owned(), first[name].clone());
    }

    let mut networks = Map::new();
    for (name, settings) in settings.networks.iter().flatten() {
        networks.insert(name.clone(), endpoint(settings));
    }
    shown.insert("Networks".to_owned(), Value::Object(networks));
    Value::Object(shown)
}

fn endpoint(settings: &EndpointSettings) -> Value {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    json!({
        "IPAMConfig": settings.ipam_config,
        "Links": settings.links,
        "Aliases": settings.aliases,
        "MacAddress": text(&settings.mac_address),
        "DriverOpts": settings.driver_opts,
        "GwPriority": settings.gw_priority.unwrap_or(0),
        "NetworkID": text(&settings.network_id),
        "EndpointID": text(&settings.endpoint_id),
        "Gateway": text(&settings.gateway),
        "IPAddress": text(&settings.ip_address),
        "IPPrefixLen": settings.ip_prefix_len.unwrap_or(0),
        "IPv6Gateway": text(&settings.ipv6_gateway),
        "GlobalIPv6Address": text(&settings.global_ipv6_address),
        "GlobalIPv6PrefixLen": settings.global_ipv6_prefix_len.unwrap_or(0),
        "DNSNames": settings.dns_names,
    })
}
