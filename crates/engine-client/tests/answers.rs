//! How answers are read: errors by status, redirects, and malformed answers.

mod wire;

use std::error::Error as _;

use engine_client::{Error, ErrorKind};
use wire::{PONG, Wire, chunk};

fn create(answer: impl Into<Vec<u8>>) -> Result<(String, Vec<String>), Error> {
    let wire = Wire::answering(answer);
    let client = wire.client();
    let created = client.create_container(&Default::default(), &Default::default())?;
    Ok((created.id, created.warnings))
}

fn failure(answer: impl Into<Vec<u8>>) -> (ErrorKind, String) {
    let error = create(answer).expect_err("no good answer");
    (error.kind(), error.to_string())
}

#[test]
fn good_answers_come_in_many_cuts() {
    let body = r#"{"Id":"abc","Warnings":["one"]}"#;
    let whole = format!(
        "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut chunks = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for character in body.chars() {
        chunks += &chunk(&character.to_string());
    }
    chunks += &chunk("");
    let until_close = format!("HTTP/1.0 201 Created\r\n\r\n{body}");
    for answer in [whole, chunks, until_close] {
        assert_eq!(
            create(answer.clone()).expect("an answer"),
            ("abc".to_owned(), vec!["one".to_owned()])
        );
        let wire = Wire::unix(move |peer| {
            while let Some(request) = peer.receive() {
                peer.trickle(if request.line.contains("_ping") {
                    PONG
                } else {
                    &answer
                });
                if !request.line.contains("_ping") {
                    return;
                }
            }
        });
        let created = wire
            .client()
            .create_container(&Default::default(), &Default::default());
        assert_eq!(created.expect("an answer").id, "abc");
    }
}

#[test]
fn warnings_may_be_null_or_missing() {
    for body in [
        r#"{"Id":"abc","Warnings":null}"#,
        r#"{"Id":"abc"}"#,
        r#"{"Id":"abc","Warnings":[],"New":{}}"#,
    ] {
        let answer = format!(
            "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(
            create(answer).expect("an answer"),
            ("abc".to_owned(), vec![]),
            "{body}"
        );
    }
}

