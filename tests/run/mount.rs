//! `--mount`, `--tmpfs`

use std::os::unix::fs::PermissionsExt;

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

#[test]
fn a_temporary_file_system_has_the_mode_of_what_it_lies_over() {
    let engine = engine!();
    let script = "stat -c %a /root /dir/closed /new /given";
    let tool = tool(engine);
    tool.file("dir/closed/file", "");
    let closed = tool.directory().join("dir/closed");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o750)).expect("a mode");
    let bind = format!("{}/dir:/dir", tool.directory().display());
    let words = [
        "run",
        "--rm",
        "-v",
        &bind,
        "--tmpfs",
        "/dir/closed",
        "--tmpfs",
        "/new",
        "--tmpfs",
        "/given:mode=711",
        "--mount",
        "type=tmpfs,dst=/root",
        "busybox",
        "sh",
        "-c",
        script,
    ];
    let root = tool.run(["run", "--rm", "busybox", "stat", "-c", "%a", "/root"]);
    let expected = format!("{}750\n1777\n711\n", root.out());
    tool.run(words).assert(0, &expected, "");
}

#[test]
fn a_temporary_file_system_needs_an_absolute_path() {
    let engine = engine!();
    let outcome = tool(engine).run(["run", "--rm", "--tmpfs", "rel", "busybox", "true"]);
    outcome.assert_err_contains(125, "", "absolute");
    assert!(outcome.err().contains("rel"), "{}", outcome.err());
}

#[test]
fn the_machines_cgroups_show_where_they_are_bound() {
    let engine = engine!();
    let place = std::path::Path::new("/sys/fs/cgroup");
    let mut names: Vec<String> = std::fs::read_dir(place)
        .expect("cgroups")
        .map(|entry| {
            entry
                .expect("a name")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    let expected: String = names.iter().map(|name| format!("{name}\n")).collect();
    for (bind, shown) in [
        ("/sys/fs/cgroup:/seen:ro", "/seen"),
        ("/sys:/seen:ro", "/seen/fs/cgroup"),
        ("/sys/fs/cgroup:/sys/fs/cgroup:ro", "/sys/fs/cgroup"),
    ] {
        let words = ["run", "--rm", "-v", bind, "busybox", "ls", "-a", shown];
        let seen = tool(engine).run(words);
        let rest = seen.out().replacen(".\n..\n", "", 1);
        assert_eq!(
            (seen.code, &*rest),
            (Some(0), &*expected),
            "{bind}: {seen:?}"
        );
    }
    let part = place.join(&names[0]);
    if part.is_dir() {
        let bind = format!("{}:/seen:ro", part.display());
        let words = [
            "run",
            "--rm",
            "-v",
            &bind,
            "busybox",
            "test",
            "-e",
            "/seen/cgroup.procs",
        ];
        tool(engine).run(words).assert(0, "", "");
    }
}

#[test]
fn sharing_takes_a_mount_that_is_shared() {
    let engine = engine!();
    let tool = tool(engine);
    tool.file("data/file", "");
    let text = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let below = tool.directory().to_owned();
    let above = text
        .lines()
        .filter_map(|line| Some((line.split(' ').nth(4)?, line)))
        .filter(|(place, _)| below.starts_with(place))
        .max_by_key(|(place, _)| place.len());
    let (place, line) = above.expect("a mount");
    if line.contains(" shared:") || line.contains(" master:") {
        harness::left_out::<()>(
            "mount::sharing_takes_a_mount_that_is_shared",
            "a machine whose mounts are private",
        );
        return;
    }
    for (propagation, what) in [("rshared", "shared"), ("rslave", "shared or slave")] {
        let source = format!("{}/data", below.display());
        let bind = format!("{source}:/data:{propagation}");
        let outcome = tool.run(["run", "--rm", "-v", &bind, "busybox", "true"]);
        let message = format!("path {source} is mounted on {place} but it is not a {what} mount");
        outcome.assert_err_contains(125, "", &message);
    }
}

#[test]
fn nothing_is_mounted_over_processes() {
    let engine = engine!();
    let tool = tool(engine);
    tool.file("data/file", "");
    for (place, why) in [
        ("/proc", "it is not of type proc"),
        ("/proc/own", "it is inside /proc"),
    ] {
        let bind = format!("{}/data:{place}", tool.directory().display());
        let outcome = tool.run(["run", "--rm", "-v", &bind, "busybox", "true"]);
        outcome.assert_err_contains(125, "", &format!("cannot be mounted because {why}"));
    }
}

#[test]
fn a_temporary_file_system_is_shared_if_that_is_asked_for() {
    let engine = engine!();
    // A shared mount has a number of its peers, which an unbindable one has not.
    let script = "sed -n 's, / /x [^ ]* \\(.*\\)- tmpfs .*,[\\1],p' /proc/self/mountinfo | sed 's/.*\\[/[/; s/:[0-9]*//'";
    for (options, fields) in [
        ("/x", "[]"),
        ("/x:size=1m,private", "[]"),
        ("/x:slave", "[]"),
        ("/x:shared", "[shared ]"),
        ("/x:rshared,ro", "[shared ]"),
        ("/x:unbindable", "[unbindable ]"),
    ] {
        let words = [
            "run", "--rm", "--tmpfs", options, "busybox", "sh", "-c", script,
        ];
        tool(engine)
            .run(words)
            .assert(0, &format!("{fields}\n"), "");
    }
}
