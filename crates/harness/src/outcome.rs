//! Running a program to its end, never longer than a test may take.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a program under test may run: far beyond what any takes, so that only a hang reaches it.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// What a program left: its status and all it wrote.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Outcome {
    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Compares all three at once, so that a failure shows all three.
    #[track_caller]
    pub fn assert(&self, code: i32, out: &str, err: &str) {
        let seen = (self.code, self.out(), self.err());
        assert_eq!(
            seen,
            (Some(code), out.to_owned(), err.to_owned()),
            "(status, stdout, stderr)"
        );
    }
}

/// Runs a command with these bytes as standard input.
///
/// # Panics
/// If it cannot be started, or still runs after [`TIMEOUT`].
#[track_caller]
pub fn run(command: &mut Command, input: &[u8]) -> Outcome {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    let input = input.to_owned();
    // The program may leave without reading all of it, which is its own business.
    thread::spawn(move || drop(stdin.write_all(&input)));
    finish(child, &format!("{command:?}"))
}

/// Waits for a child whose outputs are pipes, or not its own at all; kills it when it takes too long.
#[track_caller]
fn finish(mut child: Child, name: &str) -> Outcome {
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let status = wait(&mut child);
    // A grandchild may hold the pipes open; what the program itself wrote has come by then.
    let bytes =
        |receiver: mpsc::Receiver<Vec<u8>>| receiver.recv_timeout(TIMEOUT).unwrap_or_default();
    let (stdout, stderr) = (bytes(stdout), bytes(stderr));
    let outcome = Outcome {
        code: status.and_then(|status| status.code()),
        stdout,
        stderr,
    };
    assert!(
        status.is_some(),
        "{name} did not end; it wrote {:?} and {:?}",
        outcome.out(),
        outcome.err()
    );
    outcome
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

/// Waits for a child for at most [`TIMEOUT`]; `None` if it had to be killed.
pub fn wait(child: &mut Child) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if start.elapsed() > TIMEOUT {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}
