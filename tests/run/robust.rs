//! Much at a time: containers, output, input; and nothing at all for a while.

use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use harness::{BrokenEngine, Reply};
use rustix::net::sockopt::{Timeout, socket_timeout};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::{engine, program, tool, until};

const MIB: usize = 1 << 20;

/// The greatest amount of memory that a process has had, in KiB.
fn peak_memory(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number.and_then(|kib| kib.parse().ok()).expect("a size")
}

/// Reads so many bytes and keeps none.
fn read_exactly(from: &mut impl Read, mut left: usize) {
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let most = left.min(buffer.len());
        let count = from.read(&mut buffer[..most]).expect("a pipe");
        assert_ne!(count, 0, "{left} bytes are missing");
        left -= count;
    }
}

#[test]
fn forty_at_a_time_lose_neither_output_nor_codes() {
    let engine = engine!();
    thread::scope(|scope| {
        let runs: Vec<_> = (0..40)
            .map(|number| {
                scope.spawn(move || {
                    let script = format!(
                        "seq 1 2000 | sed s/^/{number}:/; echo {number} >&2; exit {number}"
                    );
                    tool(engine).run(["run", "--rm", "busybox", "sh", "-c", &script])
                })
            })
            .collect();
        for (number, run) in runs.into_iter().enumerate() {
            let outcome = run.join().expect("a run");
            let lines = (1..=2000).map(|line| format!("{number}:{line}\n"));
            let code = i32::try_from(number).expect("a small number");
            outcome.assert(code, &lines.collect::<String>(), &format!("{number}\n"));
        }
    });
}

#[test]
fn hundreds_of_megabytes_pass_with_flat_memory() {
    let engine = engine!();
    // The log would be larger than the output.
    let words = [
        "run",
        "--rm",
        "-i",
        "--log-driver=none",
        "busybox",
        "sh",
        "-c",
        "head -c 314572800 /dev/zero; head -c 104857600 /dev/zero >&2; read -r x; exit 3",
    ];
    let tool = tool(engine);
    let mut command = tool.command(words);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    read_exactly(child.stdout.as_mut().expect("a pipe"), MIB);
    let first = peak_memory(&child);
    read_exactly(child.stdout.as_mut().expect("a pipe"), 299 * MIB);
    read_exactly(child.stderr.as_mut().expect("a pipe"), 100 * MIB);
    let peak = peak_memory(&child);
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    // What the kernel counts for each thread may have made the first a little too high.
    assert!(
        peak.saturating_sub(first) < 1024,
        "{first} KiB, then {peak} KiB"
    );
}

#[test]
fn megabytes_in_both_directions_at_once_do_not_wait_for_each_other() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "-i",
        "--log-driver=none",
        "busybox",
        "sh",
        "-c",
        // Each of the two alone would fill what is between us and wait for the other.
        "head -c 67108864 /dev/zero & wc -c >&2; wait",
    ];
    let tool = tool(engine);
    let mut command = tool.command(words);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    let writer = thread::spawn(move || {
        let piece = vec![b'x'; MIB];
        for _ in 0..64 {
            input.write_all(&piece).expect("it is read");
        }
    });
    read_exactly(child.stdout.as_mut().expect("a pipe"), MIB);
    let first = peak_memory(&child);
    read_exactly(child.stdout.as_mut().expect("a pipe"), 63 * MIB);
    writer.join().expect("all is written");
    let peak = peak_memory(&child);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "67108864\n");
    // What the kernel counts for each thread may have made the first a little too high.
    assert!(
        peak.saturating_sub(first) < 1024,
        "{first} KiB, then {peak} KiB"
    );
}

#[test]
fn what_is_waited_for_without_end_has_no_time_out() {
    let engine = engine!();
    let label = "without_time_out";
    let tool = tool(engine);
    let mut command = tool.command(["run", "--rm", "-i", "-l", label, "busybox", "cat"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"x").expect("it is read");
    read_exactly(child.stdout.as_mut().expect("a pipe"), 1);
    // The start is answered, and all that is left are the streams and the wait.
    until(|| (!engine.containers(label).is_empty()).then_some(()));
    thread::sleep(Duration::from_millis(500));

    let process = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).expect("it runs");
    let mut sockets = 0;
    let open = std::fs::read_dir(format!("/proc/{}/fd", child.id())).expect("it runs");
    for entry in open.flatten() {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        if !target.to_string_lossy().starts_with("socket:") {
            continue;
        }
        let number = entry
            .file_name()
            .to_string_lossy()
            .parse()
            .expect("a number");
        let socket = pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).expect("we are root");
        for timeout in [Timeout::Recv, Timeout::Send] {
            let limit = socket_timeout(&socket, timeout).expect("a socket");
            // The pool's idle connection counts as well: it is the next request that sets its time-outs.
            assert_eq!(limit, None, "{target:?}");
        }
        sockets += 1;
    }
    assert!(sockets >= 2, "{sockets} connections");
    drop(input);
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_container_that_is_silent_for_longer_than_a_ping_may_take_is_waited_for() {
    // Longer than the two seconds of a ping, and in each of the two long answers before its first byte.
    let quiet = Duration::from_secs(4);
    let id = "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2";
    let engine = BrokenEngine::start(move |request| {
        let target = request.target.split('?').next().unwrap_or_default();
        match target.rsplit('/').next().unwrap_or_default() {
            "create" => {
                thread::sleep(quiet);
                Reply::json(201, &format!("{{\"Id\":\"{id}\",\"Warnings\":[]}}"))
            }
            "attach" => Reply::upgrade(b"\x01\0\0\0\0\0\0\x05hello"),
            "wait" => {
                thread::sleep(quiet);
                Reply::json(200, "{\"StatusCode\":7}")
            }
            _ => Reply::empty(204),
        }
    });
    let tool = program().with_env("DOCKER_HOST", engine.host());
    tool.run(["run", "--rm", "x"]).assert(7, "hello", "");
}
