//! The configuration file and its location.

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

/// The variables of the last create.
fn variables(engine: &BrokenEngine) -> Vec<String> {
    let requests = engine.requests();
    let create = requests
        .iter()
        .rfind(|request| request.target.contains("/containers/create"))
        .expect("a create");
    let body: serde_json::Value = serde_json::from_slice(&create.body).expect("JSON");
    serde_json::from_value(body["Env"].clone()).unwrap_or_default()
}

#[test]
fn proxies_of_the_engine_or_of_all_become_variables_in_both_cases() {
    let engine = engine();
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    tool.run(["run", "x"]);
    assert_eq!(variables(&engine), Vec::<String>::new());

    let own = format!(
        r#""{}": {{"httpProxy": "http://own", "noProxy": "a,b"}}"#,
        engine.host()
    );
    let default = r#""default": {"httpProxy": "http://d", "httpsProxy": "s", "ftpProxy": "f", "allProxy": "l"}"#;
    tool.file(
        ".docker/config.json",
        format!(r#"{{"proxies": {{{own}, {default}}}}}"#),
    );
    tool.run(["run", "-e", "A=1", "x"]);
    assert_eq!(
        variables(&engine),
        [
            "A=1",
            "HTTP_PROXY=http://own",
            "http_proxy=http://own",
            "NO_PROXY=a,b",
            "no_proxy=a,b"
        ]
    );

    tool.file(
        ".docker/config.json",
        format!(r#"{{"proxies": {{{default}}}}}"#),
    );
    tool.file("env", "FTP_PROXY=of the file\n");
    tool.run([
        "run",
        "--env-file",
        "env",
        "-e",
        "http_proxy=mine",
        "-e",
        "ALL_PROXY",
        "x",
    ]);
    // An engine takes the last of a name, so the configured one of FTP_PROXY wins, as with Docker's client.
    assert_eq!(
        variables(&engine),
        [
            "FTP_PROXY=of the file",
            "http_proxy=mine",
            "ALL_PROXY",
            "HTTP_PROXY=http://d",
            "HTTPS_PROXY=s",
            "https_proxy=s",
            "FTP_PROXY=f",
            "ftp_proxy=f",
            "all_proxy=l"
        ]
    );
}

#[test]
fn a_mistake_in_one_key_leaves_the_others() {
    let engine = engine();
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    let file = tool.file(
        ".docker/config.json",
        r#"{"auths": {"r": {"auth": "sesame!"}}, "credsStore": 1, "proxies": {"default": {"noProxy": "n"}}}"#,
    );
    let outcome = tool.run(["run", "x"]);
    let path = file.display();
    let warnings = format!(
        "WARNING: Error parsing config file ({path}): auths.r.auth: not base64\n\
         WARNING: Error parsing config file ({path}): credsStore: expected a string, found a number\n"
    );
    assert!(outcome.err().starts_with(&warnings), "{}", outcome.err());
    assert_eq!(variables(&engine), ["NO_PROXY=n", "no_proxy=n"]);
}

#[test]
fn the_option_comes_before_the_variable_and_that_before_the_home() {
    let engine = engine();
    let places = [("option", "o"), ("variable", "v"), (".docker", "h")];
    let with_files = |tool: harness::Program| {
        for (directory, name) in places {
            let content = format!(r#"{{"proxies": {{"default": {{"noProxy": "{name}"}}}}}}"#);
            tool.file(&format!("{directory}/config.json"), content);
        }
        tool.with_env("DOCKER_HOST", engine.host())
    };
    let tool = with_files(tool());
    tool.run(["run", "x"]);
    assert_eq!(variables(&engine)[0], "NO_PROXY=h");
    // An empty variable is none.
    let tool = tool.with_env("DOCKER_CONFIG", "");
    tool.run(["run", "x"]);
    assert_eq!(variables(&engine)[0], "NO_PROXY=h");
    let tool = tool.with_env("DOCKER_CONFIG", "variable");
    tool.run(["run", "x"]);
    assert_eq!(variables(&engine)[0], "NO_PROXY=v");
    tool.run(["--config", "option", "run", "x"]);
    assert_eq!(variables(&engine)[0], "NO_PROXY=o");
    // A directory without a file, or none at all, is an empty configuration and no fall-back.
    let outcome = tool.run(["--config", "nowhere", "run", "x"]);
    assert_eq!(variables(&engine), Vec::<String>::new());
    assert!(!outcome.err().contains("WARNING"), "{}", outcome.err());
}
