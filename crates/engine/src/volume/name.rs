//! Names of volumes.

use crate::{Error, Result};

/// The longest name: it is that of a directory.
const LENGTH: usize = 255;

/// Checks a name that a user gave.
pub(super) fn check(name: &str) -> Result<()> {
    let is_first = |letter: u8| letter.is_ascii_alphanumeric();
    let is_other = |letter: u8| is_first(letter) || matches!(letter, b'_' | b'.' | b'-');
    if name.len() == 1 {
        return Err(Error::invalid(
            "volume name is too short, names should be at least two alphanumeric characters",
        ));
    }
    let mut letters = name.bytes();
    let is_legal = letters.next().is_some_and(is_first) && letters.all(is_other);
    if !is_legal || name.len() > LENGTH {
        return Err(Error::invalid(format!(
            "create {name}: \"{name}\" includes invalid characters for a local volume name, only \
             \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dockers() {
        for name in ["data", "a1", "0_.-", &"a".repeat(255)] {
            check(name).expect(name);
        }
        for name in [
            "",
            "a",
            ".a",
            "-a",
            "a/b",
            "..",
            "a b",
            "ä1",
            "a\n",
            &"a".repeat(256),
        ] {
            let error = check(name).expect_err(name);
            assert_eq!(error.status(), 400);
        }
        assert!(
            check("./x")
                .expect_err("no name")
                .to_string()
                .contains("includes invalid characters for a local volume name")
        );
    }
}
