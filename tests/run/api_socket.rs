//! `--use-api-socket`: a container that is a client of its own engine, with its user's credentials.

use harness::{BrokenEngine, Image, Reply};
use serde_json::{Value, json};

use crate::{engine, program, tool};

/// `tester:sesame-for-tests`, as `auths` has it.
const AUTH: &str = "dGVzdGVyOnNlc2FtZS1mb3ItdGVzdHM=";

#[test]
fn the_container_pulls_from_a_registry_with_its_users_login() {
    let engine = engine!();
    let name = "api_socket::the_container_pulls_from_a_registry_with_its_users_login";
    let Some(registry) = harness::login_registry_or_skip(name) else {
        return;
    };
    let image = Image::busybox().with_file("etc/name", 0o644, "inner");
    let reference = registry.push(&image, "nested:1");
    let tool = tool(engine);
    let config = format!(
        r#"{{"auths": {{"{}": {{"auth": "{AUTH}"}}}}}}"#,
        registry.address()
    );
    tool.file(".docker/config.json", config);
    // The program has no libraries, so it runs in any container.
    let itself = format!("{}:/tool:ro", env!("CARGO_BIN_EXE_tool"));
    let outer = ["run", "--rm", "--use-api-socket", "-v", &itself, "busybox"];
    let inner = ["/tool", "run", "--rm", "-q", &reference, "cat", "/etc/name"];
    tool.run(outer.into_iter().chain(inner))
        .assert(0, "inner", "");

    let script = "stat -c %a-%u $DOCKER_CONFIG/config.json; cat $DOCKER_CONFIG/config.json";
    let outcome = tool.run([
        "run",
        "--rm",
        "--use-api-socket",
        "busybox",
        "sh",
        "-c",
        script,
    ]);
    let out = outcome.out();
    let (mode, file) = out
        .split_once('\n')
        .unwrap_or_else(|| panic!("{}", outcome.err()));
    assert_eq!(mode, "600-0");
    let file: Value = serde_json::from_str(file).expect("JSON");
    assert_eq!(
        file,
        json!({ "auths": { registry.address(): { "auth": AUTH } } })
    );
}

/// An engine that makes a container and refuses everything else.
fn refusing() -> BrokenEngine {
    BrokenEngine::start(|request| match request.target.as_str() {
        "/_ping" => Reply::empty(200),
        target if target.contains("/containers/create") => Reply::json(201, r#"{"Id":"abc"}"#),
        _ => Reply::json(500, r#"{"message":"enough"}"#),
    })
}

/// The body of the create, the lines of all requests, and standard error.
fn requests(config: &str, words: &[&str], variable: Option<&str>) -> (Value, Vec<String>, String) {
    let engine = refusing();
    let mut tool = program().with_env("DOCKER_HOST", engine.host());
    tool.file(".docker/config.json", config);
    if let Some(value) = variable {
        tool = tool.with_env("DOCKER_AUTH_CONFIG", value);
    }
    let outcome = tool.run(["run", "-d", "--use-api-socket"].iter().chain(words));
    let requests = engine.requests();
    let create = requests
        .iter()
        .find(|request| request.target.contains("/create"));
    let body = create.map_or(Value::Null, |create| {
        serde_json::from_slice(&create.body).expect("JSON")
    });
    let line = |request: &harness::Request| format!("{} {}", request.method, request.target);
    (body, requests.iter().map(line).collect(), outcome.err())
}

const PUT: &str = "PUT /v1.41/containers/abc/archive?path=%2F&noOverwriteDirNonDir=true";

#[test]
fn the_socket_is_mounted_and_without_credentials_nothing_is_copied() {
    let (body, lines, _) = requests("{}", &["x"], None);
    let socket = json!({
        "Type": "bind", "Source": "/var/run/docker.sock", "Target": "/var/run/docker.sock", "BindOptions": {}
    });
    assert_eq!(body["HostConfig"]["Mounts"], json!([socket]));
    assert!(body["Env"].as_array().is_none_or(Vec::is_empty), "{body}");
    assert!(
        !lines.iter().any(|line| line.starts_with("PUT")),
        "{lines:?}"
    );
}

#[test]
fn a_copy_that_fails_is_warned_of() {
    let config = format!(r#"{{"auths": {{"r": {{"auth": "{AUTH}"}}}}}}"#);
    let (body, lines, err) = requests(&config, &["x"], None);
    assert_eq!(body["Env"], json!(["DOCKER_CONFIG=/run/secrets/docker"]));
    assert!(lines.iter().any(|line| line == PUT), "{lines:?}");
    let warning = "WARNING: injecting docker config.json into container failed: \
                   copying config.json into container failed: Error response from daemon: enough\n";
    assert!(err.starts_with(warning), "{err}");
}

#[test]
fn a_container_with_a_configuration_of_its_own_is_left_to_it() {
    let config = format!(r#"{{"auths": {{"r": {{"auth": "{AUTH}"}}}}}}"#);
    let (body, lines, _) = requests(&config, &["-e", "DOCKER_CONFIG=/mine", "x"], None);
    assert_eq!(body["Env"], json!(["DOCKER_CONFIG=/mine"]));
    assert!(
        !lines.iter().any(|line| line.starts_with("PUT")),
        "{lines:?}"
    );
}

#[test]
fn credentials_that_cannot_be_had_are_an_error_before_the_create() {
    let (body, _, err) = requests(r#"{"credsStore": "lost"}"#, &["x"], None);
    assert_eq!(body, Value::Null);
    let text = "tool: resolving credentials failed: error listing credentials - err: exec: \"docker-credential-lost\": ";
    assert!(err.starts_with(text), "{err}");
    // Those of the variable are all there are, then.
    let variable = r#"{"auths": {"r": {"identitytoken": "t"}}}"#;
    let (_, lines, _) = requests(r#"{"credsStore": "lost"}"#, &["x"], Some(variable));
    assert!(lines.iter().any(|line| line == PUT), "{lines:?}");
}
