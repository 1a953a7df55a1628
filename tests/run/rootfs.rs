//! `--rootfs`: a directory instead of an image, on the embedded engine.

use std::fs;

use harness::{Engine, Kind};

use crate::{engine, tool};

/// Whether the engine runs directories. That another one refuses, by name, is checked here too.
#[track_caller]
fn has_rootfs(engine: &Engine) -> bool {
    if matches!(engine.kind(), Kind::Embedded | Kind::Rootless) {
        return true;
    }
    let outcome = tool(engine).run(["run", "--rootfs", "/:O", "true"]);
    outcome.assert(
        1,
        "",
        "\"--rootfs\" is only supported by the embedded engine (-H embedded://), and this engine is another\n",
    );
    false
}

#[test]
fn the_machines_own_root_stays_as_it_is() {
    let engine = engine!();
    if !has_rootfs(engine) {
        return;
    }
    tool(engine)
        .run(["run", "--rm", "--rootfs", "/:O", "echo", "hello"])
        .assert(0, "hello\n", "");
    let marker = format!("/etc/tool-test-{}", std::process::id());
    let script = format!("echo x >{marker} && cat {marker}");
    tool(engine)
        .run(["run", "--rm", "--rootfs", "/:O", "sh", "-c", &script])
        .assert(0, "x\n", "");
    assert!(!fs::exists(&marker).expect("an answer"));
}

#[test]
fn a_directory_is_written_to_and_with_a_suffix_not() {
    let engine = engine!();
    if !has_rootfs(engine) {
        return;
    }
    let tool = tool(engine);
    let busybox = fs::read("/bin/busybox").expect("busybox");
    let program = tool.file("tree/bin/busybox", busybox);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).expect("a program");
    let written = tool.directory().join("tree/written");
    for (operand, is_written) in [("tree:O", false), ("./tree", true)] {
        tool.run([
            "run",
            "--rm",
            "--rootfs",
            operand,
            "/bin/busybox",
            "sh",
            "-c",
            "echo x >/written",
        ])
        .assert(0, "", "");
        assert_eq!(
            fs::exists(&written).expect("an answer"),
            is_written,
            "{operand}"
        );
    }
}

#[test]
fn what_is_no_directory_is_named_and_creates_nothing() {
    let engine = engine!();
    if !has_rootfs(engine) {
        return;
    }
    let label = "what_is_no_directory_is_named";
    let tool = tool(engine);
    let file = tool.file("file", "");
    let here = tool.directory().display().to_string();
    for (operand, part) in [
        ("missing", format!("rootfs {here}/missing does not exist")),
        ("file", format!("rootfs {} is no", file.display())),
        ("/", "use --rootfs /:O".to_owned()),
    ] {
        let outcome = tool.run(["run", "-l", label, "--rootfs", operand, "true"]);
        outcome.assert_err_contains(125, "", &part);
    }
    assert!(engine.containers(label).is_empty());
}

#[test]
fn a_command_that_is_not_there_is_127() {
    let engine = engine!();
    if !has_rootfs(engine) {
        return;
    }
    let outcome = tool(engine).run(["run", "--rm", "--rootfs", "/:O", "nosuchcmd"]);
    assert_eq!(outcome.code, Some(127), "{}", outcome.err());
}
