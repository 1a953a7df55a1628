//! Rejected options: text, status, and no request to the engine.

mod engine;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use byname::{Dispatcher, ExitStatus, testing};
use engine::{Engine, Script};

#[test]
fn the_registry_is_sound() {
    testing::assert_registry();
}

#[test]
fn flags_that_are_not_understood_are_125_with_the_usage() {
    let engine = Engine::new(Script::default());
    for (words, message, path) in [
        (vec!["run", "--nope"], "unknown flag: --nope", "tool run"),
        (
            vec!["container", "run", "-itZ", "img"],
            "unknown shorthand flag: 'Z' in -Z",
            "tool container run",
        ),
        (
            vec!["run", "--no-mount", "x", "img"],
            "unknown flag: --no-mount",
            "tool run",
        ),
        (
            vec!["run", "-m", "x", "img"],
            "invalid argument \"x\" for \"-m, --memory\" flag: invalid size: 'x'",
            "tool run",
        ),
        (
            vec!["run", "--blkio-weight", "70000", "img"],
            "invalid argument \"70000\" for \"--blkio-weight\" flag: strconv.ParseUint: parsing \"70000\": value out of range",
            "tool run",
        ),
        (
            vec!["run", "--mount", "type=bind,foo=x", "img"],
            "invalid argument \"type=bind,foo=x\" for \"--mount\" flag: unknown option 'foo' in 'foo=x'",
            "tool run",
        ),
        (
            vec!["run", "--device-read-bps", "x", "img"],
            "invalid argument \"x\" for \"--device-read-bps\" flag: bad format: x",
            "tool run",
        ),
        (
            vec!["run", "--device-cgroup-rule", "x", "img"],
            "invalid argument \"x\" for \"--device-cgroup-rule\" flag: invalid device cgroup format 'x'",
            "tool run",
        ),
    ] {
        let outcome = engine.run(&words);
        assert_eq!(
            outcome.stderr,
            format!(
                "{message}\n\nUsage:  {path} [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n\
                 Run '{path} --help' for more information\n"
            )
        );
        assert_eq!(outcome.status, ExitStatus::Code(125));
        assert_eq!(outcome.stdout, "");
    }
    assert!(engine.lines().is_empty());
}

#[test]
fn no_image_is_1() {
    let engine = Engine::new(Script::default());
    for words in [
        &["run"][..],
        &["run", "--rm", "--"],
        &["run", "--name", "img"],
    ] {
        let outcome = engine.run(words);
        assert_eq!(
            outcome.stderr,
            "tool: 'tool run' requires at least 1 argument\n\n\
             Usage:  tool run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\n\
             See 'tool run --help' for more information\n"
        );
        assert_eq!(outcome.status, ExitStatus::Failure);
    }
}

#[test]
fn help_goes_to_the_output() {
    let engine = Engine::new(Script::default());
    let outcome = engine.run(&["run", "--rm", "--help"]);
    assert_eq!(outcome.status, ExitStatus::Success);
    assert_eq!(outcome.stderr, "");
    for text in [
        "Create and run a new container from an image",
        "-h, --hostname",
        "Network:",
        "--help",
        "  -d, --detach\n",
        "--mount <FIELDS>",
        "Windows engines:",
    ] {
        assert!(outcome.stdout.contains(text), "{text}: {}", outcome.stdout);
    }
    // What means nothing any more is not for people to read, and that a boolean may have a value hardly is.
    for text in ["[=<", "BOOL", "kernel-memory", "disable-content-trust"] {
        assert!(!outcome.stdout.contains(text), "{text}: {}", outcome.stdout);
    }
    assert!(
        outcome
            .stdout
            .lines()
            .all(|line| line.chars().count() <= 80),
        "{}",
        outcome.stdout
    );
}

