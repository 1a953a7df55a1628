//! `GET /volumes`: list volumes.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::nullable::or_default;
use crate::request::Request;

/// A volume in a list. What an engine leaves out or sends as null is empty.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct VolumeSummary {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub name: String,
    /// Its driver.
    #[serde(deserialize_with = "or_default")]
    pub driver: String,
    /// Where it is on the engine's machine.
    #[serde(deserialize_with = "or_default")]
    pub mountpoint: String,
    /// `local`, or `global` for one of a cluster.
    #[serde(deserialize_with = "or_default")]
    pub scope: String,
    /// Its labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
}

/// The answer.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Volumes {
    #[serde(deserialize_with = "or_default")]
    volumes: Vec<VolumeSummary>,
}

impl Client {
    /// Lists volumes, in no particular order. `filters` is JSON: `{"dangling":{"true":true}}`.
    ///
    /// Engine API `GET /volumes?filters=`.
    ///
    /// # Errors
    /// Status 400 for a filter that the engine does not know.
    pub fn list_volumes(&self, filters: Option<&str>) -> Result<Vec<VolumeSummary>, Error> {
        let request = Request::new("GET", "/volumes").optional("filters", filters);
        let list: Volumes = self.call_json(&request)?;
        Ok(list.volumes)
    }
}
