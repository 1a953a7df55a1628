//! `POST /containers/{id}/attach`: a container's standard streams.

use crate::client::Client;
use crate::error::Error;
use crate::hijack::Hijacked;
use crate::request::{Request, container_path};

/// Which streams [`Client::attach_container`] attaches to; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttachOptions {
    /// Write to the container's standard input.
    pub stdin: bool,
    /// Read its standard output.
    pub stdout: bool,
    /// Read its standard error.
    pub stderr: bool,
    /// The keys that detach from a container with a terminal, such as `ctrl-p,ctrl-q`, which is also the engine's
    /// default.
    pub detach_keys: Option<String>,
}

impl Client {
    /// Attaches to a container, on a connection of its own. To miss nothing, attach before the start.
    ///
    /// With a terminal the stream is raw, without one it is for a [`Demultiplexer`](crate::Demultiplexer).
    ///
    /// Engine API `POST /containers/{id}/attach?detachKeys=&stderr=1&stdin=1&stdout=1&stream=1`, with
    /// `Connection: Upgrade`.
    pub fn attach_container(&self, id: &str, options: &AttachOptions) -> Result<Hijacked, Error> {
        self.attach_container_and(id, options, || ())
            .map(|(hijacked, ())| hijacked)
    }

    /// As [`Client::attach_container`], with another request, or anything else, that is made while the engine has not
    /// answered yet: a wait, for a container that is to be started, needs no answer of this one.
    ///
    /// # Errors
    /// Those of attaching. What was done meanwhile is lost then.
    pub fn attach_container_and<T>(
        &self,
        id: &str,
        options: &AttachOptions,
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Hijacked, T), Error> {
        let mut request = Request::new("POST", container_path(id)? + "/attach");
        if let Some(keys) = &options.detach_keys {
            request = request.query("detachKeys", keys);
        }
        let request = request
            .flag("stderr", options.stderr)
            .flag("stdin", options.stdin)
            .flag("stdout", options.stdout)
            .flag("stream", true);
        self.upgrade_and(&request, meanwhile)
    }
}
