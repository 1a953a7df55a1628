//! `GET /containers/json`: list containers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::nullable::or_default;
use crate::request::Request;

/// Which containers [`Client::list_containers`] lists: by default those that run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListContainers {
    /// Those that do not run, too.
    pub all: bool,
    /// At most so many, the newest; this lists those that do not run, too.
    pub limit: Option<u64>,
    /// With their sizes on disk, which takes the engine a while.
    pub size: bool,
    /// The filters as JSON: `{"status":{"exited":true}}`.
    pub filters: Option<String>,
}

/// A container in a list. What an engine leaves out or sends as null is empty: the stubs' type insists on states that
/// other engines have more of.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerSummary {
    /// The whole identifier.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The names, each with a slash before it; more than one if other containers link to it.
    #[serde(deserialize_with = "or_default")]
    pub names: Vec<String>,
    /// The image as it was named, or its identifier if that name is another image's now.
    #[serde(deserialize_with = "or_default")]
    pub image: String,
    /// The image's identifier.
    #[serde(rename = "ImageID", deserialize_with = "or_default")]
    pub image_id: String,
    /// The program and its arguments.
    #[serde(deserialize_with = "or_default")]
    pub command: String,
    /// When it was made, in seconds since 1970.
    #[serde(deserialize_with = "or_default")]
    pub created: i64,
    /// The ports that it exposes and publishes.
    #[serde(deserialize_with = "or_default")]
    pub ports: Vec<Port>,
    /// The labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// `running`, `exited` and so on.
    #[serde(deserialize_with = "or_default")]
    pub state: String,
    /// The state in words, with its time: `Up 2 hours`.
    #[serde(deserialize_with = "or_default")]
    pub status: String,
    /// Bytes that the container has written; only if sizes were asked for.
    pub size_rw: Option<i64>,
    /// Bytes of its whole file system; only if sizes were asked for.
    pub size_root_fs: Option<i64>,
    /// What is mounted into it.
    #[serde(deserialize_with = "or_default")]
    pub mounts: Vec<Mount>,
    /// The networks that it is connected to.
    #[serde(deserialize_with = "or_default")]
    pub network_settings: Networks,
}

/// A port of a container in a list.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Port {
    /// The host's address that it is published at; empty if it is only exposed.
    #[serde(rename = "IP", deserialize_with = "or_default")]
    pub ip: String,
    /// The port in the container.
    pub private_port: u16,
    /// The host's port; 0 if it is only exposed.
    #[serde(deserialize_with = "or_default")]
    pub public_port: u16,
    /// `tcp`, `udp` or `sctp`.
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub protocol: String,
}

/// A mount of a container in a list.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Mount {
    /// `bind`, `volume` and so on.
    #[serde(rename = "Type", deserialize_with = "or_default")]
    pub kind: String,
    /// The volume's name, if it is one.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Where it is on the host.
    #[serde(deserialize_with = "or_default")]
    pub source: String,
    /// The volume's driver, if it is one.
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
}

/// The networks of a container in a list.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Networks {
    /// What is known of each network, by its name.
    #[serde(deserialize_with = "or_default")]
    pub networks: BTreeMap<String, serde_json::Value>,
}

impl Client {
    /// Lists containers, the newest first.
    ///
    /// Engine API `GET /containers/json?all=1&limit=&size=1&filters=`.
    ///
    /// # Errors
    /// Status 400 for a filter that the engine does not know.
    pub fn list_containers(&self, list: &ListContainers) -> Result<Vec<ContainerSummary>, Error> {
        let limit = list.limit.map(|limit| limit.to_string());
        let request = Request::new("GET", "/containers/json")
            .flag("all", list.all)
            .optional("limit", limit.as_deref())
            .flag("size", list.size)
            .optional("filters", list.filters.as_deref());
        self.call_json(&request)
    }
}
