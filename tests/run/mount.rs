//! `--mount`, `--tmpfs`

use crate::{api_minor, engine, tool};

#[test]
fn a_bind_mount_is_the_directory_and_can_be_read_only() {
    let engine = engine!();
    let tool = tool(engine);
    tool.file("data/in", "from outside");
    let script = "cat /data/in; echo x >/data/no";
    let words = [
        "run",
        "--rm",
        "--mount",
        "type=bind,source=./data,target=/data,readonly",
        "busybox",
        "sh",
        "-c",
        script,
    ];
    let outcome = tool.run(words);
    outcome.assert_err_contains(1, "from outside", "Read-only file system");
    let writable = format!(
        "type=bind,src={}/data,dst=/data",
        tool.directory().display()
    );
    let script = "echo back >/data/out";
    let words = [
        "run", "--rm", "--mount", &writable, "busybox", "sh", "-c", script,
    ];
    tool.run(words).assert(0, "", "");
    let out = std::fs::read_to_string(tool.directory().join("data/out"));
    assert_eq!(out.expect("a file"), "back\n");
}

#[test]
fn a_comma_in_a_path_needs_quotes() {
    let engine = engine!();
    let tool = tool(engine);
    tool.file("a,b/in", "there");
    let words = [
        "run",
        "--rm",
        "--mount",
        "type=bind,\"src=./a,b\",dst=/data",
        "busybox",
        "cat",
        "/data/in",
    ];
    tool.run(words).assert(0, "there", "");
}

#[test]
fn temporary_file_systems_have_their_size_and_mode() {
    let engine = engine!();
    let script =
        "for d in /a /b; do stat -c %a $d; df -k $d | awk 'END { print $2 }'; done; cat /b/x";
    let words = [
        "run",
        "--rm",
        "--mount",
        "type=tmpfs,dst=/a,tmpfs-size=1m,tmpfs-mode=0710",
        "--tmpfs",
        "/b:size=2m,mode=755",
        "busybox",
        "sh",
        "-c",
        script,
    ];
    let outcome = tool(engine).run(words);
    outcome.assert_err_contains(1, "710\n1024\n755\n2048\n", "/b/x");
}

#[test]
fn a_volume_is_made_with_its_labels_and_not_copied_into() {
    let engine = engine!();
    let run = |mount: &str| {
        tool(engine).run(["run", "--rm", "--mount", mount, "busybox", "ls", "/bin/sh"])
    };
    // What the image has there is copied into a new volume, unless that is not wanted.
    run("source=mount-copied,target=/bin,volume-label=a=b=c").assert(0, "/bin/sh\n", "");
    let labels = engine.api().get("/volumes/mount-copied").json();
    assert_eq!(labels["Labels"]["a"], "b=c");
    let empty = run("type=volume,source=mount-empty,target=/bin,volume-nocopy");
    assert_eq!(empty.code, Some(127), "{}", empty.err());
}

#[test]
fn what_cannot_be_mounted_creates_nothing() {
    let engine = engine!();
    // Not any path: an engine might make it.
    let directory = tempfile::tempdir().expect("a directory");
    let missing = directory.path().join("missing").display().to_string();
    let minor = api_minor(engine);
    let version = format!(
        "\"--mount volume-subpath\" requires API version 1.45, but the Docker daemon API version is 1.{minor}"
    );
    // An engine that is new enough looks for it in the volume once the container starts.
    let too_old = (minor < 45).then_some(("src=vol,dst=/a,volume-subpath=b", 1, version.as_str()));
    for (mount, code, part) in [
        (
            &*format!("type=bind,src={missing},dst=/a"),
            125,
            &*format!("bind source path does not exist: {missing}"),
        ),
        ("type=ramfs,dst=/a", 125, "mount type unknown"),
        (
            "type=bind,src=/,dst=/a,bind-propagation=some",
            125,
            "invalid propagation mode: some",
        ),
        ("src=v", 125, "field Target must not be empty"),
        (
            "type=bind,src=/,dst=/a,volume-nocopy",
            125,
            "cannot mix 'volume-*' options with mount type 'bind'",
        ),
    ]
    .into_iter()
    .chain(too_old)
    {
        let words = [
            "run",
            "-l",
            "cannot_be_mounted",
            "--mount",
            mount,
            "busybox",
            "true",
        ];
        tool(engine).run(words).assert_err_contains(code, "", part);
    }
    assert!(engine.containers("cannot_be_mounted").is_empty());
}
