//! Shared by the tests of the binary: the engine, the program, waiting.

use std::time::{Duration, Instant};

use harness::{Engine, Kind, Program, TIMEOUT};

#[path = "lacks.rs"]
mod lacks;

/// The engine that all tests share. Without one, or if it lacks what this test is about, says so and returns from the
/// test.
macro_rules! engine {
    () => {{
        fn here() {}
        let name = $crate::support::test_name(std::any::type_name_of_val(&here));
        let Some(engine) = $crate::support::engine_for(name) else {
            return;
        };
        engine
    }};
}
pub(crate) use engine;

/// The engine for a test.
pub(crate) fn engine_for(test: &str) -> Option<&'static Engine> {
    let kind = Kind::under_test();
    let lack = lacks::of(kind).find(|lack| lack.tests.contains(&test));
    if let Some(lack) = lack {
        eprintln!("left out with {}: {test}: {}", kind.name(), lack.what);
        return None;
    }
    harness::engine_or_skip(test)
}

/// `status::name` of `run::status::name::here`.
pub(crate) fn test_name(here: &str) -> &str {
    let name = here.strip_suffix("::here").unwrap_or(here);
    name.split_once("::").map_or(name, |(_, name)| name)
}

/// The binary, in a directory and an environment of its own, with this engine.
pub(crate) fn tool(engine: &Engine) -> Program {
    program().with_env("DOCKER_HOST", engine.host())
}

/// The binary without any engine.
pub(crate) fn program() -> Program {
    Program::new(env!("CARGO_BIN_EXE_tool"))
}

/// The number behind the dot of the API version that the engine offers.
#[allow(dead_code, reason = "not every suite is about versions")]
#[track_caller]
pub(crate) fn api_minor(engine: &Engine) -> u32 {
    let version = engine.api().get("/version").json();
    let version = version["ApiVersion"].as_str().expect("a version");
    let minor = version
        .split('.')
        .nth(1)
        .and_then(|minor| minor.parse().ok());
    minor.expect("a version of two numbers")
}

/// Asks again and again until there is an answer.
#[track_caller]
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < TIMEOUT, "it did not come to that in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a container runs.
#[track_caller]
pub(crate) fn until_running(engine: &Engine, container: &str) {
    until(|| {
        let answer = engine.api().get(&format!("/containers/{container}/json"));
        (answer.status == 200 && answer.json()["State"]["Running"] == true).then_some(())
    });
}
