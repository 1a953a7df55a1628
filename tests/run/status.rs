//! Exit codes: the container's own, and those of a container that could not run.

use harness::Kind;

use crate::{engine, tool, until_running};

#[test]
fn the_containers_code_is_ours() {
    let engine = engine!();
    for code in [0, 7, 125, 255] {
        let script = format!("exit {code}");
        let outcome = tool(engine).run(["run", "--rm", "busybox", "sh", "-c", &script]);
        outcome.assert(code, "", "");
    }
}

#[test]
fn a_container_that_a_signal_ends_gives_128_and_its_number() {
    let engine = engine!();
    for (signal, code) in [("KILL", 137), ("TERM", 143)] {
        let name = format!("ended-by-{signal}");
        // A process 1 is not ended by a signal that it does not handle, so the shell passes this one on.
        let script = "trap 'trap - TERM; exit 143' TERM; echo ready; while :; do sleep 0.05; done";
        let running = tool(engine).start([
            "run", "--rm", "--name", &name, "busybox", "sh", "-c", script,
        ]);
        running.wait_for_out("ready");
        engine
            .api()
            .post(&format!("/containers/{name}/kill?signal={signal}"))
            .expect_success();
        running.finish().assert(code, "ready\n", "");
    }
}

#[test]
fn a_command_that_is_not_there_gives_127() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "--rm", "busybox", "nosuchcmd"]);
    let text = "exec: \"nosuchcmd\": executable file not found in $PATH";
    outcome.assert_err_contains(127, "", text);
    assert!(
        outcome
            .err()
            .starts_with("tool: Error response from daemon: "),
        "{}",
        outcome.err()
    );
    assert!(
        outcome
            .err()
            .ends_with("\n\nRun 'tool run --help' for more information\n"),
        "{}",
        outcome.err()
    );
}

#[test]
fn a_command_that_cannot_be_executed_gives_126() {
    let engine = engine!();
    for command in ["/etc/passwd", "/etc"] {
        let outcome = tool(engine).run(["run", "--rm", "busybox", command]);
        assert_eq!(
            (outcome.code, outcome.out().as_str()),
            (Some(126), ""),
            "{}",
            outcome.err()
        );
        assert!(
            outcome
                .err()
                .starts_with("tool: Error response from daemon: "),
            "{}",
            outcome.err()
        );
    }
}

#[test]
fn what_is_no_option_gives_125_and_creates_nothing() {
    let engine = engine!();
    let tail = "\n\nUsage:  tool run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'tool run --help' for more information\n";
    for (words, text) in [
        (&["--nope"][..], "unknown flag: --nope"),
        (&["-Z"], "unknown shorthand flag: 'Z' in -Z"),
        (&["--name"], "flag needs an argument: --name"),
        (
            &["--sig-proxy=maybe", "busybox"],
            "invalid argument \"maybe\" for \"--sig-proxy\" flag: strconv.ParseBool: parsing \"maybe\": invalid syntax",
        ),
        (
            &["-a", "foo", "busybox"],
            "invalid argument \"foo\" for \"-a, --attach\" flag: valid streams are STDIN, STDOUT and STDERR",
        ),
    ] {
        let label = ["run", "-l", "what_is_no_option"];
        let outcome = tool(engine).run(label.iter().chain(words));
        outcome.assert(125, "", &format!("{text}{tail}"));
    }
    assert!(engine.containers("what_is_no_option").is_empty());
}

#[test]
fn a_value_that_is_none_gives_125_and_creates_nothing() {
    let engine = engine!();
    let tail = "\n\nRun 'tool run --help' for more information\n";
    for (option, value, text) in [
        ("-p", "99999:80", "invalid hostPort: 99999"),
        (
            "-v",
            "aa::b",
            "invalid spec: aa::b: empty section between colons",
        ),
        (
            "--pull",
            "bad",
            "invalid pull option: 'bad': must be one of \"always\", \"missing\" or \"never\"",
        ),
    ] {
        let outcome = tool(engine).run([
            "run",
            "-l",
            "a_value_that_is_none",
            option,
            value,
            "busybox",
        ]);
        outcome.assert(125, "", &format!("tool: {text}{tail}"));
    }
    let outcome = tool(engine).run(["run", "-l", "a_value_that_is_none", "Up:Per"]);
    outcome.assert_err_contains(125, "", "tool: invalid reference format");
    assert!(engine.containers("a_value_that_is_none").is_empty());
}

