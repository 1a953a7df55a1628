//! Forwards a TCP port to an engine's socket and records what passes.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// A loopback port that leads to a unix socket and keeps what clients sent through it.
///
/// It stands in for an engine that listens on TCP, which today's engines delay their start for, and it counts requests.
#[derive(Debug)]
pub struct Forward {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Forward {
    /// Listens on a port that the kernel picks.
    ///
    /// # Panics
    /// If this machine has no loopback.
    pub fn to(socket: impl AsRef<Path>) -> Forward {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("a bound address");
        let sent = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let (all_sent, all_connections) = (Arc::clone(&sent), Arc::clone(&connections));
        let socket: PathBuf = socket.as_ref().to_owned();
        // The threads end with their connections, and this one with the process.
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(engine) = UnixStream::connect(&socket) else {
                    continue;
                };
                all_connections
                    .lock()
                    .expect("no holder panics")
                    .extend(client.try_clone());
                join(client, engine, &all_sent);
            }
        });
        Forward {
            address,
            sent,
            connections,
        }
    }

    /// The port as `-H` and `DOCKER_HOST` want it.
    pub fn host(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// The request lines of all connections, without `HTTP/1.1`, each connection's in order.
    pub fn request_lines(&self) -> Vec<String> {
        let sent = self.sent.lock().expect("no holder panics");
        sent.iter()
            .flat_map(|bytes| request_lines(&String::from_utf8_lossy(bytes)))
            .collect()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.sent.lock().expect("no holder panics").len()
    }

    /// Cuts every connection, as a network does that goes away.
    pub fn cut(&self) {
        for connection in self.connections.lock().expect("no holder panics").drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

fn request_lines(sent: &str) -> Vec<String> {
    // A body without a line break at its end stands on the line of the next request.
    const METHODS: [&str; 5] = ["HEAD /", "GET /", "POST /", "PUT /", "DELETE /"];
    sent.lines()
        .filter_map(|line| line.strip_suffix(" HTTP/1.1"))
        .filter_map(|line| {
            METHODS
                .iter()
                .filter_map(|method| line.rfind(method))
                .max()
                .map(|at| &line[at..])
        })
        .map(str::to_owned)
        .collect()
}

fn join(client: TcpStream, engine: UnixStream, sent: &Arc<Mutex<Vec<Vec<u8>>>>) {
    let index = {
        let mut all = sent.lock().expect("no holder panics");
        all.push(Vec::new());
        all.len() - 1
    };
    let sent = Arc::clone(sent);
    let (Ok(mut from_client), Ok(mut to_engine)) = (client.try_clone(), engine.try_clone()) else {
        return;
    };
    thread::spawn(move || {
        pump(&mut from_client, &mut to_engine, |bytes| {
            sent.lock().expect("no holder panics")[index].extend_from_slice(bytes);
        });
        let _ = to_engine.shutdown(Shutdown::Write);
    });
    let (mut from_engine, mut to_client) = (engine, client);
    thread::spawn(move || {
        pump(&mut from_engine, &mut to_client, |_| {});
        let _ = to_client.shutdown(Shutdown::Both);
    });
}

fn pump(from: &mut impl Read, to: &mut impl Write, overheard: impl Fn(&[u8])) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        overheard(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::request_lines;

    #[test]
    fn finds_a_request_behind_the_body_of_another() {
        let sent =
            "POST /a HTTP/1.1\r\nHost: x\r\n\r\n{\"Path\":\"GET /no\"}POST /b?c=d HTTP/1.1\r\n\r\n";
        assert_eq!(request_lines(sent), ["POST /a", "POST /b?c=d"]);
    }
}
