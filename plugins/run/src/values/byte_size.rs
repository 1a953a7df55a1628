//! Sizes in bytes, as in `--memory 512m`.

use super::InvalidValue;

/// Parses a size: a number that may have a fraction, an optional blank and an optional unit `k`, `m`, `g`, `t` or
/// `p` with an optional `b` or `ib`, in any case. Units are powers of 1024.
pub(crate) fn parse(text: &str) -> Result<i64, InvalidValue> {
    let invalid = || InvalidValue::new(format!("invalid size: '{text}'"));
    let end = text
        .rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')
        .ok_or_else(invalid)?;
    let number = if text.as_bytes()[end] == b' ' {
        &text[..end]
    } else {
        &text[..=end]
    };
    let suffix = text[end + 1..].to_lowercase();
    let value = float(number).ok_or_else(|| {
        InvalidValue::new(format!(
            "strconv.ParseFloat: parsing {number:?}: invalid syntax"
        ))
    })?;
    if value < 0.0 {
        return Err(invalid());
    }
    let bad_suffix = || InvalidValue::new(format!("invalid suffix: '{suffix}'"));
    let mut letters = suffix.chars();
    let unit: f64 = match letters.next() {
        None => 1.0,
        Some('b') if suffix.len() == 1 => 1.0,
        Some(letter) => {
            let power = "kmgtp".find(letter).ok_or_else(bad_suffix)?;
            if !matches!(letters.as_str(), "" | "b" | "ib") {
                return Err(bad_suffix());
            }
            1024_f64.powi(i32::try_from(power).unwrap_or(0) + 1)
        }
    };
    // 2^63 and more do not fit. Docker sends what overflow makes of them: a large negative number.
    let size = value * unit;
    if size >= 9_223_372_036_854_775_808.0 {
        return Err(InvalidValue::new(format!(
            "invalid size: '{text}': value out of range"
        )));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a fraction of a byte is dropped, and the range was checked"
    )]
    Ok(size as i64)
}

/// Parses a size or `-1`, which stands for no limit.
pub(crate) fn parse_or_unlimited(text: &str) -> Result<i64, InvalidValue> {
    if text == "-1" { Ok(-1) } else { parse(text) }
}

/// A decimal number as in Go: an underscore may stand between two digits.
fn float(number: &str) -> Option<f64> {
    let bytes = number.as_bytes();
    let digit = |i: Option<usize>| i.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let misplaced = |(i, _): (usize, &u8)| !digit(i.checked_sub(1)) || !digit(i.checked_add(1));
    if bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b'_')
        .any(misplaced)
    {
        return None;
    }
    number
        .replace('_', "")
        .parse()
        .ok()
        .filter(|value: &f64| !value.is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units() {
        for (text, bytes) in [
            ("0", 0),
            ("1", 1),
            ("1b", 1),
            ("1B", 1),
            ("1k", 1024),
            ("1K", 1024),
            ("1kb", 1024),
            ("1KiB", 1024),
            ("1 k", 1024),
            ("1 kib", 1024),
            ("1 ", 1),
            ("+1k", 1024),
            ("1.5g", 1_610_612_736),
            ("1e3", 1000),
            ("1e3k", 1_024_000),
            (".5k", 512),
            ("5.", 5),
            ("0.1", 0),
            ("1_0", 10),
            ("1pb", 1_125_899_906_842_624),
            ("8191p", 9_222_246_136_947_933_184),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse_or_unlimited("-1"), Ok(-1));
        assert_eq!(parse_or_unlimited("1k"), Ok(1024));
    }

    #[test]
    fn what_is_no_size_is_named() {
        for (text, message) in [
            ("", "invalid size: ''"),
            ("abc", "invalid size: 'abc'"),
            ("inf", "invalid size: 'inf'"),
            ("-1", "invalid size: '-1'"),
            ("1x", "invalid suffix: 'x'"),
            ("1KK", "invalid suffix: 'kk'"),
            ("1ki", "invalid suffix: 'ki'"),
            ("10ib", "invalid suffix: 'ib'"),
            ("1bb", "invalid suffix: 'bb'"),
            ("1eb", "invalid suffix: 'eb'"),
            ("1é", "invalid suffix: 'é'"),
            (" 1", "strconv.ParseFloat: parsing \" 1\": invalid syntax"),
            ("1  k", "strconv.ParseFloat: parsing \"1 \": invalid syntax"),
            (
                "0x10",
                "strconv.ParseFloat: parsing \"0x10\": invalid syntax",
            ),
            (
                "1__0",
                "strconv.ParseFloat: parsing \"1__0\": invalid syntax",
            ),
            ("8192p", "invalid size: '8192p': value out of range"),
            ("1e400", "invalid size: '1e400': value out of range"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
        assert_eq!(
            parse_or_unlimited("-2").unwrap_err().to_string(),
            "invalid size: '-2'"
        );
    }

    proptest::proptest! {
        #[test]
        fn a_size_is_never_negative(text in "[-+]?[0-9._]{0,20} ?[a-zA-Z]{0,3}") {
            if let Ok(size) = parse(&text) {
                assert!(size >= 0, "{text}: {size}");
            }
        }

        #[test]
        fn whole_numbers_are_exact(value in 0_i64..(1 << 53), unit in 0_usize..6) {
            let (suffix, shift) = [("", 0), ("k", 10), ("MB", 20), ("gib", 30), (" t", 40), ("p", 50)][unit];
            let expected = value.checked_mul(1 << shift).filter(|size| *size < (1 << 62));
            if let Some(expected) = expected {
                assert_eq!(parse(&format!("{value}{suffix}")), Ok(expected));
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = parse(&text);
        }
    }
}
