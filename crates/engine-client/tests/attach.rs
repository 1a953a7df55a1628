//! Hijacked streams: early bytes, both directions at once, each end, refusals.

mod wire;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use engine_client::{AttachOptions, Error, ErrorKind, Hijacked};
use wire::{PONG, Peer, Wire, in_time};

const UPGRADED: &str = "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\
                        Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

fn script(
    script: impl Fn(&mut Peer) + Send + Sync + 'static,
) -> impl Fn(&mut Peer) + Send + Sync + 'static {
    move |peer| {
        while let Some(request) = peer.receive() {
            match request.line.contains("/_ping") {
                true => peer.send(PONG),
                false => return script(peer),
            }
        }
    }
}

fn attach(wire: &Wire) -> Result<Hijacked, Error> {
    let client = wire.client();
    in_time(move || client.attach_container("abc", &AttachOptions::default()))
}

fn refusal(answer: &'static [u8]) -> Error {
    attach(&Wire::unix(script(move |peer| peer.send(answer)))).expect_err("no stream")
}

#[test]
fn bytes_behind_the_head_are_the_beginning_of_the_stream() {
    let wire = Wire::unix(script(|peer| {
        peer.send(format!("{UPGRADED}early "));
        thread::sleep(Duration::from_millis(50));
        peer.send("and late");
    }));
    let attached = attach(&wire).expect("a stream");
    assert_eq!(
        attached.media_type(),
        Some("application/vnd.docker.raw-stream")
    );
    let (mut reader, _writer) = attached.split();
    assert!(reader.has_early_bytes());
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    assert_eq!(text, "early and late");
    assert!(!reader.has_early_bytes());
}

#[test]
fn a_head_may_come_byte_by_byte_behind_an_interim_answer() {
    let wire = Wire::unix(script(|peer| {
        peer.trickle(format!("HTTP/1.1 100 Continue\r\n\r\n{UPGRADED}x"));
    }));
    let (mut reader, _writer) = attach(&wire).expect("a stream").split();
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text");
    assert_eq!(text, "x");
}

#[test]
fn megabytes_pass_both_ways_at_once() {
    const SIZE: usize = 16 << 20;
    // Each side only reads after all is written, so one direction that blocks the other would hang.
    let echo = |peer: &mut Peer| {
        peer.send(UPGRADED);
        peer.send(vec![b'o'; SIZE]);
        let received = peer.read_to_end();
        peer.send(received.len().to_string());
    };
    for wire in [Wire::unix(script(echo)), Wire::tcp(script(echo))] {
        let (mut reader, mut writer) = attach(&wire).expect("a stream").split();
        in_time(move || {
            let sending = thread::spawn(move || {
                writer.write_all(&vec![b'i'; SIZE]).expect("room");
                writer.close_write().expect("a half-close");
                writer
            });
            let mut output = Vec::new();
            reader.read_to_end(&mut output).expect("output");
            assert_eq!(output[SIZE..], *SIZE.to_string().as_bytes());
            assert!(output[..SIZE].iter().all(|&byte| byte == b'o'));
            sending.join().expect("no panic");
        });
    }
}

#[test]
fn a_shutdown_wakes_the_reader() {
    let wire = Wire::unix(script(|peer| {
        peer.send(UPGRADED);
        peer.wait_for_close();
    }));
    let attached = attach(&wire).expect("a stream");
    let handle = attached.shutdown_handle();
    let (mut reader, mut writer) = attached.split();
    let reading = thread::spawn(move || reader.read(&mut [0; 16]));
    thread::sleep(Duration::from_millis(50));
    handle.shutdown();
    assert_eq!(
        in_time(move || reading.join().expect("no panic")).expect("the end"),
        0
    );
    assert!(writer.write_all(b"x").is_err());
    drop(writer);
    // The handle does not keep the connection, and may outlive it.
    handle.shutdown();
}

#[test]
fn dropping_both_halves_closes_the_stream() {
    let (sender, closed) = std::sync::mpsc::channel();
    let wire = Wire::unix(script(move |peer| {
        peer.send(UPGRADED);
        peer.wait_for_close();
        sender.send(()).expect("the test listens");
    }));
    let attached = attach(&wire).expect("a stream");
    let _handle = attached.shutdown_handle();
    let (reader, writer) = attached.split();
    drop(reader);
    assert!(closed.recv_timeout(Duration::from_millis(50)).is_err());
    drop(writer);
    closed
        .recv_timeout(wire::PATIENCE)
        .expect("the connection is closed");
}

#[test]
fn a_refusal_is_in_the_engines_words() {
    for answer in [
        &b"HTTP/1.1 404 Not Found\r\nContent-Length: 36\r\n\r\n{\"message\":\"No such container: abc\"}\n"[..],
        &b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n\
           a\r\n{\"message\"\r\n1a\r\n:\"No such container: abc\"}\r\n0\r\n\r\n"[..],
        &b"HTTP/1.1 404 Not Found\r\n\r\nNo such container: abc\n"[..],
    ] {
        let error = refusal(answer);
        assert_eq!(error.status(), Some(404));
        assert_eq!(error.engine_message(), Some("No such container: abc"));
        assert_eq!(error.to_string(), "Error response from daemon: No such container: abc");
    }
}

#[test]
fn a_refusal_without_a_word_names_the_status() {
    for (answer, status) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
            400,
        ),
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..], 200),
        (
            &b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\nhello"[..],
            200,
        ),
        (
            &b"HTTP/1.1 301 Moved Permanently\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"[..],
            301,
        ),
    ] {
        let error = refusal(answer);
        assert_eq!(error.status(), Some(status));
        assert_eq!(
            error.to_string(),
            format!("unable to upgrade to tcp, received {status}")
        );
    }
}

#[test]
fn a_refusal_that_does_not_end_is_not_waited_for() {
    let wire = Wire::unix(script(|peer| {
        peer.send("HTTP/1.1 409 Conflict\r\nContent-Length: 100\r\n\r\n{\"message\":\"conflict\"}");
        peer.wait_for_close();
    }));
    let error = attach(&wire).expect_err("no stream");
    assert_eq!(error.to_string(), "Error response from daemon: conflict");
}

#[test]
fn nonsense_is_a_malformed_answer() {
    let long = format!("HTTP/1.1 101 UPGRADED\r\nX: {}", "x".repeat(64 << 10));
    for answer in [
        &b"nonsense\r\n\r\n"[..],
        b"HTTP/1.1 101 UPGRADED\r\nno colon\r\n\r\n",
        long.leak().as_bytes(),
    ] {
        let error = refusal(answer);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(
            error
                .to_string()
                .starts_with("POST /containers/abc/attach: malformed answer: "),
            "{error}"
        );
    }
}

#[test]
fn a_lost_connection_is_no_stream() {
    for answer in [
        &b""[..],
        b"HTTP/1.1 101 UPGR",
        b"HTTP/1.1 101 UPGRADED\r\nConnection: Up",
    ] {
        assert_eq!(refusal(answer).kind(), ErrorKind::Closed);
    }
    let wire = Wire::tcp(script(|peer| {
        peer.shutdown(Shutdown::Both);
    }));
    assert_eq!(attach(&wire).expect_err("closed").kind(), ErrorKind::Closed);
}

#[test]
fn a_port_with_tls_gets_a_hint() {
    let wire = Wire::tcp(script(|peer| peer.send(b"\x15\x03\x01\x00\x02\x02\x0a")));
    let text = attach(&wire).expect_err("TLS").to_string();
    assert!(
        text.ends_with("; are you trying to connect to a TLS-enabled daemon without TLS?"),
        "{text}"
    );
}
