//! `exec`

use harness::Pty;

use crate::{Container, engine, first_line, tool, until};

#[test]
fn the_status_and_the_streams_are_the_commands() {
    let engine = engine!();
    let container = Container::idle(engine);
    let exec = |words: &[&str]| tool(engine).run(["exec"].iter().chain(words));
    let name = container.name.as_str();
    exec(&[name, "sh", "-c", "echo out; echo err >&2; exit 7"]).assert(7, "out\n", "err\n");
    exec(&[
        "-e",
        "A=b c",
        "-w",
        "/bin",
        "-u",
        "1:2",
        name,
        "sh",
        "-c",
        "echo $A; pwd; id -u; id -g",
    ])
    .assert(0, "b c\n/bin\n1\n2\n", "");
    exec(&[name, "echo", "-n", "--", "-x"]).assert(0, "-- -x", "");
    let outcome = exec(&[name, "no-such-program"]);
    assert!(
        matches!(outcome.code, Some(126 | 127)),
        "{:?} {}",
        outcome.code,
        outcome.err()
    );
}

#[test]
fn variables_come_from_files_and_options() {
    let engine = engine!();
    let container = Container::idle(engine);
    let client = tool(engine).with_env("HERE", "there");
    let file = client.directory().join("variables");
    std::fs::write(&file, "# none\nA=from file\nB=2 \nHERE\nABSENT\n").expect("a file");
    let script = "echo \"$A,$B,$HERE,${ABSENT-unset}\"";
    let exec = |options: &[&str]| {
        let container = [container.name.as_str(), "sh", "-c", script];
        client.run(["exec"].iter().chain(options).chain(&container))
    };
    exec(&["--env-file", "variables"]).assert(0, "from file,2 ,there,unset\n", "");
    exec(&["-e", "A=option", "--env-file=variables", "-e", "HERE=x"]).assert(
        0,
        "option,2 ,x,unset\n",
        "",
    );
    exec(&["--env-file", "none"]).assert(
        1,
        "",
        "--env-file: open none: no such file or directory\n",
    );
    std::fs::write(&file, "A B=1\n").expect("a file");
    exec(&["--env-file", "variables"]).assert(
        1,
        "",
        "--env-file: invalid env file (variables): variable 'A B' contains whitespaces\n",
    );
}

#[test]
fn standard_input_reaches_the_command() {
    let engine = engine!();
    let container = Container::idle(engine);
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let outcome = tool(engine)
        .start(["exec", "-i", &container.name, "cat"])
        .feed(bytes.clone())
        .finish();
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    assert!(
        outcome.stdout == bytes,
        "{} bytes came back",
        outcome.stdout.len()
    );
    // Without the option the command has none.
    tool(engine)
        .start(["exec", &container.name, "cat"])
        .feed("lost")
        .finish()
        .assert(0, "", "");
}

#[test]
fn a_command_may_be_left_alone() {
    let engine = engine!();
    let container = Container::idle(engine);
    tool(engine)
        .run(["exec", "-d", &container.name, "touch", "/tmp-made"])
        .assert(0, "", "");
    until(|| {
        let outcome = tool(engine).run(["exec", &container.name, "ls", "/tmp-made"]);
        (outcome.code == Some(0)).then_some(())
    });
}

#[test]
fn a_terminal_has_our_size_and_is_restored() {
    let engine = engine!();
    let container = Container::idle(engine);
    let pty = Pty::open(33, 99);
    let before = pty.modes();
    let running = tool(engine).start_on(&pty, ["exec", "-it", &container.name, "sh"]);
    pty.wait_for("# ");
    pty.write("stty size; exit 4\n");
    pty.wait_for("33 99");
    assert_eq!(running.finish().code, Some(4));
    assert_eq!(pty.modes(), before);
}

#[test]
fn what_cannot_be_is_said() {
    let engine = engine!();
    let container = Container::idle(engine);
    let outcome = tool(engine).run(["exec", "no-such", "true"]);
    outcome.assert(
        1,
        "",
        "Error response from daemon: No such container: no-such\n",
    );
    tool(engine).run(["kill", &container.name]);
    tool(engine).run(["wait", &container.name]);
    let outcome = tool(engine).run(["exec", &container.name, "true"]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        first_line(&outcome).ends_with("is not running"),
        "{}",
        outcome.err()
    );
    let outcome = tool(engine).run(["exec", "-it", &container.name, "sh"]);
    assert!(
        first_line(&outcome).contains("stdin is not a terminal"),
        "{}",
        outcome.err()
    );
    assert_eq!(tool(engine).run(["exec", &container.name]).code, Some(2));
}
