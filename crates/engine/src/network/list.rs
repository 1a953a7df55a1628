//! The networks that an engine has.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;

use super::record::{self, Locked};
use super::settings;
use super::subnet::Subnet;
use crate::state::{Moment, Store};
use crate::{Layout, Result};

/// A network.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) name: &'static str,
    pub(crate) id: String,
    /// When the engine's root was made, and its networks with it.
    pub(crate) created: String,
    /// What the bridge has, once there is one.
    pub(crate) subnet: Option<Subnet>,
    pub(crate) gateway: Option<String>,
    pub(crate) options: BTreeMap<&'static str, String>,
    pub(crate) members: Vec<Member>,
}

/// A container in a network.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) container: String,
    pub(crate) name: String,
    pub(crate) endpoint: String,
    /// Empty, as the address, where the engine gives none.
    pub(crate) mac: String,
    /// With the length of the prefix.
    pub(crate) address: String,
}

impl Network {
    /// What Docker calls who makes such a network.
    pub(crate) fn driver(&self) -> &'static str {
        match self.name {
            "none" => "null",
            name => name,
        }
    }
}

const BRIDGE: &str = "bridge";

/// All networks, by name.
pub(crate) fn networks(layout: &Layout) -> Result<Vec<Network>> {
    let created = created(layout);
    let plain = |name| Network {
        name,
        id: settings::network_id(layout, name),
        created: created.clone(),
        subnet: None,
        gateway: None,
        options: BTreeMap::new(),
        members: Vec::new(),
    };
    let mut bridge = plain(BRIDGE);
    for (name, value) in [
        ("com.docker.network.bridge.default_bridge", "true"),
        ("com.docker.network.bridge.enable_icc", "true"),
        ("com.docker.network.bridge.enable_ip_masquerade", "true"),
        ("com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"),
    ] {
        bridge.options.insert(name, value.to_owned());
    }
    if record::is_there(layout.root()) {
        let locked = Locked::open(layout)?;
        if let Some(recorded) = &locked.record.bridge {
            bridge.subnet = Some(recorded.subnet);
            bridge.gateway = Some(recorded.subnet.gateway().to_string());
            bridge
                .options
                .insert("com.docker.network.bridge.name", recorded.name.clone());
            bridge
                .options
                .insert("com.docker.network.driver.mtu", recorded.mtu.to_string());
            for (id, lease) in &locked.record.leases {
                bridge.members.push(Member {
                    container: id.clone(),
                    name: Store::new(layout)
                        .record(id)
                        .map(|record| record.name)
                        .unwrap_or_default(),
                    endpoint: settings::endpoint_id(id),
                    mac: lease.mac.clone(),
                    address: format!("{}/{}", lease.address, recorded.subnet.prefix()),
                });
            }
        }
    }
    let (mut host, mut none) = (plain("host"), plain("none"));
    for network in [&mut host, &mut none] {
        network.members = without_addresses(layout, network.name)?;
    }
    Ok(vec![bridge, host, none])
}

/// The containers that run in a network where the engine gives no addresses.
fn without_addresses(layout: &Layout, network: &str) -> Result<Vec<Member>> {
    let store = Store::new(layout);
    let mut members = Vec::new();
    for id in store.ids()? {
        // One that is gone, or cannot be read, is in no network.
        let (Ok(state), Ok(record)) = (store.state(&id), store.record(&id)) else {
            continue;
        };
        let networks = state
            .network
            .as_ref()
            .and_then(|settings| settings.networks.as_ref());
        if state.is_running() && networks.is_some_and(|networks| networks.contains_key(network)) {
            members.push(Member {
                name: record.name,
                endpoint: settings::endpoint_id(&id),
                container: id,
                mac: String::new(),
                address: String::new(),
            });
        }
    }
    Ok(members)
}

fn created(layout: &Layout) -> String {
    fs::metadata(layout.root())
        .and_then(|metadata| metadata.created().or_else(|_| metadata.modified()))
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok())
        .map_or_else(|| Moment::NEVER.to_owned(), |time| time.to_string())
}
