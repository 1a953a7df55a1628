//! `-a`: which of the container's streams are attached.

use crate::{engine, tool};

const BOTH: &str = "echo to out; echo to err >&2; exit 3";

#[test]
fn standard_output_and_error_stay_apart() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "--rm", "busybox", "sh", "-c", BOTH]);
    outcome.assert(3, "to out\n", "to err\n");
}

#[test]
fn only_the_attached_streams_are_shown() {
    let engine = engine!();
    for (options, out, err) in [
        (&["-a", "stdout"][..], "to out\n", ""),
        (&["-a", "STDERR"], "", "to err\n"),
        (&["-a", "stdout", "--attach=stderr"], "to out\n", "to err\n"),
        (&["-a", "stdin"], "", ""),
    ] {
        let words = ["run", "--rm"]
            .iter()
            .chain(options)
            .chain(&["busybox", "sh", "-c", BOTH]);
        tool(engine).run(words).assert(3, out, err);
    }
}

#[test]
fn only_standard_input_waits_for_the_container_and_prints_nothing() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "-i",
        "-a",
        "stdin",
        "busybox",
        "sh",
        "-c",
        "cat; exit 4",
    ];
    tool(engine).run_with(words, "unseen").assert(4, "", "");
}

#[test]
fn output_is_passed_on_as_it_comes_and_whole() {
    let engine = engine!();
    // No line break at the end, null bytes, and more than a pipe holds, on both at the same time.
    let script = "head -c 3000000 /dev/zero & head -c 2000000 /dev/zero >&2; wait; printf end";
    let outcome = tool(engine).run(["run", "--rm", "busybox", "sh", "-c", script]);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(outcome.stdout.len(), 3_000_003);
    assert!(outcome.stdout.ends_with(b"\0end"));
    assert_eq!(outcome.stderr, vec![0; 2_000_000]);

    let words = [
        "run",
        "--rm",
        "-i",
        "busybox",
        "sh",
        "-c",
        "printf prompt; read -r x",
    ];
    let mut running = tool(engine).start(words);
    running.wait_for_out("prompt");
    running.write("\n");
    running.finish().assert(0, "prompt", "");
}

#[test]
fn output_that_nobody_reads_ends_us_without_a_word() {
    let engine = engine!();
    let shell = harness::Program::new("/bin/sh")
        .with_env("TOOL", env!("CARGO_BIN_EXE_tool"))
        .with_env("DOCKER_HOST", engine.host());
    // It goes on without us, and a log of it would fill the disk.
    let script = r#"{ "$TOOL" run --rm --name unread --log-driver none busybox yes; echo "$?" >status; } | head -n 1"#;
    shell.run(["-c", script]).assert(0, "y\n", "");
    engine.remove("unread");
    let status = std::fs::read_to_string(shell.directory().join("status")).expect("a status");
    assert_ne!(status, "0\n");
}