#[test]
fn an_engines_error_is_typed_and_in_its_words() {
    let body = r#"{"message":"No such image: busybox:latest\n"}"#;
    let answer = format!(
        "HTTP/1.1 404 Not Found\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let error = create(answer).expect_err("not found");
    assert_eq!(error.kind(), ErrorKind::Status(404));
    assert_eq!(error.status(), Some(404));
    assert_eq!(
        error.engine_message(),
        Some("No such image: busybox:latest")
    );
    assert_eq!(
        error.to_string(),
        "Error response from daemon: No such image: busybox:latest"
    );
}

#[test]
fn an_error_may_be_plain_text() {
    let answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n  boom \r\n";
    assert_eq!(
        failure(answer),
        (
            ErrorKind::Status(500),
            "Error response from daemon: boom".to_owned()
        )
    );
}

#[test]
fn an_error_without_a_word_names_the_route() {
    let expected = "request returned 404 Not Found for API route and version \
                    http://api.moby.localhost/v1.41/containers/create, check if the server supports the requested \
                    API version";
    let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(
        failure(answer),
        (ErrorKind::Status(404), expected.to_owned())
    );
    let error = create(answer).expect_err("not found");
    assert_eq!(error.engine_message(), None);
}

#[test]
fn a_redirect_is_not_followed() {
    for (status, name) in [
        (301, "301 Moved Permanently"),
        (302, "302 Found"),
        (307, "307 Temporary Redirect"),
    ] {
        let answer = format!(
            "HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
        );
        let text = format!("POST /containers/create: unexpected redirect in the answer: {name}");
        assert_eq!(failure(answer), (ErrorKind::Status(status), text));
    }
}

#[test]
fn an_answer_of_the_wrong_shape_names_request_and_reason() {
    let cases = [
        ("{}", "missing field `Id` at line 1 column 2"),
        (
            r#"{"Id":7}"#,
            "invalid type: integer `7`, expected a string at line 1 column 7",
        ),
        (
            r#"["abc"]"#,
            "invalid length 1, expected struct Created with 2 elements at line 1 column 7",
        ),
        (
            r#"{"Id":"abc""#,
            "EOF while parsing an object at line 1 column 11",
        ),
        ("<html>", "expected value at line 1 column 1"),
        ("", "EOF while parsing a value at line 1 column 0"),
    ];
    for (body, reason) in cases {
        let answer = format!(
            "HTTP/1.1 201 Created\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let text = format!("POST /containers/create: malformed answer: {reason}");
        assert_eq!(failure(answer), (ErrorKind::Protocol, text), "{body}");
    }
}

#[test]
fn what_is_no_http_is_a_malformed_answer() {
    let answers = [
        "nonsense\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    ];
    for answer in answers {
        let (kind, text) = failure(answer);
        assert_eq!(kind, ErrorKind::Protocol, "{answer:?}: {text}");
        assert!(
            text.starts_with("POST /containers/create: malformed answer: "),
            "{text}"
        );
    }
}

#[test]
fn an_answer_that_is_cut_off_is_a_lost_connection() {
    let answers = [
        "",
        "HTTP/1.1 20",
        "HTTP/1.1 201 Created\r\nContent-Le",
        "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"Id\":\"abc\"}",
        "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"I",
        "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{\"Id\":\"abc\"}\r\n",
        "HTTP/1.1 500 Bad\r\nContent-Length: 100\r\n\r\n{\"mess",
    ];
    for answer in answers {
        let error = create(answer).expect_err(answer);
        assert_eq!(error.kind(), ErrorKind::Closed, "{answer:?}: {error}");
        assert_eq!(
            error.to_string(),
            "POST /containers/create: the connection was closed before the answer was complete"
        );
        assert!(error.source().is_some());
    }
}

#[test]
fn a_header_and_a_body_have_a_greatest_size() {
    let header = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    let text = "POST /containers/create: malformed answer: its header is larger than 16384 bytes";
    assert_eq!(failure(header), (ErrorKind::Protocol, text.to_owned()));

    let mut body = b"HTTP/1.1 500 Bad\r\n\r\n".to_vec();
    body.resize(2 << 20, b'x');
    let text = "POST /containers/create: malformed answer: it is larger than 1048576 bytes";
    assert_eq!(failure(body), (ErrorKind::Protocol, text.to_owned()));
}

#[test]
fn a_port_with_tls_gets_a_hint() {
    let hint = "; are you trying to connect to a TLS-enabled daemon without TLS?";
    for answer in [
        &b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"[..],
        &b"\x15\x03\x01\x00\x02\x02\x0a"[..],
    ] {
        let wire = Wire::tcp(move |peer| {
            peer.receive();
            peer.send(answer);
        });
        let text = wire.client().version().expect_err("TLS").to_string();
        assert!(text.ends_with(hint), "{text}");
    }
    assert!(
        !failure("nonsense\r\n\r\n").1.contains("TLS"),
        "a socket has no TLS"
    );
}

#[test]
fn more_bytes_than_were_announced_spoil_only_the_connection() {
    let wire = Wire::unix(|peer| {
        while let Some(request) = peer.receive() {
            match request.line.contains("_ping") {
                true => peer.send(PONG),
                false => peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}trailing"),
            }
        }
    });
    let client = wire.client();
    client.start_container("a").expect("a start");
    client.start_container("b").expect("a start");
    assert_eq!(
        wire.connections(),
        2,
        "the second start does not read what was left of the first"
    );
}

#[test]
fn not_modified_is_a_success() {
    let wire = Wire::answering("HTTP/1.1 304 Not Modified\r\n\r\n");
    wire.client().start_container("a").expect("it runs already");
}