#[test]
fn values_that_are_wrong_are_125() {
    let engine = Engine::new(Script::default());
    for (words, message) in [
        (
            vec!["run", "UPPER"],
            "invalid reference format: repository name (library/UPPER) must be lowercase",
        ),
        (vec!["run", ""], "invalid reference format"),
        (
            vec!["run", "--pull", "bad", "img"],
            "invalid pull option: 'bad': must be one of \"always\", \"missing\" or \"never\"",
        ),
        (
            vec!["run", "-p", "80:", "img"],
            "no port specified: 80:<empty>",
        ),
        (vec!["run", "-v", "", "img"], "invalid empty volume spec"),
        (
            vec!["run", "--env-file", "/nonexistent", "img"],
            "--env-file: open /nonexistent: no such file or directory",
        ),
        (
            vec!["run", "--label-file", "/nonexistent", "img"],
            "--label-file: open /nonexistent: no such file or directory",
        ),
        (vec!["run", "--pid", "x", "img"], "--pid: invalid PID mode"),
        (vec!["run", "--uts", "x", "img"], "--uts: invalid UTS mode"),
        (
            vec!["run", "--userns", "x", "img"],
            "--userns: invalid USER mode",
        ),
        (
            vec!["run", "--log-driver", "none", "--log-opt", "a=b", "img"],
            "invalid logging opts for driver none",
        ),
        (
            vec!["run", "--restart", "always:x", "img"],
            "invalid restart policy format: maximum retry count must be an integer",
        ),
        (
            vec!["run", "--network", "none", "--network-alias", "a", "img"],
            "network-scoped aliases are only supported for user-defined networks",
        ),
        (
            vec!["run", "--rm", "--restart", "always", "img"],
            "conflicting options: cannot specify both --restart and --rm",
        ),
        (
            vec!["run", "--platform", "a/b/c/d", "img"],
            "\"a/b/c/d\": cannot parse platform specifier: invalid argument",
        ),
        (
            vec!["run", "--no-healthcheck", "--health-cmd", "x", "img"],
            "--no-healthcheck conflicts with --health-* options",
        ),
        (
            vec!["run", "--memory-swappiness", "101", "img"],
            "invalid value: 101. Valid memory swappiness range is 0-100",
        ),
        (
            vec!["run", "--storage-opt", "size", "img"],
            "invalid storage option",
        ),
        (
            vec!["run", "--health-retries", "-1", "img"],
            "--health-retries cannot be negative",
        ),
    ] {
        let outcome = engine.run(&words);
        assert_eq!(
            outcome.stderr,
            format!("tool: {message}\n\nRun 'tool run --help' for more information\n")
        );
        assert_eq!(outcome.status, ExitStatus::Code(125));
    }
    assert!(engine.lines().is_empty());
}

#[test]
fn what_cannot_be_attached_is_1() {
    let engine = Engine::new(Script::default());
    for (words, message) in [
        (
            vec!["run", "-d", "-a", "stdin", "img"],
            "conflicting options: cannot specify both --attach and --detach",
        ),
        (
            vec!["run", "-it", "img"],
            "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
        ),
        (
            vec!["run", "--detach-keys", "ctrl-zz", "img"],
            "invalid detach keys (ctrl-zz): Unknown character: 'ctrl-zz'",
        ),
    ] {
        let outcome = engine.run(&words);
        assert_eq!(outcome.stderr, format!("{message}\n"));
        assert_eq!(outcome.status, ExitStatus::Failure);
    }
    assert!(engine.lines().is_empty());
}

#[test]
fn options_that_the_engine_is_too_old_for_are_1() {
    let engine = Engine::new(Script {
        api_version: "1.40",
        ..Script::default()
    });
    let outcome = engine.run(&["run", "--cgroupns", "host", "img"]);
    assert_eq!(
        outcome.stderr,
        "\"--cgroupns\" requires API version 1.41, but the Docker daemon API version is 1.40\n"
    );
    assert_eq!(outcome.status, ExitStatus::Failure);
    assert_eq!(engine.lines(), ["HEAD /_ping"]);
}

#[test]
fn each_option_that_the_engine_does_not_know_has_a_line() {
    let engine = Engine::new(Script {
        api_version: "1.42",
        ..Script::default()
    });
    let outcome = engine.run(&[
        "run",
        "--io-maxiops=1",
        "--io-maxbandwidth=1m",
        "--cpu-percent=1",
        "--cpu-count=1",
        "--annotation=a=b",
        "--mount=dst=/a,volume-subpath=b",
        // What is wrong here is looked at later.
        "--device=x",
        "img",
    ]);
    let windows = |name: &str| {
        format!(
            "\"--{name}\" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux\n"
        )
    };
    let version = |name: &str, version: &str| {
        format!(
            "\"--{name}\" requires API version {version}, but the Docker daemon API version is 1.42\n"
        )
    };
    let expected = [
        version("annotation", "1.43"),
        windows("cpu-count"),
        windows("cpu-percent"),
        windows("io-maxbandwidth"),
        windows("io-maxiops"),
        version("mount volume-subpath", "1.45"),
    ];
    assert_eq!(outcome.stderr, expected.concat());
    assert_eq!(outcome.status, ExitStatus::Failure);
    assert_eq!(engine.lines(), ["HEAD /_ping"]);
}

#[test]
fn an_engine_on_windows_is_sent_what_it_alone_knows() {
    let engine = Engine::new(Script {
        os_type: "windows",
        ..Script::default()
    });
    let outcome = engine.run(&[
        "run",
        "--io-maxiops=1",
        "--io-maxbandwidth=1m",
        "--cpu-percent=2",
        "--cpu-count=3",
        "--isolation=hyperv",
        "--device=class/5B45201D",
        "img",
    ]);
    assert_eq!(outcome.status, ExitStatus::Success, "{}", outcome.stderr);
    let body = engine.request("POST /containers/create").json();
    let host = &body["HostConfig"];
    assert_eq!(host["IOMaximumIOps"], 1);
    assert_eq!(host["IOMaximumBandwidth"], 1 << 20);
    assert_eq!(host["CpuPercent"], 2);
    assert_eq!(host["CpuCount"], 3);
    assert_eq!(host["Isolation"], "hyperv");
    let device = serde_json::json!([{ "PathOnHost": "class/5B45201D" }]);
    assert_eq!(host["Devices"], device);
}

