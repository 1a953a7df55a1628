//! Strips control characters from an engine's or registry's text before it reaches a terminal.

use std::borrow::Cow;

/// Removes every control character from `text`: C0, DEL and C1, and with them each escape sequence's start.
///
/// Names and statuses come from whoever answers at the other end. Without this a hostile engine could move the
/// cursor, set the window's title or answer for the user's keyboard.
///
/// ```
/// assert_eq!(terminal::printable("bb\x1b[2J\u{9b}K\r\n"), "bb[2JK");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    without(text, char::is_control)
}

/// As [`printable`], but lines and tabs stay: for output that an engine relays whole.
pub(crate) fn printable_lines(text: &str) -> Cow<'_, str> {
    without(text, |c| c.is_control() && c != '\n' && c != '\t')
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
        assert!(matches!(printable("Größe 12"), Cow::Borrowed("Größe 12")));
    }

    #[test]
    fn control_characters_are_removed() {
        let all: String = ('\0'..='\u{ff}').collect();
        let clean = printable(&all);
        assert!(clean.starts_with(' ') && clean.contains('~') && clean.ends_with('ÿ'));
        assert_eq!(clean.chars().count(), 256 - 32 - 33);
    }

    #[test]
    fn lines_may_stay() {
        assert_eq!(printable_lines("a\tb\r\n\x1bc"), "a\tb\nc");
    }
}
