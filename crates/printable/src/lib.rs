//! Removes from a text what would steer a terminal: control characters, and those that change the direction of text.
//!
//! Names, statuses and errors come from whoever answers at the other end. Without this a hostile engine or image could
//! move the cursor, set the window's title, answer for the user's keyboard, or show a text in another order than it has.
//! Characters are removed and not replaced, so that what is harmless looks as it would have without them.

#![forbid(unsafe_code)]

use std::borrow::Cow;

/// Whether a terminal acts on this character instead of showing it: C0, DEL and C1 (ECMA-48, section 5), and with them
/// the start of each escape sequence; and the embeddings, overrides and isolates of the Unicode Bidirectional Algorithm
/// (UAX #9, section 2). Its marks are not among them: they are part of ordinary text in Arabic and Hebrew, and reorder
/// nothing beside them.
///
/// ```
/// assert!(printable::is_steering('\x1b') && printable::is_steering('\u{202e}'));
/// assert!(!printable::is_steering('ö'));
/// ```
#[must_use]
pub fn is_steering(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text of one line, without anything that steers a terminal; line ends and tabs are removed, too.
///
/// ```
/// assert_eq!(printable::line("bb\x1b[2J\u{9b}K\r\n"), "bb[2JK");
/// ```
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    without(text, is_steering)
}

/// As [`line()`], but newlines and tabs stay.
///
/// ```
/// assert_eq!(printable::lines("a\tb\r\n\x1bc"), "a\tb\nc");
/// ```
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    without(text, |character| {
        is_steering(character) && !matches!(character, '\n' | '\t')
    })
}

fn without(text: &str, unwanted: impl Fn(char) -> bool) -> Cow<'_, str> {
    if text.contains(&unwanted) {
        Cow::Owned(text.chars().filter(|&c| !unwanted(c)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_not_copied() {
        for text in ["Größe 12", "שלום \u{200f}x", "日本"] {
            assert!(matches!(line(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn control_characters_are_removed() {
        let all: String = ('\0'..='\u{ff}').collect();
        let clean = line(&all);
        assert!(clean.starts_with(' ') && clean.contains('~') && clean.ends_with('ÿ'));
        assert_eq!(clean.chars().count(), 256 - 32 - 33);
        assert_eq!(lines(&all).chars().count(), 256 - 32 - 33 + 2);
    }

    #[test]
    fn no_text_is_shown_in_another_order() {
        let text =
            "a\u{202a}b\u{202b}c\u{202c}d\u{202d}e\u{202e}f\u{2066}g\u{2067}h\u{2068}i\u{2069}j";
        assert_eq!(line(text), "abcdefghij");
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_steers_is_left(text: String) {
            proptest::prop_assert!(!line(&text).contains(is_steering));
            let steering = |c| is_steering(c) && c != '\n' && c != '\t';
            proptest::prop_assert!(!lines(&text).contains(steering));
            let kept: String = text.chars().filter(|&c| !is_steering(c)).collect();
            proptest::prop_assert_eq!(line(&text), kept);
        }
    }
}
