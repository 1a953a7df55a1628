//! Engine selection: the order of options, variables and contexts, and the errors for invalid ones.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use harness::{BrokenEngine, Program, Reply};

use crate::tool;

/// An engine that refuses all, with its name.
fn engine(name: &'static str) -> BrokenEngine {
    BrokenEngine::start(move |request| match request.target.as_str() {
        "/_ping" => Reply::json(200, ""),
        _ => Reply::json(409, &format!(r#"{{"message":"{name}"}}"#)),
    })
}

/// The name of a context's directory.
fn identifier(name: &str) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(name.as_bytes()).expect("room");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    String::from_utf8_lossy(&output.stdout[..64]).into_owned()
}

/// Makes a context in the program's own configuration.
fn context(tool: &Program, name: &str, host: &str) {
    let path = format!(".docker/contexts/meta/{}/meta.json", identifier(name));
    let content = format!(
        r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":false}}}}}}"#
    );
    tool.file(&path, content);
}

#[track_caller]
fn assert_asked(tool: &Program, options: &[&str], name: &str) {
    let outcome = tool.run(options.iter().chain(&["run", "x"]));
    outcome.assert_err_contains(125, "", &format!("Error response from daemon: {name}"));
}

#[test]
fn the_first_that_is_given_counts() {
    let [option, variable, one, two, current] =
        ["option", "variable", "one", "two", "current"].map(engine);
    let plain = tool();
    for (name, engine) in [("one", &one), ("two", &two), ("current", &current)] {
        context(&plain, name, &engine.host());
    }
    plain.file(".docker/config.json", r#"{"currentContext":"current"}"#);
    assert_asked(&plain, &[], "current");
    let tool = plain.with_env("DOCKER_CONTEXT", "two");
    assert_asked(&tool, &[], "two");
    let tool = tool.with_env("DOCKER_HOST", variable.host());
    assert_asked(&tool, &[], "variable");
    assert_asked(&tool, &["-H", &option.host()], "option");
    assert_asked(&tool, &["-c", "one"], "one");
    assert_asked(&tool, &["--context=one"], "one");
    assert_asked(&tool, &["--context", ""], "variable");
    // The context that is none.
    assert_asked(&tool, &["-c", "default"], "variable");
}

#[test]
fn both_a_host_and_a_context_are_refused_whatever_the_command_is() {
    let outcome = tool().run(["-H", "unix:///a", "-c", "b", "run", "x"]);
    let expected = "conflicting options: cannot specify both --host and --context\n";
    outcome.assert(1, "", expected);
}

#[test]
fn what_is_no_engine_is_named() {
    let tool = tool();
    let home = tool.directory().display().to_string();
    let unresolved = "Failed to initialize: unable to resolve docker endpoint: ";
    let id = identifier("nope");
    let missing = format!(
        "context \"nope\": context not found: open {home}/.docker/contexts/meta/{id}/meta.json: no such file or directory"
    );
    for (options, expected) in [
        (&["-c", "nope"][..], missing.as_str()),
        (
            &["-H", "foo://bar"],
            "invalid bind address format: foo://bar",
        ),
        (
            &["-H", "ssh://u:p@h"],
            "ssh host connection is not valid: invalid SSH URL: plain-text password is not supported",
        ),
        (
            &["--tlsverify", "-H", "tcp://h"],
            &format!("open {home}/.docker/ca.pem: no such file or directory"),
        ),
        (
            &["--tls", "--tlscacert", "/nope.pem"],
            "open /nope.pem: no such file or directory",
        ),
    ] {
        let outcome = tool.run(options.iter().chain(&["run", "x"]));
        outcome.assert(1, "", &format!("{unresolved}{expected}\n"));
    }
}

#[test]
fn an_empty_host_is_the_default_whatever_the_variable_says() {
    let engine = engine("variable");
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    tool.run(["-H", "", "run", "x"]);
    assert!(engine.requests().is_empty());
}

#[test]
fn variables_turn_tls_on_and_a_socket_has_none() {
    let engine = engine("socket");
    for (name, value) in [("DOCKER_TLS", "1"), ("DOCKER_TLS_VERIFY", "0")] {
        let tool = tool().with_env(name, value);
        assert_asked(&tool, &["-H", &engine.host()], "socket");
        let elsewhere = tool.with_env("DOCKER_CERT_PATH", "/certificates");
        let outcome = elsewhere.run(["-H", "tcp://h", "run", "x"]);
        let expected = "open /certificates/ca.pem: no such file or directory";
        outcome.assert_err_contains(1, "", expected);
        // The option goes before the variable.
        if name == "DOCKER_TLS" {
            let plain = elsewhere.run(["--tls=false", "-H", "tcp://127.0.0.1:9", "run", "x"]);
            plain.assert_err_contains(
                1,
                "",
                "Cannot connect to the Docker daemon at tcp://127.0.0.1:9.",
            );
        }
    }
}

#[test]
fn headers_are_of_the_configuration_or_of_a_variable() {
    let engine = engine("no");
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    tool.file(
        ".docker/config.json",
        r#"{"HttpHeaders":{"X-Token":"configured","User-Agent":"other"}}"#,
    );
    let headers = |tool: &Program| {
        tool.run(["run", "x"]);
        let request = engine.requests().pop().expect("a request");
        let header = |wanted: &str| {
            let mut lines = request.head.lines();
            lines.find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case(wanted).then(|| value.to_owned())
            })
        };
        (header("X-Token"), header("X-Other"), header("User-Agent"))
    };
    let agent = Some(format!(
        "Docker-Client/{} (linux)",
        env!("CARGO_PKG_VERSION")
    ));
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(headers(&tool), (text("configured"), None, agent.clone()));
    let tool = tool.with_env("DOCKER_CUSTOM_HEADERS", "X-Other=a,User-Agent=b");
    assert_eq!(headers(&tool), (None, text("a"), agent));
    let wrong = tool
        .with_env("DOCKER_CUSTOM_HEADERS", "foo")
        .run(["run", "x"]);
    wrong.assert(
        1,
        "",
        "Failed to initialize: failed to set custom headers from DOCKER_CUSTOM_HEADERS environment variable: missing \
         \"=\" in key=value pair: 'foo'\n",
    );
}

