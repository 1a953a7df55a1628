//! A registry that wants a login: where the credentials come from, and what is said without them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use harness::{BrokenEngine, Engine, Image, Kind, Outcome, Program, Pty, Registry, Reply, Signal};

use crate::{engine, program, tool, until};

/// The registry with a login that all tests share. Without one, says so and returns from the test.
macro_rules! registry {
    () => {{
        fn here() {}
        let name = $crate::support::test_name(std::any::type_name_of_val(&here));
        let Some(registry) = harness::login_registry_or_skip(name) else {
            return;
        };
        registry
    }};
}

/// `tester:sesame-for-tests`, as `auths` has it.
const AUTH: &str = "dGVzdGVyOnNlc2FtZS1mb3ItdGVzdHM=";

/// An image that is in the registry and not in the engine.
fn pushed(registry: &Registry, name: &str) -> String {
    let image = Image::busybox().with_file("etc/name", 0o644, name);
    registry.push(&image, name)
}

/// Makes a program in a directory of the program's own, which is alone in front of `PATH`.
fn with_helper(program: Program, name: &str, script: &str) -> Program {
    let path = program.file(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, executable).expect("a mode");
    let bin = path.parent().expect("a directory").display().to_string();
    program.with_env("PATH", format!("{bin}:/usr/bin:/bin"))
}

/// The script of a helper that knows the registry's user and writes down what it was asked.
fn helper(directory: &Path) -> String {
    format!(
        "read -r server || :\necho \"$1 $server\" >>{}/asked\n\
         echo '{{\"ServerURL\":\"x\",\"Username\":\"{}\",\"Secret\":\"{}\"}}'",
        directory.display(),
        Registry::USER,
        Registry::PASSWORD
    )
}

fn asked(program: &Program) -> String {
    std::fs::read_to_string(program.directory().join("asked")).unwrap_or_default()
}

#[track_caller]
fn assert_pulled(outcome: &Outcome, name: &str) {
    let seen = (outcome.code, outcome.out());
    assert_eq!(seen, (Some(0), name.to_owned()), "{}", outcome.err());
}

fn cat(reference: &str) -> [&str; 6] {
    ["run", "--rm", "-q", reference, "cat", "/etc/name"]
}

/// How an engine says that a registry wants a login.
fn refusal(engine: &Engine) -> &'static str {
    match engine.kind() {
        Kind::Dockerd | Kind::Embedded | Kind::Rootless => "no basic auth credentials",
        Kind::Podman => "unauthorized: authentication required",
    }
}

#[test]
fn without_a_login_the_registrys_refusal_is_the_error() {
    let (engine, registry) = (engine!(), registry!());
    let reference = pushed(registry, "anonymous:1");
    let outcome = tool(engine).run(["run", "--rm", &reference, "true"]);
    outcome.assert_err_contains(125, "", refusal(engine));
    assert!(
        outcome
            .err()
            .starts_with(&format!("Unable to find image '{reference}' locally\n")),
        "{}",
        outcome.err()
    );
    let wrong = tool(engine);
    wrong.file(
        ".docker/config.json",
        format!(
            r#"{{"auths": {{"{}": {{"auth": "dGVzdGVyOng="}}}}}}"#,
            registry.address()
        ),
    );
    let outcome = wrong.run(cat(&reference));
    outcome.assert_err_contains(125, "", "unauthorized: authentication required");
}

