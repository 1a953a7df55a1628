//! The hook for an engine in this process: the host opens its connections.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

type Connect = dyn Fn(Option<&Path>) -> io::Result<UnixStream> + Send + Sync;

/// How to reach the engine inside of this program: what serves `embedded://` endpoints.
///
/// ```
/// use std::os::unix::net::UnixStream;
/// use engine_client::EmbeddedEngine;
///
/// let engine = EmbeddedEngine::new(|_state| {
///     let (ours, _served) = UnixStream::pair()?;
///     // A thread of the host's answers requests on the other end.
///     Ok(ours)
/// });
/// # let _ = engine;
/// ```
#[derive(Clone)]
pub struct EmbeddedEngine {
    connect: Arc<Connect>,
}

impl EmbeddedEngine {
    /// `connect` opens a connection each time that it is called, from any thread. It is given the directory of the
    /// engine's state, if the endpoint names one.
    pub fn new(
        connect: impl Fn(Option<&Path>) -> io::Result<UnixStream> + Send + Sync + 'static,
    ) -> EmbeddedEngine {
        EmbeddedEngine {
            connect: Arc::new(connect),
        }
    }

    pub(crate) fn connect(&self, state: Option<&Path>) -> io::Result<UnixStream> {
        (self.connect)(state)
    }
}

impl fmt::Debug for EmbeddedEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmbeddedEngine")
    }
}
