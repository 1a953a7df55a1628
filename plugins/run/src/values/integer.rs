//! Integers of options, in the syntax of Go's `strconv.ParseInt` with base 0.

use super::InvalidValue;

/// Parses an integer: decimal, or with the prefix `0x`, `0b`, `0o` or `0`; underscores may stand between digits.
pub(crate) fn parse(text: &str) -> Result<i64, InvalidValue> {
    match prefixed(text) {
        Ok(value) => i64::try_from(value).map_err(|_| Failure::Range),
        Err(failure) => Err(failure),
    }
    .map_err(|failure| failure.report("ParseInt", text))
}

/// Parses an integer in the syntax of [`parse`] that has no sign and fits into 16 bits.
pub(crate) fn parse_u16(text: &str) -> Result<u16, InvalidValue> {
    unsigned(text)
        .and_then(|value| u16::try_from(value).map_err(|_| Failure::Range))
        .map_err(|failure| failure.report("ParseUint", text))
}

/// Parses an integer in the syntax of [`parse`] that has no sign. Docker's client takes one bit more, which the Engine
/// API's description has no room for.
pub(crate) fn parse_unsigned(text: &str) -> Result<i64, InvalidValue> {
    unsigned(text)
        .and_then(|value| i64::try_from(value).map_err(|_| Failure::Range))
        .map_err(|failure| failure.report("ParseUint", text))
}

/// Parses a decimal integer with an optional sign and nothing else, as within a longer value.
pub(crate) fn parse_decimal(text: &str) -> Result<i64, InvalidValue> {
    decimal(text).map_err(|failure| failure.report("ParseInt", text))
}

/// The same as [`parse_decimal`], for a caller whose message names the text itself: the error is the reason alone.
pub(crate) fn parse_decimal_field(text: &str) -> Result<i64, InvalidValue> {
    decimal(text).map_err(|failure| InvalidValue::new(failure.reason()))
}

fn decimal(text: &str) -> Result<i64, Failure> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Failure::Syntax);
    }
    text.parse().map_err(|_| Failure::Range)
}

/// Parses a whole number in the syntax of [`parse`] without a bound that a caller could notice.
pub(crate) fn parse_wide(text: &str) -> Option<i128> {
    prefixed(text).ok()
}

enum Failure {
    Syntax,
    Range,
}

impl Failure {
    fn reason(self) -> &'static str {
        match self {
            Failure::Syntax => "invalid syntax",
            Failure::Range => "value out of range",
        }
    }

    fn report(self, function: &str, text: &str) -> InvalidValue {
        let what = self.reason();
        InvalidValue::new(format!("strconv.{function}: parsing {text:?}: {what}"))
    }
}

fn unsigned(text: &str) -> Result<i128, Failure> {
    if text.starts_with(['+', '-']) {
        return Err(Failure::Syntax);
    }
    prefixed(text)
}

fn prefixed(text: &str) -> Result<i128, Failure> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = unsigned.to_ascii_lowercase();
    let (base, digits, underscore_first) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest, true)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest, true)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest, true)
    } else if let Some(rest) = lower.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (8, rest, true)
    } else {
        (10, lower.as_str(), false)
    };
    let mut value: i128 = 0;
    let mut after_digit = underscore_first;
    let mut too_large = false;
    for c in digits.chars() {
        if c == '_' && after_digit {
            after_digit = false;
            continue;
        }
        let digit = c.to_digit(base).ok_or(Failure::Syntax)?;
        after_digit = true;
        // The rest is still read: a syntax error behind a number that is too large is a syntax error.
        match value
            .checked_mul(base.into())
            .and_then(|v| v.checked_add(digit.into()))
        {
            Some(next) => value = next,
            None => too_large = true,
        }
    }
    if digits.is_empty() || !after_digit {
        return Err(Failure::Syntax);
    }
    if too_large {
        return Err(Failure::Range);
    }
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_and_prefixed() {
        for (text, value) in [
            ("1", 1),
            ("0", 0),
            ("-5", -5),
            ("+5", 5),
            ("010", 8),
            ("0x10", 16),
            ("0XfF", 255),
            ("0b11", 3),
            ("0o17", 15),
            ("1_000", 1000),
            ("0x_10", 16),
            ("0_7", 7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(parse(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_integer_is_named() {
        for text in [
            "",
            "a",
            "08",
            "1.5",
            " 1",
            "1 ",
            "_1",
            "1_",
            "1__0",
            "0x",
            "--1",
            "+",
            "0x_",
            "9".repeat(50).as_str(),
            "1é",
        ] {
            let what = if text.starts_with("99") {
                "value out of range"
            } else {
                "invalid syntax"
            };
            let message = format!("strconv.ParseInt: parsing {text:?}: {what}");
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
        assert!(
            parse("9223372036854775808")
                .unwrap_err()
                .to_string()
                .ends_with("value out of range")
        );
    }

    #[test]
    fn without_a_sign() {
        for (text, value) in [("0", 0), ("010", 8), ("0xffff", 65535), ("1_0", 10)] {
            assert_eq!(parse_u16(text), Ok(value), "{text}");
            assert_eq!(parse_unsigned(text), Ok(value.into()), "{text}");
        }
        for (text, what) in [
            ("", "invalid syntax"),
            ("-1", "invalid syntax"),
            ("+1", "invalid syntax"),
            ("70000", "value out of range"),
        ] {
            let message = format!("strconv.ParseUint: parsing {text:?}: {what}");
            assert_eq!(parse_u16(text).unwrap_err().to_string(), message);
        }
        assert_eq!(parse_unsigned("9223372036854775807"), Ok(i64::MAX));
        let message = "strconv.ParseUint: parsing \"9223372036854775808\": value out of range";
        let error = parse_unsigned("9223372036854775808").unwrap_err();
        assert_eq!(error.to_string(), message);
    }

    #[test]
    fn within_a_value_only_decimal() {
        assert_eq!(parse_decimal("+1"), Ok(1));
        assert_eq!(parse_decimal("010"), Ok(10));
        for text in ["", "0x10", "1_0", "-", "unlimited"] {
            assert!(parse_decimal(text).is_err(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_integer_reads_back(value: i64) {
            assert_eq!(parse(&value.to_string()), Ok(value));
            assert_eq!(parse_decimal(&value.to_string()), Ok(value));
            assert_eq!(parse_unsigned(&value.to_string()).is_ok(), value >= 0);
            assert_eq!(parse_u16(&value.to_string()).ok(), u16::try_from(value).ok());
            assert_eq!(parse(&format!("{:#x}", i128::from(value).abs())).ok(), i64::try_from(i128::from(value).abs()).ok());
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = parse(&text);
            let _ = parse_decimal(&text);
        }
    }
}
