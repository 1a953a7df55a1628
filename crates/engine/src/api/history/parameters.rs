//! Which parameters of a query a version has.

use crate::api::version::ApiVersion;

/// From this version on `POST /volumes/prune` leaves volumes that have names, unless its filter `all` says otherwise.
pub(in crate::api) const NAMED_VOLUMES_STAY: ApiVersion = ApiVersion::new(1, 42);

/// A parameter that some versions have.
#[derive(Clone, Copy, Debug)]
struct Parameter {
    method: &'static str,
    /// The path; `*` stands for one or more segments.
    path: &'static str,
    name: &'static str,
    /// The first version that has it.
    since: ApiVersion,
    /// The first version that has it no more.
    until: ApiVersion,
}

/// No version has taken it away.
const NEVER: ApiVersion = ApiVersion::new(u16::MAX, 0);

const fn since(
    method: &'static str,
    path: &'static str,
    name: &'static str,
    minor: u16,
) -> Parameter {
    Parameter {
        method,
        path,
        name,
        since: ApiVersion::new(1, minor),
        until: NEVER,
    }
}

const fn until(
    method: &'static str,
    path: &'static str,
    name: &'static str,
    minor: u16,
) -> Parameter {
    Parameter {
        method,
        path,
        name,
        since: ApiVersion::new(1, 0),
        until: ApiVersion::new(1, minor),
    }
}

/// Every parameter that means nothing in some version.
#[rustfmt::skip] // A line a parameter.
const PARAMETERS: &[Parameter] = &[
    since("POST", "/containers/create", "platform", 41),
    since("POST", "/containers/*/stop", "signal", 42),
    since("POST", "/containers/*/restart", "signal", 42),
    since("POST", "/containers/*/wait", "condition", 30),
    since("GET", "/containers/*/stats", "one-shot", 41),
    since("GET", "/containers/*/logs", "format", 54),
    until("GET", "/images/json", "filter", 41),
    since("GET", "/images/json", "shared-size", 42),
    since("GET", "/images/json", "manifests", 47),
    since("GET", "/images/json", "identity", 54),
    since("GET", "/images/*/json", "manifests", 48),
    since("GET", "/images/*/json", "platform", 49),
    since("GET", "/images/*/history", "platform", 48),
    since("POST", "/images/create", "platform", 32),
    since("POST", "/images/load", "platform", 48),
    since("DELETE", "/images/*", "platforms", 50),
];

/// Whether a request's version has a parameter. Those that it has not are as if they were not there.
pub(in crate::api) fn has_parameter(
    version: ApiVersion,
    method: &str,
    path: &[String],
    name: &str,
) -> bool {
    PARAMETERS
        .iter()
        .filter(|parameter| {
            parameter.name == name && parameter.method == method && is_at(parameter.path, path)
        })
        .all(|parameter| parameter.since <= version && version < parameter.until)
}

/// Whether a path is meant by a pattern.
fn is_at(pattern: &str, path: &[String]) -> bool {
    let path = path.iter().map(String::as_str);
    let pattern: Vec<&str> = pattern.split('/').skip(1).collect();
    let Some(star) = pattern.iter().position(|&segment| segment == "*") else {
        return path.eq(pattern);
    };
    let (before, after) = (&pattern[..star], &pattern[star + 1..]);
    path.len() >= pattern.len()
        && path.clone().zip(before).all(|(one, other)| one == *other)
        && path
            .rev()
            .zip(after.iter().rev())
            .all(|(one, other)| one == *other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('/').skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn every_parameter_is_there_in_its_versions_and_in_no_other() {
        for parameter in PARAMETERS {
            let path = path(&parameter.path.replace('*', "a/b"));
            for minor in 24..=55 {
                let version = ApiVersion::new(1, minor);
                let expected = parameter.since <= version && version < parameter.until;
                let has = has_parameter(version, parameter.method, &path, parameter.name);
                assert_eq!(
                    has, expected,
                    "{version} {} {}",
                    parameter.path, parameter.name
                );
                // What is in no line is in every version.
                assert!(has_parameter(version, parameter.method, &path, "other"));
                assert!(has_parameter(version, "HEAD", &path, parameter.name));
            }
        }
    }

    #[test]
    fn a_star_is_one_segment_or_more() {
        for (pattern, fits, fits_not) in [
            (
                "/images/*/json",
                ["/images/a/json", "/images/a/b/c/json"],
                ["/images/json", "/images/a/jso"],
            ),
            (
                "/images/*",
                ["/images/a", "/images/a/b"],
                ["/images", "/image/a"],
            ),
            ("/a/b", ["/a/b", "/a/b"], ["/a", "/a/b/c"]),
        ] {
            for text in fits {
                assert!(is_at(pattern, &path(text)), "{pattern} {text}");
            }
            for text in fits_not {
                assert!(!is_at(pattern, &path(text)), "{pattern} {text}");
            }
        }
    }
}
