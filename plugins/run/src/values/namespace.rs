//! Namespace modes: `--pid`, `--uts`, `--userns`, `--cgroupns`.
//!
//! `--ipc` is not here: every mode of it is checked by the engine.

use super::InvalidValue;

/// Checks a mode of `--pid`: empty, `host` or `container:NAME`.
pub(crate) fn pid(text: &str) -> Result<(), InvalidValue> {
    let of_container = text
        .strip_prefix("container:")
        .is_some_and(|name| !name.is_empty());
    check(
        of_container || matches!(text, "" | "host"),
        "--pid: invalid PID mode",
    )
}

/// Checks a mode of `--uts`: empty or `host`.
pub(crate) fn uts(text: &str) -> Result<(), InvalidValue> {
    check(matches!(text, "" | "host"), "--uts: invalid UTS mode")
}

/// Checks a mode of `--userns`: empty or `host`.
pub(crate) fn user(text: &str) -> Result<(), InvalidValue> {
    check(matches!(text, "" | "host"), "--userns: invalid USER mode")
}

/// Checks a mode of `--cgroupns`: empty, `host` or `private`.
pub(crate) fn cgroup(text: &str) -> Result<(), InvalidValue> {
    check(
        matches!(text, "" | "host" | "private"),
        "--cgroupns: invalid CGROUP mode",
    )
}

fn check(known: bool, message: &str) -> Result<(), InvalidValue> {
    if known {
        Ok(())
    } else {
        Err(InvalidValue::new(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for (text, is_pid, is_uts, is_user, is_cgroup) in [
            ("", true, true, true, true),
            ("host", true, true, true, true),
            ("container:x", true, false, false, false),
            ("container:", false, false, false, false),
            ("private", false, false, false, true),
            ("foo", false, false, false, false),
        ] {
            assert_eq!(pid(text).is_ok(), is_pid, "{text}");
            assert_eq!(uts(text).is_ok(), is_uts, "{text}");
            assert_eq!(user(text).is_ok(), is_user, "{text}");
            assert_eq!(cgroup(text).is_ok(), is_cgroup, "{text}");
        }
    }
}