#[test]
fn a_socket_that_is_missing_is_named() {
    let outcome = tool().run(["-H", "unix:///nowhere/x.sock", "run", "x"]);
    outcome.assert(
        1,
        "",
        "failed to connect to the docker API at unix:///nowhere/x.sock; check if the path is correct and if the daemon \
         is running: dial unix /nowhere/x.sock: connect: no such file or directory\n",
    );
    let long = format!("unix:///{}", "x".repeat(120));
    let outcome = tool().run(["-H", &long, "run", "x"]);
    outcome.assert_err_contains(1, "", "\" is too long");
    assert!(!Path::new("/nowhere").exists());
}

#[test]
fn no_password_of_an_address_is_shown() {
    const HOST: &str = "tcp://me:sesame@host:1";
    let plain = tool();
    context(&plain, "secret", HOST);
    let proxied = tool()
        .with_env("DOCKER_HOST", "tcp://192.0.2.1")
        .with_env("HTTP_PROXY", "http://me:sesame@127.0.0.1:1");
    let variable = tool().with_env("DOCKER_HOST", HOST);
    let outcomes = [
        plain.run(["-D", "-H", HOST, "ps"]),
        plain.run(["-D", "-H", "me:sesame@host", "ps"]),
        plain.run(["-D", "-H", "ssh://me:sesame#@host", "ps"]),
        plain.run(["-D", "-c", "secret", "ps"]),
        plain.run(["-D", "-H", HOST, "engine", "serve"]),
        variable.run(["-D", "run", "x"]),
        variable.run(["-D", "version"]),
        proxied.run(["-D", "ps"]),
    ];
    for outcome in outcomes {
        assert_ne!(outcome.code, Some(0), "{outcome:?}");
        let text = outcome.out() + &outcome.err();
        assert!(!text.contains("sesame") && !text.is_empty(), "{text}");
    }
    plain.run(["-H", HOST, "ps"]).assert(
        1,
        "",
        "Failed to initialize: unable to resolve docker endpoint: invalid bind address format: tcp://xxxxx@host:1\n",
    );
    plain.run(["-H", "tcp://unix:///run/x.sock", "ps"]).assert(
        1,
        "",
        "Failed to initialize: unable to resolve docker endpoint: invalid proto, expected tcp: unix:///run/x.sock\n",
    );
}
