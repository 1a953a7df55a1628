//! Global options and their environment variables.

use harness::{BrokenEngine, Reply};

use crate::tool;

/// An engine that is there and knows no image, so that a run against it ends soon with what the engine said.
fn engine(message: &'static str) -> BrokenEngine {
    BrokenEngine::start(move |request| match request.target.as_str() {
        "/_ping" => Reply::json(200, ""),
        _ => Reply::json(409, &format!(r#"{{"message":"{message}"}}"#)),
    })
}

#[test]
fn the_host_option_goes_before_the_variable() {
    let (first, second) = (engine("first"), engine("second"));
    let tool = tool().with_env("DOCKER_HOST", second.host());
    let by_variable = tool.run(["run", "x"]);
    by_variable.assert_err_contains(125, "", "Error response from daemon: second");
    for words in [
        &["-H", &first.host(), "run", "x"][..],
        &[&format!("--host={}", first.host()), "run", "x"],
    ] {
        tool.run(words)
            .assert_err_contains(125, "", "Error response from daemon: first");
    }
}

#[test]
fn two_hosts_are_refused_whatever_the_command_is() {
    let outcome = tool().run(["-H", "unix:///a", "-H", "unix:///b", "run", "x"]);
    outcome.assert(1, "", "specify only one -H\n");
}

#[test]
fn a_host_that_is_none_is_named() {
    let outcome = tool().run(["-H", "foo://bar", "run", "x"]);
    assert_eq!((outcome.code, outcome.out().as_str()), (Some(1), ""));
    assert!(
        outcome
            .err()
            .contains("invalid bind address format: foo://bar"),
        "{}",
        outcome.err()
    );
    let by_variable = tool()
        .with_env("DOCKER_HOST", "foo://baz")
        .run(["run", "x"]);
    assert!(
        by_variable
            .err()
            .contains("invalid bind address format: foo://baz"),
        "{by_variable:?}"
    );
}

#[test]
fn levels_of_logging_are_dockers() {
    let outcome = tool().run(["--log-level", "loud", "run", "x"]);
    outcome.assert(1, "", "Error: unable to parse logging level: loud\n");
    for level in ["debug", "info", "warn", "error", "fatal", "DEBUG"] {
        let outcome = tool().run(["-l", level, "-l", level, "--version"]);
        assert_eq!(outcome.code, Some(0), "{level}: {}", outcome.err());
    }
}

#[test]
fn debug_shows_the_method_and_each_request_line_and_no_secret() {
    let engine = engine("no");
    let secret = "swordfish";
    let tool = tool()
        .with_env("DOCKER_HOST", engine.host())
        .with_env("SECRET", secret);
    let words = ["run", "-e", "SECRET", "-e", "OTHER=swordfish", "x"];
    for options in [&["-D"][..], &["--debug", "-l", "error"], &["-l", "debug"]] {
        let outcome = tool.run(options.iter().chain(&words));
        assert_eq!(outcome.code, Some(125));
        let err = outcome.err();
        assert!(err.contains("debug: method CmdRun\n"), "{err}");
        assert!(err.contains("debug: HEAD /_ping\n"), "{err}");
        assert!(
            err.contains("debug: POST /v1.41/containers/create\n"),
            "{err}"
        );
        assert!(!err.contains(secret), "{err}");
        assert!(!err.contains("X-Registry-Auth"), "{err}");
    }
    // The engine did get it.
    assert!(
        String::from_utf8_lossy(&engine.requests().pop().expect("a request").body).contains(secret)
    );
    let quiet = tool.run(words);
    assert!(!quiet.err().contains("debug"), "{}", quiet.err());
}

#[test]
fn trace_shows_no_header_and_no_body() {
    let engine = engine("no");
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    let outcome = tool.run(["-l", "trace", "run", "-e", "A=swordfish", "x"]);
    assert!(
        outcome.err().contains("POST /v1.41/containers/create"),
        "{}",
        outcome.err()
    );
    assert!(!outcome.err().contains("swordfish"), "{}", outcome.err());
    assert!(!outcome.err().contains("User-Agent"), "{}", outcome.err());
}

#[test]
fn the_api_version_of_the_environment_caps_the_engines() {
    let engine = engine("no");
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    tool.with_env("DOCKER_API_VERSION", "1.40")
        .run(["run", "x"]);
    let targets: Vec<String> = engine
        .requests()
        .into_iter()
        .map(|request| request.target)
        .collect();
    assert!(
        targets.contains(&"/v1.40/containers/create".to_owned()),
        "{targets:?}"
    );
    let outcome = crate::tool()
        .with_env("DOCKER_API_VERSION", "foo")
        .run(["run", "x"]);
    assert!(
        outcome
            .err()
            .contains("invalid API version (foo): must be formatted <major>.<minor>"),
        "{}",
        outcome.err()
    );
}

#[test]
fn mistakes_in_global_options_are_worded_as_dockers() {
    for (words, message) in [
        (&["--nope", "run", "x"][..], "unknown flag: --nope"),
        (&["-Z", "run", "x"], "unknown shorthand flag: 'Z' in -Z"),
        (&["-DZq", "run"], "unknown shorthand flag: 'Z' in -Zq"),
        (&["--host"], "flag needs an argument: --host"),
        (&["-H"], "flag needs an argument: 'H' in -H"),
        (
            &["--tlsverify=maybe", "run", "x"],
            "invalid argument \"maybe\" for \"--tlsverify\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            &["-D=maybe", "run"],
            "invalid argument \"maybe\" for \"-D, --debug\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
    ] {
        let expected = format!(
            "{message}\n\nUsage:  tool [OPTIONS] COMMAND [ARG...]\n\nRun 'tool --help' for more information\n"
        );
        tool().run(words).assert(125, "", &expected);
    }
}

#[test]
fn booleans_take_a_value_behind_an_equals_sign() {
    let engine = engine("no");
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    let quiet = tool.run(["--debug", "-D=false", "--tls=0", "run", "x"]);
    quiet.assert_err_contains(125, "", "Error response from daemon: no");
    assert!(!quiet.err().contains("debug"), "{}", quiet.err());
}
