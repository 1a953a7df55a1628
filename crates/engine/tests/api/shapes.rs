//! Requests of the wrong shape: each is refused with a sentence, and the engine goes on.

use std::io::{Read, Write};
use std::net::Shutdown;

use serde_json::{Value, json};

use crate::wire::Fixture;

/// A container that was made and does not run.
fn container(fixture: &Fixture) -> String {
    let root = fixture.engine.layout().root().join("files");
    std::fs::create_dir_all(&root).expect("a directory");
    let body = json!({"Rootfs": root, "Cmd": ["true"]});
    let (status, answer) = fixture.post("/v1.41/containers/create?name=made", &body);
    assert_eq!(status, "201", "{answer}");
    answer["Id"].as_str().expect("an id").to_owned()
}

#[test]
fn names_lead_nowhere_else() {
    let fixture = Fixture::new();
    container(&fixture);
    let secret = fixture.engine.layout().root().join("secret/config.json");
    std::fs::create_dir_all(secret.parent().expect("a parent")).expect("a directory");
    std::fs::write(&secret, "{}").expect("a file");
    for name in [
        "..%2fsecret",
        "..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "made%00",
        "%00",
        "..",
        ".",
        "%2e%2e",
        "made%2f..%2fmade",
        "%20",
        "%0a",
        "-",
        &"a".repeat(5000),
        &"%c3%a9".repeat(200),
    ] {
        for (method, before, after) in [
            ("GET", "/containers/", "/json"),
            ("GET", "/containers/", "/logs?stdout=1"),
            ("POST", "/containers/", "/start"),
            ("POST", "/containers/", "/rename?name=other"),
            ("DELETE", "/containers/", ""),
            ("GET", "/exec/", "/json"),
            ("GET", "/images/", "/json"),
            ("DELETE", "/images/", ""),
            ("GET", "/volumes/", ""),
            ("DELETE", "/volumes/", ""),
            ("GET", "/networks/", ""),
        ] {
            let target = format!("/v1.41{before}{name}{after}");
            let (status, body) = fixture.ask(method, &target);
            assert!(
                ["400", "404"].contains(&status.as_str()),
                "{method} {target}: {status} {body}"
            );
        }
        let (status, body) = fixture.ask(
            "POST",
            &format!("/v1.41/containers/made/rename?name={name}"),
        );
        assert_eq!(status, "400", "{name}: {body}");
    }
    assert!(secret.exists());
    assert_eq!(fixture.get("/v1.41/containers/made/json")["Name"], "/made");
}

#[test]
fn parameters_that_are_none_are_refused_or_mean_nothing() {
    let fixture = Fixture::new();
    container(&fixture);
    for (method, target) in [
        ("POST", "/containers/made/kill?signal=NOPE"),
        ("POST", "/containers/made/kill?signal=-1"),
        ("POST", "/containers/made/kill?signal=99999999999999999999"),
        ("POST", "/containers/made/resize?h=-1&w=x"),
        ("POST", "/containers/made/resize?h=99999999999&w=1"),
        ("POST", "/containers/made/wait?condition=sometimes"),
        ("GET", "/containers/made/logs"),
        ("GET", "/containers/made/logs?stdout=1&since=yesterday"),
        ("GET", "/containers/made/logs?stdout=1&until=1e400"),
        ("GET", "/containers/made/archive"),
        ("GET", "/containers/made/top"),
        ("GET", "/containers/json?limit=many"),
        ("GET", "/containers/json?filters=%7B"),
        (
            "GET",
            "/containers/json?filters=%7B%22nope%22:%5B%221%22%5D%7D",
        ),
        ("GET", "/containers/json?filters=%5B%5B%5B%5B"),
        ("GET", "/images/json?filters=%22%22"),
        ("POST", "/images/create"),
        ("POST", "/images/create?fromImage=UPPER"),
        ("POST", "/images/create?fromImage=x&platform=a/b/c/d/e"),
        ("POST", "/images/made/tag?repo=UPPER"),
        ("GET", "/events?since=never"),
    ] {
        let (status, body) = fixture.ask(method, &format!("/v1.41{target}"));
        let is_refused = status.starts_with('4') || status == "501";
        let message: Value = serde_json::from_str(&body).unwrap_or_default();
        let is_said = message["message"]
            .as_str()
            .is_some_and(|text| !text.is_empty());
        assert!(is_refused && is_said, "{method} {target}: {status} {body}");
    }
    assert_eq!(fixture.ask("GET", "/_ping").0, "200");
}

