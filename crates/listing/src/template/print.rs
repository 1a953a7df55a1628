//! What `print`, `println` and an action alone print, as Go's `fmt` does.

use serde_json::Value as Json;

use super::value::{Kind, Value, kind, sorted};
use crate::shape::{Field, Shape};

/// A value's text: of a string itself, of a list its entries in brackets, of an object of a known type its fields in braces,
/// of any other its entries after `map`.
///
/// Where Go prints the address of what is in it, what is there is printed.
pub(super) fn text(json: &Json, shape: Shape) -> String {
    if let Shape::Pointer(inner) = shape
        && !json.is_null()
    {
        return text(json, *inner);
    }
    match (shape, kind(json, shape)) {
        (_, Kind::Nothing | Kind::Nil) => "<nil>".to_owned(),
        (Shape::Duration, Kind::Int(nanoseconds)) => duration(nanoseconds),
        (_, Kind::Bool(value)) => value.to_string(),
        (_, Kind::Int(value)) => value.to_string(),
        (_, Kind::Uint(value)) => value.to_string(),
        (_, Kind::Float(value)) => float(value),
        (_, Kind::Text(text)) => text.into_owned(),
        (_, Kind::Time(moment)) => time(moment),
        (_, Kind::List(entries, shape)) => {
            let texts: Vec<String> = entries.iter().map(|entry| text(entry, shape)).collect();
            format!("[{}]", texts.join(" "))
        }
        (_, Kind::Map(entries, shape)) => {
            let texts: Vec<String> = sorted(entries)
                .into_iter()
                .map(|(key, entry)| format!("{key}:{}", text(entry, shape)))
                .collect();
            format!("map[{}]", texts.join(" "))
        }
        (Shape::Spelled(_, pattern), Kind::Struct(_, fields)) => spelled(json, fields, pattern),
        (_, Kind::Struct(_, fields)) => {
            let texts: Vec<String> = fields
                .iter()
                .map(|field| match field.is_embedded {
                    true => text(json, field.shape),
                    false => text(json.get(field.key).unwrap_or(&Json::Null), field.shape),
                })
                .collect();
            format!("{{{}}}", texts.join(" "))
        }
    }
}

/// What a pattern says of an object: each `{Name}` of it is a field's text.
fn spelled(json: &Json, fields: &[Field], pattern: &str) -> String {
    fields.iter().fold(pattern.to_owned(), |spelled, field| {
        let value = json.get(field.key).unwrap_or(&Json::Null);
        spelled.replace(&format!("{{{}}}", field.name), &text(value, field.shape))
    })
}

/// Values one behind another, with a blank between two of which neither is a string.
pub(super) fn joined(values: &[Value<'_>]) -> String {
    let mut printed = String::new();
    let mut before = None;
    for value in values {
        let is_text = matches!(value.kind(), Kind::Text(_));
        if before == Some(false) && !is_text {
            printed.push(' ');
        }
        printed.push_str(&text(&value.json, value.shape));
        before = Some(is_text);
    }
    printed
}

/// Values with a blank between any two, as a line.
pub(super) fn line(values: &[Value<'_>]) -> String {
    let texts: Vec<String> = values
        .iter()
        .map(|value| text(&value.json, value.shape))
        .collect();
    texts.join(" ") + "\n"
}

/// As few digits as tell the number from its neighbors, with an exponent where that is below -4 or above 5.
pub(super) fn float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    match exponent {
        -4..6 => value.to_string(),
        _ => format!("{digits}e{}", exponent_text(exponent)),
    }
}

/// An exponent as Go writes it: with its sign, and two digits at least.
pub(super) fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{:02}", exponent.unsigned_abs())
}

/// A length of time in nanoseconds, as Go prints it: `1h0m30s`, `1.5s`, `250ms`.
fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let rest = nanoseconds.unsigned_abs();
    let fraction = |value: u64, unit: u64, digits: usize| {
        let text = format!("{}.{:0digits$}", value / unit, value % unit);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let text = match rest {
        0 => return "0s".to_owned(),
        1..1_000 => format!("{rest}ns"),
        1_000..1_000_000 => format!("{}µs", fraction(rest, 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{}ms", fraction(rest, 1_000_000, 6)),
        _ => {
            let seconds = rest / 1_000_000_000;
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let seconds = fraction(rest % 60_000_000_000, 1_000_000_000, 9);
            match (hours, minutes) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// A moment by RFC 3339, as Go prints it: `2026-01-31 12:00:00.5 +0000 UTC`.
fn time(moment: &str) -> String {
    let parsed = moment.split_once('T').and_then(|(date, rest)| {
        let at = rest.find(['Z', '+', '-'])?;
        let (clock, zone) = rest.split_at(at);
        let clock = match clock.contains('.') {
            true => clock.trim_end_matches('0').trim_end_matches('.'),
            false => clock,
        };
        let zone = match zone {
            "Z" | "+00:00" => "+0000 UTC".to_owned(),
            // Go names a zone by its distance where it knows no name of it.
            zone => format!("{0} {0}", zone.replace(':', "")),
        };
        Some(format!("{date} {clock} {zone}"))
    });
    parsed.unwrap_or_else(|| moment.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_gos() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m0s"),
            (5_430_000_000_000, "1h30m30s"),
            (-30_000_000_000, "-30s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(duration(nanoseconds), expected);
        }
    }

    #[test]
    fn moments_are_printed_as_gos() {
        for (moment, expected) in [
            ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00 +0000 UTC"),
            (
                "2026-01-31T12:00:00.500Z",
                "2026-01-31 12:00:00.5 +0000 UTC",
            ),
            (
                "2026-01-31T12:00:00.123456789+02:00",
                "2026-01-31 12:00:00.123456789 +0200 +0200",
            ),
            ("yesterday", "yesterday"),
        ] {
            assert_eq!(time(moment), expected);
        }
    }

    #[test]
    fn floats_are_printed_as_gos() {
        for (value, expected) in [
            (0.0, "0"),
            (0.5, "0.5"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
        ] {
            assert_eq!(float(value), expected);
        }
    }
}
