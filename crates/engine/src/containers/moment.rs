//! Moments as clients name them.

use jiff::{SignedDuration, Timestamp};

use crate::state::Moment;
use crate::{Error, Result};

/// A moment: seconds since 1970, with a fraction or without, a time in RFC 3339's form, or a duration before now as Go
/// writes it, `1h30m`.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for anything else.
pub(crate) fn parse(text: &str) -> Result<Moment> {
    let timestamp = of_seconds(text)
        .or_else(|| text.parse().ok())
        .or_else(|| Timestamp::now().checked_sub(duration(text)?).ok())
        .ok_or_else(|| Error::invalid(format!("invalid time {text:?}")))?;
    timestamp.to_string().parse()
}

fn of_seconds(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(seconds.strip_prefix('-').unwrap_or(seconds)) || !is_number(fraction) {
        return None;
    }
    let nanoseconds: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    Timestamp::new(seconds.parse().ok()?, nanoseconds.parse().ok()?).ok()
}

/// A duration of Go: numbers, each with a unit.
fn duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let digits = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .filter(|&digits| digits > 0)?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let units = [
            ("ns", 1e-9),
            ("us", 1e-6),
            ("µs", 1e-6),
            ("ms", 1e-3),
            ("s", 1.0),
            ("m", 60.0),
            ("h", 3600.0),
        ];
        let (unit, factor) = units.into_iter().find(|(unit, _)| {
            // `m` begins `ms`, which stands before it.
            rest.starts_with(unit)
        })?;
        rest = &rest[unit.len()..];
        sum += number * factor;
    }
    (!text.is_empty())
        .then(|| SignedDuration::try_from_secs_f64(sum).ok())
        .flatten()
}

/// The body of this module's fuzz target: what is a moment can be written, and is the same when it is read again.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let text = str::from_utf8(data).unwrap_or_default();
    match parse(text) {
        Ok(moment) => assert_eq!(
            parse(&moment.to_string()).expect("what was written"),
            moment
        ),
        Err(error) => assert_eq!(error.status(), 400, "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_seconds_or_times() {
        for (text, expected) in [
            ("0", "1970-01-01T00:00:00Z"),
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1700000000.5", "2023-11-14T22:13:20.5Z"),
            ("1700000000.000000001", "2023-11-14T22:13:20.000000001Z"),
            ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
            ("2024-01-01T02:00:00+02:00", "2024-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text).expect(text).to_string(), expected);
        }
        for text in ["", "soon", "1.x", "5", "5x", "1e9"] {
            match parse(text) {
                Ok(_) => assert_eq!(text, "5"),
                Err(error) => assert_eq!(error.status(), 400, "{text}"),
            }
        }
    }

    #[test]
    fn a_duration_lies_in_the_past() {
        let ago = |text: &str| {
            let moment = parse(text).expect(text);
            Moment::now().since(moment).as_secs()
        };
        assert!((5400..5410).contains(&ago("1h30m")));
        assert!((10..20).contains(&ago("10s")));
        assert!(ago("1.5ms") < 10);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = parse(&text);
        }
    }
}
