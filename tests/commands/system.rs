//! `version` and `info`

use serde_json::Value;

use crate::support::program;
use crate::{engine, tool};

#[test]
fn versions_of_both_sides() {
    let engine = engine!();
    let server = engine.api().get("/version").json()["Version"]
        .as_str()
        .expect("a version")
        .to_owned();
    let out = tool(engine).run(["version"]).out();
    assert!(
        out.starts_with(&format!(
            "Client:\n Version:             {}\n",
            env!("CARGO_PKG_VERSION")
        )),
        "{out}"
    );
    assert!(
        out.contains(&format!("\nServer:\n Version:             {server}\n"))
            || out.contains(&server),
        "{out}"
    );
    tool(engine)
        .run(["version", "-f", "{{.Server.Version}}"])
        .assert(0, &format!("{server}\n"), "");
}

#[test]
fn without_an_engine_there_is_the_client() {
    let outcome = program()
        .with_env("DOCKER_HOST", "unix:///nowhere/at-all")
        .run(["version"]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.out().starts_with("Client:\n"), "{}", outcome.out());
    assert!(
        outcome.err().contains("unix:///nowhere/at-all"),
        "{}",
        outcome.err()
    );
}

#[test]
fn the_engine_describes_itself() {
    let engine = engine!();
    let out = tool(engine).run(["info"]).out();
    assert!(out.starts_with("Server:\n Containers: "), "{out}");
    assert!(out.contains("\n Storage Driver: "), "{out}");
    let json: Value =
        serde_json::from_str(&tool(engine).run(["system", "info", "-f", "json"]).out())
            .expect("JSON");
    assert_eq!(json["OSType"], "linux");
}
