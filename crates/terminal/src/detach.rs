//! Detach keys: the keys that leave a session while the container runs on.

use std::fmt;
use std::str::FromStr;

/// The keys that are named by a control character, in the order of their codes, starting with 0.
const CONTROL: &[u8] = b"@abcdefghijklmnopqrstuvwxyz[\\]^_";

/// A sequence of keys that detaches from a container, by default ctrl-p and then ctrl-q.
///
/// ```
/// use terminal::DetachKeys;
///
/// let keys = DetachKeys::parse("ctrl-a,d").unwrap();
/// let mut matcher = keys.matcher();
/// let mut passed = Vec::new();
/// assert!(!matcher.feed(b"ls\n\x01", &mut passed));
/// assert!(matcher.feed(b"d", &mut passed));
/// assert_eq!(passed, b"ls\n");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachKeys {
    text: String,
    /// Never empty.
    bytes: Vec<u8>,
}

impl DetachKeys {
    /// Parses a list of keys separated by commas: a single character, `ctrl-X` where X is one of `@`, `a` to `z`,
    /// `[`, `\`, `]`, `^` and `_`, or `DEL`.
    ///
    /// An empty list is an error here; a caller for whom it means the default says so itself.
    ///
    /// # Errors
    ///
    /// A key that is none of these. A comma cannot be a key, nor can a character that is more than one byte long.
    pub fn parse(text: &str) -> Result<DetachKeys, DetachKeysError> {
        let bytes = text.split(',').map(parse_key).collect::<Result<_, _>>()?;
        Ok(DetachKeys {
            text: text.to_owned(),
            bytes,
        })
    }

    /// The list as it was parsed, which is how an engine is told of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns a matcher at the start of the sequence.
    pub fn matcher(&self) -> DetachMatcher {
        DetachMatcher {
            keys: self.bytes.clone(),
            matched: 0,
        }
    }
}

impl Default for DetachKeys {
    fn default() -> DetachKeys {
        DetachKeys {
            text: "ctrl-p,ctrl-q".to_owned(),
            bytes: vec![0x10, 0x11],
        }
    }
}

impl FromStr for DetachKeys {
    type Err = DetachKeysError;

    fn from_str(text: &str) -> Result<DetachKeys, DetachKeysError> {
        DetachKeys::parse(text)
    }
}

fn parse_key(key: &str) -> Result<u8, DetachKeysError> {
    let unknown = || DetachKeysError {
        key: key.to_owned(),
    };
    match (key.as_bytes(), key) {
        (&[byte], _) => Ok(byte),
        (_, "DEL") => Ok(0x7f),
        _ => match key.strip_prefix("ctrl-").map(str::as_bytes) {
            Some(&[letter]) => CONTROL
                .iter()
                .position(|&c| c == letter)
                .and_then(|code| u8::try_from(code).ok())
                .ok_or_else(unknown),
            _ => Err(unknown()),
        },
    }
}

/// A list of detach keys names a key that there is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachKeysError {
    key: String,
}

impl DetachKeysError {
    /// The key as it was written.
    pub fn key(&self) -> &str {
        &self.key
    }
}

// The capital is Docker's: scripts and people know this text.
impl fmt::Display for DetachKeysError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown character: '{}'", self.key)
    }
}

impl std::error::Error for DetachKeysError {}

/// Finds the detach keys in typed input, however the input is cut into reads.
///
/// Keys that may be the start of the sequence are held back until the next one decides. The key that breaks a
/// sequence is passed on with what was held back and never starts a new one, as in Docker's client and engine: so
/// typing the first key twice sends it twice, at once.
#[derive(Clone, Debug)]
pub struct DetachMatcher {
    keys: Vec<u8>,
    /// How many of `keys` were seen and are held back; always less than there are, except after detaching.
    matched: usize,
}

impl DetachMatcher {
    /// Takes what was read, appends to `passed` what goes to the container, and returns whether the sequence is
    /// complete. Then the keys themselves and whatever was typed behind them are gone, and the session is over.
    pub fn feed(&mut self, input: &[u8], passed: &mut Vec<u8>) -> bool {
        for &byte in input {
            if self.matched == self.keys.len() {
                return true;
            }
            if byte == self.keys[self.matched] {
                self.matched += 1;
            } else {
                self.flush(passed);
                passed.push(byte);
            }
        }
        self.matched == self.keys.len()
    }

