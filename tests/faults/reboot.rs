//! The machine goes down and comes up again: no process is there any more, nor what lay in memory, and the boot has another
//! number. What ran is shown as ended, and `engine restore` starts what shall run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use harness::{Image, Program};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::state::{State, entries, until};
use crate::stepper;

/// Every process of this engine ends at once, and what lay in memory is gone. From now on the boot is another one.
fn reboot(state: &mut State) {
    let ids = state.ids();
    // They would tell of the end of the others.
    let monitors = stepper::monitors(&state.root);
    let end = |pids: &[Pid]| {
        for &pid in pids {
            // It may have been about to go.
            let _ = kill(pid, Signal::SIGKILL);
        }
        assert!(until(|| !pids.iter().any(|&pid| stepper::is_there(pid))));
    };
    end(&monitors);
    for group in state.groups(&ids) {
        let list = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
        let pids: Vec<Pid> = list
            .lines()
            .filter_map(|line| line.parse().ok().map(Pid::from_raw))
            .collect();
        end(&pids);
        assert!(until(|| fs::remove_dir(&group).is_ok() || !group.exists()));
    }
    fs::remove_dir_all(&state.run).expect("a runtime directory");
    let other = state
        .tool
        .file("boot_id", "01234567-89ab-cdef-0123-456789abcdef\n");
    let script = format!(
        "#!/bin/sh\nexec unshare --mount sh -c 'mount --bind {} /proc/sys/kernel/random/boot_id && exec {} \"$@\"' sh \"$@\"\n",
        other.display(),
        env!("CARGO_BIN_EXE_tool")
    );
    let script = state.tool.file("tool", script);
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("a mode");
    let before = std::mem::replace(&mut state.tool, Program::new(script));
    state.kept.push(before);
}

/// What a container noted at each start, in its own files and in its volume.
fn lines(state: &State, name: &str) -> String {
    state.ok(&["exec", name, "cat", "/own", "/data/own"])
}

