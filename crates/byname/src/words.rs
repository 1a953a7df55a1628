//! Words: which ones may be part of a name, and the method name that words make.
//!
//! heck maps `../run`, `run!` and `RUN` all to `Run`, so a word is checked before it is camel-cased, and the method
//! name is only the index: [`proves`] compares the words themselves.

use std::ffi::{OsStr, OsString};

use heck::AsUpperCamelCase;

/// What a method name begins with, as in Docker 1.4.
const PREFIX: &str = "Cmd";

/// Whether `word` is `[A-Za-z0-9]+(-[A-Za-z0-9]+)*`; anything else ends a name.
pub(crate) const fn is_word(word: &[u8]) -> bool {
    let mut at = 0;
    let mut after_letter = false;
    while at < word.len() {
        if word[at].is_ascii_alphanumeric() {
            after_letter = true;
        } else if word[at] == b'-' && after_letter {
            after_letter = false;
        } else {
            return false;
        }
        at += 1;
    }
    after_letter
}

/// The words that a name could be made of: at most `most` of them, up to the first argument that is no word.
pub(crate) fn leading(args: &[OsString], most: usize) -> Vec<&str> {
    args.iter()
        .take(most)
        .map_while(|arg| arg.to_str().filter(|word| is_word(word.as_bytes())))
        .collect()
}

/// A word as an error shows it: plain if nothing about it can mislead, else quoted and escaped.
pub(crate) fn shown(word: &OsStr) -> String {
    let quoted = format!("{word:?}");
    match word.to_str() {
        Some(plain)
            if !plain.is_empty()
                && !plain.contains(' ')
                && quoted[1..quoted.len() - 1] == *plain =>
        {
            plain.to_owned()
        }
        _ => quoted,
    }
}

/// The method name of some words: `["groups", "create"]` is `CmdGroupsCreate`.
pub(crate) fn method_name(words: &[&str]) -> String {
    let lower = words.join(" ").to_ascii_lowercase();
    format!("{PREFIX}{}", AsUpperCamelCase(lower))
}

/// Whether these argv words spell the declared name.
///
/// Lower-cased and joined by `-` both must be equal, and every space between argv words must be a space of the name:
/// `groups-create` spells `groups create`, but `stop all` does not spell `stop-all`.
pub(crate) fn proves(declared: &str, words: &[&str]) -> bool {
    proven_length(declared, words) == Some(declared.len())
}

/// The group of the declared name that these argv words spell: its leading words, if there are more behind them.
pub(crate) fn proven_group<'n>(declared: &'n str, words: &[&str]) -> Option<&'n str> {
    let length = proven_length(declared, words)?;
    (declared.as_bytes().get(length) == Some(&b' ')).then(|| &declared[..length])
}

/// How much of the declared name the words spell, if they do not leave it.
fn proven_length(declared: &str, words: &[&str]) -> Option<usize> {
    let mut rest = declared.as_bytes();
    for (nth, word) in words.iter().enumerate() {
        if nth > 0 {
            rest = rest.strip_prefix(b" ")?;
        }
        for typed in word.bytes() {
            let (&wanted, behind) = rest.split_first()?;
            let equal = typed.to_ascii_lowercase() == wanted || (typed == b'-' && wanted == b' ');
            if !equal {
                return None;
            }
            rest = behind;
        }
    }
    Some(declared.len() - rest.len())
}

/// A name that its declaration has checked, with what lookup needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Name {
    pub(crate) text: &'static str,
    pub(crate) hash: u64,
    pub(crate) words: usize,
}

