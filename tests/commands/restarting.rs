//! Containers that wait to start again, and what waits for containers

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use harness::{Engine, Kind};
use serde_json::json;

use crate::{Container, engine, tool, unique, until};

/// A container between two runs, for some seconds.
fn restarting(engine: &Engine) -> Container<'_> {
    let words = ["--restart", "always", "busybox", "false"];
    let container = Container::run(engine, &words);
    until_restarting(&container, 6);
    container
}

/// Waits until the container was started again that often and waits for its next start: each time it does twice as long,
/// from a tenth of a second on.
fn until_restarting(container: &Container<'_>, count: u64) {
    until(|| {
        let shown = container.engine.inspect(&container.id);
        let is_so = shown["RestartCount"].as_u64() >= Some(count)
            && shown["State"]["Status"] == "restarting";
        is_so.then_some(())
    });
}

#[test]
fn what_waits_to_start_again_has_no_processes() {
    let engine = engine!();
    let container = restarting(engine);
    let id = &container.id;
    let message = format!("Container {id} is restarting, wait until the container is running");
    let api = engine.api();
    let config = json!({"Cmd": ["true"], "AttachStdout": true});
    for answer in [
        api.get(&format!("/containers/{id}/top")),
        api.get(&format!("/containers/{id}/top?ps_args=aux")),
        api.post_json(&format!("/containers/{id}/exec"), &config),
        api.post(&format!("/containers/{id}/pause")),
    ] {
        assert_eq!(answer.status, 409, "{}", answer.text());
        assert_eq!(answer.json()["message"], message);
    }
    let text = format!("Error response from daemon: {message}\n");
    tool(engine).run(["exec", id, "true"]).assert(1, "", &text);
    assert_eq!(engine.inspect(id)["State"]["Pid"], 0);
    let stats = api.get(&format!(
        "/containers/{id}/stats?stream=false&one-shot=true"
    ));
    assert!(stats.json()["networks"].is_null(), "{}", stats.text());
    // What joins it would join nobody.
    let network = format!("container:{}", container.name);
    let outcome = tool(engine).run(["run", "--rm", "--network", &network, "busybox", "true"]);
    assert_ne!(outcome.code, Some(0));
    assert!(outcome.err().contains("is restarting"), "{}", outcome.err());
}

/// A request that waits, and what it was told.
struct Waiting(Receiver<i64>);

impl Waiting {
    fn begin(engine: &'static Engine, id: &str, condition: &str) -> Waiting {
        let (sender, receiver) = channel();
        let path = format!("/containers/{id}/wait?condition={condition}");
        thread::spawn(move || {
            let answer = engine.api().post(&path);
            let _ = sender.send(answer.json()["StatusCode"].as_i64().unwrap_or(-1));
        });
        Waiting(receiver)
    }

    /// The exit code; nothing if it waits on.
    fn code(&self, patience: Duration) -> Option<i64> {
        self.0.recv_timeout(patience).ok()
    }
}

/// What becomes of a container, and what is told then to those who waited for each condition before.
struct Case {
    /// As in the options of `run`.
    words: &'static [&'static str],
    /// Whether it is started before somebody waits.
    runs: Runs,
    /// What is done when they wait; `ID` stands for the container.
    act: &'static [&'static str],
    not_running: Option<i64>,
    next_exit: Option<i64>,
    removed: Option<i64>,
}

#[derive(PartialEq)]
enum Runs {
    No,
    Yes,
    /// It has ended.
    Ended,
    /// It is between two runs.
    Restarts,
}

const IDLE: &str = "trap 'exit 3' TERM; while :; do sleep 0.05; done";
const ENDS: &str = "until test -e /end; do sleep 0.05; done; exit 7";
const END: &[&str] = &["exec", "ID", "touch", "/end"];

const CASES: &[Case] = &[
    Case {
        words: &[],
        runs: Runs::No,
        act: &[],
        not_running: Some(0),
        next_exit: None,
        removed: None,
    },
    Case {
        words: &["busybox", "sh", "-c", "exit 3"],
        runs: Runs::Ended,
        act: &[],
        not_running: Some(3),
        next_exit: None,
        removed: None,
    },
    Case {
        words: &["busybox", "sh", "-c", ENDS],
        runs: Runs::Yes,
        act: END,
        not_running: Some(7),
        next_exit: Some(7),
        removed: None,
    },
    // It starts again.
    Case {
        words: &["--restart", "always", "busybox", "sh", "-c", ENDS],
        runs: Runs::Yes,
        act: END,
        not_running: Some(7),
        next_exit: Some(7),
        removed: None,
    },
    Case {
        words: &["--restart", "on-failure:50", "busybox", "false"],
        runs: Runs::Restarts,
        act: &[],
        not_running: Some(1),
        next_exit: Some(1),
        removed: None,
    },
    // It does not start again.
    Case {
        words: &["--restart", "always", "busybox", "false"],
        runs: Runs::Restarts,
        act: &["stop", "ID"],
        not_running: Some(1),
        next_exit: Some(1),
        removed: None,
    },
    Case {
        words: &["busybox", "sh", "-c", IDLE],
        runs: Runs::Yes,
        act: &["kill", "ID"],
        not_running: Some(137),
        next_exit: Some(137),
        removed: None,
    },
    Case {
        words: &["busybox", "sh", "-c", IDLE],
        runs: Runs::Yes,
        act: &["restart", "ID"],
        not_running: Some(3),
        next_exit: Some(3),
        removed: None,
    },
    Case {
        words: &["--rm", "busybox", "sh", "-c", IDLE],
        runs: Runs::Yes,
        act: &["restart", "ID"],
        not_running: Some(3),
        next_exit: Some(3),
        removed: None,
    },
    Case {
        words: &["busybox", "sh", "-c", IDLE],
        runs: Runs::Yes,
        act: &["rm", "-f", "ID"],
        not_running: Some(137),
        next_exit: Some(137),
        removed: Some(137),
    },
    Case {
        words: &["--rm", "busybox", "sh", "-c", ENDS],
        runs: Runs::Yes,
        act: END,
        not_running: Some(7),
        next_exit: Some(7),
        removed: Some(7),
    },
    Case {
        words: &["busybox", "sh", "-c", "exit 4"],
        runs: Runs::Ended,
        act: &["rm", "ID"],
        not_running: Some(4),
        next_exit: Some(4),
        removed: Some(4),
    },
];