#[test]
fn bodies_of_another_shape_are_refused() {
    let fixture = Fixture::new();
    container(&fixture);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_object = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let targets = [
        "/containers/create",
        "/containers/made/exec",
        "/exec/0/start",
        "/volumes/create",
        "/networks/create",
        "/networks/bridge/connect",
        "/containers/made/update",
    ];
    let bodies = [
        "",
        "null",
        "[]",
        "1",
        "\"text\"",
        "{",
        "{\"a\":1}{\"b\":2}",
        "{\"Image\": 1}",
        "{\"Cmd\": {}}",
        "{\"Cmd\": [null]}",
        "{\"Name\": []}",
        "{\"Labels\": [[]]}",
        "{\"HostConfig\": \"x\"}",
        "{\"HostConfig\": {\"Memory\": \"1\"}}",
        "{\"HostConfig\": {\"Memory\": 1e99}}",
        "{\"HostConfig\": {\"Memory\": -9223372036854775808}}",
        "{\"HostConfig\": {\"PortBindings\": {\"x\": 1}}}",
        "{\"HostConfig\": {\"PortBindings\": {\"99999/tcp\": [{\"HostPort\": \"-1\"}]}}}",
        "\u{feff}{}",
        "{\"\u{0}\": 1}",
        &deep,
        &deep_object,
    ];
    for target in targets {
        for body in bodies {
            let answer = fixture.exchange(&format!(
                "POST /v1.41{target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ));
            let status = answer.split(' ').nth(1).unwrap_or_default();
            // A volume needs nothing, and what is not known of it does not matter.
            let is_fine = status == "201" && target == "/volumes/create";
            let short = &body[..body.len().min(60)];
            assert!(
                is_fine || status.starts_with('4') || status == "501",
                "{target} {short}: {answer}"
            );
        }
    }
    let containers = fixture.get("/v1.41/containers/json?all=1");
    assert_eq!(containers.as_array().map(Vec::len), Some(1), "{containers}");
}

#[test]
fn heads_of_another_shape_end_their_connection_alone() {
    let fixture = Fixture::new();
    let many: String = (0..1000)
        .map(|number| format!("X-{number}: y\r\n"))
        .collect();
    for head in [
        "GET /_ping HTTP/9.9\r\n\r\n".to_owned(),
        "GET  /_ping HTTP/1.1\r\n\r\n".to_owned(),
        "GET /_ping\r\n\r\n".to_owned(),
        "GET /\u{1} HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /%zz%f HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /v1.41/containers/%ff/json HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET http://[::1/x HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "CONNECT example:1 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(1 << 20)),
        format!("GET /_ping HTTP/1.1\r\n{many}\r\n"),
        format!("GET /_ping HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(1 << 20)),
        "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".to_owned(),
        "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}".to_owned(),
        "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n".to_owned(),
        "POST /containers/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_owned(),
        "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx".to_owned(),
        "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}".to_owned(),
    ] {
        let mut stream = fixture.connect();
        // It may be closed before all is written.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        let short = &head[..head.len().min(80)];
        let status = answer.split(' ').nth(1).unwrap_or("none");
        assert!(
            status == "none" || status.starts_with('4') || status == "501" || head.contains("/_ping"),
            "{short}: {answer}"
        );
        assert_eq!(fixture.ask("GET", "/_ping").0, "200", "after {short}");
    }
    assert_eq!(fixture.get("/v1.41/containers/json?all=1"), json!([]));
}
