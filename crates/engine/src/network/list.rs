//! The networks that an engine has.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;

use super::record::{self, Locked};
use super::settings;
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
    pub(crate) subnet: Option<String>,
    pub(crate) gateway: Option<String>,
    pub(crate) options: BTreeMap<&'static str, String>,
    pub(crate) members: Vec<Member>,
}

/// A container on the bridge.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) container: String,
    pub(crate) name: String,
    pub(crate) endpoint: String,
    pub(crate) mac: String,
    /// With the length of the prefix.
    pub(crate) address: String,
}

impl Network {
    pub(crate) fn is_bridge(&self) -> bool {
        self.name == BRIDGE
    }

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
    bridge.options.insert(
        "com.docker.network.bridge.default_bridge",
        "true".to_owned(),
    );
    if record::is_there(layout.root()) {
        let locked = Locked::open(layout)?;
        if let Some(recorded) = &locked.record.bridge {
            bridge.subnet = Some(recorded.subnet.to_string());
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
    Ok(vec![bridge, plain("host"), plain("none")])
}

fn created(layout: &Layout) -> String {
    fs::metadata(layout.root())
        .and_then(|metadata| metadata.created().or_else(|_| metadata.modified()))
        .ok()
        .and_then(|time| Timestamp::try_from(time).ok())
        .map_or_else(|| Moment::NEVER.to_owned(), |time| time.to_string())
}
