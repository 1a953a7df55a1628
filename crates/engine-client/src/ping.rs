//! `HEAD /_ping`: whether the engine answers, and its API version.

use crate::error::Error;
use crate::request::Request;
use crate::transport::Response;
use crate::version::ApiVersion;

/// What an engine tells in the headers of its answer to a ping.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    /// The newest API version that the engine speaks (`Api-Version`).
    pub api_version: Option<ApiVersion>,
    /// The operating system of its containers, such as `linux` (`OSType`).
    pub os_type: Option<String>,
    /// Whether it is Podman's Docker-compatible service (it tells `Libpod-Api-Version`).
    pub is_podman: bool,
    /// Whether it is this project's own engine, wherever it is reached (it tells `Embedded-Engine`).
    pub is_embedded: bool,
}

impl Ping {
    /// Reads the headers of an answer.
    pub(crate) fn read(request: &Request, response: &Response) -> Result<Ping, Error> {
        let api_version = match response.header("Api-Version") {
            Some(text) => {
                let version = text.parse();
                Some(version.map_err(|error: Error| {
                    Error::protocol(&request.label(), &error).with_source(error)
                })?)
            }
            None => None,
        };
        Ok(Ping {
            api_version,
            os_type: response.header("Ostype").map(str::to_owned),
            is_podman: response.header("Libpod-Api-Version").is_some(),
            is_embedded: response.header("Embedded-Engine").is_some(),
        })
    }
}
