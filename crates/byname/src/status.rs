//! How a command ended. A status keeps its meaning until `main` turns it into a number.

use std::fmt;
use std::process::ExitCode;

/// The status with which a command ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ExitStatus {
    /// It did what was asked: 0.
    #[default]
    Success,
    /// It failed: 1.
    Failure,
    /// It was called wrongly: 2.
    Usage,
    /// A status with a meaning of its own, such as that of a program which the command ran.
    Code(u8),
    /// Ended as by this signal: 128 and the signal's number, as a shell reports it.
    Signal(u8),
}

impl ExitStatus {
    /// The number that the process ends with.
    ///
    /// ```
    /// use byname::ExitStatus;
    ///
    /// assert_eq!(ExitStatus::Usage.code(), 2);
    /// assert_eq!(ExitStatus::Signal(13).code(), 141);
    /// ```
    pub const fn code(self) -> u8 {
        match self {
            ExitStatus::Success => 0,
            ExitStatus::Failure => 1,
            ExitStatus::Usage => 2,
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => signal.saturating_add(128),
        }
    }

    /// The status of something else's exit code: 0 is success, and any other is passed on as [`ExitStatus::Code`].
    ///
    /// A process can report eight bits, so a code outside of 0 to 255 keeps its low ones. Where these are zero the
    /// status is [`ExitStatus::Failure`]: what failed never looks like success.
    ///
    /// ```
    /// use byname::ExitStatus;
    ///
    /// assert_eq!(ExitStatus::from_code(0), ExitStatus::Success);
    /// assert_eq!(ExitStatus::from_code(137), ExitStatus::Code(137));
    /// assert_eq!(ExitStatus::from_code(-1), ExitStatus::Code(255));
    /// assert_eq!(ExitStatus::from_code(256), ExitStatus::Failure);
    /// ```
    pub const fn from_code(code: i64) -> ExitStatus {
        match (code, code.to_le_bytes()[0]) {
            (0, _) => ExitStatus::Success,
            (_, 0) => ExitStatus::Failure,
            (_, low) => ExitStatus::Code(low),
        }
    }

    /// Whether the process ends with 0.
    pub const fn is_success(self) -> bool {
        self.code() == 0
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> ExitCode {
        ExitCode::from(status.code())
    }
}

/// As a person would say it: `exit status 125`, `signal 13`.
impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitStatus::Signal(signal) => write!(f, "signal {signal}"),
            other => write!(f, "exit status {}", other.code()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_never_wraps_round_to_success() {
        assert_eq!(ExitStatus::Signal(255).code(), 255);
    }

    #[test]
    fn only_zero_is_success() {
        assert!(ExitStatus::Code(0).is_success());
        assert!(!ExitStatus::from_code(512).is_success());
    }
}
