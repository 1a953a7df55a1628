//! Signal names as the Engine API spells them.

use std::borrow::Cow;

use rustix::process::Signal;

/// The real-time signals that programs may use; the C library keeps those before for itself.
const REAL_TIME_FIRST: i32 = 34;
const REAL_TIME_LAST: i32 = 64;

/// Signals that are passed on to a container, besides the real-time ones.
///
/// Left out are those that cannot be caught (KILL, STOP), those that a fault of our own raises (ILL, FPE, SEGV, BUS)
/// and those that are about ourselves: our children (CHLD), our sockets and pipes (PIPE, URG).
const FORWARDED: [(Signal, &str); 22] = [
    (Signal::HUP, "HUP"),
    (Signal::INT, "INT"),
    (Signal::QUIT, "QUIT"),
    (Signal::TRAP, "TRAP"),
    (Signal::ABORT, "ABRT"),
    (Signal::USR1, "USR1"),
    (Signal::USR2, "USR2"),
    (Signal::ALARM, "ALRM"),
    (Signal::TERM, "TERM"),
    (Signal::STKFLT, "STKFLT"),
    (Signal::CONT, "CONT"),
    (Signal::TSTP, "TSTP"),
    (Signal::TTIN, "TTIN"),
    (Signal::TTOU, "TTOU"),
    (Signal::XCPU, "XCPU"),
    (Signal::XFSZ, "XFSZ"),
    (Signal::VTALARM, "VTALRM"),
    (Signal::PROF, "PROF"),
    (Signal::WINCH, "WINCH"),
    (Signal::IO, "IO"),
    (Signal::POWER, "PWR"),
    (Signal::SYS, "SYS"),
];

/// The numbers of all signals that are passed on.
pub(crate) fn forwarded() -> impl Iterator<Item = i32> {
    FORWARDED
        .iter()
        .map(|(signal, _)| signal.as_raw())
        .chain(REAL_TIME_FIRST..=REAL_TIME_LAST)
}

/// The engine's name of a signal that is passed on. The real-time ones are named from the nearer end of their range,
/// which is how engines list them.
pub(crate) fn name(signal: i32) -> Option<Cow<'static, str>> {
    if let Some((_, name)) = FORWARDED.iter().find(|(s, _)| s.as_raw() == signal) {
        return Some(Cow::Borrowed(name));
    }
    Some(match signal {
        REAL_TIME_FIRST => "RTMIN".into(),
        35..=49 => format!("RTMIN+{}", signal - REAL_TIME_FIRST).into(),
        50..=63 => format!("RTMAX-{}", REAL_TIME_LAST - signal).into(),
        REAL_TIME_LAST => "RTMAX".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_signal_that_is_passed_on_has_a_name_of_its_own() {
        let names: BTreeSet<_> = forwarded()
            .map(|signal| name(signal).expect("a name"))
            .collect();
        assert_eq!(names.len(), FORWARDED.len() + 31);
        assert_eq!(forwarded().count(), names.len());
    }

    #[test]
    fn names_are_the_engines() {
        for (signal, text) in [
            (1, "HUP"),
            (2, "INT"),
            (6, "ABRT"),
            (15, "TERM"),
            (28, "WINCH"),
            (34, "RTMIN"),
            (35, "RTMIN+1"),
            (49, "RTMIN+15"),
            (50, "RTMAX-14"),
            (63, "RTMAX-1"),
            (64, "RTMAX"),
        ] {
            assert_eq!(name(signal).as_deref(), Some(text));
        }
    }

    #[test]
    fn faults_and_what_is_about_ourselves_are_not_passed_on() {
        for signal in [0, 4, 7, 8, 9, 11, 13, 17, 19, 23, 32, 33, 65, -1] {
            assert_eq!(name(signal), None, "{signal}");
            assert!(!forwarded().any(|s| s == signal), "{signal}");
        }
    }
}
