//! `HEAD /_ping`: whether the engine answers, and its API version.

use crate::client::{Client, read_whole};
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

impl Client {
    /// Asks whether the engine is there. Most callers want [`Client::version`], which asks only once.
    ///
    /// Engine API `HEAD /_ping`, and `GET /_ping` where that is not answered well; neither has a version in its path.
    ///
    /// # Errors
    /// [`Timeout`](crate::ErrorKind::Timeout) if the engine takes the connection and then says nothing for
    /// [`ClientOptions::ping_timeout`](crate::ClientOptions::ping_timeout).
    pub fn ping(&self) -> Result<Ping, Error> {
        let ping = self.send_ping()?;
        self.remember(&ping);
        Ok(ping)
    }

    pub(crate) fn send_ping(&self) -> Result<Ping, Error> {
        let ping = |method| {
            let request = Request::new(method, "/_ping");
            match self.ping_timeout() {
                Some(timeout) => request.timeout(timeout),
                None => request,
            }
        };
        let head = ping("HEAD");
        let response = self.send_unversioned(&head)?;
        // An engine that is unhealthy answers 500, but it answers, and its headers are right.
        if matches!(response.status, 200 | 500) && response.header("Api-Version").is_some() {
            return read(&head, &response);
        }
        let get = ping("GET");
        let response = self.check(self.send_unversioned(&get)?, &get, None)?;
        let pong = read(&get, &response)?;
        // The body says OK, and is read so that the connection can serve once more.
        read_whole(response.body, 64 << 10, &get.label())?;
        Ok(pong)
    }
}

fn read(request: &Request, response: &Response) -> Result<Ping, Error> {
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
