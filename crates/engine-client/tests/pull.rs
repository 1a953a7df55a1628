//! The progress of a pull, however its stream is cut and however it ends.

mod wire;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use engine_client::{Client, CreateImage, Error, ErrorKind, ImageProgressLine};
use wire::{PONG, Peer, Wire, chunk, in_time};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Serves a pull by `script`, which begins with the answer.
fn engine(script: impl Fn(&mut Peer) + Send + Sync + 'static) -> Wire {
    Wire::unix(move |peer| {
        while let Some(request) = peer.receive() {
            if !request.line.contains("/_ping") {
                return script(peer);
            }
            peer.send(PONG);
        }
    })
}

fn pull(client: &Client) -> Vec<Result<ImageProgressLine, Error>> {
    client
        .create_image(&CreateImage {
            from_image: "bb".into(),
            ..Default::default()
        })
        .expect("a pull")
        .collect()
}

const STREAM: &str = concat!(
    r#"{"status":"Pulling from library/bb","id":"latest"}"#,
    "\r\n",
    r#"{"status":"Downloading","progressDetail":{"current":5,"total":10,"start":1700000000,"hidecounts":true,"units":"x"},"progress":"[=>  ]","id":"abc"}"#,
    "\r\n",
    r#"{"status":"Pull complete","progressDetail":{},"id":"abc"}{"stream":"text \"}{\" text"}"#,
    "\n\n\n",
    r#"{"aux":{"ID":"sha256:1"},"progressDetail":null}"#,
);

fn check(lines: Vec<Result<ImageProgressLine, Error>>) {
    let lines: Vec<_> = lines
        .into_iter()
        .map(|line| line.expect("progress"))
        .collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0].id.as_deref(), Some("latest"));
    assert_eq!(lines[0].status.as_deref(), Some("Pulling from library/bb"));
    assert_eq!(lines[0].progress_detail, None);
    let detail = lines[1].progress_detail.as_ref().expect("a detail");
    assert_eq!(
        (detail.current, detail.total, detail.start),
        (Some(5), Some(10), Some(1_700_000_000))
    );
    assert_eq!(
        (detail.hide_counts, detail.units.as_deref()),
        (Some(true), Some("x"))
    );
    assert_eq!(
        lines[2]
            .progress_detail
            .as_ref()
            .and_then(|detail| detail.total),
        None
    );
    assert!(lines[2].progress_detail.is_some());
    assert_eq!(lines[3].stream.as_deref(), Some("text \"}{\" text"));
    assert!(lines[4].aux.is_some());
}

#[test]
fn any_cut_of_the_stream_is_the_same_progress() {
    for size in [1, 2, 7, 64, STREAM.len()] {
        let wire = engine(move |peer| {
            peer.send(HEAD);
            let bytes: Vec<char> = STREAM.chars().collect();
            for part in bytes.chunks(size) {
                peer.send(chunk(&part.iter().collect::<String>()));
            }
            peer.send(chunk(""));
        });
        check(pull(&wire.client()));
    }
}

