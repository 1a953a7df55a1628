//! The engine itself: what it is, what it speaks, and what it does not.

use crate::wire::Fixture;

#[test]
fn a_ping_tells_what_is_spoken_and_which_engine_this_is() {
    let fixture = Fixture::new();
    for method in ["GET", "HEAD"] {
        let answer = fixture.exchange(&format!("{method} /_ping HTTP/1.1\r\nHost: engine\r\n\r\n"));
        let answer = answer.to_ascii_lowercase();
        assert!(answer.starts_with("http/1.1 200 ok\r\n"), "{answer}");
        for header in [
            "api-version: 1.55",
            "ostype: linux",
            "embedded-engine: ",
            "server: tool/",
        ] {
            assert!(answer.contains(&format!("\r\n{header}")), "{answer}");
        }
        assert_eq!(answer.ends_with("\r\n\r\nok"), method == "GET", "{answer}");
    }
}

#[test]
fn what_is_not_there_and_what_is_not_done_are_told_apart() {
    let fixture = Fixture::new();
    for (method, target, status, message) in [
        ("GET", "/nothing", "404", "page not found"),
        ("GET", "/v1.41/nothing", "404", "page not found"),
        ("PUT", "/v1.41/info", "404", "page not found"),
        (
            "POST",
            "/v1.41/swarm/init",
            "501",
            "the embedded engine does not do POST /swarm/init",
        ),
        (
            "GET",
            "/v1.99/info",
            "400",
            "client version 1.99 is too new. Maximum supported API version is 1.55",
        ),
        (
            "GET",
            "/v1.23/info",
            "400",
            "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer \
             version",
        ),
    ] {
        let expected = serde_json::json!({"message": message}).to_string();
        assert_eq!(
            fixture.ask(method, target),
            (status.to_owned(), expected),
            "{method} {target}"
        );
    }
}

#[test]
fn the_engine_tells_about_itself_and_this_machine() {
    let fixture = Fixture::new();
    let read = |target: &str| -> serde_json::Value {
        let (status, body) = fixture.ask("GET", target);
        assert_eq!(status, "200", "{body}");
        serde_json::from_str(&body).expect("JSON")
    };
    let version = read("/version");
    assert_eq!(version["ApiVersion"], "1.55");
    assert_eq!(version["Os"], "linux");
    let info = read("/v1.41/info");
    let root = fixture.engine.layout().root();
    assert_eq!(info["DockerRootDir"], root.to_str().expect("UTF-8"));
    assert!(info["MemTotal"].as_i64().expect("a number") > 0);
}

#[test]
fn one_connection_serves_many_requests() {
    let fixture = Fixture::new();
    let ping = "GET /_ping HTTP/1.1\r\nHost: engine\r\n\r\n";
    let answer = fixture.exchange(&ping.repeat(3));
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 3, "{answer}");
}

#[test]
fn what_is_no_http_ends_the_connection_and_nothing_else() {
    let fixture = Fixture::new();
    let answer = fixture.exchange("\0\0\0 what?\r\n\r\n");
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
        "{answer}"
    );
    assert_eq!(fixture.ask("GET", "/_ping").0, "200");
}
