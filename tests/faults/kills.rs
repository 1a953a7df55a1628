//! `kill -9` of each engine process at each step of a container's life.

use std::cell::RefCell;
use std::fs;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Program, TIMEOUT};

use crate::state::{State, until};
use crate::stepper::{self, Stepped, Victim};

/// More steps than anything takes; a loop that reaches it finds no end.
const MOST: usize = 2000;

/// What the container of these tests writes, and the code it ends with.
const SCRIPT: &str = "cat /data/file; exit 3";

/// What a command returns that ran the container to its end.
const ENDED: (i32, &str) = (3, "copied\n");

/// Kills somebody at the first step of a piece of work, at the second, and so on until there are no more: `run` does that
/// and looks at what is left. All that is not right is told in the end.
fn at_each_step(
    state: &State,
    mut run: impl FnMut(usize) -> (Option<&'static str>, Result<(), String>),
) {
    let mut wrong = Vec::new();
    let mut steps = Vec::new();
    for step in 1..MOST {
        let (killed, result) = run(step);
        if let Err(error) = result {
            for id in state.ids() {
                state.tool(&["rm", "--force", "--volumes", &id]);
            }
            state.tool(&["engine", "check", "--repair"]);
            wrong.push(format!("killed before step {step}, {killed:?}: {error}"));
        }
        match killed {
            Some(killed) => steps.push(killed),
            None => break,
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nof the steps {steps:?}",
        wrong.join("\n")
    );
    assert!(steps.len() > 10, "it was killed at {steps:?} only");
}

/// Does the same to the victim of a command. Undisturbed, that returns what is `expected`.
fn at_each_step_of(
    state: &State,
    victim: Victim,
    words: &[&str],
    expected: (i32, &str),
    prepare: impl Fn(),
    recovered: impl Fn(&Stepped) -> Result<(), String>,
) {
    let command = state.tool.command(state.words(words));
    at_each_step(state, |step| {
        prepare();
        let stepped = stepper::run(&command, state.tool.directory(), victim, step, |_| ());
        if stepped.killed.is_none() {
            let seen = (stepped.code, &*stepped.out, &*stepped.err);
            assert_eq!(seen, (Some(expected.0), expected.1, ""));
        }
        (stepped.killed, recovered(&stepped))
    });
}

/// Sees that a container that may have been killed at any moment can be seen, run and removed, and that nothing is left.
fn sound(state: &State, name: &str, stepped: &Stepped) -> Result<(), String> {
    let fail =
        |what: &str, seen: &dyn std::fmt::Debug| Err(format!("{what}: {seen:?}; {stepped:?}"));
    let list = || {
        state.tool(&[
            "ps",
            "--all",
            "--no-trunc",
            "--format",
            "{{.ID}} {{.State}}",
        ])
    };
    let mut listed = list();
    if listed.code != Some(0) {
        return fail("ps", &listed.err());
    }
    // That is gone on with, by whoever was started for it.
    until(|| {
        let is_going = listed.out().ends_with(" removing\n");
        if is_going {
            listed = list();
        }
        !is_going
    });
    let mut ids = state.ids();
    // Of one that removed itself, this alone is left.
    ids.extend(fs::read_to_string(state.tool.directory().join(CID)));
    if let Some(line) = listed.out().lines().next() {
        let (_, status) = line.split_once(' ').unwrap_or_default();
        if !["created", "running", "exited"].contains(&status) {
            return fail("its status", &listed.out());
        }
        // One that was not seen through runs to its end.
        let waited = match status {
            "created" => None,
            _ => Some(state.tool(&["wait", name])),
        };
        let format = "{{.State.ExitCode}} {{.State.Status}} {{.State.Error}}";
        let shown = state.tool(&["inspect", "--format", format, name]).out();
        let shown = shown.trim_end_matches('\n');
        let sentence = "so its exit code is unknown";
        match shown.split_once(' ').unwrap_or_default() {
            // Some are killed by the test itself.
            ("3" | "137", "exited ") => {}
            ("255", rest) if rest.starts_with("exited ") && rest.ends_with(sentence) => {}
            (_, rest) if rest.starts_with("created ") && waited.is_none() => {}
            _ => return fail("how it ended", &(shown, waited)),
        }
        let again = state.tool(&["start", "--attach", name]);
        if (again.code, &*again.out()) != (Some(3), "copied\n") {
            return fail("started again", &again);
        }
        let removed = state.tool(&["rm", "--volumes", name]);
        if removed.code != Some(0) {
            return fail("removed", &removed.err());
        }
    }
    let found = state.check(&ids, &[]);
    // What was being made or removed is not gone on with by whoever comes next, who cannot know what was wanted, but removed
    // by whoever makes a container a while later.
    let is_unfinished = |line: &&String| {
        line.ends_with(": a container was being made or removed, and nobody goes on")
            || line.ends_with(": a volume was being made or removed, and nobody goes on")
            || line.ends_with(": it was made for a container that was not made after all")
            || line.contains("/names/") && line.contains(": there is no container ")
    };
    if let Some(line) = found.iter().find(|line| !is_unfinished(line)) {
        return fail("check", line);
    }
    if !found.is_empty() {
        let later = [
            "run",
            "--rm",
            "--network",
            "none",
            "--rootfs",
            &state.rootfs,
            "true",
        ];
        let ran = state.tool(&later);
        // What that one wrote is deleted when its end has been told.
        if (ran.code, &*ran.err()) != (Some(0), "") || !until(|| state.check(&ids, &[]).is_empty())
        {
            return fail("later", &(ran, state.check(&ids, &[])));
        }
    }
    // What a container wrote is deleted when its removal has been answered.
    match until(|| state.leftovers(&ids).is_empty()) {
        true => Ok(()),
        false => fail("left", &state.leftovers(&ids)),
    }
}

/// The same of one that was made before, with its volume: whoever goes on with a removal knows of that, too.
fn sound_with_volumes(state: &State, name: &str, stepped: &Stepped) -> Result<(), String> {
    sound(state, name, stepped)?;
    match &*state.ok(&["volume", "ls", "--quiet"]) {
        "" => Ok(()),
        volumes => Err(format!("volumes: {volumes:?}; {stepped:?}")),
    }
}

/// The same of one that removes itself, and is only removed if it was never started.
fn gone(state: &State, name: &str, stepped: &Stepped) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let listed = state.tool(&["ps", "--all", "--format", "{{.State}}"]);
        match &*listed.out() {
            "" if listed.code == Some(0) => break,
            "created\n" => drop(state.tool(&["rm", name])),
            _ if start.elapsed() < TIMEOUT => thread::sleep(Duration::from_millis(2)),
            _ => return Err(format!("it stays: {listed:?}; {stepped:?}")),
        }
    }
    sound(state, name, stepped)
}

