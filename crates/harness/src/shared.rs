//! The one engine and the one registry that all tests of a process share.

use std::io::Write;
use std::sync::OnceLock;

use crate::engine::{Engine, Kind};
use crate::registry::Registry;
use crate::sshd::Sshd;

/// The engine that all tests of this process share, of the kind that the variable `TEST_ENGINE` names, started by the
/// first of them and gone with the process.
///
/// Tests that share it run side by side, so each tells its containers from others' by a label or a name.
/// `None`, after a line that names the test, where this machine has no engine.
///
/// # Panics
/// If this machine has no engine and the variable `CI` is set, or if `TEST_ENGINE` names no engine.
#[track_caller]
pub fn engine_or_skip(test: &str) -> Option<&'static Engine> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    match ENGINE
        .get_or_init(|| Engine::start(Kind::under_test()).map_err(|error| error.to_string()))
    {
        Ok(engine) => Some(engine),
        Err(missing) => left_out(test, missing),
    }
}

/// The registry that all tests of this process share. Tests tell their repositories apart by name.
/// `None`, after a line that names the test, where this machine has none.
///
/// # Panics
/// If this machine has none and the variable `CI` is set.
#[track_caller]
pub fn registry_or_skip(test: &str) -> Option<&'static Registry> {
    static REGISTRY: OnceLock<Result<Registry, String>> = OnceLock::new();
    match REGISTRY.get_or_init(Registry::start) {
        Ok(registry) => Some(registry),
        Err(missing) => left_out(test, missing),
    }
}

/// The registry that all tests of this process share and that wants a login.
/// `None`, after a line that names the test, where this machine has none.
///
/// # Panics
/// If this machine has none and the variable `CI` is set.
#[track_caller]
pub fn login_registry_or_skip(test: &str) -> Option<&'static Registry> {
    static REGISTRY: OnceLock<Result<Registry, String>> = OnceLock::new();
    match REGISTRY.get_or_init(Registry::start_with_login) {
        Ok(registry) => Some(registry),
        Err(missing) => left_out(test, missing),
    }
}

/// The ssh server that all tests of this process share.
/// `None`, after a line that names the test, where this machine has none.
///
/// # Panics
/// If this machine has none and the variable `CI` is set.
#[track_caller]
pub fn sshd_or_skip(test: &str) -> Option<&'static Sshd> {
    static SSHD: OnceLock<Result<Sshd, String>> = OnceLock::new();
    match SSHD.get_or_init(Sshd::start) {
        Ok(sshd) => Some(sshd),
        Err(missing) => left_out(test, missing),
    }
}

/// Says that a test is left out because this machine lacks something.
///
/// # Panics
/// If the variable `CI` is set: there, nothing may be left out.
#[track_caller]
pub fn left_out<T>(test: &str, missing: &str) -> Option<T> {
    let line = format!("left out: {test} needs {missing}\n");
    assert!(!is_ci(), "{line}");
    // Written past libtest, which shows a passing test's output to nobody; a closed standard error is no failure.
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

fn is_ci() -> bool {
    std::env::var_os("CI")
        .is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}
