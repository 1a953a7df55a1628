//! What each method for lists, descriptions and changes sends, and how it reads the answer.

mod wire;

use std::io::Read;

use engine_client::models::ExecConfig;
use engine_client::{
    CreateVolume, ListContainers, ListImages, LogsOptions, RemoveImage, StartExec, StopOptions,
};
use wire::sent;

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const EMPTY_LIST: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]";
const EMPTY_OBJECT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
const ID: &str = "HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{\"Id\":\"e\"}";

#[test]
fn lists() {
    let request = sent(EMPTY_LIST, |client| {
        let containers = client.list_containers(&ListContainers::default());
        assert_eq!(containers.expect("a list"), []);
    });
    assert_eq!(request.line, "GET /v1.41/containers/json");
    let request = sent(EMPTY_LIST, |client| {
        let list = ListContainers {
            all: true,
            limit: Some(3),
            size: true,
            filters: Some(r#"{"status":{"exited":true}}"#.into()),
        };
        client.list_containers(&list).expect("a list");
    });
    assert_eq!(
        request.line,
        "GET /v1.41/containers/json?all=1&limit=3&size=1&filters=%7B%22status%22%3A%7B%22exited%22%3Atrue%7D%7D"
    );
    let request = sent(EMPTY_LIST, |client| {
        let list = ListImages {
            all: true,
            digests: true,
            filters: None,
        };
        client.list_images(&list).expect("a list");
    });
    assert_eq!(request.line, "GET /v1.41/images/json?all=1&digests=1");
    let request = sent(EMPTY_OBJECT, |client| {
        assert_eq!(client.list_volumes(Some("{}")).expect("a list"), []);
    });
    assert_eq!(request.line, "GET /v1.41/volumes?filters=%7B%7D");
}

#[test]
fn what_engines_leave_out_or_send_as_null_is_empty() {
    let body = r#"[{"Id":"c","Names":null,"Ports":[{"PrivatePort":80,"Type":"tcp"}],"State":"stopped-somehow","Created":5}]"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    sent(answer.leak(), |client| {
        let list = client.list_containers(&ListContainers::default());
        let list = list.expect("a list");
        assert_eq!(list[0].id, "c");
        assert_eq!(list[0].state, "stopped-somehow");
        assert_eq!(list[0].ports[0].private_port, 80);
        assert!(list[0].names.is_empty() && list[0].network_settings.networks.is_empty());
    });
    let body = r#"[{"Id":"sha256:i","RepoTags":null,"RepoDigests":null,"Labels":null}]"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    sent(answer.leak(), |client| {
        let list = client.list_images(&ListImages::default()).expect("a list");
        assert_eq!(list[0].id, "sha256:i");
    });
}

#[test]
fn changes_of_containers() {
    let stop = StopOptions {
        signal: Some("INT".into()),
        timeout: Some(-1),
    };
    let request = sent(NO_CONTENT, |client| {
        client.stop_container("c", &stop).expect("a stop");
    });
    assert_eq!(
        request.line,
        "POST /v1.41/containers/c/stop?signal=INT&t=-1"
    );
    let request = sent("HTTP/1.1 304 Not Modified\r\n\r\n", |client| {
        let stopped = client.stop_container("c", &StopOptions::default());
        stopped.expect("it is stopped already");
    });
    assert_eq!(request.line, "POST /v1.41/containers/c/stop");
    let request = sent(NO_CONTENT, |client| {
        let restarted = client.restart_container("c", &StopOptions::default());
        restarted.expect("a restart");
    });
    assert_eq!(request.line, "POST /v1.41/containers/c/restart");
    let request = sent(NO_CONTENT, |client| {
        client.rename_container("c", "a b").expect("a new name");
    });
    assert_eq!(request.line, "POST /v1.41/containers/c/rename?name=a%20b");
}

#[test]
fn logs() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    let request = sent(answer, |client| {
        let options = LogsOptions {
            stdout: true,
            stderr: true,
            follow: true,
            since: Some("1.5".into()),
            until: Some("2".into()),
            timestamps: true,
            tail: Some("10".into()),
            details: true,
        };
        let mut text = String::new();
        let mut logs = client.container_logs("c", &options).expect("logs");
        logs.read_to_string(&mut text).expect("text");
        assert_eq!(text, "abc");
    });
    assert_eq!(
        request.line,
        "GET /v1.41/containers/c/logs?stdout=1&stderr=1&follow=1&since=1.5&until=2&timestamps=1&tail=10&details=1"
    );
}

