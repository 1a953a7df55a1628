//! `exec`

use harness::Pty;

use crate::{Container, docker, engine, first_line, tool, until};

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
    // An engine before API 1.42 is told the size when the process runs already.
    pty.write("until stty size | grep '33 99'; do sleep 0.05; done; exit 4\n");
    pty.wait_for("\n33 99");
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
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let engine = engine!();
    let container = Container::idle(engine);
    let outcome = tool(engine).run(["exec", "-w", "/not/there", &container.name, "pwd"]);
    assert_eq!(outcome.code, Some(126), "{outcome:?}");
    let said = outcome.out() + &outcome.err();
    assert!(
        said.contains("chdir to cwd (\"/not/there\")")
            && said.contains("no such file or directory"),
        "{said}"
    );
    let made = tool(engine).run(["exec", &container.name, "test", "-e", "/not"]);
    assert_eq!(made.code, Some(1), "{made:?}");
}

/// Lines of `exec`, with `BOX` for a container that runs, `STOPPED` for one that does not and `PAUSED` for one that is paused.
const LINES: &str = "\
BOX sh -c 'echo out; exit 7'
BOX sh -c 'kill -9 $$'
BOX sh -c 'exit 125'
-i=false BOX echo x
--interactive=true BOX echo x
-it=0 BOX echo x
-ti=F -t=false BOX echo x
--privileged=false BOX echo x
-d=0 BOX echo x
--detach=true --detach=false BOX echo x
-d BOX echo x
-di BOX echo x
-i=maybe BOX true
--tty=2 BOX true
--nope BOX true
--intera BOX true
--rm BOX true
-Z BOX true
-itZq BOX true
---x BOX true
--=x BOX true
-e
--env
-u
-iw
--detach-keys
-e =x BOX true
-eA=1 BOX sh -c 'echo $A'
-e=A=1 BOX sh -c 'echo $A'
-e A=1 -e A=2 BOX sh -c 'echo $A'
--env A=1 -e B=2 BOX sh -c 'echo $A$B'
-w/bin BOX pwd
-w=/bin BOX pwd
-w /etc -w /bin BOX pwd
--workdir /nowhere BOX pwd
-w '' BOX pwd
-u 5:6 BOX id -u
-u=5 BOX id -u
-u -1 BOX id -u
-u nobody BOX id -u
-u nosuch BOX id -u
--detach-keys x,y BOX echo x
--detach-keys '' BOX echo x
BOX echo -i --nope -- x
BOX -- echo x
-- BOX echo x
-- BOX -- echo x
BOX --help
BOX
-i BOX
--

nosuch true
nosuch
STOPPED true
-d STOPPED true
PAUSED true
BOX nosuch
BOX /etc/passwd
BOX /etc
BOX /nowhere/x
BOX ''
-d BOX nosuch
-t BOX echo x";

#[test]
fn lines_do_what_they_do_with_dockers_client() {
    let engine = engine!();
    let Some(docker) = docker::client(engine, "exec::lines_do_what_they_do_with_dockers_client")
    else {
        return;
    };
    let (running, stopped, paused) = (
        Container::idle(engine),
        Container::idle(engine),
        Container::idle(engine),
    );
    tool(engine).run(["kill", &stopped.name]);
    tool(engine).run(["wait", &stopped.name]);
    // Not every engine pauses everywhere: then the line is about one more that runs.
    let pause = format!("/containers/{}/pause", paused.name);
    engine.api().post(&pause);
    let names = [
        ("BOX", &running),
        ("STOPPED", &stopped),
        ("PAUSED", &paused),
    ];
    let lines = LINES.lines().map(|line| format!("exec {line}"));
    let different = docker.compare(lines, &names);
    engine
        .api()
        .post(&format!("/containers/{}/unpause", paused.name));
    assert!(different.is_empty(), "{}", different.join("\n"));
}
