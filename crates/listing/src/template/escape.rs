//! `html`, `js` and `urlquery`: text that is safe in a page, in a string of a script, in a query.

use std::fmt::Write;

/// Writes what HTML has a meaning for as its entities.
pub(super) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\0' => escaped.push('\u{fffd}'),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            character => escaped.push(character),
        }
    }
    escaped
}

/// Writes what would end a JavaScript string, or the script that it is in, as its escapes.
pub(super) fn js(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '\'' | '"' => escaped.extend(['\\', character]),
            // Writing to a string does not fail.
            '<' | '>' | '&' | '=' | '\0'..' ' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(escaped, "\\u{:04X}", u32::from(character));
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// Writes all but letters, digits and `-_.~` by their bytes, and blanks as `+`.
pub(super) fn query(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'-' | b'_' | b'.' | b'~' => escaped.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => escaped.push(char::from(byte)),
            byte => {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_as_gos_are() {
        assert_eq!(
            html("<a href='x'>&\"\0"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&#34;\u{fffd}"
        );
        assert_eq!(js("it's <b>=\n\\é"), r"it\'s \u003Cb\u003E\u003D\u000A\\é");
        assert_eq!(query("a b&c=d/é~"), "a+b%26c%3Dd%2F%C3%A9~");
    }
}
