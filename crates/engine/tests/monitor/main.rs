//! Containers and their monitors on the real kernel, as the rest of the engine sees them.
//!
//! A monitor is this program under another name, which is what `main` is there for; a test harness would start itself.
//! Root is needed, for what an ordinary user can do has its own test.

mod client;
mod faults;
mod lives;
mod sessions;

use std::process::ExitCode;

use rustix::process::geteuid;

/// A test and its name.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    reexec::init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let tests = || {
        lives::TESTS
            .iter()
            .chain(sessions::TESTS)
            .chain(faults::TESTS)
    };
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
    for (name, test) in tests() {
        if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter.as_str())) {
            continue;
        }
        let passed = std::panic::catch_unwind(test).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        if !passed {
            failed.push(name);
        }
    }
    client::leave_no_cgroups();
    println!("{} failed: {failed:?}", failed.len());
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
