//! The configuration file, and where it is looked for.

use harness::{BrokenEngine, Reply};

use crate::tool;

/// An engine that creates a container and refuses to attach to it.
fn engine() -> BrokenEngine {
    BrokenEngine::start(|request| match request.target.as_str() {
        "/_ping" => Reply::json(200, ""),
        "/v1.41/containers/create" => Reply::json(201, r#"{"Id":"abc","Warnings":[]}"#),
        _ => Reply::json(500, r#"{"message":"enough"}"#),
    })
}

#[test]
fn a_malformed_configuration_is_warned_of_and_ignored() {
    let engine = engine();
    let by_option = tool().with_env("DOCKER_HOST", engine.host());
    let file = by_option.file("elsewhere/config.json", "{");
    let outcome = by_option.run(["--config", "elsewhere", "run", "x"]);
    outcome.assert_err_contains(125, "", "Error response from daemon: enough");
    let warning = "WARNING: Error parsing config file (elsewhere/config.json): ";
    assert!(outcome.err().starts_with(warning), "{}", outcome.err());

    let by_variable = tool()
        .with_env("DOCKER_HOST", engine.host())
        .with_env("DOCKER_CONFIG", file.parent().expect("a directory"));
    let outcome = by_variable.run(["run", "x"]);
    assert!(
        outcome
            .err()
            .starts_with("WARNING: Error parsing config file (/"),
        "{}",
        outcome.err()
    );

    let at_home = tool().with_env("DOCKER_HOST", engine.host());
    at_home.file(".docker/config.json", r#"{"detachKeys": 3}"#);
    let outcome = at_home.run(["run", "x"]);
    assert!(
        outcome
            .err()
            .starts_with("WARNING: Error parsing config file (/"),
        "{}",
        outcome.err()
    );
}

#[test]
fn detach_keys_of_the_configuration_are_asked_of_the_engine() {
    let engine = engine();
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    tool.file("dir/config.json", r#"{"detachKeys": "ctrl-x,y"}"#);
    tool.run(["--config", "dir", "run", "x"]);
    tool.run(["--config", "dir", "run", "--detach-keys", "ctrl-a", "x"]);
    let attached: Vec<String> = engine
        .requests()
        .into_iter()
        .map(|request| request.target)
        .filter(|target| target.contains("/attach"))
        .collect();
    assert!(
        attached[0].contains("detachKeys=ctrl-x%2Cy"),
        "{attached:?}"
    );
    assert!(attached[1].contains("detachKeys=ctrl-a"), "{attached:?}");
}
