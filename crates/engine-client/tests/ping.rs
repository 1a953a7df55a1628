//! The engine is pinged once, versions are negotiated, and a hanging engine is noticed.

mod wire;

use std::thread;
use std::time::{Duration, Instant};

use engine_client::{ApiVersion, ClientOptions, ErrorKind};
use wire::{PONG, Wire, in_time};

fn short() -> ClientOptions {
    ClientOptions {
        ping_timeout: Duration::from_millis(200),
        ..ClientOptions::default()
    }
}

#[test]
fn one_head_request_tells_version_and_system() {
    let wire = Wire::answering("");
    let client = wire.client();
    assert_eq!(wire.connections(), 0, "a client opens nothing");
    assert_eq!(client.version().expect("a version"), ApiVersion::new(1, 41));
    assert_eq!(client.os_type().expect("an answer"), Some("linux"));
    assert_eq!(wire.requests(), ["HEAD /_ping"]);
}

#[test]
fn many_threads_ask_once() {
    let wire = Wire::answering("");
    let client = wire.client();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| client.version().expect("a version"));
        }
    });
    assert_eq!(wire.requests(), ["HEAD /_ping"]);
}

#[test]
fn a_ping_is_always_sent_and_remembered() {
    let wire = Wire::answering("");
    let client = wire.client();
    let ping = client.ping().expect("a ping");
    assert_eq!(ping.api_version, Some(ApiVersion::new(1, 41)));
    assert_eq!(ping.os_type.as_deref(), Some("linux"));
    client.version().expect("a version");
    assert_eq!(wire.requests(), ["HEAD /_ping"]);
    client.ping().expect("a ping");
    assert_eq!(wire.requests(), ["HEAD /_ping", "HEAD /_ping"]);
    assert_eq!(wire.connections(), 1);
}

#[test]
fn the_embedded_engine_says_that_it_is_one() {
    for (header, is_embedded) in [("Embedded-Engine: 0.1.0\r\n", true), ("", false)] {
        let wire = Wire::unix(move |peer| {
            while peer.receive().is_some() {
                peer.send(format!(
                    "HTTP/1.1 200 OK\r\nApi-Version: 1.50\r\n{header}Content-Length: 0\r\n\r\n"
                ));
            }
        });
        let client = wire.client();
        assert_eq!(client.is_embedded().expect("an answer"), is_embedded);
        assert_eq!(client.ping().expect("a ping").is_embedded, is_embedded);
    }
}

#[test]
fn get_stands_in_where_head_is_not_served() {
    for refusal in [
        "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ] {
        let wire = Wire::unix(move |peer| {
            while let Some(request) = peer.receive() {
                if request.line.starts_with("HEAD") {
                    peer.send(refusal);
                } else {
                    peer.send("HTTP/1.1 200 OK\r\nApi-Version: 1.43\r\nOSType: linux\r\nContent-Length: 2\r\n\r\nOK");
                }
            }
        });
        let client = wire.client();
        assert_eq!(client.version().expect("a version"), ApiVersion::new(1, 43));
        assert_eq!(client.os_type().expect("an answer"), Some("linux"));
        assert_eq!(wire.requests(), ["HEAD /_ping", "GET /_ping"]);
        assert_eq!(wire.connections(), 1);
    }
}

#[test]
fn an_unhealthy_engine_still_tells_its_version() {
    let wire = Wire::unix(|peer| {
        while peer.receive().is_some() {
            peer.send("HTTP/1.1 500 Internal Server Error\r\nApi-Version: 1.44\r\nContent-Length: 0\r\n\r\n");
        }
    });
    assert_eq!(
        wire.client().version().expect("a version"),
        ApiVersion::new(1, 44)
    );
}

#[test]
fn the_lower_version_is_spoken() {
    let pong = |version: &str| {
        format!("HTTP/1.1 200 OK\r\nApi-Version: {version}\r\nContent-Length: 0\r\n\r\n")
    };
    let cases = [
        ("1.99", None, "1.53"),
        ("1.50", Some("1.44"), "1.44"),
        ("1.42", Some("1.44"), "1.42"),
    ];
    for (engine, cap, expected) in cases {
        let answer = pong(engine);
        let wire = Wire::unix(move |peer| {
            while peer.receive().is_some() {
                peer.send(&answer);
            }
        });
        let api_version = cap.map(|text: &str| text.parse().expect("a version"));
        let client = wire.client_with(ClientOptions {
            api_version,
            ..ClientOptions::default()
        });
        assert_eq!(client.version().expect("a version").to_string(), expected);
    }
}

#[test]
fn an_engine_that_is_too_old_is_refused() {
    let wire = Wire::unix(|peer| {
        while peer.receive().is_some() {
            peer.send("HTTP/1.1 200 OK\r\nApi-Version: 1.24\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let error = wire.client().start_container("x").expect_err("too old");
    assert_eq!(error.kind(), ErrorKind::Version);
    assert_eq!(
        error.to_string(),
        "API version 1.24 is not supported by this client: the minimum supported API version is 1.40"
    );
}

#[test]
fn a_version_that_is_none_is_a_malformed_answer() {
    let wire = Wire::unix(|peer| {
        while peer.receive().is_some() {
            peer.send("HTTP/1.1 200 OK\r\nApi-Version: new\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let error = wire.client().version().expect_err("no version");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(
        error.to_string(),
        "HEAD /_ping: malformed answer: invalid API version (new): must be formatted <major>.<minor>"
    );
}

#[test]
fn an_engine_without_a_version_is_taken_for_the_oldest() {
    let wire = Wire::unix(|peer| {
        while peer.receive().is_some() {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    assert_eq!(
        wire.client().version().expect("a version"),
        ApiVersion::MINIMUM
    );
}

#[test]
fn something_that_is_no_engine_says_so() {
    let wire = Wire::unix(|peer| {
        while peer.receive().is_some() {
            peer.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let error = wire.client().version().expect_err("no engine");
    assert_eq!(error.status(), Some(404));
    assert_eq!(
        error.to_string(),
        "request returned 404 Not Found for API route and version http://api.moby.localhost/_ping, \
         check if the server supports the requested API version"
    );
}

#[test]
fn an_engine_that_never_answers_is_a_time_out() {
    let wire = Wire::unix(|peer| peer.wait_for_close());
    let client = wire.client_with(short());
    let begin = Instant::now();
    let error = in_time(move || client.version().expect_err("silence"));
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(
        error.to_string(),
        format!(
            "HEAD /_ping: the docker API at {} took the connection but does not answer",
            wire.endpoint
        )
    );
}

#[test]
fn an_engine_that_dribbles_is_a_time_out() {
    let wire = Wire::unix(|peer| {
        peer.receive();
        for byte in PONG.bytes() {
            peer.send([byte]);
            thread::sleep(Duration::from_millis(50));
        }
    });
    let client = wire.client_with(short());
    let error = in_time(move || client.version().expect_err("too slow"));
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn a_failed_negotiation_is_tried_again() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let failed = AtomicBool::new(false);
    let wire = Wire::unix(move |peer| {
        if failed.swap(true, Ordering::SeqCst) {
            peer.receive();
            peer.send(PONG);
        }
    });
    let client = wire.client();
    assert_eq!(
        client.version().expect_err("closed").kind(),
        ErrorKind::Closed
    );
    assert_eq!(client.version().expect("a version"), ApiVersion::new(1, 41));
}
