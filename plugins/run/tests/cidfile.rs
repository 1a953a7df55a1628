//! `--cidfile`: when the file is there and when it is not.

mod engine;

use std::fs;

use byname::ExitStatus;
use engine::{Engine, ID, Script, error};

fn run(engine: &Engine, path: &str) -> byname::testing::Outcome {
    engine.run(&["run", "--rm", "--cidfile", path, "img"])
}

#[test]
fn it_has_the_id_and_no_line_end() {
    let engine = Engine::new(Script::default());
    let path = engine.path("cid").to_str().unwrap().to_owned();
    assert_eq!(run(&engine, &path).status, ExitStatus::Success);
    assert_eq!(fs::read_to_string(&path).unwrap(), ID);
    assert_eq!(
        engine.request("POST /containers/create").json()["HostConfig"]["ContainerIDFile"],
        path.as_str()
    );
}

#[test]
fn one_that_is_there_is_an_error_before_a_container_is_asked_for() {
    let engine = Engine::new(Script::default());
    let path = engine.path("cid").to_str().unwrap().to_owned();
    fs::write(&path, "other").unwrap();
    let outcome = run(&engine, &path);
    assert_eq!(
        outcome.stderr,
        format!(
            "tool: container ID file found, make sure the other container isn't running or delete {path}\n\n\
             Run 'tool run --help' for more information\n"
        )
    );
    assert_eq!(outcome.status, ExitStatus::Code(125));
    assert_eq!(fs::read_to_string(&path).unwrap(), "other");
    assert_eq!(engine.lines(), ["HEAD /_ping"]);
}

#[test]
fn one_that_cannot_be_made_is_an_error() {
    let engine = Engine::new(Script::default());
    let outcome = run(&engine, "/nonexistent/cid");
    assert!(outcome.stderr.starts_with(
        "tool: failed to create the container ID file: open /nonexistent/cid: no such file or directory\n"
    ));
    assert_eq!(outcome.status, ExitStatus::Code(127));
}

#[test]
fn it_goes_when_there_is_no_container_and_stays_when_it_does_not_start() {
    let engine = Engine::new(Script {
        create: vec![error(409, "Conflict.")],
        ..Script::default()
    });
    let path = engine.path("cid").to_str().unwrap().to_owned();
    assert_eq!(run(&engine, &path).status, ExitStatus::Code(125));
    assert!(!fs::exists(&path).unwrap());

    let engine = Engine::new(Script {
        start: error(500, "no"),
        ..Script::default()
    });
    let path = engine.path("cid").to_str().unwrap().to_owned();
    assert_eq!(run(&engine, &path).status, ExitStatus::Code(125));
    assert_eq!(fs::read_to_string(&path).unwrap(), ID);
}
