//! `groups create` as a user of any host sees it, run in this process.

use byname::{Dispatcher, ExitStatus, testing};
use groups as _;

fn run(words: &[&str]) -> testing::Outcome {
    let host = Dispatcher::builder("hello").build();
    testing::run(&host, words.iter().copied())
}

#[test]
fn creates_a_group_with_members() {
    let outcome = run(&["groups", "create", "--member", "ann", "-m", "bob", "admins"]);
    assert_eq!(outcome.status, ExitStatus::Success, "{}", outcome.stderr);
    assert_eq!(outcome.stdout, "Created group admins of ann, bob\n");
    assert_eq!(outcome.stderr, "");
}

#[test]
fn its_alias_reaches_it() {
    assert_eq!(
        run(&["groups", "add", "admins"]).stdout,
        "Created group admins, empty\n"
    );
}

#[test]
fn a_bad_name_is_refused_with_a_hint() {
    let outcome = run(&["groups", "create", "Admins"]);
    assert_eq!(outcome.status, ExitStatus::Failure);
    assert_eq!(outcome.stdout, "");
    assert!(
        outcome
            .stderr
            .starts_with("Error: not a name for a group: \"Admins\"\n"),
        "{}",
        outcome.stderr
    );
    assert!(
        outcome.stderr.contains("Use lower-case letters and digits"),
        "{}",
        outcome.stderr
    );
}

#[test]
fn a_missing_name_is_a_usage_error() {
    let outcome = run(&["groups", "create"]);
    assert_eq!(outcome.status, ExitStatus::Usage);
    assert!(outcome.stderr.contains("<NAME>"), "{}", outcome.stderr);
}

#[test]
fn the_group_lists_its_command() {
    let outcome = run(&["groups"]);
    assert!(outcome.stdout.contains("create"), "{}", outcome.stdout);
    assert!(
        outcome.stdout.contains("Create a group"),
        "{}",
        outcome.stdout
    );
}

#[test]
fn the_registry_is_sound() {
    testing::assert_registry();
}
