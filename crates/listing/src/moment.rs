//! Parses and prints points in time, such as `--since` values.

use std::error::Error;
use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment in local time, as lists show it: `2024-05-01 10:00:00 +0000 UTC`. `seconds` count from 1970; a moment that
/// no calendar has is shown as its number.
#[must_use]
pub fn date(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(moment) => moment
            .to_zoned_datetime(TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S %z %Z")
            .to_string(),
        Err(_) => seconds.to_string(),
    }
}

/// Reads a moment as `--since` and `--until` take it, and returns the seconds since 1970 with nine decimals, as the
/// Engine API takes it. It is one of:
/// - seconds since 1970, with or without decimals: `1700000000.5`;
/// - a length of time before `now`: `10m`, `1h30m`;
/// - a date, a date with a time, with or without an offset; without one it is local: `2024-05-01T10:00:00Z`.
///
/// # Errors
/// Names the text, and the forms that there are.
pub fn moment(text: &str, now: std::time::SystemTime) -> Result<String, InvalidMoment> {
    let invalid = || InvalidMoment(text.to_owned());
    if let Some(timestamp) = unix(text) {
        return Ok(timestamp);
    }
    if let Ok(length) = text.parse::<SignedDuration>()
        && text.ends_with(|last: char| last.is_ascii_alphabetic())
        && !text.starts_with(['P', 'p'])
    {
        let now = Timestamp::try_from(now).map_err(|_| invalid())?;
        return now.checked_sub(length).map(seconds).map_err(|_| invalid());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(seconds(moment));
    }
    let local: DateTime = text.parse().map_err(|_| invalid())?;
    let zoned = local
        .to_zoned_datetime(TimeZone::system())
        .map_err(|_| invalid())?;
    Ok(seconds(zoned.timestamp()))
}

/// `SECONDS[.DECIMALS]` with nine decimals.
fn unix(text: &str) -> Option<String> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || decimals.len() > 9 {
        return None;
    }
    (digits(whole) && digits(decimals)).then(|| format!("{whole}.{decimals:0<9}"))
}

fn seconds(moment: Timestamp) -> String {
    // Below a second the parts of a moment before 1970 are negative, too.
    let nanoseconds = moment.as_nanosecond();
    let billion = 1_000_000_000;
    let (whole, rest) = (
        nanoseconds.div_euclid(billion),
        nanoseconds.rem_euclid(billion),
    );
    format!("{whole}.{rest:09}")
}

/// A text that is no moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidMoment(String);

impl fmt::Display for InvalidMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid time {:?}: give a date and time such as 2024-05-01T10:00:00Z, seconds since 1970, or how long ago \
             it was, such as 10m or 1h30m",
            self.0
        )
    }
}

impl Error for InvalidMoment {}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use proptest::prelude::*;

    use super::*;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    #[test]
    fn every_form_is_read() {
        for (text, expected) in [
            ("1700000000", "1700000000.000000000"),
            ("1700000000.5", "1700000000.500000000"),
            ("0", "0.000000000"),
            ("10m", "1699999400.000000000"),
            ("1h30m", "1699994600.000000000"),
            ("1.5s", "1699999998.500000000"),
            ("2023-11-14T22:13:20Z", "1700000000.000000000"),
            ("2023-11-14T22:13:20.25Z", "1700000000.250000000"),
            ("2023-11-14T23:13:20+01:00", "1700000000.000000000"),
            ("1969-12-31T23:59:59.5Z", "-1.500000000"),
        ] {
            assert_eq!(moment(text, now()).as_deref(), Ok(expected), "{text}");
        }
        for text in ["2023-11-14", "2023-11-14T22:13:20"] {
            assert!(moment(text, now()).is_ok(), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "yesterday", "12x", "1.2.3", "PT1H", "2023-13-01", "m"] {
            let error = moment(text, now()).expect_err(text).to_string();
            assert!(
                error.starts_with(&format!("invalid time {text:?}: give a ")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_a_number() {
        assert_eq!(date(i64::MAX), i64::MAX.to_string());
        assert!(date(1_700_000_000).starts_with("2023-11-1"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = moment(&text, now());
        }
    }
}