#[test]
fn who_waits_is_told_when_dockerd_tells() {
    let engine = engine!();
    for (number, case) in CASES.iter().enumerate() {
        let container = match case.runs {
            Runs::No => {
                let config = json!({"Image": "busybox", "Cmd": ["true"]});
                let made = engine.api().post_json("/containers/create", &config).json();
                Container::of(engine, made["Id"].as_str().expect("an id"))
            }
            _ => Container::run(engine, case.words),
        };
        let id = container.id.clone();
        match case.runs {
            Runs::Ended => until(|| (container.status() == "exited").then_some(())),
            Runs::Restarts => until_restarting(&container, 4),
            Runs::No | Runs::Yes => {}
        }
        let conditions = ["not-running", "next-exit", "removed"];
        let waiting = conditions.map(|condition| Waiting::begin(engine, &id, condition));
        // Nothing says that they wait.
        thread::sleep(Duration::from_millis(300));
        if !case.act.is_empty() {
            let act: Vec<&str> = case
                .act
                .iter()
                .map(|&word| if word == "ID" { id.as_str() } else { word })
                .collect();
            let outcome = tool(engine).run(&act);
            // What ends a container by a process in it may be ended with it.
            assert!(
                outcome.code == Some(0) || case.act == END,
                "{number}: {}",
                outcome.err()
            );
        }
        let expected = [case.not_running, case.next_exit, case.removed];
        for ((condition, waiting), expected) in conditions.iter().zip(waiting).zip(expected) {
            let patience = match expected {
                Some(_) => harness::TIMEOUT,
                None => Duration::from_millis(700),
            };
            let told = waiting.code(patience);
            let is_late = told == Some(0) && expected.is_some() && may_be_late(engine, case);
            assert!(
                told == expected || is_late,
                "case {number}, {condition}: {told:?} instead of {expected:?}"
            );
        }
    }
}

/// dockerd looks at the code when it comes to that, and the next run may have begun then, whose code is 0 until it ends.
fn may_be_late(engine: &Engine, case: &Case) -> bool {
    let runs_again = case.words.contains(&"--restart") || case.act.contains(&"restart");
    engine.kind() == Kind::Dockerd && runs_again
}

/// A client that is attached ends with the run, whatever comes after it.
#[test]
fn attach_ends_with_the_run() {
    let engine = engine!();
    let words = ["--restart", "always", "busybox", "sh", "-c", ENDS];
    let container = Container::run(engine, &words);
    let attached = tool(engine).start(["attach", &container.id]);
    let waiting = tool(engine).start(["wait", &container.id]);
    thread::sleep(Duration::from_millis(300));
    tool(engine).run(["exec", &container.id, "touch", "/end"]);
    let attached = attached.finish();
    let waited = waiting.finish();
    // See `may_be_late`.
    if engine.kind() != Kind::Dockerd {
        attached.assert(7, "", "");
        waited.assert(0, "7\n", "");
    }
    assert!(matches!(attached.code, Some(7 | 0)), "{}", attached.err());
    assert!(
        matches!(waited.out().as_str(), "7\n" | "0\n"),
        "{}",
        waited.out()
    );
}

#[test]
fn restart_starts_what_removes_itself() {
    let engine = engine!();
    let name = unique("again");
    let script = format!("echo run >>/runs; {IDLE}");
    let words = [
        "run", "-d", "--rm", "--name", &name, "-v", "/data", "busybox", "sh", "-c", &script,
    ];
    let outcome = tool(engine).run(words);
    let id = outcome.out().trim().to_owned();
    let container = Container::of(engine, &id);
    let runs = || {
        let outcome = tool(engine).run(["exec", &id, "cat", "/runs"]);
        outcome.out().lines().count()
    };
    until(|| (runs() == 1).then_some(()));
    tool(engine).run(["exec", &id, "touch", "/data/kept"]);
    for (times, seconds) in [(2, "5"), (3, "0")] {
        tool(engine)
            .run(["restart", "-t", seconds, &name])
            .assert(0, &format!("{name}\n"), "");
        assert_eq!(container.status(), "running");
        until(|| (runs() == times).then_some(()));
    }
    tool(engine)
        .run(["exec", &id, "ls", "/data"])
        .assert(0, "kept\n", "");
    // It goes when it ends for another reason.
    tool(engine).run(["stop", &name]);
    until(|| (engine.api().get(&format!("/containers/{id}/json")).status == 404).then_some(()));
}
