//! A socket in front of an engine that counts what passes: connections and requests.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::Context as _;

/// What went through a relay.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic {
    /// Connections that a client opened.
    pub(crate) connections: usize,
    /// Request lines, in the order in which they began.
    pub(crate) requests: Vec<String>,
}

/// A listening socket whose connections are passed on to an engine's.
pub(crate) struct Relay {
    path: PathBuf,
    traffic: Arc<Mutex<Traffic>>,
}

impl Relay {
    /// Listens on `path` and passes every connection on to the socket `engine`, on threads that end with the process.
    pub(crate) fn start(path: PathBuf, engine: &Path) -> anyhow::Result<Self> {
        let listener = UnixListener::bind(&path)
            .with_context(|| format!("cannot listen on {}", path.display()))?;
        let traffic = Arc::new(Mutex::new(Traffic::default()));
        let (counted, engine) = (Arc::clone(&traffic), engine.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                lock(&counted).connections += 1;
                if let Err(error) = pass_on(client, &engine, &counted) {
                    eprintln!("relay: {error}");
                }
            }
        });
        Ok(Self { path, traffic })
    }

    /// The address that a client is given.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    /// What has passed since the last call.
    pub(crate) fn take(&self) -> Traffic {
        std::mem::take(&mut lock(&self.traffic))
    }
}

fn lock(traffic: &Mutex<Traffic>) -> std::sync::MutexGuard<'_, Traffic> {
    traffic.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the two directions of one connection.
fn pass_on(client: UnixStream, engine: &Path, traffic: &Arc<Mutex<Traffic>>) -> io::Result<()> {
    let engine = UnixStream::connect(engine)?;
    let (from_client, to_engine) = (client.try_clone()?, engine.try_clone()?);
    let traffic = Arc::clone(traffic);
    thread::spawn(move || copy(from_client, to_engine, |bytes| count(bytes, &traffic)));
    thread::spawn(move || copy(engine, client, |_| {}));
    Ok(())
}

/// Copies until the end and hands the end on; a connection that breaks is the measured client's business.
fn copy(mut from: UnixStream, mut to: UnixStream, mut seen: impl FnMut(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 {
            break;
        }
        seen(&buffer[..length]);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other side may have gone already; then there is nothing left to tell it.
    let _gone = to.shutdown(Shutdown::Write);
}

/// Both clients write a request's head in one piece, so a piece that begins with a method begins a request.
fn count(bytes: &[u8], traffic: &Mutex<Traffic>) {
    let line = bytes
        .split(|&byte| byte == b'\r')
        .next()
        .unwrap_or_default();
    if let Some(request) = std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.strip_suffix(" HTTP/1.1"))
    {
        lock(traffic).requests.push(request.to_owned());
    }
}
