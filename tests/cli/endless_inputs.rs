//! Files without an end, and pipes that nobody writes into, do not hang the program that is to read them.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::{BrokenEngine, Outcome, Program, Reply, Running};

use crate::tool;

/// An engine that is asked for nothing, in these tests.
fn engine() -> BrokenEngine {
    BrokenEngine::start(|request| match request.target.as_str() {
        "/_ping" => Reply::ping("1.41"),
        _ => Reply::json(
            409,
            &format!(r#"{{"message":"asked with {}"}}"#, escaped(&request.body)),
        ),
    })
}

fn escaped(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('"', "'")
}

fn fifo(tool: &Program, name: &str) -> PathBuf {
    let path = tool.directory().join(name);
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("directories");
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    path
}

fn too_large(outcome: &Outcome, status: i32, file: &str) {
    let expected = format!("open {file}: it is larger than 16 MiB");
    outcome.assert_err_contains(status, "", &expected);
}

#[test]
fn a_device_without_an_end_is_refused_wherever_a_file_is_read() {
    let engine = engine();
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    for option in [
        "--env-file=/dev/zero",
        "--label-file=/dev/zero",
        "--security-opt=seccomp=/dev/zero",
    ] {
        too_large(&tool.run(["run", option, "x"]), 125, "/dev/zero");
    }
    too_large(
        &tool.run(["exec", "--env-file=/dev/zero", "x", "y"]),
        1,
        "/dev/zero",
    );
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        tool.file(&format!(".docker/{name}"), "");
    }
    for option in ["--tlscacert", "--tlscert", "--tlskey"] {
        let words = ["-H", "tcp://h", "--tlsverify", option, "/dev/zero", "ps"];
        too_large(&tool.run(words), 1, "/dev/zero");
    }
    assert!(
        engine
            .requests()
            .iter()
            .all(|request| request.target == "/_ping")
    );
}

#[test]
fn a_configuration_without_an_end_is_warned_of() {
    let engine = engine();
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    std::fs::create_dir(tool.directory().join(".docker")).expect("a directory");
    std::os::unix::fs::symlink("/dev/zero", tool.directory().join(".docker/config.json"))
        .expect("a link");
    let outcome = tool.run(["ps"]);
    outcome.assert_err_contains(1, "", "config.json: it is larger than 16 MiB");

    let tool = self::tool().with_env("DOCKER_HOST", engine.host());
    fifo(&tool, ".docker/config.json");
    let start = Instant::now();
    let outcome = tool.run(["ps"]);
    outcome.assert_err_contains(1, "", "config.json: it has no end within 5s");
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_pipe_is_read_to_its_end() {
    let engine = engine();
    let tool = tool().with_env("DOCKER_HOST", engine.host());
    let script =
        "\"$0\" run --env-file <(echo A=1; sleep 0.5; echo B=2) --label-file <(echo l=3) x";
    let outcome = bash(&tool, script);
    outcome.assert_err_contains(125, "", "'Env':['A=1','B=2']");
    outcome.assert_err_contains(125, "", "'Labels':{'l':'3'}");
    let outcome = bash(&tool, "echo C=4 | \"$0\" run --env-file /dev/stdin x");
    outcome.assert_err_contains(125, "", "'Env':['C=4']");
}

/// Runs a script of a shell that can name a pipe, with the program's path as `$0`.
fn bash(tool: &Program, script: &str) -> Outcome {
    let program: PathBuf = tool.command([""; 0]).get_program().into();
    let mut command = Command::new("bash");
    command
        .args(["-c", script])
        .arg(&program)
        .current_dir(tool.directory())
        .env("DOCKER_HOST", host(tool))
        .env("HOME", tool.directory())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    Running::start(&mut command).finish()
}

fn host(tool: &Program) -> std::ffi::OsString {
    let command = tool.command([""; 0]);
    let found = command.get_envs().find(|(name, _)| *name == "DOCKER_HOST");
    found
        .and_then(|(_, value)| value)
        .expect("a host")
        .to_owned()
}