#[test]
fn what_is_a_device_is_for_an_engine_to_say() {
    let engine = Engine::new(Script {
        os_type: "plan9",
        ..Script::default()
    });
    let outcome = engine.run(&["run", "--device", "/dev/null", "img"]);
    assert_eq!(
        outcome.stderr,
        "tool: unknown server OS: plan9\n\nRun 'tool run --help' for more information\n"
    );
    assert_eq!(outcome.status, ExitStatus::Code(125));
    let engine = Engine::new(Script::default());
    let outcome = engine.run(&["run", "--device", "null", "img"]);
    assert_eq!(
        outcome.stderr,
        "tool: null is not an absolute path\n\nRun 'tool run --help' for more information\n"
    );
    assert_eq!(outcome.status, ExitStatus::Code(125));
    assert_eq!(engine.lines(), ["HEAD /_ping"]);
}

#[test]
fn words_that_the_api_does_not_list_are_for_the_engine_to_refuse() {
    let engine = Engine::new(Script::default());
    let outcome = engine.run(&[
        "run",
        "--isolation=most",
        "--mount=type=ramfs,dst=/a",
        "--mount=type=bind,src=/b,dst=/b,bind-propagation=some",
        "img",
    ]);
    assert_eq!(outcome.status, ExitStatus::Success, "{}", outcome.stderr);
    let body = engine.request("POST /containers/create").json();
    assert_eq!(body["HostConfig"]["Isolation"], "most");
    let mounts = serde_json::json!([
        { "Type": "ramfs", "Target": "/a" },
        { "Type": "bind", "Source": "/b", "Target": "/b", "BindOptions": { "Propagation": "some" } },
    ]);
    assert_eq!(body["HostConfig"]["Mounts"], mounts);
}

#[test]
fn options_that_mean_nothing_any_more_are_taken_with_a_warning() {
    let engine = Engine::new(Script::default());
    let outcome = engine.run(&[
        "run",
        "--kernel-memory=1m",
        "--disable-content-trust",
        "img",
    ]);
    assert_eq!(
        outcome.stderr,
        "Flag --disable-content-trust has been deprecated, support for docker content trust was removed\n\
         Flag --kernel-memory has been deprecated, and no longer supported by the kernel\n"
    );
    assert_eq!(outcome.status, ExitStatus::Success);
    let body = engine.request("POST /containers/create").json();
    assert!(body["HostConfig"]["KernelMemory"].is_null());
    let outcome = engine.run(&["run", "--kernel-memory=x", "img"]);
    assert!(
        outcome.stderr.starts_with(
            "invalid argument \"x\" for \"--kernel-memory\" flag: invalid size: 'x'\n"
        ),
        "{}",
        outcome.stderr
    );
}

#[test]
fn an_argument_that_is_not_utf8_is_named() {
    let engine = Engine::new(Script::default());
    let bad = OsString::from_vec(b"a\xff".to_vec());
    for words in [
        vec!["run".into(), "--name".into(), bad.clone(), "img".into()],
        vec!["run".into(), "img".into(), bad],
    ] {
        let outcome = testing::run(&engine.dispatcher(), words);
        assert!(
            outcome
                .stderr
                .contains("argument \"a\\xFF\" is not valid UTF-8\n"),
            "{}",
            outcome.stderr
        );
        assert_eq!(outcome.status, ExitStatus::Code(125));
    }
    assert!(engine.lines().is_empty());
}

#[test]
fn answers_of_the_wrong_shape_are_125() {
    for body in ["[]", "{}", "{\"Id\":7}", "nonsense", ""] {
        let engine = Engine::new(Script {
            create: vec![(201, body.to_owned())],
            ..Script::default()
        });
        let outcome = engine.run(&["run", "--rm", "img"]);
        assert!(
            outcome
                .stderr
                .starts_with("tool: POST /containers/create: malformed answer: "),
            "{body}: {}",
            outcome.stderr
        );
        assert_eq!(outcome.status, ExitStatus::Code(125));
        assert_eq!(engine.lines(), ["HEAD /_ping", "POST /containers/create"]);
    }
}

#[test]
fn without_an_engine_it_is_1() {
    let engine = Engine::new(Script::default());
    std::fs::remove_file(engine.path("socket")).unwrap();
    let outcome = engine.run(&["run", "img"]);
    assert_eq!(outcome.status, ExitStatus::Failure);
    assert!(outcome.stderr.contains("socket"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("--help"), "{}", outcome.stderr);
}

#[test]
fn a_host_without_a_client_is_told_what_is_missing() {
    let outcome = testing::run(&Dispatcher::builder("tool").build(), ["run", "img"]);
    assert_eq!(outcome.status, ExitStatus::Failure);
    assert!(outcome.stderr.contains("Client"), "{}", outcome.stderr);
}
