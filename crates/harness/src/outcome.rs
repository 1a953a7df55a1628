//! The outcome of a program: status, standard output, standard error.

use std::time::Duration;

/// How long a program under test may take for anything: far beyond what any needs, so that only a hang reaches it.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// What a program left: its status and all it wrote.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output; empty if it went elsewhere.
    pub stdout: Vec<u8>,
    /// Standard error; empty if it went elsewhere.
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
    ///
    /// # Panics
    /// If any of them differs.
    #[track_caller]
    pub fn assert(&self, code: i32, out: &str, err: &str) {
        let seen = (self.code, self.out(), self.err());
        assert_eq!(
            seen,
            (Some(code), out.to_owned(), err.to_owned()),
            "(status, stdout, stderr)"
        );
    }

    /// Compares the status and standard output, and looks for a part of standard error.
    ///
    /// # Panics
    /// If any of them differs.
    #[track_caller]
    pub fn assert_err_contains(&self, code: i32, out: &str, part: &str) {
        let seen = (self.code, self.out());
        assert_eq!(
            seen,
            (Some(code), out.to_owned()),
            "(status, stdout), with stderr {:?}",
            self.err()
        );
        assert!(
            self.err().contains(part),
            "{part:?} is not in {:?}",
            self.err()
        );
    }
}
