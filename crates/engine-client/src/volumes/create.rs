//! `POST /volumes/create`: create a volume.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::request::Request;

/// The volume that [`Client::create_volume`] makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateVolume {
    /// Its name; the engine makes one up without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its driver; `local` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub driver: Option<String>,
    /// What the driver is told.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub driver_opts: BTreeMap<String, String>,
    /// Its labels.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// The answer.
#[derive(Deserialize)]
struct Created {
    #[serde(rename = "Name")]
    name: String,
}

impl Client {
    /// Makes a volume, unless there is one with this name and driver already, and returns its name.
    ///
    /// Engine API `POST /volumes/create`.
    ///
    /// # Errors
    /// Status 409 if another driver has a volume of this name.
    pub fn create_volume(&self, volume: &CreateVolume) -> Result<String, Error> {
        let request = Request::new("POST", "/volumes/create").json(volume)?;
        let created: Created = self.call_json(&request)?;
        Ok(created.name)
    }
}
