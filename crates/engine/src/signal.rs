//! Signals by name and number, as Docker takes them.

use crate::{Error, Result};

/// The signals that have names, as signal(7) has them, without `SIG`.
const NAMES: [(&str, i32); 37] = [
    ("ABRT", libc::SIGABRT),
    ("ALRM", libc::SIGALRM),
    ("BUS", libc::SIGBUS),
    ("CHLD", libc::SIGCHLD),
    ("CLD", libc::SIGCHLD),
    ("CONT", libc::SIGCONT),
    ("FPE", libc::SIGFPE),
    ("HUP", libc::SIGHUP),
    ("ILL", libc::SIGILL),
    ("INT", libc::SIGINT),
    ("IO", libc::SIGIO),
    ("IOT", libc::SIGIOT),
    ("KILL", libc::SIGKILL),
    ("PIPE", libc::SIGPIPE),
    ("POLL", libc::SIGPOLL),
    ("PROF", libc::SIGPROF),
    ("PWR", libc::SIGPWR),
    ("QUIT", libc::SIGQUIT),
    ("SEGV", libc::SIGSEGV),
    ("STKFLT", libc::SIGSTKFLT),
    ("STOP", libc::SIGSTOP),
    ("SYS", libc::SIGSYS),
    ("TERM", libc::SIGTERM),
    ("TRAP", libc::SIGTRAP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("URG", libc::SIGURG),
    ("USR1", libc::SIGUSR1),
    ("USR2", libc::SIGUSR2),
    ("VTALRM", libc::SIGVTALRM),
    ("WINCH", libc::SIGWINCH),
    ("XCPU", libc::SIGXCPU),
    ("XFSZ", libc::SIGXFSZ),
    ("RTMIN", FIRST_REAL_TIME),
    ("RTMAX", LAST),
    ("UNUSED", libc::SIGSYS),
];

/// What programs see as `SIGRTMIN`: C libraries keep the first two for themselves.
const FIRST_REAL_TIME: i32 = 34;

/// The highest signal of Linux.
const LAST: i32 = 64;

/// The number of a signal: `SIGTERM`, `term`, `15`, `RTMIN+3` or `SIGRTMAX-1`.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter), in dockerd's words.
pub fn parse(text: &str) -> Result<i32> {
    named(text)
        .or_else(|| text.parse().ok())
        .filter(|number| (1..=LAST).contains(number))
        .ok_or_else(|| Error::invalid(format!("invalid signal: {text}")))
}

fn named(text: &str) -> Option<i32> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |digits: &str| -> Option<i32> {
        // `parse` would take a sign, too.
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .parse()
            .ok()
            .filter(|offset| is_number && *offset <= LAST - FIRST_REAL_TIME)
    };
    if let Some(digits) = name.strip_prefix("RTMIN+") {
        return Some(FIRST_REAL_TIME + offset(digits)?);
    }
    if let Some(digits) = name.strip_prefix("RTMAX-") {
        return Some(LAST - offset(digits)?);
    }
    NAMES
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_as_dockerd_reads_them() {
        for (text, number) in [
            ("SIGKILL", 9),
            ("KILL", 9),
            ("sigterm", 15),
            ("15", 15),
            ("RTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("RTMAX-1", 63),
            ("64", 64),
        ] {
            assert_eq!(parse(text).expect(text), number);
        }
        for text in [
            "", "0", "-1", "65", "SIG", "SIGNOPE", "RTMIN+31", "RTMIN+-1", "RTMAX+1", "9x",
        ] {
            let error = parse(text).expect_err(text);
            assert_eq!(error.to_string(), format!("invalid signal: {text}"));
        }
    }
}
