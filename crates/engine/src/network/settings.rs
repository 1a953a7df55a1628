//! What `inspect` shows of a container's network.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard_stubs::models::{EndpointSettings, NetworkSettings};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::mac::MacAddress;
use super::port::{self, Published};
use super::request::Request;
use super::subnet::Subnet;
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

/// What a container has on the bridge.
pub(crate) struct Endpoint<'a> {
    pub(crate) id: &'a str,
    pub(crate) address: Ipv4Addr,
    pub(crate) subnet: Subnet,
    pub(crate) gateway: Ipv4Addr,
    pub(crate) mac: MacAddress,
    pub(crate) published: &'a [Published],
}

/// The settings of a running container.
pub(crate) fn running(
    layout: &Layout,
    request: &Request,
    on_bridge: Option<&Endpoint<'_>>,
) -> NetworkSettings {
    let mut settings = stopped(request);
    let endpoint = request.mode.name().and_then(|name| {
        let networks = settings.networks.as_mut()?;
        Some((name, networks.get_mut(name)?))
    });
    let Some((name, endpoint)) = endpoint else {
        return settings;
    };
    endpoint.network_id = Some(network_id(layout, name));
    if let Some(on_bridge) = on_bridge {
        endpoint.endpoint_id = Some(endpoint_id(on_bridge.id));
        endpoint.mac_address = Some(on_bridge.mac.to_string());
        endpoint.gateway = Some(on_bridge.gateway.to_string());
        endpoint.ip_address = Some(on_bridge.address.to_string());
        endpoint.ip_prefix_len = Some(i64::from(on_bridge.subnet.prefix()));
        settings.ports = Some(port::map(&request.exposed, on_bridge.published));
    }
    settings
}

/// Adds the ids that settings have not: the network's to those of a container that ran, the container's place in it while
/// it runs.
pub(crate) fn add_ids(settings: &mut NetworkSettings, layout: &Layout, id: &str, runs: bool) {
    for (name, endpoint) in settings.networks.iter_mut().flatten() {
        if endpoint
            .network_id
            .as_deref()
            .unwrap_or_default()
            .is_empty()
        {
            endpoint.network_id = Some(network_id(layout, name));
        }
        if runs
            && endpoint
                .endpoint_id
                .as_deref()
                .unwrap_or_default()
                .is_empty()
        {
            endpoint.endpoint_id = Some(endpoint_id(id));
        }
    }
}

/// Leaves out where a container is in a network that it was not connected to, for want of a program.
pub(crate) fn forget_place(settings: &mut NetworkSettings) {
    for endpoint in settings.networks.iter_mut().flat_map(HashMap::values_mut) {
        endpoint.gateway = None;
        endpoint.ip_address = None;
        endpoint.ip_prefix_len = None;
        endpoint.mac_address = None;
    }
}

/// The id of a container's place on the bridge: it has one place, so it follows from its own.
pub(crate) fn endpoint_id(id: &str) -> String {
    digest([b"endpoint".as_slice(), id.as_bytes()])
}

/// The id of one of the engine's networks: the same for as long as its root has its path.
pub(crate) fn network_id(layout: &Layout, name: &str) -> String {
    digest([
        layout.root().as_os_str().as_encoded_bytes(),
        name.as_bytes(),
    ])
}

fn digest(parts: [&[u8]; 2]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
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
