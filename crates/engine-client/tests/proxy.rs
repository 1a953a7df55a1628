//! Proxies: which requests go through one, and how.

mod wire;

use std::ffi::OsString;
use std::sync::mpsc;

use engine_client::{AttachOptions, Client, ClientOptions, CustomHeaders, ErrorKind};
use wire::{PONG, Wire};

/// A client of an engine that is at no loopback address, since these are never reached through a proxy.
fn client(endpoint: &str, variables: &[(&str, &str)]) -> Client {
    let environment: Vec<(OsString, OsString)> = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let options = ClientOptions {
        environment,
        headers: CustomHeaders::new([("X-Mine", "1")]).expect("a header"),
        ..ClientOptions::default()
    };
    Client::new(endpoint.parse().expect("an endpoint"), options)
}

/// A proxy that answers by itself, and what it was asked.
fn proxy() -> (Wire, mpsc::Receiver<wire::Received>) {
    let (sender, received) = mpsc::channel();
    let wire = Wire::tcp(move |peer| {
        while let Some(request) = peer.receive() {
            let ping = request.line.contains("/_ping");
            sender.send(request).expect("the test listens");
            match ping {
                true => peer.send(PONG),
                false => peer.no_content(),
            }
        }
    });
    (wire, received)
}

#[test]
fn a_proxy_is_told_the_whole_address() {
    let (wire, received) = proxy();
    let address = wire.endpoint.to_string().replace("tcp://", "http://u:p@");
    let client = client(
        "tcp://engine.invalid:2375/base",
        &[("HTTP_PROXY", &address)],
    );
    client.start_container("x").expect("a start");
    client.kill_container("x", None).expect("a kill");
    assert_eq!(
        wire.requests(),
        [
            "HEAD http://engine.invalid:2375/base/_ping",
            "POST http://engine.invalid:2375/base/v1.41/containers/x/start",
            "POST http://engine.invalid:2375/base/v1.41/containers/x/kill",
        ]
    );
    assert_eq!(wire.connections(), 1);
    for request in received.try_iter() {
        assert_eq!(request.header("Host"), Some("engine.invalid:2375"));
        assert_eq!(request.header("Proxy-Authorization"), Some("Basic dTpw"));
        assert_eq!(request.header("X-Mine"), Some("1"));
    }
}

#[test]
fn exceptions_sockets_and_this_machine_are_reached_directly() {
    fn engine(peer: &mut wire::Peer) {
        while peer.receive().is_some() {
            peer.send(PONG);
        }
    }
    let nowhere = [("HTTP_PROXY", "http://127.0.0.1:9")];
    for wire in [Wire::tcp(engine), Wire::unix(engine)] {
        let client = client(&wire.endpoint.to_string(), &nowhere);
        client.ping().expect("an answer");
    }
    let error = client("tcp://engine.invalid", &nowhere)
        .ping()
        .expect_err("no proxy");
    assert_eq!(error.kind(), ErrorKind::Connect);
    let text = error.to_string();
    assert!(
        text.contains("proxyconnect tcp: dial tcp 127.0.0.1:9: connection refused"),
        "{text}"
    );
    let excepted = [nowhere[0], ("no_proxy", ".invalid")];
    let error = client("tcp://engine.invalid", &excepted)
        .ping()
        .expect_err("no engine");
    assert!(
        error.to_string().contains("lookup engine.invalid"),
        "{error}"
    );
}

#[test]
fn a_hijacked_stream_goes_past_the_proxy() {
    let (wire, _received) = proxy();
    let address = wire.endpoint.to_string().replace("tcp://", "http://");
    let client = client("tcp://engine.invalid", &[("HTTP_PROXY", &address)]);
    client.ping().expect("an answer");
    let error = client
        .attach_container("x", &AttachOptions::default())
        .expect_err("no such host");
    assert!(
        error.to_string().contains("lookup engine.invalid"),
        "{error}"
    );
    assert_eq!(wire.requests().len(), 1);
}

#[test]
fn a_password_is_not_shown() {
    let variables = [("HTTP_PROXY", "socks5://u:swordfish@proxy")];
    let error = client("tcp://engine.invalid", &variables)
        .ping()
        .expect_err("no proxy");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        "HTTP_PROXY names no proxy: socks5:// is not supported, only http:// and https:// are"
    );
}
