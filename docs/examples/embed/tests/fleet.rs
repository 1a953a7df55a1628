//! The program as a process: its own commands, the registry's beside them, and its global option reaching both.

use std::process::{Command, Output};

fn fleet(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_embed"))
        .args(words)
        .output()
        .expect("fleet starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn its_own_subcommand_is_still_its_own() {
    let output = fleet(&["--engine", "tcp://127.0.0.1:1", "status"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), "engine: tcp://127.0.0.1:1\n");
}

#[test]
fn a_linked_crates_command_runs() {
    let output = fleet(&["groups", "create", "admins"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "Created group admins, empty\n");
}

#[test]
fn help_lists_both() {
    let help = text(&fleet(&["--help"]).stdout);
    for listed in [
        "status",
        "Print the engine in use",
        "run",
        "Create and run a new container",
        "groups",
    ] {
        assert!(help.contains(listed), "{listed} is not in:\n{help}");
    }
}

#[test]
fn run_uses_the_engine_that_the_global_option_names() {
    let directory = std::env::temp_dir().join(format!("fleet-{}", std::process::id()));
    let engine = format!("unix://{}/none.sock", directory.display());
    let output = fleet(&["--engine", &engine, "run", "--rm", "busybox", "true"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains(&engine),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn the_words_after_the_name_stay_with_the_command() {
    let output = fleet(&["run", "--nope"]);
    assert_eq!(output.status.code(), Some(125));
    assert!(
        text(&output.stderr).starts_with("unknown flag: --nope\n"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn an_unknown_word_is_a_usage_error_that_names_near_commands() {
    let output = fleet(&["rum"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(
        error.starts_with("Error: Command not found: rum\n"),
        "{error}"
    );
    assert!(error.contains("run"), "{error}");
}

#[test]
fn run_runs_a_container_there() {
    let Some(engine) = harness::engine_or_skip("run_runs_a_container_there") else {
        return;
    };
    let output = fleet(&[
        "--engine",
        &engine.host(),
        "run",
        "--rm",
        harness::BUSYBOX,
        "sh",
        "-c",
        "echo here; exit 7",
    ]);
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "here\n");
}
