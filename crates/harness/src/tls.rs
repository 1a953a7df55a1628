//! A private `dockerd` that also listens on TCP with TLS.

use std::net::TcpListener;

use crate::certificates::{Authority, Certificate};
use crate::engine::{Engine, StartError};

/// A running `dockerd` that wants a client's certificate of its authority.
#[derive(Debug)]
pub struct TlsDockerd {
    engine: Engine,
    port: u16,
}

impl TlsDockerd {
    /// Starts an engine that shows this certificate.
    ///
    /// # Errors
    /// Those of [`Engine::dockerd`].
    pub fn start(authority: &Authority, server: &Certificate) -> Result<TlsDockerd, StartError> {
        let failed = |error: std::io::Error| StartError::new(format!("a loopback port: {error}"));
        // Another process may take the port before the engine does, which is rare enough to fail for.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(failed)?
            .port();
        let directory = tempfile::tempdir().map_err(failed)?;
        let files = server.write(directory.path(), authority);
        let file = |name: &str| files.join(name).to_string_lossy().into_owned();
        let arguments = [
            "--host".to_owned(),
            format!("tcp://127.0.0.1:{port}"),
            "--tlsverify".to_owned(),
            "--tlscacert".to_owned(),
            file("ca.pem"),
            "--tlscert".to_owned(),
            file("cert.pem"),
            "--tlskey".to_owned(),
            file("key.pem"),
        ];
        // The engine has read the files once it answers, and then they go.
        let engine = Engine::dockerd_with(&arguments)?;
        Ok(TlsDockerd { engine, port })
    }

    /// The engine, by its socket.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The port as `-H` and `DOCKER_HOST` want it, on a host of this name: `localhost` or `127.0.0.1`.
    pub fn host(&self, name: &str) -> String {
        format!("tcp://{name}:{}", self.port)
    }
}