#[test]
fn progress_comes_while_the_pull_goes_on() {
    let (proceed, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let wire = engine(move |peer| {
        peer.send(HEAD);
        for number in 0..3 {
            // The object is complete, the line is not.
            peer.send(chunk(&format!("{{\"status\":\"{number}\"}}")));
            wait.lock()
                .expect("no panic")
                .recv()
                .expect("the test goes on");
        }
        peer.send(chunk(""));
    });
    let client = wire.client();
    let mut progress = client
        .create_image(&CreateImage::default())
        .expect("a pull");
    in_time(move || {
        for number in 0..3 {
            let line = progress.next().expect("a line").expect("progress");
            assert_eq!(line.status, Some(number.to_string()));
            proceed.send(()).expect("the engine listens");
        }
        assert!(progress.next().is_none());
    });
}

#[test]
fn an_error_in_the_stream_ends_it() {
    let cases = [
        (
            r#"{"errorDetail":{"code":404,"message":" manifest unknown \n"},"error":"old"}"#,
            "manifest unknown",
        ),
        (r#"{"errorDetail":{"message":"a"}}"#, "a"),
        (r#"{"error":"b"}"#, "b"),
        (r#"{"errorDetail":{}}"#, "the pull failed without a reason"),
    ];
    for (object, expected) in cases {
        let wire = engine(move |peer| {
            peer.send(HEAD);
            peer.send(chunk("{\"status\":\"Pulling\"}\r\n"));
            peer.send(chunk(object));
            peer.send(chunk("{\"status\":\"more\"}"));
            peer.send(chunk(""));
        });
        let mut lines = pull(&wire.client());
        assert_eq!(lines.len(), 2);
        let error = lines.pop().expect("the last").expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::Stream);
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.engine_message(), Some(expected));
    }
}

#[test]
fn a_stream_that_is_cut_short_is_an_error() {
    let cuts = [
        (
            HEAD.to_owned(),
            "the connection was closed before the answer was complete",
        ),
        (
            HEAD.to_owned() + &chunk("{\"status\":\"a\"}\r\n"),
            "the connection was closed before the answer was complete",
        ),
        (
            HEAD.to_owned() + &chunk("{\"stat"),
            "the connection was closed before the answer was complete",
        ),
        (
            HEAD.to_owned() + &chunk("{\"stat") + &chunk(""),
            "the connection was closed in the middle of a message",
        ),
    ];
    for (cut, reason) in cuts {
        let wire = engine(move |peer| peer.send(&cut));
        let error = pull(&wire.client())
            .pop()
            .expect("an item")
            .expect_err("cut short");
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert_eq!(error.to_string(), format!("POST /images/create: {reason}"));
    }
}

#[test]
fn what_is_no_progress_is_a_malformed_answer() {
    for (bytes, reason) in [
        ("oops", "expected a JSON object, found `o`"),
        ("[1]", "expected a JSON object, found `[`"),
        (
            r#"{"status":7}"#,
            "invalid type: integer `7`, expected a string",
        ),
        (
            r#"{"progressDetail":{"current":"x"}}"#,
            "invalid type: string \"x\", expected i64",
        ),
        ("{]", "key must be a string"),
    ] {
        let wire = engine(move |peer| {
            peer.send(HEAD);
            peer.send(chunk(bytes));
            peer.send(chunk(""));
        });
        let mut lines = pull(&wire.client());
        assert_eq!(lines.len(), 1, "an error is the end");
        let error = lines.pop().expect("an item").expect_err("nonsense");
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let text = error.to_string();
        assert!(
            text.starts_with("POST /images/create: malformed answer: "),
            "{text}"
        );
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn an_object_has_a_greatest_size() {
    let wire = engine(|peer| {
        peer.send(HEAD);
        peer.send(chunk("{\"status\":\""));
        for _ in 0..200 {
            peer.send(chunk(&"x".repeat(16 << 10)));
        }
    });
    let error = pull(&wire.client())
        .pop()
        .expect("an item")
        .expect_err("too large");
    assert_eq!(
        error.to_string(),
        "POST /images/create: malformed answer: an object in it is larger than 1048576 bytes"
    );
}

#[test]
fn a_refused_pull_is_an_error_at_once() {
    let wire = engine(|peer| peer.json(404, r#"{"message":"pull access denied"}"#));
    let error = wire
        .client()
        .create_image(&CreateImage::default())
        .expect_err("denied");
    assert_eq!(error.status(), Some(404));
    assert_eq!(
        error.to_string(),
        "Error response from daemon: pull access denied"
    );
}

#[test]
fn a_pull_can_be_cancelled() {
    let wire = engine(|peer| {
        peer.send(HEAD);
        peer.send(chunk("{\"status\":\"a\"}"));
        peer.wait_for_close();
    });
    let mut progress = wire
        .client()
        .create_image(&CreateImage::default())
        .expect("a pull");
    progress.next().expect("a line").expect("progress");
    let canceller = progress.canceller();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        canceller.cancel();
    });
    let error = in_time(move || progress.next().expect("an item").expect_err("cancelled"));
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}