#[test]
fn processes() {
    let request = sent(ID, |client| {
        let process = ExecConfig {
            cmd: Some(vec!["true".into()]),
            ..Default::default()
        };
        assert_eq!(client.create_exec("c", &process).expect("a process"), "e");
    });
    assert_eq!(request.line, "POST /v1.41/containers/c/exec");
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        r#"{"Cmd":["true"]}"#
    );
    let start = StartExec {
        tty: true,
        console_size: Some([24, 80]),
    };
    let request = sent("HTTP/1.1 101 UPGRADED\r\n\r\n", |client| {
        client.start_exec("e", &start).expect("its streams");
    });
    assert_eq!(request.line, "POST /v1.41/exec/e/start");
    assert_eq!(request.header("Connection"), Some("Upgrade"));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        r#"{"Detach":false,"Tty":true,"ConsoleSize":[24,80]}"#
    );
    let request = sent(EMPTY_OBJECT, |client| {
        let started = client.start_exec_detached("e", &StartExec::default());
        started.expect("a start");
    });
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        r#"{"Detach":true,"Tty":false}"#
    );
    let request = sent(NO_CONTENT, |client| {
        client.resize_exec("e", 24, 80).expect("a size");
    });
    assert_eq!(request.line, "POST /v1.41/exec/e/resize?h=24&w=80");
    let answer =
        "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"Running\":false,\"ExitCode\":  7}";
    let request = sent(answer, |client| {
        let process = client.inspect_exec("e").expect("a process");
        assert_eq!(process.exit_code, Some(7));
    });
    assert_eq!(request.line, "GET /v1.41/exec/e/json");
}

#[test]
fn images() {
    let request = sent(EMPTY_OBJECT, |client| {
        client
            .describe_image("localhost:5000/a/b:c")
            .expect("an image");
    });
    assert_eq!(
        request.line,
        "GET /v1.41/images/localhost%3A5000/a/b%3Ac/json"
    );
    let request = sent(
        "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
        |client| {
            client.tag_image("a", "b/c", "d").expect("a tag");
        },
    );
    assert_eq!(request.line, "POST /v1.41/images/a/tag?repo=b%2Fc&tag=d");
    let body = r#"[{"Untagged":"a:latest"},{"Deleted":"sha256:1"}]"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let request = sent(answer.leak(), |client| {
        let options = RemoveImage {
            force: true,
            no_prune: true,
        };
        let removed = client.remove_image("a", options).expect("names");
        assert_eq!(removed[0].untagged.as_deref(), Some("a:latest"));
        assert_eq!(removed[1].deleted.as_deref(), Some("sha256:1"));
    });
    assert_eq!(request.line, "DELETE /v1.41/images/a?force=1&noprune=1");
}

#[test]
fn an_archive_is_sent_in_chunks() {
    let body = "{\"stream\":\"Loaded image: a:latest\\n\"}\n";
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let request = sent(answer.leak(), |client| {
        let mut archive = &b"archive"[..];
        let progress = client.load_images(&mut archive, true).expect("progress");
        let lines: Result<Vec<_>, _> = progress.collect();
        let lines = lines.expect("lines");
        assert_eq!(lines[0].stream.as_deref(), Some("Loaded image: a:latest\n"));
    });
    assert_eq!(request.line, "POST /v1.41/images/load?quiet=1");
    assert_eq!(request.header("Content-Type"), Some("application/x-tar"));
    assert_eq!(request.header("Transfer-Encoding"), Some("chunked"));
    assert_eq!(request.body, b"archive");
}

#[test]
fn volumes() {
    let answer = "HTTP/1.1 201 Created\r\nContent-Length: 12\r\n\r\n{\"Name\":\"v\"}";
    let request = sent(answer, |client| {
        let volume = CreateVolume {
            name: Some("v".into()),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            ..Default::default()
        };
        assert_eq!(client.create_volume(&volume).expect("a volume"), "v");
    });
    assert_eq!(request.line, "POST /v1.41/volumes/create");
    assert_eq!(
        String::from_utf8_lossy(&request.body),
        r#"{"Name":"v","Labels":{"a":"b"}}"#
    );
    let request = sent(NO_CONTENT, |client| {
        client.remove_volume("v", true).expect("a removal");
    });
    assert_eq!(request.line, "DELETE /v1.41/volumes/v?force=1");
    let request = sent(EMPTY_OBJECT, |client| {
        client.describe_volume("v").expect("a volume");
    });
    assert_eq!(request.line, "GET /v1.41/volumes/v");
}

#[test]
fn the_engine_itself() {
    let request = sent(EMPTY_OBJECT, |client| {
        client.describe_engine().expect("a description");
    });
    assert_eq!(request.line, "GET /v1.41/info");
    let request = sent(EMPTY_OBJECT, |client| {
        client.engine_version().expect("a version");
    });
    assert_eq!(request.line, "GET /v1.41/version");
}
