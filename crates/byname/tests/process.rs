//! A dispatcher as a program of its own: real pipes, a full disk, and the panic hook. This test starts itself.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command as Process, ExitCode, Output, Stdio};

use byname::{Context, Dispatcher, ExitStatus, RawWords};

/// Set for the child, which is then the program under test.
const CHILD: &str = "BYNAME_TEST_CHILD";

/// Print lines without end
#[byname::command("flood")]
fn flood(cx: &mut Context) -> anyhow::Result<ExitStatus> {
    loop {
        writeln!(cx.out(), "a line")?;
    }
}

/// Print with `print!`, which holds back what has no line end
#[byname::command("print")]
fn print(_: &mut Context) -> anyhow::Result<ExitStatus> {
    print!("held back");
    Ok(ExitStatus::Success)
}

/// Print one line
#[byname::command("hello")]
fn hello(cx: &mut Context) -> anyhow::Result<()> {
    writeln!(cx.out(), "hello")?;
    Ok(())
}

/// Panic in the handler, or in a thread of it
#[byname::command("panic")]
fn panics(_: &mut Context, RawWords(words): RawWords) -> anyhow::Result<ExitStatus> {
    if words.is_empty() {
        panic!("the handler's panic");
    }
    let joined = std::thread::spawn(|| panic!("the thread's panic")).join();
    anyhow::ensure!(joined.is_ok(), "the thread is gone");
    Ok(ExitStatus::Success)
}

/// Read one line and leave the rest to a child process
#[byname::command("line")]
fn line(cx: &mut Context) -> anyhow::Result<()> {
    let mut byte = [0];
    while std::io::Read::read(cx.input(), &mut byte)? == 1 && byte != *b"\n" {}
    Process::new("cat").status()?;
    Ok(())
}

/// End with a status
#[byname::command("status")]
fn status(_: &mut Context, RawWords(words): RawWords) -> anyhow::Result<ExitStatus> {
    let code = words[0].to_string_lossy().parse()?;
    Ok(ExitStatus::from_code(code))
}

fn tool(words: &[&str]) -> Process {
    let mut process = Process::new(std::env::current_exe().expect("this test has a path"));
    process
        .args(words)
        .env_clear()
        .env(CHILD, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    process
}

fn run(words: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = tool(words).output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    (
        status.code().expect("it ends by itself"),
        text(stdout),
        text(stderr),
    )
}

fn a_closed_output_is_quiet() {
    let mut child: Child = tool(&["flood"]).spawn().expect("it starts");
    let mut line = String::new();
    // The reader is dropped after one line, as `head -1` would.
    BufReader::new(child.stdout.take().expect("it is piped"))
        .read_line(&mut line)
        .expect("it writes");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(line, "a line\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(128 + 13));
}

fn a_status_is_the_processes() {
    assert_eq!(run(&["status", "0"]).0, 0);
    assert_eq!(run(&["status", "125"]).0, 125);
    assert_eq!(run(&["nope"]).0, 2);
    assert_eq!(run(&["hello"]), (0, "hello\n".to_owned(), String::new()));
    assert_eq!(run(&["print"]), (0, "held back".to_owned(), String::new()));
}

fn a_panic_is_told_once_with_its_place() {
    let (code, stdout, stderr) = run(&["panic"]);
    assert_eq!((code, stdout.as_str()), (101, ""));
    assert_eq!(stderr.matches("the handler's panic").count(), 1, "{stderr}");
    assert!(
        stderr
            .starts_with("Error: command 'panic' panicked: the handler's panic\n\nIt happened at "),
        "{stderr}"
    );
    assert!(stderr.contains("process.rs:"), "{stderr}");
    assert!(
        !stderr.contains("stack backtrace") && !stderr.contains("thread '"),
        "{stderr}"
    );

    let traced = tool(&["panic"])
        .env("RUST_BACKTRACE", "1")
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&traced.stderr).into_owned();
    assert!(
        stderr.contains("process::panics") || stderr.contains("std::panicking"),
        "{stderr}"
    );
}

fn a_panic_in_another_thread_keeps_the_usual_text() {
    let (code, _, stderr) = run(&["panic", "in", "a", "thread"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("the thread's panic"), "{stderr}");
    assert!(stderr.ends_with("Error: the thread is gone\n"), "{stderr}");
}

fn input_is_not_read_ahead() {
    let mut child = tool(&["line"])
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    child
        .stdin
        .take()
        .expect("it is piped")
        .write_all(b"first\nsecond\n")
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "second\n",
        "{:?}",
        output
    );
}

#[cfg(target_os = "linux")]
fn a_full_disk_is_told() {
    for words in [["hello"], ["print"], ["help"]] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("Linux has it");
        let output = tool(&words).stdout(full).output().expect("it starts");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            stderr.starts_with("Error: ") && stderr.contains("No space left on device"),
            "{words:?}: {stderr}"
        );
        assert_eq!(stderr.matches("Error").count(), 1, "{stderr}");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
    }
}

fn main() -> ExitCode {
    if std::env::var_os(CHILD).is_some() {
        return Dispatcher::builder("tool").build().main();
    }
    a_closed_output_is_quiet();
    a_status_is_the_processes();
    a_panic_is_told_once_with_its_place();
    a_panic_in_another_thread_keeps_the_usual_text();
    input_is_not_read_ahead();
    #[cfg(target_os = "linux")]
    a_full_disk_is_told();
    println!("process: all passed");
    ExitCode::SUCCESS
}
