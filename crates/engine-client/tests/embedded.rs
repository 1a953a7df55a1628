//! An engine in this process, as far as this crate knows it: connections opened by the host.

mod wire;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use engine_client::{Client, ClientOptions, EmbeddedEngine, Endpoint, ErrorKind};
use wire::{PONG, Wire};

fn client(endpoint: &str, engine: Option<EmbeddedEngine>) -> Client {
    let options = ClientOptions {
        embedded: engine,
        ..ClientOptions::default()
    };
    Client::new(endpoint.parse().expect("an endpoint"), options)
}

#[test]
fn the_host_opens_connections() {
    let wire = Wire::unix(|peer| {
        while peer.receive().is_some() {
            peer.send(PONG);
        }
    });
    let socket = wire.endpoint.socket_path().expect("a socket").to_owned();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&asked);
    let engine = EmbeddedEngine::new(move |state| {
        let state = state.map(PathBuf::from);
        states.lock().expect("no panic").push(state);
        UnixStream::connect(&socket)
    });
    for endpoint in ["embedded://", "embedded:///srv/engine"] {
        client(endpoint, Some(engine.clone()))
            .ping()
            .expect("an answer");
    }
    let asked = asked.lock().expect("no panic");
    assert_eq!(*asked, [None, Some(PathBuf::from("/srv/engine"))]);
}

#[test]
fn a_host_that_fails_or_has_none_is_named() {
    let failing = EmbeddedEngine::new(|_| Err(io::Error::from_raw_os_error(13)));
    let error = client("embedded://", Some(failing))
        .ping()
        .expect_err("denied");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        "failed to connect to the embedded engine: permission denied"
    );
    let error = client("embedded://", None).ping().expect_err("none");
    assert_eq!(error.kind(), ErrorKind::Connect);
    let text = error.to_string();
    assert!(
        text.contains("this program has no embedded engine"),
        "{text}"
    );
}

#[test]
fn a_refusal_of_the_default_socket_names_the_engine_inside() {
    if Endpoint::default()
        .socket_path()
        .is_some_and(std::path::Path::exists)
    {
        // An engine of this machine's own would answer.
        return;
    }
    let engine = EmbeddedEngine::new(|_| Err(io::Error::from_raw_os_error(13)));
    let error = client("", Some(engine)).ping().expect_err("no engine");
    let text = error.to_string();
    assert!(
        text.ends_with("; with '-H embedded://' the engine inside of this program is used"),
        "{text}"
    );
}
