//! Commands other than `run`, end to end: the binary, a real engine, real containers.

mod attach;
mod docker;
mod exec;
mod images;
mod inspect;
mod lifecycle;
mod logs;
mod ps;
mod restarting;
mod system;
mod templates;
mod volumes;

#[path = "../support.rs"]
mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use harness::{Engine, Outcome};
use support::{engine, tool, until, until_running};

/// A container that is removed at the test's end.
struct Container<'a> {
    engine: &'a Engine,
    id: String,
    name: String,
}

impl<'a> Container<'a> {
    /// Runs it in the background: options, image and command are `words`.
    #[track_caller]
    fn run(engine: &'a Engine, words: &[&str]) -> Container<'a> {
        let name = unique("c");
        let words = ["run", "-d", "--name", &name]
            .into_iter()
            .chain(words.iter().copied());
        let outcome = tool(engine).run(words);
        assert_eq!(outcome.code, Some(0), "{}", outcome.err());
        Container {
            engine,
            id: outcome.out().trim().to_owned(),
            name,
        }
    }

    /// One that was made already.
    fn of(engine: &'a Engine, id: &str) -> Container<'a> {
        Container {
            engine,
            id: id.to_owned(),
            name: id.to_owned(),
        }
    }

    /// One that does nothing until it is told to end, and then ends at once.
    #[track_caller]
    fn idle(engine: &'a Engine) -> Container<'a> {
        let wait = "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done";
        let container = Container::run(engine, &["busybox", "sh", "-c", wait]);
        // A process 1 does not get a signal that it does not handle yet.
        let logs = format!("/containers/{}/logs?stdout=1", container.id);
        until(|| {
            engine
                .api()
                .get(&logs)
                .body
                .ends_with(b"ready\n")
                .then_some(())
        });
        container
    }

    fn status(&self) -> String {
        let description = self.engine.inspect(&self.id);
        description["State"]["Status"]
            .as_str()
            .expect("a status")
            .to_owned()
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        self.engine.remove(&self.id);
    }
}

/// A name that no other test uses.
fn unique(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{prefix}-commands-{}",
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// The first line of standard error.
fn first_line(outcome: &Outcome) -> String {
    outcome.err().lines().next().unwrap_or_default().to_owned()
}
