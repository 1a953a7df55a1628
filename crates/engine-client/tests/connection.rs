//! Connections: how many are opened, what they carry, and the errors when there is none.

mod wire;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc;
use std::time::Duration;

use engine_client::{AttachOptions, Client, ClientOptions, Endpoint, ErrorKind, WaitCondition};
use wire::{PONG, Wire, in_time};

fn client(endpoint: &str) -> Client {
    Client::new(
        endpoint.parse().expect("an endpoint"),
        ClientOptions::default(),
    )
}

/// Serves what a run asks for.
fn engine(peer: &mut wire::Peer) {
    while let Some(request) = peer.receive() {
        match request
            .line
            .split(['?', '/'])
            .next_back()
            .unwrap_or_default()
        {
            _ if request.line.ends_with("/_ping") => peer.send(PONG),
            _ if request.line.contains("/create") => {
                peer.json(201, r#"{"Id":"abc","Warnings":null}"#)
            }
            _ if request.line.contains("/attach") => {
                peer.send("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
                peer.wait_for_close();
            }
            _ if request.line.contains("/wait") => {
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                peer.wait_for_close();
            }
            _ => peer.no_content(),
        }
    }
}

#[test]
fn a_run_takes_three_connections() {
    for wire in [Wire::unix(engine), Wire::tcp(engine)] {
        let client = wire.client();
        let container = client
            .create_container(&Default::default(), &Default::default())
            .expect("a container");
        assert_eq!(
            wire.connections(),
            1,
            "create comes on the connection of the ping"
        );
        let attached = client
            .attach_container(&container.id, &AttachOptions::default())
            .expect("a stream");
        let waiting = client
            .wait_container(&container.id, WaitCondition::NextExit)
            .expect("a wait");
        client.start_container(&container.id).expect("a start");
        client
            .resize_container(&container.id, 24, 80)
            .expect("a resize");
        client
            .kill_container(&container.id, Some("SIGTERM"))
            .expect("a kill");
        assert_eq!(wire.connections(), 3);
        drop((attached, waiting));
        assert_eq!(
            wire.requests(),
            [
                "HEAD /_ping",
                "POST /v1.41/containers/create",
                "POST /v1.41/containers/abc/attach?stream=1",
                "POST /v1.41/containers/abc/wait?condition=next-exit",
                "POST /v1.41/containers/abc/start",
                "POST /v1.41/containers/abc/resize?h=24&w=80",
                "POST /v1.41/containers/abc/kill?signal=SIGTERM",
            ]
        );
    }
}

#[test]
fn a_connection_that_the_engine_closed_is_not_used_again() {
    let wire = Wire::unix(|peer| {
        peer.receive();
        peer.send(PONG);
    });
    let client = wire.client();
    client.ping().expect("a ping");
    std::thread::sleep(Duration::from_millis(50));
    client.ping().expect("a ping");
    assert_eq!(wire.connections(), 2);
}

#[test]
fn headers_say_who_asks() {
    let (sender, received) = mpsc::channel();
    let script = move |peer: &mut wire::Peer| {
        while let Some(request) = peer.receive() {
            let ping = request.line.ends_with("/_ping");
            sender.send(request.clone()).expect("the test listens");
            match ping {
                true => peer.send(PONG),
                false => peer.send("HTTP/1.1 101 UPGRADED\r\n\r\n"),
            }
        }
    };
    let wire = Wire::unix(script.clone());
    let options = ClientOptions {
        user_agent_version: "9.9\r\nX: y".to_owned(),
        ..ClientOptions::default()
    };
    wire.client_with(options)
        .attach_container("x", &AttachOptions::default())
        .expect("a stream");
    for request in received.try_iter() {
        assert_eq!(request.header("Host"), Some("api.moby.localhost"));
        assert_eq!(
            request.header("User-Agent"),
            Some("Docker-Client/9.9X:y (linux)")
        );
        assert_eq!(request.header("X"), None);
    }

    let wire = Wire::tcp(script);
    wire.client()
        .attach_container("x", &AttachOptions::default())
        .expect("a stream");
    let authority = wire.endpoint.to_string().replace("tcp://", "");
    for request in received.try_iter() {
        assert_eq!(request.header("Host"), Some(authority.as_str()));
    }
}

#[test]
fn a_base_path_goes_before_each_path() {
    let wire = Wire::tcp(engine);
    let client = client(&format!("{}/proxy/", wire.endpoint));
    client.start_container("x").expect("a start");
    client
        .attach_container("x", &AttachOptions::default())
        .expect("a stream");
    assert_eq!(
        wire.requests(),
        [
            "HEAD /proxy/_ping",
            "POST /proxy/v1.41/containers/x/start",
            "POST /proxy/v1.41/containers/x/attach?stream=1"
        ]
    );
}

#[test]
fn a_proxy_of_the_environment_is_not_used_unasked() {
    // The variables are set for a process of their own, which runs one test of this file. If it used the proxy, where
    // nobody listens, its ping would fail.
    let wire = Wire::tcp(engine);
    let status = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "proxied", "--ignored", "--nocapture"])
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9")
        .env("ALL_PROXY", "http://127.0.0.1:9")
        .env("ENGINE_CLIENT_TEST_ENDPOINT", wire.endpoint.to_string())
        .status()
        .expect("this test runs again");
    assert!(status.success());
    assert_eq!(wire.requests(), ["HEAD /_ping"]);
}

