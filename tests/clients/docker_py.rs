//! Docker's library for Python: each test is a function of `docker_py.py`.

use std::process::{Command, Stdio};

use harness::{Engine, Image, Program};

use crate::engine;

/// The variable that names a Python with the library, for one in an environment of its own.
const VARIABLE: &str = "TEST_PYTHON";

/// A Python that has the library: the one that is named, the one on the path, or Debian's own. Without one, says so.
fn python_or_skip(test: &str) -> Option<String> {
    let candidates = match std::env::var(VARIABLE) {
        Ok(named) => vec![named],
        Err(_) => vec!["python3".to_owned(), "/usr/bin/python3".to_owned()],
    };
    let has_library = |python: &String| {
        Command::new(python)
            .args(["-c", "import docker"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let found = candidates.into_iter().find(has_library);
    found.or_else(|| harness::left_out(test, "docker-py (Debian: python3-docker)"))
}

/// Runs the function of that name.
#[track_caller]
fn check(engine: &Engine, test: &str, reference: &str) {
    let Some(python) = python_or_skip(test) else {
        return;
    };
    let function = test.rsplit("::").next().unwrap_or(test);
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/clients/docker_py.py"
    );
    let outcome = Program::new(python)
        .with_env("DOCKER_HOST", engine.host())
        .with_env("REFERENCE", reference)
        .with_env("PYTHONDONTWRITEBYTECODE", "1")
        .run([script, function]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
}

/// A test that is a function of that name.
macro_rules! function {
    ($name:ident) => {
        #[test]
        fn $name() {
            check(engine!(), concat!("docker_py::", stringify!($name)), "");
        }
    };
}

function!(run_returns_what_is_written);
function!(limits_are_the_containers);
function!(failures_are_exceptions);
function!(an_exec_loses_no_output);
function!(a_container_lives_from_create_to_remove);
function!(a_process_joins_a_container);
function!(standard_input_is_a_socket);
function!(logs_are_followed_to_the_end);
function!(images_are_tagged_loaded_and_removed);
function!(volumes_keep_what_is_in_them);
function!(the_engine_describes_itself);

#[test]
fn an_image_is_pulled() {
    let name = "docker_py::an_image_is_pulled";
    let engine = engine!();
    let Some(registry) = harness::registry_or_skip(name) else {
        return;
    };
    let image = Image::busybox().with_file("/marker", 0o644, "python");
    check(engine, name, &registry.push(&image, "docker-py:1"));
}