#[test]
fn without_an_image_the_usage_is_shown() {
    let engine = engine!();
    let text = "tool: 'tool run' requires at least 1 argument\n\nUsage:  tool run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'tool run --help' for more information\n";
    tool(engine).run(["run"]).assert(1, "", text);
    tool(engine)
        .run(["run", "--rm", "-it=false"])
        .assert(1, "", text);
}

#[test]
fn container_run_is_run() {
    let engine = engine!();
    let outcome = tool(engine).run(["container", "run", "--rm", "busybox", "echo", "hi"]);
    outcome.assert(0, "hi\n", "");
    let outcome = tool(engine).run(["container", "run", "--nope"]);
    outcome.assert_err_contains(
        125,
        "",
        "Run 'tool container run --help' for more information",
    );
}

#[test]
fn a_container_that_runs_on_is_seen_by_others() {
    let engine = engine!();
    let running = tool(engine).start([
        "run",
        "--rm",
        "--name",
        "seen-by-others",
        "busybox",
        "sleep",
        "1000",
    ]);
    until_running(engine, "seen-by-others");
    engine.remove("seen-by-others");
    assert_eq!(running.finish().code, Some(137));
}

#[test]
fn a_restart_policy_is_the_engines_to_judge() {
    let engine = engine!();
    let label = "a_restart_policy";
    let words = ["run", "-l", label, "--restart", "mostly", "busybox", "true"];
    let outcome = tool(engine).run(words);
    let text = match engine.kind() {
        Kind::Dockerd => "invalid restart policy 'mostly'",
        // As newer ones of Docker's.
        Kind::Embedded | Kind::Rootless => "invalid restart policy: unknown policy 'mostly'",
        Kind::Podman => "\"mostly\" is not a valid restart policy",
    };
    outcome.assert_err_contains(125, "", text);
    assert!(engine.containers(label).is_empty());
    let words = [
        "run",
        "-d",
        "-l",
        label,
        "--restart=on-failure:3",
        "busybox",
        "true",
    ];
    assert_eq!(tool(engine).run(words).code, Some(0));
    let containers = engine.containers(label);
    let id = containers[0]["Id"].as_str().expect("an ID");
    let policy = &engine.inspect(id)["HostConfig"]["RestartPolicy"];
    assert_eq!(policy["Name"], "on-failure");
    assert_eq!(policy["MaximumRetryCount"], 3);
    engine.remove(id);
}

#[test]
fn a_missing_seccomp_profile_is_125_though_it_is_a_file_that_is_not_there() {
    let engine = engine!();
    let label = "a_missing_seccomp_profile";
    let words = [
        "run",
        "-l",
        label,
        "--security-opt",
        "seccomp=nofile",
        "busybox",
    ];
    let outcome = tool(engine).run(words);
    let text = "tool: opening seccomp profile (nofile) failed: open nofile: no such file or directory\n\nRun 'tool run --help' for more information\n";
    outcome.assert(125, "", text);
    assert!(engine.containers(label).is_empty());
}

#[test]
fn security_options_are_the_containers() {
    let engine = engine!();
    let tool = tool(engine);
    // A profile that forbids one call, with white space that the engine is not sent.
    tool.file(
        "profile.json",
        r#"{
            "defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [ { "names": [ "mkdir", "mkdirat" ], "action": "SCMP_ACT_ERRNO" } ]
        }"#,
    );
    let words = ["run", "--rm", "--security-opt", "seccomp=profile.json"];
    let outcome = tool.run(words.iter().chain(&["busybox", "mkdir", "/x"]));
    outcome.assert_err_contains(1, "", "Operation not permitted");

    let masked = [
        "busybox",
        "sh",
        "-c",
        "grep -c -e /proc/kcore -e /proc/sys /proc/mounts",
    ];
    let outcome = tool.run(["run", "--rm"].iter().chain(&masked));
    assert_ne!(outcome.out(), "0\n");
    let words = ["run", "--rm", "--security-opt", "systempaths=unconfined"];
    tool.run(words.iter().chain(&masked)).assert(1, "0\n", "");

    let words = [
        "run",
        "--rm",
        "--security-opt",
        "no-new-privileges",
        "--cap-drop=all",
        "--cap-add",
        "net_raw",
        "busybox",
        "grep",
        "-e",
        "NoNewPrivs",
        "-e",
        "CapEff",
        "/proc/self/status",
    ];
    tool.run(words)
        .assert(0, "CapEff:\t0000000000002000\nNoNewPrivs:\t1\n", "");
}
