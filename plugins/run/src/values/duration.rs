//! Lengths of time, as in `--health-interval 1m30s`, in the syntax of Go's `time.ParseDuration`.

use super::InvalidValue;

/// Parses numbers with units (`ns`, `us`, `ms`, `s`, `m`, `h`), summed, with one optional sign; returns nanoseconds.
pub(crate) fn parse(text: &str) -> Result<i64, InvalidValue> {
    let invalid = || InvalidValue::new(format!("time: invalid duration {text:?}"));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let scale: i128 = match unit {
            "" => {
                return Err(InvalidValue::new(format!(
                    "time: missing unit in duration {text:?}"
                )));
            }
            "ns" => 1,
            // The micro sign and the Greek letter look alike and both are in use.
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => {
                return Err(InvalidValue::new(format!(
                    "time: unknown unit {unit:?} in duration {text:?}"
                )));
            }
        };
        let whole: i128 = if whole.is_empty() {
            0
        } else {
            whole.parse().map_err(|_| invalid())?
        };
        total = whole
            .checked_mul(scale)
            .and_then(|part| part.checked_add(part_of(fraction, scale)))
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).map_err(|_| invalid())
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(
        text.find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len()),
    )
}

/// The fraction's share of the unit, in whole nanoseconds. Eighteen digits are more than an hour can show.
fn part_of(fraction: &str, scale: i128) -> i128 {
    let kept = &fraction[..fraction.len().min(18)];
    let power = u32::try_from(kept.len()).unwrap_or(0);
    kept.parse::<i128>().unwrap_or(0) * scale / 10_i128.pow(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_units() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("+0", 0),
            ("1s", 1_000_000_000),
            ("+1s", 1_000_000_000),
            ("-1s", -1_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h1h", 7_200_000_000_000),
            ("1.5h", 5_400_000_000_000),
            ("0.5s", 500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("1ms", 1_000_000),
            ("1us", 1_000),
            ("1\u{b5}s", 1_000),
            ("1\u{3bc}s", 1_000),
            ("500ns", 500),
            ("0.999999999999ns", 0),
            ("9223372036854775807ns", i64::MAX),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_named() {
        for (text, message) in [
            ("", "time: invalid duration \"\""),
            ("-", "time: invalid duration \"-\""),
            (" 1s", "time: invalid duration \" 1s\""),
            (".s", "time: invalid duration \".s\""),
            ("s", "time: invalid duration \"s\""),
            ("1", "time: missing unit in duration \"1\""),
            ("1s1", "time: missing unit in duration \"1s1\""),
            ("1d", "time: unknown unit \"d\" in duration \"1d\""),
            ("9999999h", "time: invalid duration \"9999999h\""),
            (
                "9223372036854775808ns",
                "time: invalid duration \"9223372036854775808ns\"",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn parts_add_up(hours in 0_i64..1000, minutes in 0_i64..1000, millis in 0_i64..100_000, nanos in 0_i64..1_000_000) {
            let expected = hours * 3_600_000_000_000 + minutes * 60_000_000_000 + millis * 1_000_000 + nanos;
            assert_eq!(parse(&format!("{hours}h{minutes}m{millis}ms{nanos}ns")), Ok(expected));
        }

        #[test]
        fn no_text_panics(text in "[-+]?([0-9.]{0,40}[a-z]{0,2}){0,3}|.*") {
            let _ = parse(&text);
        }
    }
}
