//! Missing images: pull policies and progress.

use harness::{Image, Kind, Pty, Registry, Running};

use crate::{engine, tool};

/// The registry that all tests share. Without one, says so and returns from the test.
macro_rules! registry {
    () => {{
        fn here() {}
        let name = $crate::support::test_name(std::any::type_name_of_val(&here));
        let Some(registry) = harness::registry_or_skip(name) else {
            return;
        };
        registry
    }};
}

/// An image that is in the registry and not in the engine. Its content is its own, so its layer is pulled too.
fn pushed(registry: &Registry, name: &str) -> String {
    let image = Image::busybox().with_file("etc/name", 0o644, name);
    registry.push(&image, name)
}

#[test]
fn a_missing_image_is_pulled_with_a_message_on_standard_error() {
    let (engine, registry) = (engine!(), registry!());
    let reference = pushed(registry, "missing:1");
    let outcome = tool(engine).run(["run", "--rm", &reference, "cat", "/etc/name"]);
    assert_eq!(
        (outcome.code, outcome.out().as_str()),
        (Some(0), "missing:1")
    );
    let err = outcome.err();
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(
        lines[0],
        format!("Unable to find image '{reference}' locally")
    );
    assert_eq!(lines[1], "1: Pulling from missing");
    assert!(
        lines.iter().any(|line| line.ends_with(": Pull complete")),
        "{err}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("Digest: sha256:")),
        "{err}"
    );
    assert_eq!(
        lines.last(),
        Some(&format!("Status: Downloaded newer image for {reference}").as_str())
    );
    assert!(
        !err.contains("Downloading") && !err.contains('\x1b'),
        "{err}"
    );
    // Now it is there.
    let again = tool(engine).run(["run", "--rm", &reference, "true"]);
    again.assert(0, "", "");
}

#[test]
fn a_quiet_pull_says_nothing() {
    let (engine, registry) = (engine!(), registry!());
    let reference = pushed(registry, "quiet:1");
    let outcome = tool(engine).run(["run", "--rm", "-q", &reference, "echo", "hi"]);
    outcome.assert(0, "hi\n", "");
}

#[test]
fn never_pulls_nothing_and_always_pulls_what_is_there() {
    let (engine, registry) = (engine!(), registry!());
    let reference = pushed(registry, "policy:1");
    let never = tool(engine).run(["run", "--rm", "--pull", "never", &reference, "true"]);
    let text = format!("tool: Error response from daemon: No such image: {reference}\n");
    never.assert_err_contains(125, "", &text);
    for status in ["Downloaded newer image", "Image is up to date"] {
        let always = tool(engine).run(["run", "--rm", "--pull=always", &reference, "true"]);
        always.assert_err_contains(0, "", &format!("Status: {status} for {reference}\n"));
        assert!(!always.err().contains("Unable to find"), "{}", always.err());
    }
}

#[test]
fn an_image_that_is_nowhere_is_the_registrys_error() {
    let (engine, registry) = (engine!(), registry!());
    let reference = format!("{}/nowhere", registry.address());
    let outcome = tool(engine).run(["run", "-l", "nowhere", &reference]);
    assert_eq!((outcome.code, outcome.out().as_str()), (Some(125), ""));
    let err = outcome.err();
    assert!(
        err.starts_with(&format!(
            "Unable to find image '{reference}:latest' locally\n"
        )),
        "{err}"
    );
    let text = match engine.kind() {
        Kind::Dockerd | Kind::Embedded | Kind::Rootless => {
            "\ntool: Error response from daemon: manifest for "
        }
        Kind::Podman => ": manifest unknown: manifest unknown\n",
    };
    assert!(err.contains(text), "{err}");
    assert!(
        err.ends_with("\n\nRun 'tool run --help' for more information\n"),
        "{err}"
    );
    assert!(engine.containers("nowhere").is_empty());
}

#[test]
fn on_a_terminal_every_layer_has_its_line() {
    let (engine, registry) = (engine!(), registry!());
    // Random enough that it stays large on its way, so that there is progress to see.
    let noise: Vec<u8> = (0u32..4_000_000)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let image = Image::busybox().with_file("noise", 0o644, noise);
    let reference = registry.push(&image, "terminal:1");
    let tool = tool(engine);
    let pty = Pty::open(24, 120);
    // Only standard error is a terminal: progress is for people, output is for pipes.
    let mut command = tool.command(["run", "--rm", &reference, "echo", "hi"]);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(pty.stream());
    let outcome = Running::start(&mut command).finish();
    outcome.assert(0, "hi\n", "");
    let text = pty.wait_for("Downloaded newer image");
    assert!(
        text.contains("\x1b[1A\x1b[2K\r"),
        "a line is drawn again: {text:?}"
    );
    assert!(text.contains("Pull complete"), "{text:?}");
    assert!(
        text.contains("Extracting") || text.contains("Downloading"),
        "{text:?}"
    );
    assert!(
        text.contains("[=") && text.contains("MB"),
        "a bar: {text:?}"
    );
}

#[test]
fn the_platform_chooses_among_those_of_an_index() {
    let (engine, registry) = (engine!(), registry!());
    let named = |name: &str| Image::busybox().with_file("etc/platform", 0o644, name);
    let images = [
        ("linux/amd64", named("amd64")),
        ("linux/arm64/v8", named("arm64")),
        ("linux/arm/v7", named("arm")),
    ];
    let reference = registry.push_index(&images, "index:1");
    let run = |options: &[&str]| {
        let words = ["run", "--rm", "-q"];
        let command = [&reference, "cat", "/etc/platform"];
        words
            .iter()
            .copied()
            .chain(options.iter().copied())
            .chain(command)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    // Each is another image than the one that the engine has by then, so each is pulled. For arm64 an engine may be
    // content with an image for arm that it has.
    for (platform, expected) in [
        ("linux/amd64", "amd64"),
        ("linux/arm64", "arm64"),
        ("linux/arm/7", "arm"),
        ("x86_64", "amd64"),
        ("aarch64", "arm64"),
        ("armhf", "arm"),
        ("linux/amd64", "amd64"),
        ("linux/ARM64/8", "arm64"),
    ] {
        let outcome = tool(engine).run(run(&["--platform", platform]));
        assert_eq!(outcome.code, Some(0), "{platform}: {}", outcome.err());
        assert_eq!(outcome.out(), expected, "{platform}");
    }
    // The variable is for where there is no option.
    let arm = tool(engine).with_env("DOCKER_DEFAULT_PLATFORM", "arm64");
    assert_eq!(arm.run(run(&["--platform", "linux/amd64"])).out(), "amd64");
    assert_eq!(arm.run(run(&[])).out(), "arm64");
    if cfg!(target_arch = "x86_64") {
        // What is there is taken, and it is said what that is.
        let outcome = tool(engine).run(run(&[]));
        let warning = "The requested image's platform (linux/arm64";
        outcome.assert_err_contains(0, "arm64", warning);
    }

    let outcome = tool(engine).run(run(&["--platform", "linux/s390x"]));
    outcome.assert_err_contains(125, "", "no matching manifest for linux/s390x");
    let outcome = tool(engine).run(run(&["--platform", "a/b/c/d"]));
    let text = "tool: \"a/b/c/d\": cannot parse platform specifier: invalid argument\n\nRun 'tool run --help' for more information\n";
    outcome.assert(125, "", text);
}