#[test]
fn what_ran_has_ended_and_starts_again_by_its_policy() {
    let test = "reboot::what_ran_has_ended_and_starts_again_by_its_policy";
    let Some(mut state) = State::new(test) else {
        return;
    };
    let archive = Image::busybox().archive("box:latest");
    let loaded = state.tool.run_with(state.words(&["load"]), archive);
    assert_eq!(loaded.code, Some(0), "{}", loaded.err());
    let is_synced = |layer: std::path::PathBuf| layer.join("synced").exists();
    assert!(until(|| entries(&state.root.join("layers")).any(is_synced)));

    let run = |name: &str, options: &[&str], script: &str| {
        let words = ["run", "--detach", "--name", name];
        let words = [&words[..], options, &["box", "sh", "-c", script]].concat();
        state.ok(&words);
    };
    // Each start leaves a line, in the container and in its volume.
    let forever =
        "echo line >>/own; echo line >>/data/own; trap 'exit 3' TERM; while :; do sleep 0.05; done";
    let alone = ["--network", "none", "--volume", "/data"];
    let with = |policy| [&alone[..], &["--restart", policy]].concat();
    run("no", &alone, forever);
    run("always", &with("always"), forever);
    run("always-stopped", &with("always"), forever);
    run("unless", &with("unless-stopped"), forever);
    run("unless-stopped", &with("unless-stopped"), forever);
    run("failure", &with("on-failure"), forever);
    run("failure-well", &with("on-failure"), "exit 0");
    run("passing", &[&alone[..], &["--rm"]].concat(), forever);
    run("failing", &with("always"), "exit 5");
    run(
        "connected",
        &[
            "--restart",
            "always",
            "--publish",
            "127.0.0.1::80",
            "--volume",
            "/data",
        ],
        forever,
    );
    let words = [
        &["container", "run", "--name", "ended", "--network", "none"][..],
        &["box", "sh", "-c", "exit 4"],
    ]
    .concat();
    assert_eq!(state.tool(&words).code, Some(4));
    for name in ["always-stopped", "unless-stopped"] {
        state.ok(&["stop", name]);
    }
    for name in ["no", "always", "unless", "failure", "passing", "connected"] {
        assert!(until(|| lines(&state, name) == "line\nline\n"), "{name}");
    }
    assert!(until(|| state.ok(&["wait", "failure-well"]) == "0\n"));
    assert_eq!(state.check(&[], &[]), [""; 0]);

    reboot(&mut state);
    let list = || {
        let format = "{{.Names}} {{.State}}";
        let listed = state.ok(&["ps", "--all", "--format", format]);
        let mut lines: Vec<String> = listed.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let seen = |name: &str| {
        let format = "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}";
        state.ok(&["inspect", "--format", format, name])
    };
    // The first look removes what nobody shall see again.
    list();
    assert!(
        until(|| {
            list()
                == [
                    "always exited",
                    "always-stopped exited",
                    "connected exited",
                    "ended exited",
                    "failing exited",
                    "failure exited",
                    "failure-well exited",
                    "no exited",
                    "unless exited",
                    "unless-stopped exited",
                ]
        }),
        "{:?}",
        list()
    );
    let sentence =
        "exited 255 the machine went down while the container ran, so its exit code is unknown\n";
    for name in ["no", "always", "unless", "failure", "connected", "failing"] {
        assert_eq!(seen(name), sentence, "{name}");
    }
    assert_eq!(seen("unless-stopped"), "exited 3 \n");
    assert_eq!(seen("always-stopped"), "exited 3 \n");
    assert_eq!(seen("failure-well"), "exited 0 \n");
    assert_eq!(seen("ended"), "exited 4 \n");
    // Nothing starts by itself.
    thread::sleep(Duration::from_millis(300));
    assert_eq!(state.ok(&["ps", "--quiet"]), "");
    assert_eq!(state.check(&[], &[]), [""; 0]);

    let mut restored: Vec<String> = state
        .ok(&["engine", "restore"])
        .lines()
        .map(str::to_owned)
        .collect();
    restored.sort();
    let started = [
        "always",
        "always-stopped",
        "connected",
        "failing",
        "failure",
        "unless",
    ];
    assert_eq!(restored, started);
    for name in ["always", "always-stopped", "connected", "failure", "unless"] {
        assert!(
            until(|| lines(&state, name) == "line\nline\nline\nline\n"),
            "{name}"
        );
        assert_eq!(seen(name), "running 0 \n", "{name}");
    }
    for name in ["no", "unless-stopped", "failure-well", "ended"] {
        assert!(seen(name).starts_with("exited "), "{name}");
    }
    // A second time finds nothing to do.
    assert!(until(|| state.ok(&["engine", "restore"]).is_empty()));
    assert_eq!(state.check(&[], &[]), [""; 0]);
    let ids = state.ids();
    let all = [
        "always",
        "always-stopped",
        "connected",
        "failing",
        "failure",
        "unless",
        "no",
        "unless-stopped",
        "failure-well",
        "ended",
    ];
    state.ok(&[&["rm", "--force", "--volumes"], &all[..]].concat());
    assert!(
        until(|| state.leftovers(&ids).is_empty()),
        "{:?}",
        state.leftovers(&ids)
    );
    assert_eq!(state.check(&ids, &[]), [""; 0]);
}

#[test]
fn what_was_not_on_the_disk_of_an_image_is_not_run() {
    let Some(mut state) = State::new("reboot::what_was_not_on_the_disk_of_an_image_is_not_run")
    else {
        return;
    };
    let load = |state: &State| {
        let archive = Image::busybox().archive("box:latest");
        let loaded = state.tool.run_with(state.words(&["load"]), archive);
        assert_eq!(loaded.code, Some(0), "{}", loaded.err());
    };
    load(&state);
    let words = ["run", "--name", "kept", "--network", "none", "box"];
    let outcome = state.tool(&[&words[..], &["echo", "hello"]].concat());
    outcome.assert(0, "hello\n", "");

    // The power goes before the layer is marked: some of it may be lost.
    let marks = || entries(&state.root.join("layers")).map(|layer| layer.join("synced"));
    assert!(until(|| marks().any(|mark| mark.exists())));
    for mark in marks().filter(|mark| mark.exists()) {
        fs::remove_file(mark).expect("a mark");
    }
    reboot(&mut state);
    let sentence = "the machine went down before all of image box was on the disk, so files of this container may be \
                    lost: pull the image again, and start the container then";
    let outcome = state.tool(&["start", "--attach", "kept"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.err().contains(sentence), "{outcome:?}");
    // It is as good as not here.
    let words = ["run", "--pull", "never", "--network", "none", "box"];
    let outcome = state.tool(&words);
    assert_eq!(outcome.code, Some(125), "{outcome:?}");
    assert!(
        outcome.err().contains("No such image: box:latest"),
        "{outcome:?}"
    );
    load(&state);
    state
        .tool(&["start", "--attach", "kept"])
        .assert(0, "hello\n", "");
}
