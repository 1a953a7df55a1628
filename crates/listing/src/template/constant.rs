//! Go's constants, as actions have them: strings and characters with escapes, numbers in four bases.

use super::TemplateError;

/// The string of a constant with its quotes: escapes count between `"`, and nothing is escaped between backquotes.
pub(super) fn string(quoted: &str) -> Result<String, TemplateError> {
    let inner = &quoted[1..quoted.len() - 1];
    if quoted.starts_with('`') {
        // Go leaves carriage returns out of raw strings.
        return Ok(inner.replace('\r', ""));
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => escaped(&mut characters, '"', &mut bytes)?,
            character => push(&mut bytes, character),
        }
    }
    // `\xff` may make what is no text; Go prints the byte, and JSON has none.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The code of a character constant with its quotes.
pub(super) fn character(quoted: &str) -> Result<i64, TemplateError> {
    let wrong = || TemplateError::new(format!("{quoted} is not one character"));
    let mut characters = quoted[1..quoted.len() - 1].chars();
    let code = match characters.next().ok_or_else(wrong)? {
        '\\' => {
            let mut bytes = Vec::new();
            escaped(&mut characters, '\'', &mut bytes)?;
            match (bytes.as_slice(), std::str::from_utf8(&bytes)) {
                ([byte], _) => u32::from(*byte),
                (_, Ok(text)) => text.chars().next().map_or(0, u32::from),
                (_, Err(_)) => return Err(wrong()),
            }
        }
        character => u32::from(character),
    };
    match characters.next() {
        None => Ok(i64::from(code)),
        Some(_) => Err(wrong()),
    }
}

/// Reads what is behind a backslash.
fn escaped(
    characters: &mut std::str::Chars<'_>,
    quote: char,
    bytes: &mut Vec<u8>,
) -> Result<(), TemplateError> {
    let escape = characters.next().unwrap_or('\\');
    let unknown = || TemplateError::new(format!("unknown escape \\{escape} in a string"));
    let mut code = |length: usize, base: u32, first: &str| {
        let mut text = first.to_owned();
        text.extend(characters.by_ref().take(length));
        let is_whole = text.len() == length + first.len();
        match u32::from_str_radix(&text, base) {
            Ok(code) if is_whole && !text.starts_with('+') => Ok(code),
            _ => Err(unknown()),
        }
    };
    match escape {
        'a' => bytes.push(7),
        'b' => bytes.push(8),
        'f' => bytes.push(12),
        'n' => bytes.push(b'\n'),
        'r' => bytes.push(b'\r'),
        't' => bytes.push(b'\t'),
        'v' => bytes.push(11),
        '\\' => bytes.push(b'\\'),
        c if c == quote => push(bytes, quote),
        'x' => bytes.extend(u8::try_from(code(2, 16, "")?)),
        digit @ '0'..='7' => {
            let code = code(2, 8, digit.encode_utf8(&mut [0; 4]))?;
            bytes.push(u8::try_from(code).map_err(|_| unknown())?);
        }
        'u' | 'U' => {
            let code = code(if escape == 'u' { 4 } else { 8 }, 16, "")?;
            push(bytes, char::from_u32(code).ok_or_else(unknown)?);
        }
        _ => return Err(unknown()),
    }
    Ok(())
}

fn push(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// A whole number: decimal, or behind `0x`, `0o`, `0` or `0b` in their bases, with `_` between digits.
pub(super) fn int(text: &str) -> Option<i64> {
    let (sign, digits) = signed(text);
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, &lower[..]),
    };
    if digits.ends_with('_') || digits.contains("__") || digits.starts_with(['+', '-']) {
        return None;
    }
    if base == 10 && digits.starts_with('_') {
        return None;
    }
    let value = i128::from_str_radix(&digits.replace('_', ""), base).ok()?;
    i64::try_from(value * sign).ok()
}

/// A number with a fraction or an exponent.
pub(super) fn float(text: &str) -> Option<f64> {
    let (_, digits) = signed(text);
    // "inf" and "nan" are numbers to Rust alone.
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits.contains(['.', 'e', 'E'])
        && !digits.starts_with("0x");
    let value: f64 = text.replace('_', "").parse().ok()?;
    (is_number && value.is_finite()).then_some(value)
}

fn signed(text: &str) -> (i128, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_have_gos_escapes() {
        for (text, expected) in [
            (r#""a\tb\n""#, Some("a\tb\n")),
            (r#""\x41\101\u00e9\U0001F600""#, Some("AAé😀")),
            (r#""\"\\""#, Some("\"\\")),
            ("`a\\n\r`", Some("a\\n")),
            (r#""\q""#, None),
            (r#""\'""#, None),
            (r#""\x4""#, None),
            (r#""\ud800""#, None),
        ] {
            assert_eq!(string(text).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_as_gos() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-12", Some(-12)),
            ("+5", Some(5)),
            ("0x1F", Some(31)),
            ("0b101", Some(5)),
            ("0o17", Some(15)),
            ("017", Some(15)),
            ("1_000", Some(1000)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("09", None),
            ("1__0", None),
            ("1x", None),
        ] {
            assert_eq!(int(text), expected, "{text}");
        }
        assert_eq!(float("1.5e3"), Some(1500.0));
        assert_eq!(float("-.5"), Some(-0.5));
        assert_eq!(float("inf"), None);
        assert_eq!(float("1e999"), None);
        assert_eq!(character("'a'").ok(), Some(97));
        assert_eq!(character(r"'\n'").ok(), Some(10));
        assert_eq!(character("'ab'").ok(), None);
        assert_eq!(character("''").ok(), None);
    }
}
