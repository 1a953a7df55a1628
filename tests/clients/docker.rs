//! Docker's command-line client.

use std::process::{Command, Stdio};

use harness::{Engine, Image, Program, Pty};

use crate::support::until;
use crate::{Name, engine};

/// The client with this engine. Without one, says so and returns from the test.
macro_rules! docker {
    ($engine:expr) => {{
        fn here() {}
        let name = $crate::support::test_name(std::any::type_name_of_val(&here));
        let Some(docker) = docker_or_skip($engine, name) else {
            return;
        };
        docker
    }};
}

fn docker_or_skip(engine: &Engine, test: &str) -> Option<Program> {
    let is_there = Command::new("docker")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !is_there {
        return harness::left_out(test, "docker, the client (Debian: docker.io)");
    }
    Some(Program::new("docker").with_env("DOCKER_HOST", engine.host()))
}

#[test]
fn run_passes_streams_and_the_exit_code() {
    let engine = engine!();
    let docker = docker!(engine);
    docker
        .run([
            "run",
            "--rm",
            "busybox",
            "sh",
            "-c",
            "echo out; echo err >&2; exit 7",
        ])
        .assert(7, "out\n", "err\n");
    docker
        .run_with(["run", "--rm", "-i", "busybox", "cat"], "in\n")
        .assert(0, "in\n", "");
    // More than fits into any buffer on the way.
    let much = vec![b'x'; 3 << 20];
    let outcome = docker.run_with(["run", "--rm", "-i", "busybox", "cat"], much.clone());
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    assert!(outcome.stdout == much, "{}", outcome.stdout.len());
}

#[test]
fn run_tells_why_a_command_could_not_be_run() {
    let engine = engine!();
    let docker = docker!(engine);
    for (words, code) in [
        (&["busybox", "nosuchcmd"][..], 127),
        (&["busybox", "/etc/passwd"], 126),
        (&["--pull", "never", "nosuchimage", "true"], 125),
    ] {
        let outcome = docker.run(["run", "--rm"].iter().chain(words));
        assert_eq!(outcome.code, Some(code), "{words:?}: {}", outcome.err());
        assert_eq!(outcome.out(), "");
    }
}

#[test]
fn run_takes_options_of_every_kind() {
    let engine = engine!();
    let docker = docker!(engine);
    docker.file("shared/file", "from outside\n");
    let shared = format!("{}/shared:/shared:ro", docker.directory().display());
    for (options, script, out) in [
        (
            "-e A=b -w /tmp -u nobody",
            "echo $A; pwd; id -un",
            "b\n/tmp\nnobody\n",
        ),
        (
            "--hostname inside --network none",
            "hostname; ls /sys/class/net",
            "inside\nlo\n",
        ),
        (
            "--read-only --tmpfs /scratch",
            "touch /scratch/a && ! touch /a 2>/dev/null && echo ok",
            "ok\n",
        ),
        (
            "--cap-drop ALL",
            "grep CapEff /proc/self/status | tr -d '\\t'",
            "CapEff:0000000000000000\n",
        ),
        ("--ulimit nofile=64:64", "ulimit -n", "64\n"),
        (
            "--shm-size 1m",
            "df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2",
            "1024\n",
        ),
        ("--init", "cat /proc/1/comm", "docker-init\n"),
        (
            "--add-host there:192.0.2.7",
            "grep there /etc/hosts | tr '\\t' ' '",
            "192.0.2.7 there\n",
        ),
        (
            &format!("-v {shared}"),
            "cat /shared/file",
            "from outside\n",
        ),
    ] {
        let words = ["run", "--rm"]
            .into_iter()
            .chain(options.split(' '))
            .chain(["busybox", "sh", "-c", script]);
        let outcome = docker.run(words);
        outcome.assert(0, out, "");
    }
    docker
        .run(["run", "--rm", "--entrypoint", "echo", "busybox", "hi"])
        .assert(0, "hi\n", "");
}

#[test]
fn a_terminal_is_one_inside() {
    let engine = engine!();
    let docker = docker!(engine);
    let pty = Pty::open(33, 101);
    let running = docker.start_on(&pty, ["run", "--rm", "-it", "busybox", "sh"]);
    pty.wait_for("/ # ");
    crate::support::until(|| {
        pty.write("stty size\r");
        std::thread::sleep(std::time::Duration::from_millis(50));
        pty.text().contains("33 101").then_some(())
    });
    pty.write("exit 5\r");
    assert_eq!(running.finish().code, Some(5), "{}", pty.text());
}

