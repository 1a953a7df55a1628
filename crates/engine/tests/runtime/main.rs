//! Containers on the real kernel: what a program sees that the engine's runtime starts.
//!
//! A launcher is forked from its caller, which therefore has one thread: each test is a process of its own, which this
//! program starts under another name. Root is needed, for what an ordinary user can do has its own test.

mod container;
mod failure;
mod machine;
mod process;
mod rootfs;

use std::ffi::OsString;
use std::process::{ExitCode, Stdio};

use rustix::process::geteuid;

/// A test and its name.
type Test = (&'static str, fn());

reexec::submit! { reexec::Initializer::new("runtime-test", run) }

fn tests() -> impl Iterator<Item = &'static Test> {
    [
        container::TESTS,
        failure::TESTS,
        process::TESTS,
        rootfs::TESTS,
    ]
    .into_iter()
    .flatten()
}

fn main() -> ExitCode {
    reexec::init();
    if std::env::var_os("RUNTIME_TEST_TELL").is_some() {
        process::tell_about_own_program();
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        tests().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    if !geteuid().is_root() {
        println!("skipped: only root makes containers without a user namespace");
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let mut failed = Vec::new();
    for (name, _) in tests() {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let status = reexec::command("runtime-test")
            .expect("this program calls init")
            .arg(name)
            .stdin(Stdio::null())
            .status()
            .expect("the test starts");
        println!(
            "test {name} ... {}",
            if status.success() { "ok" } else { "FAILED" }
        );
        if !status.success() {
            failed.push(name);
        }
    }
    println!("{} failed: {failed:?}", failed.len());
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs one test, in the process that was started for it.
fn run(arguments: &[OsString]) -> u8 {
    let test = tests().find(|(name, _)| arguments.first().is_some_and(|argument| argument == name));
    match test {
        Some((_, test)) => u8::from(std::panic::catch_unwind(test).is_err()),
        None => 2,
    }
}