impl Name {
    /// Checks a declared name: legal words, in lower case, with one space between them.
    ///
    /// All of it happens at compile time, so that a start-up with thousands of commands camel-cases none of them; a
    /// refusal points at the declaration.
    #[track_caller]
    pub(crate) const fn declare(text: &'static str) -> Name {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            panic!(
                "a command's name is empty: give it one or more words, such as \"run\" or \"groups create\""
            );
        }
        let mut hash = FNV_OFFSET;
        let mut words = 1;
        let mut starts = true;
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match byte {
                b'a'..=b'z' | b'0'..=b'9' => {
                    hash = fnv(
                        hash,
                        if starts {
                            byte.to_ascii_uppercase()
                        } else {
                            byte
                        },
                    );
                    starts = false;
                }
                b'A'..=b'Z' => {
                    panic!("a command's name is declared in lower case; users may type it in any")
                }
                b'-' | b' ' if starts => {
                    panic!(
                        "a command's name has a space or a hyphen that does not stand between two words"
                    )
                }
                b'-' => starts = true,
                b' ' => {
                    words += 1;
                    starts = true;
                }
                _ => panic!(
                    "a command's name consists of words of a-z and 0-9, with single hyphens inside a word"
                ),
            }
            at += 1;
        }
        if starts {
            panic!(
                "a command's name has a space or a hyphen that does not stand between two words"
            );
        }
        Name { text, hash, words }
    }

    /// Whether `method_name` is this name's.
    pub(crate) fn has_method_name(&self, method_name: &str) -> bool {
        method_name
            .strip_prefix(PREFIX)
            .is_some_and(|camel| camel.bytes().eq(self.camel()))
    }

    /// Whether both names have the same method name, whichever way they are spelled.
    pub(crate) fn same_method(&self, other: &Name) -> bool {
        self.hash == other.hash && self.camel().eq(other.camel())
    }

    /// The bytes of the method name behind its prefix.
    fn camel(&self) -> impl Iterator<Item = u8> {
        let mut starts = true;
        self.text.bytes().filter_map(move |byte| {
            let separates = matches!(byte, b' ' | b'-');
            let camel = if starts {
                byte.to_ascii_uppercase()
            } else {
                byte
            };
            starts = separates;
            (!separates).then_some(camel)
        })
    }
}

/// The hash of a method name; [`Name::declare`] reaches the same value without building the string.
pub(crate) fn hash(method_name: &str) -> u64 {
    method_name.bytes().skip(PREFIX.len()).fold(FNV_OFFSET, fnv)
}

// FNV-1a, 64 bits: short, `const`, and even over short names.
// https://datatracker.ietf.org/doc/html/rfc9923
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

const fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(FNV_PRIME)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The declaration walks over bytes and lookup asks heck: for every legal name they must agree.
        #[test]
        fn a_declared_name_agrees_with_heck(text in "[a-z0-9]{1,4}(-[a-z0-9]{1,4}){0,3}( [a-z0-9]{1,4}(-[a-z0-9]{1,4}){0,3}){0,3}") {
            let name = Name::declare(String::leak(text.clone()));
            let method_name = method_name(&[&text]);
            prop_assert_eq!(name.hash, hash(&method_name));
            prop_assert!(name.has_method_name(&method_name));
            prop_assert_eq!(name.words, text.split(' ').count());
            prop_assert!(proves(&text, &text.split(' ').collect::<Vec<_>>()));
            let upper = text.to_ascii_uppercase();
            prop_assert!(proves(&text, &upper.split(' ').collect::<Vec<_>>()));
        }
    }

    #[test]
    fn words() {
        for good in ["run", "RUN", "dry-run", "a-1-b", "1"] {
            assert!(is_word(good.as_bytes()), "{good}");
        }
        for bad in [
            "", "-", "--", "-a", "a-", "a--b", "a.b", "../run", "a b", "a_b", "é", "a\0",
        ] {
            assert!(!is_word(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn a_group_is_some_of_a_names_words() {
        assert_eq!(proven_group("groups create", &["Groups"]), Some("groups"));
        assert_eq!(proven_group("a b c", &["a-b"]), Some("a b"));
        assert_eq!(proven_group("groups create", &["groups", "create"]), None);
        assert_eq!(proven_group("groups create", &["group"]), None);
        assert_eq!(proven_group("dry-run", &["dry"]), None);
    }

    #[test]
    fn bad_names_are_refused() {
        for bad in [
            "", " ", "Run", "run ", " run", "a  b", "a--b", "-a", "a-", "a -b", "a- b", "../run",
            "é", "a_b",
        ] {
            assert!(
                std::panic::catch_unwind(|| Name::declare(bad)).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn odd_names_are_quoted() {
        let cases = [
            ("run", "run"),
            ("naïve", "naïve"),
            ("../run", "../run"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("run\u{200b}", r#""run\u{200b}""#),
            ("\x1b[31m", r#""\u{1b}[31m""#),
            ("a\"b", r#""a\"b""#),
        ];
        for (word, expected) in cases {
            assert_eq!(shown(OsStr::new(word)), expected);
        }
    }
}
