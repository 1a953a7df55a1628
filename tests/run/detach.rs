//! `-d`: detached containers.

use crate::{engine, tool, until};

/// 64 hexadecimal digits and a line break.
fn is_id_line(text: &str) -> bool {
    text.strip_suffix('\n')
        .is_some_and(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[test]
fn the_id_is_printed_and_the_container_runs() {
    let engine = engine!();
    for option in ["-d", "--detach", "--detach=true", "-dit"] {
        let outcome = tool(engine).run(["run", option, "busybox", "sleep", "1000"]);
        assert_eq!(
            (outcome.code, outcome.err().as_str()),
            (Some(0), ""),
            "{option}"
        );
        assert!(is_id_line(&outcome.out()), "{}", outcome.out());
        let id = outcome.out();
        assert_eq!(engine.inspect(id.trim())["State"]["Running"], true);
        engine.remove(id.trim());
    }
}

#[test]
fn the_id_of_a_container_that_does_not_start_is_printed_too() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "-d", "busybox", "nosuchcmd"]);
    assert_eq!(outcome.code, Some(127), "{}", outcome.err());
    assert!(is_id_line(&outcome.out()), "{}", outcome.out());
    assert!(
        outcome.err().contains("executable file not found"),
        "{}",
        outcome.err()
    );
    engine.remove(outcome.out().trim());
}

#[test]
fn a_detached_container_is_removed_when_it_ends() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "-d", "--rm", "busybox", "true"]);
    let path = format!("/containers/{}/json", outcome.out().trim());
    until(|| (engine.api().get(&path).status == 404).then_some(()));
}

#[test]
fn detaching_and_attaching_contradict_each_other() {
    let engine = engine!();
    let outcome = tool(engine).run([
        "run",
        "-d",
        "-a",
        "stdout",
        "-l",
        "contradict",
        "busybox",
        "true",
    ]);
    let text = "conflicting options: cannot specify both --attach and --detach";
    outcome.assert_err_contains(1, "", text);
    assert!(engine.containers("contradict").is_empty());
}