#[test]
#[ignore = "started by a_proxy_of_the_environment_is_not_used_unasked"]
fn proxied() {
    let endpoint = std::env::var("ENGINE_CLIENT_TEST_ENDPOINT").expect("the other test sets it");
    client(&endpoint).version().expect("a version");
}

#[test]
fn a_missing_socket_is_named() {
    let error = client("unix:///nowhere/engine.sock")
        .version()
        .expect_err("nothing there");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        "failed to connect to the docker API at unix:///nowhere/engine.sock; check if the path is correct and if the \
         daemon is running: dial unix /nowhere/engine.sock: connect: no such file or directory"
    );
    let error =
        client("unix:///nowhere/engine.sock").attach_container("x", &AttachOptions::default());
    assert_eq!(error.expect_err("nothing there").kind(), ErrorKind::Connect);
}

#[test]
fn a_socket_that_nobody_serves_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("engine.sock");
    drop(UnixListener::bind(&path).expect("a socket"));
    let endpoint = Endpoint::unix(&path).expect("an endpoint");
    let error = Client::new(endpoint, ClientOptions::default())
        .version()
        .expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        format!(
            "Cannot connect to the Docker daemon at unix://{}. Is the docker daemon running?",
            path.display()
        )
    );
}

#[test]
fn a_port_that_nobody_serves_is_refused() {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port")
        .port();
    let error = client(&format!("127.0.0.1:{port}"))
        .version()
        .expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        format!(
            "Cannot connect to the Docker daemon at tcp://127.0.0.1:{port}. Is the docker daemon running?"
        )
    );
}

#[test]
fn a_host_that_is_not_there_is_named() {
    let error = in_time(|| {
        client("tcp://no-such-host.invalid")
            .version()
            .expect_err("nobody")
    });
    assert_eq!(error.kind(), ErrorKind::Connect);
    let text = error.to_string();
    let expected = "failed to connect to the docker API at tcp://no-such-host.invalid:2375: lookup no-such-host.invalid: ";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn a_socket_that_denies_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("engine.sock");
    let _listener = UnixListener::bind(&path).expect("a socket");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("a mode");
    if UnixStream::connect(&path).is_ok() {
        // The superuser is denied nothing.
        return;
    }
    let endpoint = Endpoint::unix(&path).expect("an endpoint");
    let error = Client::new(endpoint, ClientOptions::default())
        .version()
        .expect_err("denied");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        format!(
            "permission denied while trying to connect to the docker API at unix://{}",
            path.display()
        )
    );
}

#[test]
fn an_engine_that_takes_no_connections_is_a_time_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("engine.sock");
    let _listener = UnixListener::bind(&path).expect("a socket");
    // Nobody accepts, so the backlog fills up; the client that fills it is the first that waits.
    let mut held = Vec::new();
    let error = loop {
        let endpoint = Endpoint::unix(&path).expect("an endpoint");
        let short = Duration::from_millis(50);
        let options = ClientOptions {
            connect_timeout: short,
            ping_timeout: short,
            ..ClientOptions::default()
        };
        let client = Client::new(endpoint, options);
        let error = in_time(move || client.ping().expect_err("silence"));
        if !error.to_string().contains("took the connection") {
            break error;
        }
        for _ in 0..64 {
            let Ok(stream) = nonblocking(&path) else {
                break;
            };
            held.push(stream);
        }
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(
        error.to_string(),
        format!(
            "Cannot connect to the Docker daemon at unix://{}. Is the docker daemon running? (no connection within 50ms)",
            path.display()
        )
    );
}

/// Connects, or fails at once if the backlog is full.
fn nonblocking(path: &std::path::Path) -> std::io::Result<UnixStream> {
    use rustix::net::{
        AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with,
    };
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::NONBLOCK,
        None,
    )?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}
