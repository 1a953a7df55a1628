//! `start`, `stop`, `kill`, `restart`, `rename`, `wait`, `rm`

use crate::{Container, engine, first_line, tool, unique, until, until_running};

#[test]
fn stop_asks_and_start_begins_again() {
    let engine = engine!();
    let container = Container::idle(engine);
    let line = format!("{}\n", container.name);
    tool(engine)
        .run(["stop", &container.name])
        .assert(0, &line, "");
    assert_eq!(engine.inspect(&container.id)["State"]["ExitCode"], 3);
    tool(engine)
        .run(["stop", &container.name])
        .assert(0, &line, "");
    tool(engine)
        .run(["container", "start", &container.name])
        .assert(0, &line, "");
    assert_eq!(container.status(), "running");
    tool(engine)
        .run(["restart", "-t", "0", &container.name])
        .assert(0, &line, "");
    assert_eq!(container.status(), "running");
}

#[test]
fn stop_sends_the_signal_that_it_is_told() {
    let engine = engine!();
    let trap = "trap 'exit 9' USR1; while :; do sleep 0.05; done";
    let container = Container::run(engine, &["busybox", "sh", "-c", trap]);
    // An engine before API 1.42 does not know the parameter, and kills in the end.
    tool(engine).run(["stop", "--signal", "USR1", "-t", "1", &container.name]);
    assert_eq!(container.status(), "exited");
}

#[test]
fn kill_sends_a_signal() {
    let engine = engine!();
    let container = Container::idle(engine);
    let line = format!("{}\n", container.name);
    tool(engine)
        .run(["kill", "-s", "TERM", &container.name])
        .assert(0, &line, "");
    tool(engine)
        .run(["wait", &container.name])
        .assert(0, "3\n", "");
    let outcome = tool(engine).run(["kill", &container.name]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        first_line(&outcome).contains("is not running"),
        "{}",
        outcome.err()
    );
}

#[test]
fn kill_ends_the_restarting() {
    let engine = engine!();
    let words = ["--restart", "always", "busybox", "false"];
    let container = Container::run(engine, &words);
    until(|| {
        // Each time it waits twice as long.
        let count = engine.inspect(&container.id)["RestartCount"].as_u64();
        (count >= Some(4) && container.status() == "restarting").then_some(())
    });
    tool(engine)
        .run(["kill", &container.name])
        .assert(0, &format!("{}\n", container.name), "");
    until(|| (container.status() == "exited").then_some(()));
    std::thread::sleep(std::time::Duration::from_millis(2500));
    assert_eq!(container.status(), "exited");
}

#[test]
fn a_container_goes_by_its_new_name() {
    let engine = engine!();
    let container = Container::idle(engine);
    let name = unique("renamed");
    tool(engine)
        .run(["rename", &container.name, &name])
        .assert(0, "", "");
    let outcome = tool(engine).run(["rm", &name]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let said = outcome.err();
    assert!(
        !said.contains(&container.name) && (said.contains(&name) || said.contains(&container.id)),
        "{said}"
    );
}

#[test]
fn wait_blocks_until_the_end() {
    let engine = engine!();
    let container = Container::idle(engine);
    let mut waiting = tool(engine).start(["wait", &container.id]);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert!(waiting.is_running());
    tool(engine).run(["kill", &container.id]);
    waiting.finish().assert(0, "137\n", "");
}

#[test]
fn every_operand_is_done_and_every_failure_reported() {
    let engine = engine!();
    let (first, last) = (Container::idle(engine), Container::idle(engine));
    let outcome = tool(engine).run(["stop", "-t", "5", &first.name, "no-such", &last.name]);
    outcome.assert(
        1,
        &format!("{}\n{}\n", first.name, last.name),
        "Error response from daemon: No such container: no-such\n",
    );
    assert_eq!(
        (first.status(), last.status()),
        ("exited".into(), "exited".into())
    );
}

#[test]
fn rename_takes_free_names_only() {
    let engine = engine!();
    let (container, other) = (Container::idle(engine), Container::idle(engine));
    let name = unique("renamed");
    tool(engine)
        .run(["rename", &container.name, &name])
        .assert(0, "", "");
    assert_eq!(engine.inspect(&container.id)["Name"], format!("/{name}"));
    let outcome = tool(engine).run(["rename", &name, &other.name]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        first_line(&outcome).contains("is already in use by container"),
        "{}",
        outcome.err()
    );
    let said = |words: [&str; 2]| {
        let outcome = tool(engine).run(["rename", words[0], words[1]]);
        assert_eq!(outcome.code, Some(1), "{words:?}");
        first_line(&outcome)
    };
    assert!(
        said([&name, &other.name]).starts_with("failed to rename container: Error response from")
    );
    let blank = "failed to rename container: new name cannot be blank";
    assert_eq!(said([&name, ""]), "new name cannot be blank");
    assert_eq!(said([&name, " "]), blank);
    assert_eq!(said([&name, "/"]), blank);
    assert_eq!(
        said(["", "x"]),
        "failed to rename container: invalid container name or ID: value is empty"
    );
}

#[test]
fn rm_removes_what_has_ended_and_by_force_what_runs() {
    let engine = engine!();
    let container = Container::idle(engine);
    let outcome = tool(engine).run(["rm", &container.name]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        // Newer engines say that the container is running, and older ones that it is a running container.
        first_line(&outcome).contains("running"),
        "{}",
        outcome.err()
    );
    let line = format!("{}\n", container.name);
    tool(engine)
        .run(["rm", "-fv", &container.name])
        .assert(0, &line, "");
    let path = format!("/containers/{}/json", container.id);
    until(|| (engine.api().get(&path).status == 404).then_some(()));
    tool(engine).run(["rm", &container.name]).assert(
        1,
        "",
        &format!(
            "Error response from daemon: No such container: {}\n",
            container.name
        ),
    );
    // By force it is enough that there is none.
    assert_eq!(
        tool(engine).run(["rm", "-f", &container.name]).code,
        Some(0)
    );
}

#[test]
fn start_attached_passes_streams_and_status_on() {
    let engine = engine!();
    let container = Container::run(
        engine,
        &[
            "-i",
            "busybox",
            "sh",
            "-c",
            "read line; echo got $line; exit 5",
        ],
    );
    tool(engine).run(["kill", &container.name]);
    let mut started = tool(engine).start(["start", "-ai", &container.name]);
    until_running(engine, &container.id);
    started.write("hello\n");
    started.finish().assert(5, "got hello\n", "");
    let outcome = tool(engine).run(["start", "-a", &container.name, "other"]);
    assert_eq!(outcome.code, Some(1));
    assert!(first_line(&outcome).contains("cannot start and attach multiple containers at once"));
}
