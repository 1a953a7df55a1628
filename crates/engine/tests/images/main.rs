//! Images as a client of the Engine API sees them: pulled from a real registry and from ones that misbehave, loaded,
//! imported, listed, named and removed.

#[path = "../api/wire.rs"]
mod wire;

mod configured;
mod dockerd;
mod fake;
mod lies;
mod local;
mod login;
mod pull;
mod side_by_side;

use serde_json::Value;

use wire::Fixture;

/// The JSON lines of an answer to a POST that has to be 200.
fn post(fixture: &Fixture, target: &str, headers: &str, body: &[u8]) -> Vec<Value> {
    match try_post(fixture, target, headers, body) {
        (200, lines) => lines,
        (status, lines) => panic!("{target}: {status} {lines:?}"),
    }
}

/// The status and the JSON lines.
fn try_post(fixture: &Fixture, target: &str, headers: &str, body: &[u8]) -> (u16, Vec<Value>) {
    use std::io::{Read, Write};
    let mut stream = fixture.connect();
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("written");
    // An engine that refuses early does not read to the end.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let lines = body
        .lines()
        // Between the lines are the lengths of chunks.
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    (status.expect("a status"), lines)
}

/// The words that a person reads of a stream of messages, one message a line.
fn told(lines: &[Value]) -> Vec<String> {
    let text =
        |line: &Value, key: &str| line[key].as_str().unwrap_or_default().trim_end().to_owned();
    lines
        .iter()
        .map(|line| match text(line, "error") {
            error if !error.is_empty() => format!("error: {error}"),
            _ if line["stream"].is_string() => text(line, "stream"),
            _ if line["id"].is_string() => {
                format!("{}: {}", text(line, "id"), text(line, "status"))
            }
            _ => text(line, "status"),
        })
        .collect()
}

/// Pulls, and returns what was told.
fn pull(fixture: &Fixture, reference: &str) -> Vec<String> {
    told(&post(fixture, &pull_target(reference, ""), "", &[]))
}

/// Pulls in vain, and returns the status and the last words.
fn refused(fixture: &Fixture, reference: &str) -> (u16, String) {
    let (status, lines) = try_post(fixture, &pull_target(reference, ""), "", &[]);
    let last = match lines.last() {
        Some(last) if last["message"].is_string() => {
            last["message"].as_str().unwrap_or_default().to_owned()
        }
        _ => told(&lines).pop().unwrap_or_default(),
    };
    (status, last)
}

fn pull_target(reference: &str, more: &str) -> String {
    let (name, tag) = reference.rsplit_once(':').expect("a tag");
    format!("/v1.41/images/create?fromImage={name}&tag={tag}{more}")
}

/// The paths below the layer directory of an image's only layer, with what they are.
fn files(fixture: &Fixture, reference: &str) -> std::path::PathBuf {
    let shown = fixture.get(&format!("/v1.41/images/{reference}/json"));
    let directory = shown["GraphDriver"]["Data"]["UpperDir"]
        .as_str()
        .expect("a directory");
    directory.into()
}

/// Whether nothing of any image is left: no name, no configuration, no layer, no file that was not finished.
fn is_empty(fixture: &Fixture) -> bool {
    let root = fixture.engine.layout().root();
    let mut left = Vec::new();
    let mut pending: Vec<_> = ["blobs", "images", "layers", "refs"]
        .map(|name| root.join(name))
        .into();
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(&directory)
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("diff") {
                pending.push(path);
            } else if !path.ends_with(".lock") {
                left.push(path);
            }
        }
    }
    if !left.is_empty() {
        eprintln!("left: {left:?}");
    }
    left.is_empty()
}