    /// Appends to `passed` what is held back: at the end of input nothing can complete the sequence any more.
    /// Nothing is held back once the sequence was complete.
    pub fn flush(&mut self, passed: &mut Vec<u8>) {
        if self.matched < self.keys.len() {
            passed.extend_from_slice(&self.keys[..self.matched]);
            self.matched = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_are_parsed_as_docker_does() {
        for (text, bytes) in [
            ("ctrl-p,ctrl-q", &[0x10, 0x11][..]),
            ("ctrl-@", &[0]),
            ("ctrl-a", &[1]),
            (
                "ctrl-z,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_",
                &[26, 27, 28, 29, 30, 31],
            ),
            ("DEL", &[127]),
            ("a,b, ", b"ab "),
            ("-", b"-"),
        ] {
            assert_eq!(DetachKeys::parse(text).unwrap().bytes, bytes, "{text}");
        }
        assert_eq!(DetachKeys::default().bytes, [0x10, 0x11]);
    }

    #[test]
    fn unknown_keys_are_named_as_written() {
        for (text, key) in [
            ("ctrl-zz", "ctrl-zz"),
            ("ctrl-", "ctrl-"),
            ("ctrl-A", "ctrl-A"),
            ("ctrl-1", "ctrl-1"),
            ("a,,b", ""),
            ("", ""),
            ("del", "del"),
            ("é", "é"),
            ("ctrl-p, ctrl-q", " ctrl-q"),
        ] {
            let error = DetachKeys::parse(text).unwrap_err();
            assert_eq!(error.key(), key);
            assert_eq!(error.to_string(), format!("Unknown character: '{key}'"));
        }
    }

    fn run(keys: &str, reads: &[&[u8]]) -> (Vec<u8>, bool) {
        let mut matcher = DetachKeys::parse(keys).unwrap().matcher();
        let mut passed = Vec::new();
        for read in reads {
            if matcher.feed(read, &mut passed) {
                return (passed, true);
            }
        }
        matcher.flush(&mut passed);
        (passed, false)
    }

    #[test]
    fn the_sequence_is_found_across_reads() {
        assert_eq!(
            run("a,b,c", &[b"xa", b"b", b"", b"c"]),
            (b"x".to_vec(), true)
        );
        assert_eq!(run("a", &[b"a"]), (vec![], true));
    }

    #[test]
    fn a_broken_sequence_is_replayed() {
        assert_eq!(run("a,b,c", &[b"xab", b"x"]), (b"xabx".to_vec(), false));
        assert_eq!(run("a,b,c", &[b"ab"]), (b"ab".to_vec(), false));
    }

    #[test]
    fn the_key_that_breaks_a_sequence_starts_none() {
        // ctrl-p twice reaches the container as ctrl-p twice.
        let mut matcher = DetachKeys::default().matcher();
        let mut passed = Vec::new();
        assert!(!matcher.feed(b"\x10\x10", &mut passed));
        assert_eq!(passed, b"\x10\x10");
        assert!(!matcher.feed(b"\x11", &mut passed));
        assert_eq!(passed, b"\x10\x10\x11");
    }

    #[test]
    fn what_follows_the_keys_is_dropped_and_detaching_is_final() {
        let mut matcher = DetachKeys::default().matcher();
        let mut passed = Vec::new();
        assert!(matcher.feed(b"a\x10\x11b", &mut passed));
        assert!(matcher.feed(b"c", &mut passed));
        matcher.flush(&mut passed);
        assert_eq!(passed, b"a");
    }

    proptest! {
        /// However input is cut, the outcome is that of one read; and without detaching it is the input itself.
        #[test]
        fn cutting_changes_nothing(
            keys in vec(0..3u8, 1..4),
            input in vec(0..3u8, 0..40),
            cuts in vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let keys = DetachKeys { text: String::new(), bytes: keys };
            let mut whole = keys.matcher();
            let mut expected = Vec::new();
            let detached = whole.feed(&input, &mut expected);
            whole.flush(&mut expected);

            let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(input.len() + 1)).collect();
            cuts.push(input.len());
            cuts.sort_unstable();
            let mut matcher = keys.matcher();
            let mut passed = Vec::new();
            let mut found = false;
            let mut start = 0;
            for end in cuts {
                found |= matcher.feed(&input[start..end], &mut passed);
                start = end;
            }
            matcher.flush(&mut passed);
            prop_assert_eq!(found, detached);
            prop_assert_eq!(&passed, &expected);
            if detached {
                prop_assert!(input.starts_with(&passed));
                prop_assert!(input[passed.len()..].starts_with(&keys.bytes));
            } else {
                prop_assert_eq!(&passed, &input);
            }
        }

        #[test]
        fn parsing_never_panics(text in ".*") {
            let _ = DetachKeys::parse(&text);
        }
    }
}
