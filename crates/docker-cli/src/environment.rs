//! Environment variables of the container, as in `--env NAME=VALUE`.

use std::ffi::OsString;

use byname::Environment;

use crate::InvalidValue;

/// Checks `NAME=VALUE` or `NAME`; any name but the empty one is the container's business.
///
/// # Errors
///
/// There is no name.
pub fn parse(text: &str) -> Result<String, InvalidValue> {
    if text.is_empty() || text.starts_with('=') {
        return Err(InvalidValue::new(format!(
            "invalid environment variable: {text}"
        )));
    }
    Ok(text.to_owned())
}

/// Looks variables up in this environment, for [`resolve`] and for files of variables.
pub fn lookup(
    environment: &Environment,
) -> impl Fn(&str) -> Result<Option<String>, InvalidValue> + Copy {
    |name| match environment.get(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(InvalidValue::new(format!(
            "environment variable {name} is not valid UTF-8"
        ))),
    }
}

/// Completes the variables of the command line: a bare `NAME` takes its value from `lookup`, or stays bare, which
/// makes the engine unset what the image sets. Of several for one name the last counts, in the place of the first.
///
/// # Errors
///
/// Those of `lookup`.
pub fn resolve<E>(
    variables: &[String],
    lookup: impl Fn(&str) -> Result<Option<String>, E>,
) -> Result<Vec<String>, E> {
    let mut resolved: Vec<(&str, String)> = Vec::new();
    for variable in variables {
        let (name, text) = match variable.split_once('=') {
            Some((name, _)) => (name, variable.clone()),
            None => match lookup(variable)? {
                Some(value) => (variable.as_str(), format!("{variable}={value}")),
                None => (variable.as_str(), variable.clone()),
            },
        };
        match resolved.iter_mut().find(|(known, _)| *known == name) {
            Some((_, earlier)) => *earlier = text,
            None => resolved.push((name, text)),
        }
    }
    Ok(resolved.into_iter().map(|(_, text)| text).collect())
}

/// Adds variables for proxies, each by its upper-case and its lower-case name, unless that very name is there already,
/// with a value or without.
pub fn add_proxies<'n, 'v>(
    variables: &mut Vec<String>,
    proxies: impl IntoIterator<Item = (&'n str, &'v str)>,
) {
    for (name, value) in proxies {
        for name in [name.to_owned(), name.to_ascii_lowercase()] {
            let is_given = variables
                .iter()
                .any(|variable| variable.split('=').next() == Some(&name));
            if !is_given {
                variables.push(format!("{name}={value}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn lookup(name: &str) -> Result<Option<String>, Infallible> {
        Ok(match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn only_the_empty_name_is_refused() {
        for text in ["A=1", "A", "A B=1", " A=1", "A=", "A=b=c"] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
        for text in ["", "=x", "="] {
            let message = format!("invalid environment variable: {text}");
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn bare_names_are_looked_up() {
        let Ok(resolved) = resolve(&strings(&["SET", "EMPTY", "UNSET", "A=1"]), lookup);
        assert_eq!(resolved, ["SET=value", "EMPTY=", "UNSET", "A=1"]);
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let Ok(resolved) = resolve(&strings(&["A=1", "B=2", "A=3", "SET=x", "SET"]), lookup);
        assert_eq!(resolved, ["A=3", "B=2", "SET=value"]);
        let Ok(resolved) = resolve(&strings(&["UNSET=1", "UNSET"]), lookup);
        assert_eq!(resolved, ["UNSET"]);
    }

    #[test]
    fn proxies_are_added_in_both_cases_unless_named() {
        let proxies = [("HTTP_PROXY", "http://p"), ("NO_PROXY", "a,b")];
        let mut variables = strings(&["A=1", "http_proxy=", "NO_PROXY"]);
        add_proxies(&mut variables, proxies);
        assert_eq!(
            variables,
            [
                "A=1",
                "http_proxy=",
                "NO_PROXY",
                "HTTP_PROXY=http://p",
                "no_proxy=a,b"
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn names_are_unique_and_none_is_lost(variables in proptest::collection::vec("[A-C]{1,2}(=[a-z]{0,2})?", 0..12)) {
            let Ok(resolved) = resolve(&variables, lookup);
            let name = |text: &String| text.split('=').next().unwrap_or_default().to_owned();
            let mut given: Vec<String> = variables.iter().map(name).collect();
            let mut left: Vec<String> = resolved.iter().map(name).collect();
            given.sort();
            given.dedup();
            left.sort();
            assert_eq!(given, left);
        }
    }
}