/// The words that run a container of this name, with these options.
fn run<'a>(rootfs: &'a str, name: &'a str, options: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["run", "--name", name];
    words.extend(options);
    words.extend(["--rootfs", rootfs, "sh", "-c", SCRIPT]);
    words
}

/// With a volume, so that copying into it is a step, too.
const ALONE: &[&str] = &["--network", "none", "--volume", "/data"];

/// Where the client writes a container's id.
const CID: &str = "cid";

/// With an address, rules and a port of this machine, and no trace in the end.
const CONNECTED: &[&str] = &["--rm", "--cidfile", CID, "--publish", "127.0.0.1::80"];

/// Runs one that stays until it is told to end, and does not stay when it is started again.
fn run_long(state: &State) {
    let script = "test -e /tmp/again && { cat /data/file; exit 3; }; trap 'exit 3' TERM; touch /tmp/again; \
                  cat /data/file; while :; do sleep 0.01; done";
    let options = ["run", "--detach", "--name", "long", "--network", "none"];
    let rootfs = format!("{}:O", state.rootfs);
    state.ok(&[&options[..], &["--rootfs", &rootfs, "sh", "-c", script]].concat());
    let has_begun = until(|| state.ok(&["logs", "long"]) == "copied\n");
    assert!(has_begun, "it says nothing");
}

/// What is done with that, and what it returns.
const WORK: [(&[&str], (i32, &str)); 3] = [
    (&["stop", "long"], (0, "long\n")),
    (&["rm", "--force", "long"], (0, "long\n")),
    (&["exec", "long", "cat", "/data/file"], (0, "copied\n")),
];

#[test]
fn the_monitor_dies() {
    let Some(state) = State::new("kills::the_monitor_dies") else {
        return;
    };
    let words = run(&state.rootfs, "alone", ALONE);
    let sound = |stepped: &Stepped| sound_with_volumes(&state, "alone", stepped);
    at_each_step_of(&state, Victim::Monitor, &words, ENDED, || {}, sound);
}

