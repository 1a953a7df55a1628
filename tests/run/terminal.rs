//! `-t` on a real terminal.

use std::process::Stdio;

use harness::{Modes, Pty, Running, Signal};

use crate::{engine, tool, until_running};

const CTRL_P_CTRL_Q: &[u8] = b"\x10\x11";

#[test]
fn inside_everything_is_a_terminal_of_our_size() {
    let engine = engine!();
    let pty = Pty::open(33, 101);
    // An engine before API 1.42 is told of the size once the container runs, which takes it a moment.
    let script =
        "test -t 0 && test -t 1 && test -t 2 || exit 1; until stty size | grep .; do :; done";
    let running =
        tool(engine).start_on(&pty, ["run", "--rm", "-it", "busybox", "sh", "-c", script]);
    pty.wait_for("33 101\r\n");
    assert_eq!(running.finish().code, Some(0), "{}", pty.text());
}

#[test]
fn a_new_size_is_seen_inside() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let running = tool(engine).start_on(&pty, ["run", "--rm", "-it", "busybox", "sh"]);
    pty.wait_for("/ # ");
    pty.resize(40, 132);
    // The engine is told of it at the same time as the shell of our question.
    crate::until(|| {
        pty.write("stty size\r");
        std::thread::sleep(std::time::Duration::from_millis(50));
        pty.text().contains("40 132").then_some(())
    });
    pty.write("exit 6\r");
    assert_eq!(running.finish().code, Some(6));
}

#[test]
fn the_terminal_is_raw_while_it_runs_and_as_before_afterwards() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let running = tool(engine).start_on(&pty, ["run", "--rm", "-it", "busybox", "cat"]);
    pty.wait_for_modes(Modes::is_raw);
    // Ctrl-D, which is a key for the terminal inside and not for ours.
    pty.write("typed\r\x04");
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(pty.modes(), before);
    assert!(
        pty.text().contains("typed\r\ntyped\r\n"),
        "{:?}",
        pty.text()
    );
}

#[test]
fn ctrl_c_is_a_key_for_the_container() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let script = "trap 'echo interrupted; exit 8' INT; echo ready; while :; do sleep 0.05; done";
    let running =
        tool(engine).start_on(&pty, ["run", "--rm", "-it", "busybox", "sh", "-c", script]);
    pty.wait_for("ready");
    pty.write("\x03");
    assert_eq!(running.finish().code, Some(8));
    assert!(pty.text().contains("interrupted"), "{:?}", pty.text());
}

#[test]
fn the_detach_keys_leave_the_container_running() {
    let engine = engine!();
    for (name, option, keys) in [
        ("detached-1", None, CTRL_P_CTRL_Q),
        ("detached-2", Some("--detach-keys=ctrl-a,x"), b"\x01x"),
    ] {
        let pty = Pty::open(24, 80);
        let before = pty.modes();
        let words = ["run", "--rm", "-it", "--name", name]
            .into_iter()
            .chain(option)
            .chain(["busybox", "cat"]);
        let running = tool(engine).start_on(&pty, words);
        until_running(engine, name);
        pty.write("here\r");
        pty.wait_for("here\r\nhere\r\n");
        // Not at once, as fingers do not.
        pty.write(&keys[..1]);
        std::thread::sleep(std::time::Duration::from_millis(100));
        pty.write(&keys[1..]);
        assert_eq!(running.finish().code, Some(0));
        assert_eq!(pty.modes(), before);
        assert_eq!(engine.inspect(name)["State"]["Running"], true);
        engine.remove(name);
    }
}

#[test]
fn a_broken_sequence_reaches_the_container() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let running = tool(engine).start_on(&pty, ["run", "--rm", "-it", "busybox", "cat", "-v"]);
    pty.wait_for_modes(Modes::is_raw);
    pty.write("a\x10b\r\x04");
    pty.wait_for("a^Pb\r\na^Pb\r\n");
    assert_eq!(running.finish().code, Some(0));
}

