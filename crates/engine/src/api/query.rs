//! The parameters in the query of a request.

use percent_encoding::percent_decode_str;

use crate::{Error, Result};

/// The parameters of a request, decoded. Of one that is given twice the first counts, as with Docker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads what stands behind the `?`.
    pub(crate) fn parse(query: &str) -> Query {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name), decode(value))
            })
            .collect();
        Query { pairs }
    }

    /// Drops the parameters whose names are not to be kept.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.pairs.retain(|(name, _)| keep(name));
    }

    /// The value of a parameter that is there and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every value of a parameter.
    #[allow(dead_code, reason = "images are saved by several names")]
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a parameter says yes. As with Docker, anything does that is not one of its words for no.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// The same, for a parameter whose absence says `default`.
    pub(crate) fn flag_or(&self, name: &str, default: bool) -> bool {
        let Some((_, value)) = self.pairs.iter().find(|(key, _)| key == name) else {
            return default;
        };
        let value = value.trim().to_ascii_lowercase();
        !matches!(value.as_str(), "" | "0" | "no" | "false" | "none")
    }

    /// The number that a parameter is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is something else.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = value.parse().map_err(|error| {
            Error::invalid(format!("invalid value {value:?} for {name}: {error}"))
        })?;
        Ok(Some(number))
    }
}

/// The body of this module's fuzz target: nothing that a client sends may stop it.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let query = Query::parse(&text);
    for (name, value) in &query.pairs {
        let _ = (query.flag(name), query.number(name));
        assert!(query.all(name).any(|other| other == value));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("name=a%20b+c&empty=&twice=1&twice=2&bare&%6e=v");
        assert_eq!(query.get("name"), Some("a b c"));
        assert_eq!(query.get("empty"), None);
        assert_eq!(query.get("twice"), Some("1"));
        assert_eq!(query.all("twice").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(query.get("n"), Some("v"));
        assert_eq!(query.get("bare"), None);
        assert_eq!(query.get("absent"), None);
    }

    #[test]
    fn flags_are_dockers() {
        for (value, expected) in [
            ("1", true),
            ("true", true),
            ("True", true),
            ("yes", true),
            ("0", false),
            ("False", false),
            ("none", false),
            ("", false),
        ] {
            let query = Query::parse(&format!("f={value}"));
            assert_eq!(query.flag("f"), expected, "{value}");
        }
        assert!(Query::default().flag_or("f", true));
        assert!(!Query::parse("f").flag_or("f", true));
    }

    #[test]
    fn what_is_no_number_is_named() {
        let error = Query::parse("t=soon").number("t").expect_err("no number");
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains("\"soon\" for t"), "{error}");
        assert_eq!(Query::parse("t=-1").number("t").expect("one"), Some(-1));
    }

    proptest! {
        #[test]
        fn any_query_is_read(data: Vec<u8>) {
            fuzz(&data);
        }

        #[test]
        fn what_is_encoded_comes_back(name in "[a-z]{1,8}", value: String) {
            let encoded = percent_encoding::utf8_percent_encode(&value, percent_encoding::NON_ALPHANUMERIC);
            let query = Query::parse(&format!("{name}={encoded}"));
            prop_assert_eq!(query.get(&name).unwrap_or_default(), value);
        }
    }
}
