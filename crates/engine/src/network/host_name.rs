//! Names that go into a container's `/etc/hosts` and `/etc/hostname`.

use std::fmt;

use crate::{Error, Result};

/// The longest host or domain name that the kernel takes, in bytes (`__NEW_UTS_LEN`).
const LONGEST: usize = 64;

/// A host or domain name that is one word of these files; it may be empty.
///
/// The files have a line a host and no way to quote: a line break would make a further line, of an address of somebody's
/// choice for a name that the container trusts. Docker writes such names as they are. Characters that are merely unusual
/// in host names pass, as they do there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostName(String);

impl HostName {
    /// Reads a name; `what` is the field that it comes from, as `hostname`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a name of more than 64 bytes, or of more
    /// than one word.
    pub(crate) fn parse(what: &str, name: &str) -> Result<HostName> {
        let invalid =
            |why: String| Error::invalid(format!("invalid {what} format: {name:?}: {why}"));
        if !name.is_empty() && !is_one_word(name) {
            return Err(invalid(
                "use one word, without spaces, control characters and '#'".to_owned(),
            ));
        }
        if name.len() > LONGEST {
            return Err(invalid(format!(
                "use up to {LONGEST} bytes; this one has {}",
                name.len()
            )));
        }
        Ok(HostName(name.to_owned()))
    }

    /// Whether there is no name.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a text is one word of a file of lines, words and comments.
pub(super) fn is_one_word(text: &str) -> bool {
    let ends_it = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '#';
    !text.is_empty() && !text.contains(ends_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_is_a_name() {
        let longest = "a".repeat(LONGEST);
        for name in ["", "box", "a.b", "a_b", "-a", "a..b", "h\u{f6}st", &longest] {
            let parsed = HostName::parse("hostname", name).expect(name);
            assert_eq!(parsed.to_string(), name);
        }
    }

    #[test]
    fn what_would_be_more_than_a_word_is_refused() {
        let long = "a".repeat(LONGEST + 1);
        for name in [
            "a\nb",
            "a b",
            "a\tb",
            "\r",
            "a\0",
            "a\u{1b}[2J",
            "#a",
            "a#b",
            "a\u{2028}b",
            " ",
            &long,
        ] {
            let error = HostName::parse("domainname", name).expect_err(name);
            assert_eq!(error.status(), 400);
            let start = format!("invalid domainname format: {name:?}: use ");
            assert!(error.to_string().starts_with(&start), "{error}");
        }
    }
}
