//! Load: many containers, much output, many processes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::thread;
use std::time::Duration;

use harness::Running;
use nix::unistd::Pid;

use crate::state::State;
use crate::stepper;

#[test]
fn a_hundred_containers_start_at_once() {
    let Some(state) = State::new("load::a_hundred_containers_start_at_once") else {
        return;
    };
    let script = |number: usize| format!("echo out {number}; echo err {number} >&2; exit {number}");
    let running: Vec<Running> = (0..100)
        .map(|number| {
            let script = script(number);
            let words = [
                "run",
                "--name",
                &format!("c{number}"),
                "--network",
                "none",
                "--rootfs",
            ];
            let words = [&words[..], &[&state.rootfs, "sh", "-c", &script]].concat();
            state.tool.start(state.words(&words))
        })
        .collect();
    for (number, running) in running.into_iter().enumerate() {
        let outcome = running.finish();
        let code = i32::try_from(number).expect("a small number");
        outcome.assert(code, &format!("out {number}\n"), &format!("err {number}\n"));
    }
    let ids = state.ids();
    assert_eq!(
        ids.iter().collect::<std::collections::BTreeSet<_>>().len(),
        100
    );
    assert_eq!(state.check(&ids, &[]), [""; 0]);
    let names: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
    let words: Vec<&str> = ["rm"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .collect();
    state.ok(&words);
    assert_eq!(state.leftovers(&ids), [""; 0].map(std::path::PathBuf::from));
    assert_eq!(state.check(&ids, &[]), [""; 0]);
}

/// What a process has in memory and shares with nobody, in KiB; nothing if it is gone.
fn private_memory(pid: Pid) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let lines = text.lines().filter(|line| line.starts_with("Private_"));
    let sizes: Vec<u64> = lines
        .filter_map(|line| line.split_whitespace().nth(1)?.parse().ok())
        .collect();
    (!sizes.is_empty()).then(|| sizes.iter().sum())
}

#[test]
fn a_gigabyte_of_log_is_rotated() {
    let Some(state) = State::new("load::a_gigabyte_of_log_is_rotated") else {
        return;
    };
    // A line has 1,024 bytes, and begins with its number.
    const LINES: u64 = 1 << 20;
    let padding = "x".repeat(1016);
    let script = format!(
        "awk 'BEGIN {{ for (line = 1; line <= {LINES}; line++) printf \"%07d{padding}\\n\", line }}'"
    );
    let words = ["run", "--detach", "--name", "loud", "--network", "none"];
    let options = ["--log-opt", "max-size=10m", "--log-opt", "max-file=3"];
    let program = ["--rootfs", &state.rootfs, "sh", "-c", &script];
    let id = state.ok(&[&words[..], &options, &program].concat());
    let id = id.trim();
    let monitor = stepper::monitor_of(id);
    let following = state
        .tool
        .start(state.words(&["logs", "--follow", "--tail", "1", "loud"]));
    let first = private_memory(monitor).expect("it runs");
    let directory = state.root.join("containers").join(id);
    let size = || -> (usize, u64) {
        let logs = crate::state::entries(&directory).filter(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            name.contains("json") && name.contains("log")
                || name == "log"
                || name.starts_with("log.")
        });
        let sizes: Vec<u64> = logs
            .filter_map(|path| Some(fs::metadata(path).ok()?.len()))
            .collect();
        (sizes.len(), sizes.iter().sum())
    };
    let (mut most, mut largest, mut files) = (0, first, 0);
    let waiting = thread::scope(|scope| {
        let waiting = scope.spawn(|| state.ok(&["wait", "loud"]));
        while !waiting.is_finished() {
            let (count, bytes) = size();
            (files, most) = (files.max(count), most.max(bytes));
            largest = largest.max(private_memory(monitor).unwrap_or(0));
            thread::sleep(Duration::from_millis(20));
        }
        waiting.join().expect("it waits")
    });
    assert_eq!(waiting, "0\n");
    assert!(files <= 3, "{files} files");
    assert!(most < 32 << 20, "{most} bytes of log");
    assert!(
        largest < first + 4096,
        "the monitor had {first} KiB, and then {largest}"
    );
    // What is kept is the end, without a gap.
    let kept = state.ok(&["logs", "loud"]);
    let numbers: Vec<u64> = kept
        .lines()
        .map(|line| line[..7].parse().expect("a number"))
        .collect();
    assert_eq!(numbers.last(), Some(&LINES));
    assert!(
        numbers.windows(2).all(|two| two[1] == two[0] + 1),
        "lines are missing"
    );
    assert!(numbers.len() > 10_000, "{} lines are kept", numbers.len());
    // Who follows reads on over rotations, in order and to the end.
    let outcome = following.finish();
    assert_eq!(outcome.code, Some(0), "{}", outcome.err());
    let followed: Vec<u64> = outcome
        .out()
        .lines()
        .map(|line| line[..7].parse().expect("a number"))
        .collect();
    assert_eq!(followed.last(), Some(&LINES));
    assert!(
        followed.windows(2).all(|two| two[1] > two[0]),
        "lines come twice or out of order"
    );
    state.ok(&["rm", "loud"]);
    assert_eq!(state.check(&[id.to_owned()], &[]), [""; 0]);
}

#[test]
fn a_fork_bomb_is_held() {
    let Some(state) = State::new("load::a_fork_bomb_is_held") else {
        return;
    };
    let bomb = format!("{}/bin/hostile", state.rootfs);
    fs::write(&bomb, crate::hostile::program()).expect("a file");
    fs::set_permissions(&bomb, fs::Permissions::from_mode(0o755)).expect("a mode");
    let words = [
        "run",
        "--detach",
        "--name",
        "bomb",
        "--network",
        "none",
        "--pids-limit",
        "40",
    ];
    let id = state.ok(&[&words[..], &["--rootfs", &state.rootfs, "hostile", "bomb"]].concat());
    let id = id.trim().to_owned();
    assert_eq!(
        state.ok(&["ps", "--format", "{{.Names}} {{.State}}"]),
        "bomb running\n"
    );
    // There is no room for another process, or there is for a moment. The container goes on in any case.
    for _ in 0..5 {
        let outcome = state.tool(&["exec", "bomb", "true"]);
        assert!(outcome.code.is_some(), "{outcome:?}");
    }
    let status = ["inspect", "--format", "{{.State.Status}}", "bomb"];
    assert_eq!(state.ok(&status), "running\n");
    let limit = state.ok(&["inspect", "--format", "{{.HostConfig.PidsLimit}}", "bomb"]);
    assert_eq!(limit, "40\n");
    state.ok(&["stop", "--time", "1", "bomb"]);
    assert_eq!(
        state.ok(&["inspect", "--format", "{{.State.ExitCode}}", "bomb"]),
        "137\n"
    );
    state.ok(&["start", "bomb"]);
    state.ok(&["rm", "--force", "bomb"]);
    assert_eq!(state.check(std::slice::from_ref(&id), &[]), [""; 0]);
    assert_eq!(
        state.leftovers(&[id]),
        [""; 0].map(std::path::PathBuf::from)
    );
}
