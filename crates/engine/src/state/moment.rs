//! A moment as the Engine API writes it.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Error, Result};

/// A moment of the machine's clock, to the nanosecond. Its text is RFC 3339 in UTC without trailing zeros, as Go's
/// `time.RFC3339Nano` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

impl Moment {
    /// What the API says about something that has not happened yet.
    pub const NEVER: &'static str = "0001-01-01T00:00:00Z";

    /// The moment of the call.
    pub fn now() -> Moment {
        Moment(Timestamp::now())
    }

    /// Whole seconds since 1970.
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Nanoseconds since 1970.
    pub fn unix_nanoseconds(self) -> i128 {
        self.0.as_nanosecond()
    }

    /// The time from `earlier` to this moment; none if the clock was set back in between.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or_default()
    }

    /// The text of a moment, or of the lack of one.
    pub fn text(moment: Option<Moment>) -> String {
        moment.map_or_else(|| Moment::NEVER.to_owned(), |moment| moment.to_string())
    }
}

impl TryFrom<SystemTime> for Moment {
    type Error = Error;

    /// The moment of a file's time.
    fn try_from(time: SystemTime) -> Result<Moment> {
        Timestamp::try_from(time)
            .map(Moment)
            .map_err(|error| Error::system(error.to_string()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Moment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Moment> {
        text.parse()
            .map(Moment)
            .map_err(|error| Error::invalid(format!("the time \"{text}\": {error}")))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Moment, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_they_were_written() {
        for text in [
            "2024-02-29T23:59:59Z",
            "2024-02-29T23:59:59.5Z",
            "2024-02-29T23:59:59.000000001Z",
            Moment::NEVER,
        ] {
            assert_eq!(text.parse::<Moment>().expect("a time").to_string(), text);
        }
        assert_eq!(Moment::text(None), Moment::NEVER);
    }

    #[test]
    fn a_clock_that_was_set_back_gives_no_time() {
        let early: Moment = "2024-01-01T00:00:00Z".parse().expect("a time");
        let late: Moment = "2024-01-01T00:00:02Z".parse().expect("a time");
        assert_eq!(late.since(early), Duration::from_secs(2));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
