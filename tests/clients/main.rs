//! Docker's own clients on the engine under test: its command-line client and its library for Python.
//!
//! The engine that is tried here is the one inside of `tool`; that the tests hold on `dockerd` too shows that they ask for
//! what Docker does.

mod docker;
mod docker_py;
mod keys;
mod shapes;
mod streams;

#[path = "../support.rs"]
#[allow(dead_code, reason = "every suite uses another part")]
mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use harness::Engine;
use support::engine;

/// A container's name that no other test uses. The container is removed at the test's end.
struct Name<'a> {
    engine: &'a Engine,
    name: String,
}

impl<'a> Name<'a> {
    fn new(engine: &'a Engine) -> Name<'a> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Name {
            engine,
            name: format!("client-{}-{number}", std::process::id()),
        }
    }
}

impl std::ops::Deref for Name<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.name
    }
}

impl Drop for Name<'_> {
    fn drop(&mut self) {
        self.engine.remove(&self.name);
    }
}
