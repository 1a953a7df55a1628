//! Load and silence: many containers, much output and input, and long pauses.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harness::{BrokenEngine, Reply};
use rustix::net::sockopt::{Timeout, socket_timeout};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use crate::{engine, program, tool, until};

const MIB: usize = 1 << 20;

/// How long many processes at once may take: several times what a small machine takes that does other things too.
const LONGEST: Duration = Duration::from_secs(600);

/// The greatest amount of memory that a client may have, in KiB.
const LARGEST: u64 = 10 * 1024;

/// The greatest amount of memory that a process has had, in KiB.
fn peak_memory(child: &Child) -> u64 {
    memory(child, "VmHWM:")
}

/// What the kernel counts under this name, in KiB.
fn memory(child: &Child, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
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

/// Waits for a process that is given `LONGEST` from `start` on.
fn wait(child: &mut Child, start: Instant) -> ExitStatus {
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status;
        }
        if start.elapsed() > LONGEST {
            // What it is doing is for whoever looks into this; it must not stay.
            let _ = child.kill();
            panic!("{} runs on", child.id());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn two_hundred_at_a_time_lose_neither_output_nor_codes() {
    const LINES: usize = 500;
    let engine = engine!();
    let tool = tool(engine);
    let start = Instant::now();
    let file = |number: usize, stream: &str| {
        let path = tool.directory().join(format!("{number}.{stream}"));
        File::create(&path).expect("a file");
        path
    };
    // All of them run before the first is waited for; what they print goes to files, so that nobody here has to read.
    let mut runs: Vec<(Child, PathBuf, PathBuf)> = (0..200)
        .map(|number| {
            let script =
                format!("seq 1 {LINES} | sed s/^/{number}:/; echo {number} >&2; exit {number}");
            let words = [
                "run",
                "--rm",
                "--network",
                "none",
                "busybox",
                "sh",
                "-c",
                &script,
            ];
            let (out, err) = (file(number, "out"), file(number, "err"));
            let open = |path: &Path| File::options().write(true).open(path).expect("a file");
            let child = tool
                .command(words)
                .stdin(Stdio::null())
                .stdout(open(&out))
                .stderr(open(&err))
                .spawn()
                .expect("it starts");
            (child, out, err)
        })
        .collect();
    let read = |path: &Path| std::fs::read_to_string(path).expect("text");
    let outcomes: Vec<_> = runs
        .iter_mut()
        .map(|(child, out, err)| (wait(child, start).code(), read(out), read(err)))
        .collect();
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let lines = (1..=LINES).map(|line| format!("{number}:{line}\n"));
        let code = i32::try_from(number).expect("a small number");
        let expected = (Some(code), lines.collect(), format!("{number}\n"));
        assert_eq!(outcome, expected);
    }
}

#[test]
fn a_gigabyte_passes_whole_with_flat_memory() {
    const PIECE: &str = "0123456789abcdef\n";
    const GIB: usize = 1 << 30;
    let engine = engine!();
    // The log would be larger than the output. Lines of seventeen bytes come out of step with every buffer on the way, so
    // what is lost, doubled or swapped shows. It ends when its input does, so that its client is there to be measured.
    let script = format!("yes 0123456789abcdef | head -c {GIB}; echo all >&2; cat; exit 3");
    let words = [
        "run",
        "--rm",
        "-i",
        "--log-driver=none",
        "busybox",
        "sh",
        "-c",
        &script,
    ];
    let tool = tool(engine);
    let mut command = tool.command(words);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut output = child.stdout.take().expect("a pipe");
    // A whole number of lines and then some, so that any offset into one finds what a piece must be.
    let expected = PIECE.repeat(64 * 1024 / PIECE.len() + 2);
    let mut buffer = vec![0; 64 * 1024];
    let (mut seen, mut first) = (0, 0);
    loop {
        let count = output.read(&mut buffer).expect("a pipe");
        if count == 0 {
            break;
        }
        let from = seen % PIECE.len();
        let is_right = buffer[..count] == expected.as_bytes()[from..from + count];
        assert!(is_right, "the output differs behind byte {seen}");
        if seen < MIB && seen + count >= MIB {
            first = peak_memory(&child);
        }
        seen += count;
        if seen == GIB {
            break;
        }
    }
    assert_eq!(seen, GIB);
    let peak = peak_memory(&child);
    let program = memory(&child, "RssFile:");
    drop(child.stdin.take());
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("a pipe");
    let mut errors = String::new();
    let mut from = child.stderr.take().expect("a pipe");
    from.read_to_string(&mut errors).expect("a pipe");
    assert_eq!((rest.as_str(), errors.as_str()), ("", "all\n"));
    assert_eq!(child.wait().expect("it ends").code(), Some(3));
    assert!(peak - first < 1024, "{first} KiB, then {peak} KiB");
    // Of a program that is built for tests the part that is mapped from its file alone may be larger than this; the table
    // of performance has the whole of the one for users.
    assert!(
        peak - program < LARGEST,
        "{peak} KiB, {program} of its file"
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
    read_exactly(child.stdout.as_mut().expect("a pipe"), 61 * MIB);
    // It cannot end before the rest is read, of which little fits in between.
    let peak = peak_memory(&child);
    read_exactly(child.stdout.as_mut().expect("a pipe"), 2 * MIB);
    writer.join().expect("all is written");
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
