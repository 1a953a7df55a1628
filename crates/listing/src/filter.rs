//! Parses `--filter` values.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;

/// The filters of a command line, as the Engine API takes them in its `filters` parameter: values of one key are
/// alternatives, keys are joined. Which keys there are is the engine's business.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters(BTreeMap<String, BTreeSet<String>>);

impl Filters {
    /// Reads filters of the form `key=value`. Keys are taken in lower case and white space around both is dropped, as
    /// Docker's client does.
    ///
    /// # Errors
    /// The first text without a `=`.
    pub fn parse<T: AsRef<str>>(
        texts: impl IntoIterator<Item = T>,
    ) -> Result<Filters, InvalidFilter> {
        let mut filters = Filters::default();
        for text in texts {
            let text = text.as_ref();
            if text.is_empty() {
                continue;
            }
            let Some((key, value)) = text.split_once('=') else {
                return Err(InvalidFilter(text.to_owned()));
            };
            filters.add(key.trim().to_lowercase(), value.trim());
        }
        Ok(filters)
    }

    /// Adds one more.
    pub fn add(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.entry(key.into()).or_default().insert(value.into());
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that are filtered by.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The value of the API's `filters` parameter: `{"label":{"a=b":true}}`, the form that every version takes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let value: serde_json::Map<String, serde_json::Value> = self
            .0
            .iter()
            .map(|(key, values)| {
                let values: serde_json::Map<String, serde_json::Value> = values
                    .iter()
                    .map(|value| (value.clone(), true.into()))
                    .collect();
                (key.clone(), values.into())
            })
            .collect();
        serde_json::Value::Object(value).to_string()
    }
}

/// A filter that has no `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFilter(String);

impl fmt::Display for InvalidFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "invalid argument {:?} for \"-f, --filter\" flag: bad format of filter (expected name=value)",
            self.0
        )
    }
}

impl Error for InvalidFilter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_key_are_gathered() {
        let filters = Filters::parse(["label=b", "Label = a=1 ", "status=exited", ""]);
        let filters = filters.expect("filters");
        assert_eq!(
            filters.to_json(),
            r#"{"label":{"a=1":true,"b":true},"status":{"exited":true}}"#
        );
        assert_eq!(filters.keys().collect::<Vec<_>>(), ["label", "status"]);
        assert!(Filters::default().is_empty());
    }

    #[test]
    fn a_filter_without_a_value_is_named() {
        let error = Filters::parse(["running"]).expect_err("no value");
        assert_eq!(
            error.to_string(),
            r#"invalid argument "running" for "-f, --filter" flag: bad format of filter (expected name=value)"#
        );
    }
}
