//! A wait: acknowledged at once, answered much later, and canceled from outside.

mod wire;

use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use engine_client::{Error, ErrorKind, WaitCondition, Waiting};
use wire::{PONG, Peer, Wire, chunk, in_time};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

fn engine(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Wire {
    Wire::unix(move |peer| {
        while let Some(request) = peer.receive() {
            match request.line.contains("/_ping") {
                true => peer.send(PONG),
                false => return script(peer),
            }
        }
    })
}

fn wait(wire: &Wire) -> Result<Waiting, Error> {
    let client = wire.client();
    in_time(move || client.wait_container("abc", WaitCondition::NextExit))
}

#[test]
fn the_header_alone_lets_the_caller_go_on() {
    let (exit, exited) = mpsc::channel::<()>();
    let exited = Mutex::new(exited);
    let wire = engine(move |peer| {
        peer.send(HEAD);
        exited
            .lock()
            .expect("no panic")
            .recv()
            .expect("the test goes on");
        // The object counts, not the end of the body.
        peer.send(chunk("\n {\"StatusCode\":137,\"Error\":null}\n"));
        peer.wait_for_close();
    });
    let waiting = wait(&wire).expect("a wait");
    let status = thread::spawn(move || waiting.status());
    thread::sleep(Duration::from_millis(50));
    assert!(!status.is_finished());
    exit.send(()).expect("the engine listens");
    let response = in_time(move || status.join().expect("no panic")).expect("a status");
    assert_eq!(response.status_code, 137);
    assert!(response.error.is_none());
}

#[test]
fn an_error_of_the_engine_is_in_the_response() {
    let wire = engine(|peer| peer.json(200, r#"{"StatusCode":125,"Error":{"Message":"lost"}}"#));
    let response = wait(&wire).expect("a wait").status().expect("a status");
    assert_eq!(
        response.error.and_then(|error| error.message).as_deref(),
        Some("lost")
    );
}

#[test]
fn a_lost_connection_is_no_status() {
    for end in [
        "",
        "2\r\n\r\n\r\n",
        "5\r\n{\"Sta",
        "5\r\n{\"Sta\r\n",
        "0\r\n\r\n",
        "5\r\n{\"Sta\r\n0\r\n\r\n",
    ] {
        let wire = engine(move |peer| {
            peer.send(HEAD);
            peer.send(end);
        });
        let waiting = wait(&wire).expect("a wait");
        let error = in_time(move || waiting.status().expect_err("no status"));
        assert_eq!(error.kind(), ErrorKind::Closed, "{end:?}: {error}");
        assert!(
            error
                .to_string()
                .starts_with("POST /containers/abc/wait: the connection was closed "),
            "{error}"
        );
    }
}

#[test]
fn a_status_of_the_wrong_shape_is_a_malformed_answer() {
    for body in ["{}", r#"{"StatusCode":"0"}"#, "0", "null"] {
        let wire = engine(move |peer| peer.json(200, body));
        let error = wait(&wire)
            .expect("a wait")
            .status()
            .expect_err("no status");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{body}: {error}");
    }
}

#[test]
fn a_container_that_is_not_there_is_an_error_at_once() {
    let wire = engine(|peer| peer.json(404, r#"{"message":"No such container: abc"}"#));
    assert_eq!(wait(&wire).expect_err("not there").status(), Some(404));
}

#[test]
fn a_wait_can_be_cancelled_and_no_other_request_is() {
    let closed = Arc::new(Mutex::new(mpsc::channel::<()>()));
    let on_close = Arc::clone(&closed);
    let wire = Wire::unix(move |peer| {
        while let Some(request) = peer.receive() {
            if request.line.contains("/_ping") {
                peer.send(PONG);
            } else if request.line.contains("/wait") {
                peer.send(HEAD);
                peer.wait_for_close();
                on_close
                    .lock()
                    .expect("no panic")
                    .0
                    .send(())
                    .expect("the test listens");
            } else {
                peer.no_content();
            }
        }
    });
    let client = wire.client();
    let first = client
        .wait_container("abc", WaitCondition::NextExit)
        .expect("a wait");
    let _second = client
        .wait_container("abc", WaitCondition::Removed)
        .expect("a wait");
    let canceller = first.canceller();
    let status = thread::spawn(move || first.status());
    thread::sleep(Duration::from_millis(50));
    canceller.clone().cancel();
    canceller.cancel();
    let error = in_time(move || status.join().expect("no panic")).expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.to_string(), "POST /containers/abc/wait: cancelled");
    client.start_container("abc").expect("the client lives on");
    assert_eq!(wire.connections(), 3);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(
        closed.lock().expect("no panic").1.try_iter().count(),
        1,
        "one wait has ended, not both"
    );
}

#[test]
fn a_wait_that_is_dropped_closes_its_connection() {
    let (sender, closed) = mpsc::channel();
    let wire = engine(move |peer| {
        peer.send(HEAD);
        peer.wait_for_close();
        sender.send(()).expect("the test listens");
    });
    drop(wait(&wire).expect("a wait"));
    closed
        .recv_timeout(wire::PATIENCE)
        .expect("the connection is closed");
}

#[test]
fn podman_is_asked_for_the_exit_and_then_for_the_removal() {
    const PODMAN: &str = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\nContent-Length: 0\r\n\r\n";
    for removal in [
        (200, r#"{"StatusCode":0,"Error":null}"#),
        (404, r#"{"message":"no such container"}"#),
    ] {
        let wire = Wire::unix(move |peer| {
            while let Some(request) = peer.receive() {
                match request.line.as_str() {
                    line if line.contains("/_ping") => peer.send(PODMAN),
                    line if line.contains("condition=next-exit") => {
                        peer.json(200, r#"{"StatusCode":7,"Error":null}"#);
                    }
                    _ => peer.json(removal.0, removal.1),
                }
            }
        });
        let client = wire.client();
        let status = in_time(move || {
            client
                .wait_container("abc", WaitCondition::Removed)?
                .status()
        });
        assert_eq!(status.expect("a status").status_code, 7);
        assert_eq!(
            wire.requests(),
            [
                "HEAD /_ping",
                "POST /v1.41/containers/abc/wait?condition=next-exit",
                "POST /v1.41/containers/abc/wait?condition=removed",
            ]
        );
    }
}