#[test]
fn keys_that_are_none_are_refused() {
    let engine = engine!();
    let words = [
        "run",
        "--detach-keys",
        "ctrl-zz",
        "-l",
        "keys_that_are_none",
        "busybox",
        "true",
    ];
    let outcome = tool(engine).run(words);
    outcome.assert_err_contains(1, "", "invalid detach keys (ctrl-zz)");
    assert!(engine.containers("keys_that_are_none").is_empty());
}

#[test]
fn the_terminal_is_as_before_after_a_signal() {
    let engine = engine!();
    // One that ends by the first, and one that has to be left behind after the third.
    for (script, signals, code) in [
        (
            "trap 'exit 3' TERM; echo ready; while :; do sleep 0.05; done",
            1,
            3,
        ),
        (
            "trap '' TERM; echo ready; while :; do sleep 0.05; done",
            3,
            1,
        ),
    ] {
        let pty = Pty::open(24, 80);
        let before = pty.modes();
        let name = format!("signalled-{signals}");
        let words = [
            "run", "--rm", "-it", "--name", &name, "busybox", "sh", "-c", script,
        ];
        let running = tool(engine).start_on(&pty, words);
        pty.wait_for("ready");
        pty.wait_for_modes(Modes::is_raw);
        for _ in 0..signals {
            running.signal(Signal::TERM);
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        assert_eq!(running.finish().code, Some(code), "{:?}", pty.text());
        assert_eq!(pty.modes(), before);
        engine.remove(&name);
    }
}

#[test]
fn a_start_that_fails_leaves_the_terminal_as_before() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let running = tool(engine).start_on(&pty, ["run", "--rm", "-it", "busybox", "nosuchcmd"]);
    assert_eq!(running.finish().code, Some(127));
    assert_eq!(pty.modes(), before);
    // The lines of the message begin at the left, as they do in a terminal that is no longer raw.
    let text = pty.wait_for("for more information\r\n");
    assert!(text.contains("executable file not found"), "{text:?}");
    assert!(!text.replace("\r\n", "").contains('\n'), "{text:?}");
}

#[test]
fn a_terminal_without_input_is_neither_raw_nor_needed() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let running = tool(engine).start_on(
        &pty,
        [
            "run",
            "--rm",
            "-t",
            "busybox",
            "sh",
            "-c",
            "test -t 1 && echo on",
        ],
    );
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(pty.modes(), before);
    // Without any terminal of ours, the container has one all the same, which ends lines its own way.
    let outcome = tool(engine).run(["run", "--rm", "-t", "busybox", "echo", "piped"]);
    outcome.assert(0, "piped\r\n", "");
}

#[test]
fn input_that_is_no_terminal_is_refused_for_one() {
    let engine = engine!();
    let label = "input_that_is_no_terminal";
    let outcome = tool(engine).run(["run", "--rm", "-it", "-l", label, "busybox", "cat"]);
    let text = "cannot attach stdin to a TTY-enabled container because stdin is not a terminal";
    outcome.assert_err_contains(1, "", text);
    assert!(engine.containers(label).is_empty());
}

#[test]
fn noraw_keeps_the_terminal_as_it_is() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let tool = tool(engine).with_env("NORAW", "1");
    let running = tool.start_on(
        &pty,
        [
            "run",
            "--rm",
            "-it",
            "busybox",
            "sh",
            "-c",
            "echo ready; read -r x",
        ],
    );
    pty.wait_for("ready");
    assert_eq!(pty.modes(), before);
    pty.write("\r");
    assert_eq!(running.finish().code, Some(0));
}

#[test]
fn a_terminal_for_input_only_is_raw_and_output_goes_to_the_pipe() {
    let engine = engine!();
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let tool = tool(engine);
    let mut command = tool.command([
        "run",
        "--rm",
        "-it",
        "busybox",
        "sh",
        "-c",
        "read -r x; echo \"got $x\"",
    ]);
    command
        .stdin(pty.stream())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let running = Running::start(&mut command);
    pty.wait_for_modes(Modes::is_raw);
    pty.write("it\r");
    running.finish().assert(0, "it\r\ngot it\r\n", "");
    assert_eq!(pty.modes(), before);
}
