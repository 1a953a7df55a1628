//! Initializers in real processes. There is no test harness: the program that is started again is this one, and
//! `init` has to come before everything else in its `main`.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use reexec::{Error, Initializer};

const SIGKILL: i32 = 9;
const SIGUSR1: i32 = 10;

reexec::submit! { Initializer::new("test-arguments", print_arguments) }
reexec::submit! { Initializer::new("test-sleep", |_| sleep()) }
reexec::submit! { Initializer::new("test-parent", |_| parent(true)) }
reexec::submit! { Initializer::new("test-careless-parent", |_| parent(false)) }
reexec::submit! { Initializer::new("test-twice", |_| 0) }
reexec::submit! { Initializer::new("test-twice", |_| 0) }

/// Prints its arguments, each in brackets, and returns how many there were.
fn print_arguments(arguments: &[OsString]) -> u8 {
    let mut out = std::io::stdout();
    for argument in arguments {
        let _ = out.write_all(&[b"[", argument.as_bytes(), b"]"].concat());
    }
    u8::try_from(arguments.len()).unwrap_or(u8::MAX)
}

/// Prints its process id, and waits to be killed.
fn sleep() -> u8 {
    println!("{}", std::process::id());
    thread::sleep(Duration::from_secs(600));
    0
}

/// Starts a child that holds its standard output, and waits to be killed.
fn parent(with_signal: bool) -> u8 {
    let mut command = reexec::command("test-sleep").expect("an initializer may start another");
    if with_signal {
        command.parent_death_signal(SIGKILL);
    }
    let mut child = command.spawn().expect("start the child");
    let _ = child.wait();
    0
}

fn main() -> ExitCode {
    let early = reexec::command("test-arguments");
    reexec::init();
    let tests: &[(&str, &dyn Fn())] = &[
        ("a_command_needs_init", &|| a_command_needs_init(&early)),
        ("arguments_and_status_pass", &arguments_and_status_pass),
        ("an_unknown_name_is_an_error", &an_unknown_name_is_an_error),
        ("a_name_is_compared_whole", &a_name_is_compared_whole),
        ("two_of_a_name_are_an_error", &two_of_a_name_are_an_error),
        (
            "a_child_dies_with_its_parent",
            &a_child_dies_with_its_parent,
        ),
        (
            "without_the_signal_it_lives_on",
            &without_the_signal_it_lives_on,
        ),
        ("the_parent_is_a_thread", &the_parent_is_a_thread),
        (
            "an_impossible_signal_is_an_error",
            &an_impossible_signal_is_an_error,
        ),
    ];
    // Test runners list the tests and pass filters; this program knows as much of that as they need.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in tests {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let filters: Vec<&String> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    for (name, test) in tests {
        if filters.is_empty() || filters.iter().any(|filter| name.contains(&**filter)) {
            test();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

fn a_command_needs_init(early: &Result<reexec::Command, Error>) {
    let error = early.as_ref().expect_err("init had not run");
    assert_eq!(
        *error,
        Error::NotInitialized {
            name: "test-arguments".into()
        }
    );
    assert_eq!(
        error.to_string(),
        "cannot start initializer \"test-arguments\": reexec::init was not called in this process"
    );
}

fn arguments_and_status_pass() {
    let output = reexec::command("test-arguments")
        .expect("a known name")
        .args([
            OsStr::new("a b"),
            OsStr::new(""),
            OsStr::from_bytes(b"\xff"),
        ])
        .output()
        .expect("start");
    assert_eq!(output.stdout, b"[a b][][\xff]");
    assert_eq!(output.status.code(), Some(3));
}

fn an_unknown_name_is_an_error() {
    let error = reexec::command("test-nobody").expect_err("an unknown name");
    assert_eq!(error.to_string(), "no initializer is named \"test-nobody\"");
}

fn a_name_is_compared_whole() {
    for name in ["test-argument", "/bin/test-arguments", "TEST-ARGUMENTS", ""] {
        assert!(
            matches!(reexec::command(name), Err(Error::Unknown { .. })),
            "{name}"
        );
    }
    // Under a name like that, `main` goes on.
    let output = Command::new("/proc/self/exe")
        .arg0("/bin/test-arguments")
        .arg("--list")
        .output()
        .expect("start");
    assert!(String::from_utf8_lossy(&output.stdout).contains("a_name_is_compared_whole: test"));
}

fn two_of_a_name_are_an_error() {
    let error = reexec::command("test-twice").expect_err("an ambiguous name");
    let Error::Duplicate { locations, .. } = &error else {
        panic!("{error}");
    };
    assert_ne!(locations[0].line(), locations[1].line());
    let output = Command::new("/proc/self/exe")
        .arg0("test-twice")
        .output()
        .expect("start");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.starts_with("reexec: two initializers are named \"test-twice\": at "));
    assert_eq!(text.matches("tests/reexec.rs:").count(), 2, "{text}");
}

/// Starts `name`, which starts a sleeper, and returns both: the sleeper as its process id and the pipe it holds open.
fn start_parent(name: &str) -> (Child, i32, impl Read + Send + use<>) {
    let mut parent = reexec::command(name)
        .expect("a known name")
        .stdout(Stdio::piped())
        .spawn()
        .expect("start the parent");
    let mut out = BufReader::new(parent.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("read the child's id");
    (parent, line.trim().parse().expect("a number"), out)
}

fn a_child_dies_with_its_parent() {
    let (mut parent, _, mut out) = start_parent("test-parent");
    parent.kill().expect("kill the parent");
    parent.wait().expect("reap the parent");
    // The end of the pipe is the child's end, for nobody else holds it.
    assert!(ends_within(Duration::from_secs(10), move || {
        out.read_to_end(&mut Vec::new()).expect("read to the end");
    }));
}

fn without_the_signal_it_lives_on() {
    let (mut parent, child, mut out) = start_parent("test-careless-parent");
    parent.kill().expect("kill the parent");
    parent.wait().expect("reap the parent");
    thread::sleep(Duration::from_millis(100));
    let child = rustix::process::Pid::from_raw(child).expect("a process id");
    rustix::process::kill_process(child, rustix::process::Signal::KILL).expect("it lives");
    assert!(ends_within(Duration::from_secs(10), move || {
        out.read_to_end(&mut Vec::new()).expect("read to the end");
    }));
}

fn the_parent_is_a_thread() {
    let mut child = thread::spawn(|| {
        let mut command = reexec::command("test-sleep").expect("a known name");
        command.parent_death_signal(SIGUSR1).stdout(Stdio::null());
        command.spawn().expect("start")
    })
    .join()
    .expect("spawn on a thread");
    let status = child.wait().expect("wait");
    assert_eq!(status.signal(), Some(SIGUSR1));
}

fn an_impossible_signal_is_an_error() {
    for signal in [0, -1, 4711] {
        let error = reexec::command("test-sleep")
            .expect("a known name")
            .parent_death_signal(signal)
            .spawn()
            .expect_err("no such signal");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
}

fn ends_within(time: Duration, work: impl FnOnce() + Send + 'static) -> bool {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        work();
        let _ = done.send(());
    });
    ended.recv_timeout(time).is_ok()
}
