//! Shortens identifiers and long texts to fit a table.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many characters of an identifier a table shows.
const SHORT: usize = 12;

/// The first twelve characters of an identifier, without the name of its digest's algorithm.
#[must_use]
pub fn short_id(id: &str) -> &str {
    let id = id.split_once(':').map_or(id, |(_, hex)| hex);
    match id.char_indices().nth(SHORT) {
        Some((end, _)) => &id[..end],
        None => id,
    }
}

/// The text, or as much of it as fits into so many columns with an ellipsis at its end.
#[must_use]
pub fn ellipsis(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut room = columns.saturating_sub(1);
    let mut cut = String::new();
    for character in text.chars() {
        let width = character.width().unwrap_or(0);
        if width > room {
            break;
        }
        room -= width;
        cut.push(character);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_are_cut() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_id("0123456789abcdef"), "0123456789ab");
        assert_eq!(short_id("abc"), "abc");
        assert_eq!(short_id(""), "");
    }

    #[test]
    fn long_texts_end_in_an_ellipsis() {
        for (text, columns, expected) in [
            ("short", 20, "short"),
            ("exactly", 7, "exactly"),
            ("exactly", 6, "exact…"),
            ("語語語", 6, "語語語"),
            ("語語語", 5, "語語…"),
            ("語語語", 4, "語…"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
        ] {
            assert_eq!(ellipsis(text, columns), expected, "{text} in {columns}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_wider_than_it_may_be(text in "\\PC*", columns in 0_usize..40) {
            prop_assert!(ellipsis(&text, columns).width() <= columns);
        }
    }
}