#[test]
fn a_detached_container_is_seen_followed_and_ended() {
    let engine = engine!();
    let docker = docker!(engine);
    let name = Name::new(engine);
    let script = "trap 'exit 3' TERM; echo one; echo two >&2; while :; do sleep 0.05; done";
    let outcome = docker.run(["run", "-d", "--name", &name, "busybox", "sh", "-c", script]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    let id = outcome.out().trim().to_owned();
    assert_eq!(id.len(), 64);

    let filter = format!("name={}", &*name);
    let ps = ["ps", "--filter", &filter, "--format"];
    docker
        .run(ps.iter().chain(&["{{.Image}} {{.Names}} {{.State}}"]))
        .assert(0, &format!("busybox {} running\n", &*name), "");
    docker
        .run(["ps", "-q", "--no-trunc", "--filter", &filter])
        .assert(0, &format!("{id}\n"), "");
    crate::support::until(|| {
        let logs = docker.run(["logs", &name]);
        (logs.out() == "one\n" && logs.err() == "two\n").then_some(())
    });
    // Which of the two streams came last is not said.
    let last = docker.run(["logs", "--tail", "1", &name]);
    assert_eq!(last.out().len() + last.err().len(), 4, "{last:?}");
    let stamped = docker.run(["logs", "-t", &name]).out();
    assert!(stamped.ends_with("Z one\n"), "{stamped}");

    docker
        .run([
            "inspect",
            "--format",
            "{{.State.Status}} {{.Config.Image}} {{.Name}}",
            &name,
        ])
        .assert(0, &format!("running busybox /{}\n", &*name), "");
    let titles = docker.run(["top", &name]);
    assert!(titles.out().contains("sh -c"), "{titles:?}");

    let following = docker.start(["logs", "-f", &name]);
    following.wait_for_out("one\n");
    docker
        .run(["stop", &name])
        .assert(0, &format!("{}\n", &*name), "");
    assert_eq!(following.finish().code, Some(0));
    docker.run(["wait", &name]).assert(0, "3\n", "");
    docker
        .run(["ps", "-a", "--filter", &filter, "--format", "{{.State}}"])
        .assert(0, "exited\n", "");
    docker
        .run(["rm", &name])
        .assert(0, &format!("{}\n", &*name), "");
    let gone = docker.run(["inspect", &name]);
    assert_eq!(gone.code, Some(1));
}

#[test]
fn exec_joins_a_container() {
    let engine = engine!();
    let docker = docker!(engine);
    let name = Name::new(engine);
    docker.run(["run", "-d", "--name", &name, "busybox", "sleep", "1000"]);
    docker
        .run([
            "exec",
            "-e",
            "A=b",
            "-w",
            "/tmp",
            &name,
            "sh",
            "-c",
            "echo $A; pwd; exit 9",
        ])
        .assert(9, "b\n/tmp\n", "");
    docker
        .run_with(["exec", "-i", &name, "cat"], "in\n")
        .assert(0, "in\n", "");
    let outcome = docker.run(["exec", &name, "nosuchcmd"]);
    // Older engines say the former.
    assert!(matches!(outcome.code, Some(126 | 127)), "{outcome:?}");
    let pty = Pty::open(24, 80);
    let running = docker.start_on(&pty, ["exec", "-it", &name, "sh"]);
    pty.wait_for("/ # ");
    pty.write("exit 4\r");
    assert_eq!(running.finish().code, Some(4), "{}", pty.text());
    docker.run(["exec", "-d", &name, "touch", "/made"]);
    crate::support::until(|| {
        let outcome = docker.run(["exec", &name, "test", "-e", "/made"]);
        (outcome.code == Some(0)).then_some(())
    });
}

#[test]
fn a_container_is_started_again_attached_to_and_killed() {
    let engine = engine!();
    let docker = docker!(engine);
    let name = Name::new(engine);
    let line = format!("{}\n", &*name);
    let script = "while read line; do echo got $line; done; exit 6";
    let made = docker.run([
        "create", "-i", "--name", &name, "busybox", "sh", "-c", script,
    ]);
    assert_eq!(made.code, Some(0), "{}", made.err());
    docker
        .run_with(["start", "-a", "-i", &name], "a\nb\n")
        .assert(6, "got a\ngot b\n", "");
    docker.run(["start", &name]).assert(0, &line, "");
    let mut attached = docker.start(["attach", &name]);
    attached.write("c\n");
    attached.wait_for_out("got c\n");
    docker
        .run(["kill", "-s", "KILL", &name])
        .assert(0, &line, "");
    assert_eq!(attached.finish().code, Some(137));
    docker
        .run(["restart", "-t", "0", &name])
        .assert(0, &line, "");
    let other = Name::new(engine);
    docker.run(["rename", &name, &other]).assert(0, "", "");
    docker
        .run(["rm", "-f", &other])
        .assert(0, &format!("{}\n", &*other), "");
}

#[test]
fn detach_keys_leave_the_container_running() {
    let engine = engine!();
    let docker = docker!(engine);
    let name = Name::new(engine);
    let pty = Pty::open(24, 80);
    let running = docker.start_on(&pty, ["run", "-it", "--name", &name, "busybox", "sh"]);
    pty.wait_for("/ # ");
    pty.write(b"\x10\x11");
    running.finish();
    assert_eq!(engine.inspect(&name)["State"]["Running"], true);
}

#[test]
fn images_are_pulled_listed_tagged_loaded_and_removed() {
    let engine = engine!();
    let docker = docker!(engine);
    let Some(registry) =
        harness::registry_or_skip("docker::images_are_pulled_listed_tagged_loaded_and_removed")
    else {
        return;
    };
    let image = Image::busybox().with_file("/marker", 0o644, "client");
    let reference = registry.push(&image, "client:1");
    let pulled = docker.run(["pull", &reference]);
    assert_eq!(pulled.code, Some(0), "{}", pulled.err());
    assert!(
        pulled.out().contains("Status: Downloaded newer image for"),
        "{}",
        pulled.out()
    );
    docker
        .run([
            "run", "--rm", "--pull", "never", &reference, "cat", "/marker",
        ])
        .assert(0, "client", "");
    docker
        .run(["tag", &reference, "client-tag:2"])
        .assert(0, "", "");
    docker
        .run([
            "images",
            "--format",
            "{{.Repository}}:{{.Tag}}",
            "client-tag",
        ])
        .assert(0, "client-tag:2\n", "");
    let architecture = docker.run(["image", "inspect", "--format", "{{.Os}}", "client-tag:2"]);
    architecture.assert(0, "linux\n", "");
    assert_eq!(
        docker.run(["rmi", "client-tag:2", &reference]).code,
        Some(0)
    );
    assert_eq!(docker.run(["image", "inspect", &reference]).code, Some(1));

    let archive = Image::bare()
        .with_file("/a", 0o644, "a")
        .archive("client-load:3");
    docker
        .run_with(["load"], archive)
        .assert(0, "Loaded image: client-load:3\n", "");
    assert_eq!(docker.run(["rmi", "client-load:3"]).code, Some(0));
}

#[test]
fn volumes_keep_what_is_in_them() {
    let engine = engine!();
    let docker = docker!(engine);
    let name = Name::new(engine);
    let volume = format!("{}-data", &*name);
    docker
        .run(["volume", "create", "--label", "a=b", &volume])
        .assert(0, &format!("{volume}\n"), "");
    let mount = format!("{volume}:/data");
    docker
        .run([
            "run",
            "--rm",
            "-v",
            &mount,
            "busybox",
            "sh",
            "-c",
            "echo kept >/data/file",
        ])
        .assert(0, "", "");
    docker
        .run(["run", "--rm", "-v", &mount, "busybox", "cat", "/data/file"])
        .assert(0, "kept\n", "");
    docker
        .run([
            "volume",
            "inspect",
            "--format",
            "{{.Name}} {{.Driver}} {{.Labels.a}}",
            &volume,
        ])
        .assert(0, &format!("{volume} local b\n"), "");
    let filter = format!("name={volume}");
    docker
        .run(["volume", "ls", "-q", "--filter", &filter])
        .assert(0, &format!("{volume}\n"), "");
    docker
        .run(["volume", "rm", &volume])
        .assert(0, &format!("{volume}\n"), "");
}

#[test]
fn the_engine_describes_itself() {
    let engine = engine!();
    let docker = docker!(engine);
    let version = docker.run([
        "version",
        "--format",
        "{{.Server.Os}} {{.Server.APIVersion}}",
    ]);
    assert_eq!(version.code, Some(0), "{}", version.err());
    assert!(version.out().starts_with("linux 1."), "{}", version.out());
    let info = docker.run(["info", "--format", "{{.OSType}} {{.ServerErrors}}"]);
    assert_eq!(
        (info.code, info.out().as_str()),
        (Some(0), "linux []\n"),
        "{}",
        info.err()
    );
}

/// Between two runs there is no process to list or to join.
#[test]
fn a_restarting_container_is_said_to_be_so() {
    let engine = engine!();
    let docker = docker!(engine);
    let name = Name::new(engine);
    let words = [
        "run",
        "-d",
        "--restart",
        "always",
        "--name",
        &name,
        "busybox",
        "false",
    ];
    let id = docker.run(words).out().trim().to_owned();
    until(|| {
        let shown = engine.inspect(&id);
        let is_so =
            shown["RestartCount"].as_u64() >= Some(6) && shown["State"]["Status"] == "restarting";
        is_so.then_some(())
    });
    let text = format!(
        "Error response from daemon: Container {id} is restarting, wait until the container is running\n"
    );
    docker.run(["top", &name]).assert(1, "", &text);
    docker.run(["exec", &name, "true"]).assert(1, "", &text);
}
