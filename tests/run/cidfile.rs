//! `--cidfile`

use harness::Kind;

use crate::{engine, tool};

#[test]
fn the_id_is_in_the_file_without_a_line_break() {
    let engine = engine!();
    let tool = tool(engine);
    let outcome = tool.run(["run", "-d", "--cidfile", "id", "busybox", "true"]);
    let file = std::fs::read_to_string(tool.directory().join("id")).expect("a file");
    assert_eq!(outcome.out(), format!("{file}\n"));
    assert_eq!(file.len(), 64);
    engine.remove(&file);
}

#[test]
fn an_existing_file_is_refused_and_kept() {
    let engine = engine!();
    let tool = tool(engine);
    let path = tool.file("id", "old");
    let outcome = tool.run([
        "run",
        "--cidfile",
        "id",
        "-l",
        "existing_file",
        "busybox",
        "true",
    ]);
    let text =
        "tool: container ID file found, make sure the other container isn't running or delete id";
    outcome.assert_err_contains(125, "", text);
    assert_eq!(std::fs::read_to_string(path).expect("the file"), "old");
    assert!(engine.containers("existing_file").is_empty());
}

#[test]
fn a_file_that_cannot_be_made_keeps_the_container_from_being_made() {
    let engine = engine!();
    let outcome = tool(engine).run([
        "run",
        "--cidfile",
        "no/id",
        "-l",
        "unmade_file",
        "busybox",
        "true",
    ]);
    let text =
        "tool: failed to create the container ID file: open no/id: no such file or directory";
    outcome.assert_err_contains(127, "", text);
    assert!(engine.containers("unmade_file").is_empty());
}

#[test]
fn the_file_goes_if_the_container_is_not_made_and_stays_if_it_does_not_start() {
    let engine = engine!();
    let tool = tool(engine);
    let failed = tool.run(["run", "--cidfile", "id", "--pull", "never", "nosuchimage"]);
    let text = match engine.kind() {
        Kind::Dockerd | Kind::Embedded | Kind::Rootless => "No such image: nosuchimage:latest",
        Kind::Podman => "no such image: docker.io/library/nosuchimage",
    };
    let text = format!("tool: Error response from daemon: {text}");
    failed.assert_err_contains(125, "", &text);
    assert!(!tool.directory().join("id").exists());
    assert_eq!(
        tool.run(["run", "--rm", "--cidfile", "id", "busybox", "nosuchcmd"])
            .code,
        Some(127)
    );
    assert!(tool.directory().join("id").exists());
}
