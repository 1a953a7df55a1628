//! `GET /images/json`: list images.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::nullable::or_default;
use crate::request::Request;

/// Which images [`Client::list_images`] lists: by default those that have a name, or no image upon them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListImages {
    /// Those that only serve others as layers, too.
    pub all: bool,
    /// With the digests that registries know them by.
    pub digests: bool,
    /// The filters as JSON: `{"reference":{"busybox":true}}`.
    pub filters: Option<String>,
}

/// An image in a list. What an engine leaves out or sends as null is empty.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageSummary {
    /// The whole identifier, with the name of its algorithm.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// Its names with tags; older engines say `<none>:<none>` for none.
    #[serde(deserialize_with = "or_default")]
    pub repo_tags: Vec<String>,
    /// Its names with digests; older engines say `<none>@<none>` for none.
    #[serde(deserialize_with = "or_default")]
    pub repo_digests: Vec<String>,
    /// When it was made, in seconds since 1970.
    #[serde(deserialize_with = "or_default")]
    pub created: i64,
    /// Bytes of all its layers.
    #[serde(deserialize_with = "or_default")]
    pub size: i64,
    /// Bytes of its layers that other images have, too; -1 if the engine did not count.
    #[serde(deserialize_with = "or_default")]
    pub shared_size: i64,
    /// How many containers use it; -1 if the engine did not count.
    #[serde(deserialize_with = "or_default")]
    pub containers: i64,
    /// The labels.
    #[serde(deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
}

impl Client {
    /// Lists images, the newest first.
    ///
    /// Engine API `GET /images/json?all=1&digests=1&filters=`.
    ///
    /// # Errors
    /// Status 400 for a filter that the engine does not know.
    pub fn list_images(&self, list: &ListImages) -> Result<Vec<ImageSummary>, Error> {
        let request = Request::new("GET", "/images/json")
            .flag("all", list.all)
            .flag("digests", list.digests)
            .optional("filters", list.filters.as_deref());
        self.call_json(&request)
    }
}
