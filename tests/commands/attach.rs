//! `attach`

use harness::Pty;

use crate::{Container, engine, first_line, tool};

#[test]
fn streams_and_status_are_the_containers() {
    let engine = engine!();
    let script = "while read line; do echo got $line; [ $line = end ] && exit 6; done";
    let container = Container::run(engine, &["-i", "busybox", "sh", "-c", script]);
    let mut attached = tool(engine).start(["attach", &container.name]);
    attached.write("a\n");
    attached.wait_for_out("got a\n");
    attached.write("end\n");
    attached.finish().assert(6, "got a\ngot end\n", "");
    let outcome = tool(engine).run(["attach", &container.name]);
    outcome.assert(
        1,
        "",
        "You cannot attach to a stopped container, start it first\n",
    );
}

#[test]
fn detach_keys_leave_it_running() {
    let engine = engine!();
    let container = Container::run(engine, &["-it", "busybox", "sh"]);
    let pty = Pty::open(24, 80);
    let before = pty.modes();
    let running = tool(engine).start_on(
        &pty,
        ["attach", "--detach-keys", "ctrl-x,x", &container.name],
    );
    pty.wait_for_modes(harness::Modes::is_raw);
    pty.write("echo $((40 + 2))\n");
    pty.wait_for("42");
    pty.write("\x18x");
    assert_eq!(running.finish().code, Some(0));
    assert_eq!(pty.modes(), before);
    assert_eq!(container.status(), "running");
    let outcome = tool(engine).run(["attach", "--detach-keys", "ctrl-xx", &container.name]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        first_line(&outcome).starts_with("invalid detach keys (ctrl-xx): "),
        "{}",
        outcome.err()
    );
}