#[test]
fn the_monitor_of_a_container_that_removes_itself_dies() {
    let Some(state) = State::new("kills::the_monitor_of_a_container_that_removes_itself_dies")
    else {
        return;
    };
    let words = run(&state.rootfs, "passing", CONNECTED);
    let codes = RefCell::new(Vec::new());
    let sound = |stepped: &Stepped| {
        codes.borrow_mut().push(stepped.code);
        gone(&state, "passing", stepped)
    };
    let prepare = || drop(fs::remove_file(state.tool.directory().join(CID)));
    at_each_step_of(&state, Victim::Monitor, &words, ENDED, prepare, sound);
    // What it ended with is noted when it ends, and told to who waits. A monitor that is killed right before that takes it
    // along.
    let codes = codes.borrow();
    let unknown = codes.iter().filter(|&&code| code == Some(255)).count();
    assert!(unknown <= 8, "{codes:?}");
    let last = &codes[codes.len() - 12..];
    assert!(last.iter().all(|&code| code == Some(3)), "{codes:?}");
}

#[test]
fn the_monitor_dies_while_something_is_asked_of_it() {
    let Some(state) = State::new("kills::the_monitor_dies_while_something_is_asked_of_it") else {
        return;
    };
    for (words, (code, out)) in WORK {
        at_each_step(&state, |step| {
            run_long(&state);
            let id = state.ok(&["inspect", "--format", "{{.Id}}", "long"]);
            let monitor = stepper::monitor_of(id.trim());
            let mut outcome = None;
            let killed = stepper::meet(monitor, step, || outcome = Some(state.tool(words)));
            let outcome = outcome.expect("it ran");
            if killed.is_none() {
                outcome.assert(code, out, "");
            }
            state.tool(&["kill", "long"]);
            let stepped = Stepped {
                killed,
                code: outcome.code,
                out: outcome.out(),
                err: outcome.err(),
            };
            (killed, sound_with_volumes(&state, "long", &stepped))
        });
    }
}

#[test]
fn the_client_dies() {
    let Some(state) = State::new("kills::the_client_dies") else {
        return;
    };
    let words = run(&state.rootfs, "left", ALONE);
    let sound = |stepped: &Stepped| sound_with_volumes(&state, "left", stepped);
    at_each_step_of(&state, Victim::Command, &words, ENDED, || {}, sound);
}

#[test]
fn the_client_dies_that_asks_something() {
    let Some(state) = State::new("kills::the_client_dies_that_asks_something") else {
        return;
    };
    let sound = |name: &'static str| {
        let state = &state;
        move |stepped: &Stepped| {
            state.tool(&["kill", name]);
            sound_with_volumes(state, name, stepped)
        }
    };
    let prepare = || run_long(&state);
    for (words, expected) in WORK {
        at_each_step_of(
            &state,
            Victim::Command,
            words,
            expected,
            prepare,
            sound("long"),
        );
    }
    // Without a monitor the client does it itself.
    let words = run(&state.rootfs, "ended", ALONE);
    let prepare = || state.tool(&words).assert(3, "copied\n", "");
    let remove = ["rm", "--volumes", "ended"];
    at_each_step_of(
        &state,
        Victim::Command,
        &remove,
        (0, "ended\n"),
        prepare,
        sound("ended"),
    );
}

#[test]
fn the_server_dies() {
    let Some(state) = State::new("kills::the_server_dies") else {
        return;
    };
    let socket = state.tool.directory().join("socket");
    let host = format!("unix://{}", socket.display());
    let words = ["engine", "serve", "--socket", "socket"];
    let server = state.tool.command(state.words(&words));
    let mut words = vec!["-H", &host];
    words.extend(run(&state.rootfs, "served", ALONE));
    let client = Program::new(env!("CARGO_BIN_EXE_tool"));
    at_each_step(&state, |step| {
        let _ = fs::remove_file(&socket);
        let mut outcome = None;
        let stepped = stepper::run(
            &server,
            state.tool.directory(),
            Victim::Command,
            step,
            |pid| {
                // It listens, or is gone.
                while UnixStream::connect(&socket).is_err() && stepper::is_there(pid) {
                    thread::sleep(Duration::from_millis(2));
                }
                outcome = Some(client.run(&words));
                stepper::terminate(pid);
            },
        );
        let outcome = outcome.expect("it ran");
        match stepped.killed {
            None => outcome.assert(3, "copied\n", ""),
            Some(_) => assert!(outcome.code.is_some(), "{outcome:?}"),
        }
        let stepped = Stepped {
            code: outcome.code,
            out: outcome.out(),
            err: outcome.err(),
            ..stepped
        };
        (
            stepped.killed,
            sound_with_volumes(&state, "served", &stepped),
        )
    });
}
