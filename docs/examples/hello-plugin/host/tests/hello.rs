//! The host as a process: it has the command because it links the crate.

use std::process::{Command, Output};

fn hello(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hello"))
        .args(words)
        .output()
        .expect("hello starts")
}

#[test]
fn the_linked_command_is_found_by_its_two_words() {
    let output = hello(&["groups", "create", "admins"]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"Created group admins, empty\n");
}

#[test]
fn help_lists_it() {
    let output = hello(&[]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stdout).contains("groups"),
        "{output:?}"
    );
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    let output = hello(&["group", "create"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).starts_with("Error: Command not found: group"),
        "{output:?}"
    );
}