#[test]
fn auths_log_in_and_no_secret_is_logged() {
    let (engine, registry) = (engine!(), registry!());
    let keys = [
        registry.address().to_owned(),
        format!("https://{}/v2/", registry.address()),
    ];
    for (at, key) in keys.iter().enumerate() {
        let name = format!("auths{at}:1");
        let reference = pushed(registry, &name);
        let tool = tool(engine);
        tool.file(
            ".docker/config.json",
            format!(r#"{{"auths": {{"{key}": {{"auth": "{AUTH}"}}}}}}"#),
        );
        let mut words = vec!["-D"];
        words.extend(cat(&reference));
        let outcome = tool.run(words);
        assert_pulled(&outcome, &name);
        let log = outcome.err();
        assert!(log.contains("/images/create?"), "{log}");
        // In base64, of the file and of the header, and as it is.
        for secret in [AUTH, "eyJ1c2Vy", Registry::PASSWORD] {
            assert!(!log.contains(secret), "{log}");
        }
    }
}

#[test]
fn a_registrys_helper_comes_before_the_general_one_and_that_before_the_file() {
    let (engine, registry) = (engine!(), registry!());
    let address = registry.address();
    let reference = pushed(registry, "helpers:1");
    let wrong = format!(r#""auths": {{"{address}": {{"auth": "dGVzdGVyOng="}}}}"#);
    for config in [
        format!(r#"{{{wrong}, "credsStore": "lost", "credHelpers": {{"{address}": "known"}}}}"#),
        format!(r#"{{{wrong}, "credsStore": "known"}}"#),
    ] {
        let tool = tool(engine);
        tool.file(".docker/config.json", config);
        let script = helper(tool.directory());
        let tool = with_helper(tool, "docker-credential-known", &script);
        assert_pulled(
            &tool.run([
                "run",
                "--rm",
                "-q",
                "--pull=always",
                &reference,
                "cat",
                "/etc/name",
            ]),
            "helpers:1",
        );
        assert_eq!(asked(&tool), format!("get {address}\n"));
    }
}

#[test]
fn pass_is_asked_where_nothing_else_is_said() {
    let (engine, registry) = (engine!(), registry!());
    let reference = pushed(registry, "pass:1");
    let tool = tool(engine);
    let script = helper(tool.directory());
    let tool = with_helper(tool, "docker-credential-pass", &script);
    // Without `pass` its helper is not asked.
    let outcome = tool.run(cat(&reference));
    outcome.assert_err_contains(125, "", refusal(engine));
    let tool = with_helper(tool, "pass", "exit 1");
    assert_pulled(&tool.run(cat(&reference)), "pass:1");
    // Any setting about credentials ends the guessing.
    tool.file(".docker/config.json", r#"{"auths": {"elsewhere": {}}}"#);
    let outcome = tool.run(["run", "--pull=always", &reference]);
    outcome.assert_err_contains(125, "", refusal(engine));
    assert_eq!(asked(&tool).lines().count(), 1);
}

#[test]
fn the_variable_comes_before_all() {
    let (engine, registry) = (engine!(), registry!());
    let reference = pushed(registry, "variable:1");
    let of = |auth: &str| format!(r#"{{"auths": {{"{}": {auth}}}}}"#, registry.address());
    let login = tool(engine).with_env(
        "DOCKER_AUTH_CONFIG",
        of(&format!(r#"{{"auth": "{AUTH}"}}"#)),
    );
    login.file(".docker/config.json", r#"{"credsStore": "lost"}"#);
    assert_pulled(&login.run(cat(&reference)), "variable:1");

    let malformed = tool(engine).with_env("DOCKER_AUTH_CONFIG", of(r#"{"password": "sesame"}"#));
    let outcome = malformed.run(["run", "--pull=always", &reference]);
    let warning = "Failed to create credential store from DOCKER_AUTH_CONFIG: ";
    assert!(outcome.err().starts_with(warning), "{}", outcome.err());
    assert!(!outcome.err().contains("sesame"), "{}", outcome.err());
    outcome.assert_err_contains(125, "", refusal(engine));
}

/// An engine that has no image and refuses every pull.
fn refusing() -> BrokenEngine {
    BrokenEngine::start(|request| match request.target.as_str() {
        "/_ping" => Reply::empty(200),
        target if target.contains("/images/create") => Reply::json(500, r#"{"message":"enough"}"#),
        _ => Reply::json(404, r#"{"message":"No such image: x:latest"}"#),
    })
}

/// The value of `X-Registry-Auth` that a pull had, decoded by a program that is none of ours.
fn sent(engine: &BrokenEngine) -> String {
    let requests = engine.requests();
    let pull = requests
        .iter()
        .find(|request| request.target.contains("/images/create"))
        .expect("a pull");
    let value = pull.head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-registry-auth")
            .then_some(value)
    });
    let standard = value
        .expect("the header")
        .replace('-', "+")
        .replace('_', "/");
    let decoder = Program::new("/usr/bin/base64");
    decoder.run_with(["-d"], standard).out()
}

#[test]
fn tokens_are_passed_on_and_nothing_is_an_empty_object() {
    let engine = refusing();
    let tool = || program().with_env("DOCKER_HOST", engine.host());
    tool()
        .run(["run", "x"])
        .assert_err_contains(125, "", "Error response from daemon: enough");
    assert_eq!(sent(&engine), "{}");

    for (config, expected) in [
        (
            r#"{"auths": {"https://index.docker.io/v1/": {"identitytoken": "one", "registrytoken": "two"}}}"#,
            r#"{"serveraddress":"https://index.docker.io/v1/","identitytoken":"one","registrytoken":"two"}"#,
        ),
        (
            r#"{"auths": {"https://index.docker.io/v1/": {"registrytoken": "two"}}, "credsStore": "token"}"#,
            r#"{"serveraddress":"https://index.docker.io/v1/","identitytoken":"three","registrytoken":"two"}"#,
        ),
    ] {
        let engine = refusing();
        let tool = program().with_env("DOCKER_HOST", engine.host());
        tool.file(".docker/config.json", config);
        let answer = r#"echo '{"Username":"<token>","Secret":"three"}'"#;
        let tool = with_helper(tool, "docker-credential-token", answer);
        tool.run(["run", "x"])
            .assert_err_contains(125, "", "enough");
        assert_eq!(sent(&engine), expected);
    }
}

/// The outcome of a pull with this helper for everything.
fn with_general_helper(engine: &BrokenEngine, script: &str) -> Outcome {
    let tool = program().with_env("DOCKER_HOST", engine.host());
    tool.file(".docker/config.json", r#"{"credsStore": "own"}"#);
    with_helper(tool, "docker-credential-own", script).run(["run", "x"])
}

#[test]
fn a_helper_that_fails_ends_the_pull_with_its_words() {
    for (script, status, text) in [
        (
            "echo 'gpg: no key'; exit 2",
            125,
            "tool: error getting credentials - err: exit status 2, out: `gpg: no key`",
        ),
        (
            "echo 'no credentials server URL'; exit 1",
            125,
            "tool: error getting credentials - err: no credentials server URL, out: `no credentials server URL`",
        ),
        (
            "echo sesame",
            125,
            "tool: error getting credentials - err: malformed output of docker-credential-own: expected value at line 1 column 1, out: ``",
        ),
    ] {
        let engine = refusing();
        let outcome = with_general_helper(&engine, script);
        outcome.assert_err_contains(status, "", text);
        let pulls = engine.requests();
        assert!(
            !pulls
                .iter()
                .any(|request| request.target.contains("/images/"))
        );
    }
    let engine = refusing();
    let tool = program().with_env("DOCKER_HOST", engine.host());
    tool.file(".docker/config.json", r#"{"credsStore": "lost"}"#);
    tool.run(["run", "x"]).assert_err_contains(
        127,
        "",
        "err: exec: \"docker-credential-lost\": executable file not found in $PATH, out: ``",
    );
}

#[test]
fn a_helper_that_knows_nobody_means_an_anonymous_user_and_its_messages_are_shown() {
    let engine = refusing();
    let script =
        "echo 'unlock your keys' >&2; echo 'credentials not found in native keychain'; exit 1";
    let outcome = with_general_helper(&engine, script);
    outcome.assert_err_contains(125, "", "unlock your keys\n");
    assert_eq!(sent(&engine), "{}");
}

#[test]
fn a_signal_ends_the_helper_too() {
    let engine = refusing();
    let tool = program().with_env("DOCKER_HOST", engine.host());
    tool.file(".docker/config.json", r#"{"credsStore": "slow"}"#);
    let script = format!(
        "echo $$ >{}/pid; exec sleep 600",
        tool.directory().display()
    );
    let tool = with_helper(tool, "docker-credential-slow", &script);
    let running = tool.start(["run", "x"]);
    let pid = until(|| {
        let text = std::fs::read_to_string(tool.directory().join("pid")).ok()?;
        text.trim()
            .parse::<u32>()
            .ok()
            .filter(|_| text.ends_with('\n'))
    });
    running.signal(Signal::TERM);
    assert_eq!(running.finish().code, Some(128 + 15));
    until(|| (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
}

#[test]
fn ctrl_c_ends_a_helper_that_asks_its_user() {
    for _ in 0..10 {
        let engine = refusing();
        let tool = program().with_env("DOCKER_HOST", engine.host());
        tool.file(".docker/config.json", r#"{"credsStore": "asking"}"#);
        // What it asks and hears goes past the streams, by the terminal.
        let script =
            "stty -echo </dev/tty; printf 'Passphrase: ' >&2; read -r answer </dev/tty; echo {}";
        let tool = with_helper(tool, "docker-credential-asking", script);
        let pty = Pty::open(24, 80);
        let running = tool.start_on(&pty, ["run", "x"]);
        pty.wait_for("Passphrase: ");
        pty.write("\x03");
        assert_eq!(running.finish().code, Some(128 + 2), "{}", pty.text());
        assert!(!pty.text().contains("error getting"), "{}", pty.text());
    }
}

#[test]
fn a_helper_may_ask_on_the_terminal() {
    let engine = refusing();
    let tool = program().with_env("DOCKER_HOST", engine.host());
    tool.file(".docker/config.json", r#"{"credsStore": "asking"}"#);
    let script = "printf 'Passphrase: ' >&2; read -r answer </dev/tty\n\
                  echo \"{\\\"Username\\\":\\\"me\\\",\\\"Secret\\\":\\\"$answer\\\"}\"";
    let tool = with_helper(tool, "docker-credential-asking", script);
    let pty = Pty::open(24, 80);
    let running = tool.start_on(&pty, ["run", "x"]);
    pty.wait_for("Passphrase: ");
    pty.write("sesame\r");
    assert_eq!(running.finish().code, Some(125), "{}", pty.text());
    assert_eq!(
        sent(&engine),
        r#"{"username":"me","password":"sesame","serveraddress":"https://index.docker.io/v1/"}"#
    );
}

#[test]
fn no_secret_is_logged_at_any_level() {
    let engine = refusing();
    let tool = program().with_env("DOCKER_HOST", engine.host()).with_env(
        "DOCKER_AUTH_CONFIG",
        r#"{"auths": {"r": {"auth": "bWU6c2VzYW1lMQ=="}}}"#,
    );
    tool.file(
        ".docker/config.json",
        r#"{"auths": {"https://index.docker.io/v1/": {"auth": "bWU6c2VzYW1lMg=="}},
            "credHelpers": {"https://index.docker.io/v1/": "known"}, "HttpHeaders": {"X-Token": "sesame3"},
            "proxies": {"default": {"httpProxy": "http://u:sesame4@p"}}}"#,
    );
    let answer = r#"echo '{"Username":"me","Secret":"sesame5"}'"#;
    let tool = with_helper(tool, "docker-credential-known", answer);
    for level in [&["-D"][..], &["-l", "trace"], &["-D", "-l", "trace"]] {
        for option in ["--rm", "--use-api-socket"] {
            let outcome = tool.run([level, &["run", option, "x"]].concat());
            outcome.assert_err_contains(125, "", "/images/create?");
            let log = outcome.err();
            for secret in ["sesame", "c2VzYW1l", "eyJ1c2Vy"] {
                assert!(!log.contains(secret), "{log}");
            }
        }
    }
    assert!(sent(&engine).contains("sesame5"), "{}", sent(&engine));
}
