//! The version of the Engine API that a path begins with.

use std::fmt;

use crate::{Error, Result};

/// A version of the Engine API, such as `1.41`. Versions compare by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ApiVersion {
    major: u16,
    minor: u16,
}

impl ApiVersion {
    /// The oldest that is answered.
    pub(crate) const MINIMUM: ApiVersion = ApiVersion::new(1, 24);
    /// The newest, which is the one that the models describe, and the one of paths without a version.
    pub(crate) const MAXIMUM: ApiVersion = ApiVersion::new(1, 55);

    pub(crate) const fn new(major: u16, minor: u16) -> ApiVersion {
        ApiVersion { major, minor }
    }

    /// The version that the first segment of a path is, if it is one: `v`, and two numbers.
    pub(crate) fn of_segment(segment: &str) -> Option<ApiVersion> {
        let number = |part: &str| -> Option<u16> {
            let is_number = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            // A number beyond these is a version all the same, and too new.
            is_number.then(|| part.parse().unwrap_or(u16::MAX))
        };
        let (major, minor) = segment.strip_prefix('v')?.split_once('.')?;
        Some(ApiVersion::new(number(major)?, number(minor)?))
    }

    /// Refuses what is too old or too new, in Docker's words.
    pub(crate) fn check(self) -> Result<()> {
        if self < ApiVersion::MINIMUM {
            return Err(Error::invalid(format!(
                "client version {self} is too old. Minimum supported API version is {}, please upgrade your client to a \
                 newer version",
                ApiVersion::MINIMUM
            )));
        }
        if self > ApiVersion::MAXIMUM {
            return Err(Error::invalid(format!(
                "client version {self} is too new. Maximum supported API version is {}",
                ApiVersion::MAXIMUM
            )));
        }
        Ok(())
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_v_and_two_numbers() {
        assert_eq!(
            ApiVersion::of_segment("v1.41"),
            Some(ApiVersion::new(1, 41))
        );
        for other in [
            "1.41", "v1", "v1.", "v.4", "v1.4.1", "v1.-4", "vx.y", "volumes",
        ] {
            assert_eq!(ApiVersion::of_segment(other), None, "{other}");
        }
    }

    #[test]
    fn versions_out_of_range_are_refused_in_dockers_words() {
        let check = |text| ApiVersion::of_segment(text).expect("a version").check();
        let error = |text| check(text).expect_err("refused").to_string();
        assert!(check("v1.24").is_ok());
        assert!(check("v1.55").is_ok());
        assert_eq!(
            error("v1.9"),
            "client version 1.9 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer \
             version"
        );
        assert_eq!(
            error("v1.56"),
            "client version 1.56 is too new. Maximum supported API version is 1.55"
        );
        assert!(error("v1.99999999999").contains("is too new"));
    }
}
