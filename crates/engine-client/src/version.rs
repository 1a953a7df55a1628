//! Engine API versions and their negotiation.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// A version of the Engine API, such as `1.41`. Versions compare by number, so `1.9` comes before `1.41`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    major: u16,
    minor: u16,
}

impl ApiVersion {
    /// The oldest version that this client speaks, that of Docker 19.03.
    pub const MINIMUM: ApiVersion = ApiVersion::new(1, 40);
    /// The newest version that this client speaks: the one that [`crate::models`] describe.
    pub const MAXIMUM: ApiVersion = ApiVersion::new(1, 53);

    /// The version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> ApiVersion {
        ApiVersion { major, minor }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = Error;

    /// Reads `1.41` or `v1.41`.
    fn from_str(text: &str) -> Result<ApiVersion, Error> {
        let number = |part: &str| -> Option<u16> {
            // `u16::from_str` takes a sign, a version does not.
            part.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| part.parse().ok())?
        };
        text.strip_prefix('v')
            .unwrap_or(text)
            .split_once('.')
            .and_then(|(major, minor)| Some(ApiVersion::new(number(major)?, number(minor)?)))
            .ok_or_else(|| {
                let message =
                    format!("invalid API version ({text}): must be formatted <major>.<minor>");
                Error::new(ErrorKind::Input, message)
            })
    }
}

/// The version to speak with an engine that offers `engine`, for a caller that fixed `cap`.
///
/// An engine that does not tell its version is spoken to in the oldest one: such an answer comes from a proxy that
/// drops headers, and every engine that is new enough refuses a version that is too old for it in clear words.
pub(crate) fn negotiate(
    engine: Option<ApiVersion>,
    cap: Option<ApiVersion>,
) -> Result<ApiVersion, Error> {
    let offered = cap.unwrap_or(ApiVersion::MAXIMUM).min(ApiVersion::MAXIMUM);
    let version = engine.unwrap_or(ApiVersion::MINIMUM).min(offered);
    if version < ApiVersion::MINIMUM {
        return Err(Error::new(
            ErrorKind::Version,
            format!(
                "API version {version} is not supported by this client: the minimum supported API version is {}",
                ApiVersion::MINIMUM
            ),
        ));
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ApiVersion {
        text.parse().expect("a version")
    }

    #[test]
    fn versions_read_and_print() {
        for text in ["1.40", "1.9", "2.0", "10.65535"] {
            assert_eq!(version(text).to_string(), text);
        }
        assert_eq!(version("v1.41"), ApiVersion::new(1, 41));
        for text in [
            "", "foo", "1", "1.", ".1", "1.2.3", "1.+2", "-1.2", "1.99999", " 1.41", "vv1.41",
        ] {
            let error = text.parse::<ApiVersion>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("invalid API version ({text}): must be formatted <major>.<minor>")
            );
            assert_eq!(error.kind(), ErrorKind::Input);
        }
    }

    #[test]
    fn versions_compare_by_number() {
        assert!(version("1.9") < version("1.41"));
        assert!(version("2.0") > version("1.41"));
    }

    #[test]
    fn the_lowest_of_all_is_spoken() {
        let cases = [
            (Some("1.41"), None, "1.41"),
            (Some("1.99"), None, "1.53"),
            (Some("1.50"), Some("1.44"), "1.44"),
            (Some("1.41"), Some("1.44"), "1.41"),
            (Some("1.99"), Some("1.99"), "1.53"),
            (None, None, "1.40"),
            (None, Some("1.41"), "1.40"),
        ];
        for (engine, cap, expected) in cases {
            let spoken = negotiate(engine.map(version), cap.map(version)).expect("a version");
            assert_eq!(spoken, version(expected), "{engine:?} {cap:?}");
        }
    }

    #[test]
    fn too_old_is_refused() {
        for (engine, cap) in [(Some("1.24"), None), (Some("1.50"), Some("1.24"))] {
            let error = negotiate(engine.map(version), cap.map(version)).expect_err("too old");
            assert_eq!(error.kind(), ErrorKind::Version);
            assert_eq!(
                error.to_string(),
                "API version 1.24 is not supported by this client: the minimum supported API version is 1.40"
            );
        }
    }
}
