//! `logs`

use crate::{Container, engine, tool};

const SCRIPT: &str = "echo one; echo two; echo bad >&2; echo three";

#[test]
fn both_streams_come_apart() {
    let engine = engine!();
    let container = Container::run(engine, &["busybox", "sh", "-c", SCRIPT]);
    tool(engine).run(["wait", &container.name]);
    tool(engine)
        .run(["logs", &container.name])
        .assert(0, "one\ntwo\nthree\n", "bad\n");
    tool(engine)
        .run(["container", "logs", &container.id])
        .assert(0, "one\ntwo\nthree\n", "bad\n");
}

#[test]
fn a_part_of_them_may_be_asked_for() {
    let engine = engine!();
    let container = Container::run(
        engine,
        &[
            "busybox",
            "sh",
            "-c",
            "echo one; echo two; sleep 1.2; echo three",
        ],
    );
    tool(engine).run(["wait", &container.name]);
    for (options, expected) in [
        (&["-n", "1"][..], "three\n"),
        (&["--tail=2"], "two\nthree\n"),
        (&["--tail", "all"], "one\ntwo\nthree\n"),
        (&["--tail", "0"], ""),
        (&["--since", "1h"], "one\ntwo\nthree\n"),
        (&["--until", "1h"], ""),
    ] {
        let words = ["logs"]
            .into_iter()
            .chain(options.iter().copied())
            .chain([container.name.as_str()]);
        tool(engine).run(words).assert(0, expected, "");
    }
    let stamped = tool(engine).run(["logs", "-t", &container.name]).out();
    let times: Vec<&str> = stamped
        .lines()
        .map(|line| line.split_once(' ').expect("a time").0)
        .collect();
    assert_eq!(times.len(), 3, "{stamped}");
    tool(engine)
        .run(["logs", "--since", times[2], &container.name])
        .assert(0, "three\n", "");
    let outcome = tool(engine).run(["logs", "--since", "yesterday", &container.name]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome
            .err()
            .starts_with("invalid value for \"since\": invalid time \"yesterday\": give a "),
        "{}",
        outcome.err()
    );
}

#[test]
fn they_are_followed_to_the_end() {
    let engine = engine!();
    let container = Container::run(
        engine,
        &["busybox", "sh", "-c", "echo one; sleep 1; echo two"],
    );
    let following = tool(engine).start(["logs", "-f", &container.name]);
    following.wait_for_out("one\n");
    following.finish().assert(0, "one\ntwo\n", "");
}

#[test]
fn a_terminals_output_is_one_stream() {
    let engine = engine!();
    let container = Container::run(engine, &["-t", "busybox", "sh", "-c", SCRIPT]);
    tool(engine).run(["wait", &container.name]);
    tool(engine)
        .run(["logs", &container.name])
        .assert(0, "one\r\ntwo\r\nbad\r\nthree\r\n", "");
}

#[test]
fn a_container_that_does_not_exist_is_named() {
    let engine = engine!();
    tool(engine).run(["logs", "no-such"]).assert(
        1,
        "",
        "Error response from daemon: No such container: no-such\n",
    );
}

#[test]
fn a_bad_time_is_named_with_its_option() {
    let engine = engine!();
    let container = Container::run(engine, &["busybox", "true"]);
    for option in ["since", "until"] {
        let outcome = tool(engine).run(["logs", &format!("--{option}"), "soon", &container.name]);
        let expected =
            format!("invalid value for \"{option}\": invalid time \"soon\": give a date");
        outcome.assert_err_contains(1, "", &expected);
    }
}
