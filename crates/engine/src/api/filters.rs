//! The parameter `filters`: which of all containers, images, volumes or networks a list shall have.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Error, Result};

/// What a list is filtered by. A thing is in it if, for each name, one of the values fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filters {
    values: BTreeMap<String, Vec<String>>,
}

impl Filters {
    /// Reads the parameter: `{"name": ["value"]}`, or as clients before API 1.22 have it, `{"name": {"value": true}}`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for another shape.
    pub(crate) fn parse(text: Option<&str>) -> Result<Filters> {
        let Some(text) = text else {
            return Ok(Filters::default());
        };
        let invalid = |why: &dyn std::fmt::Display| {
            Error::invalid(format!("invalid filters {text:?}: {why}"))
        };
        let value: Value = serde_json::from_str(text).map_err(|error| invalid(&error))?;
        let object = match value {
            Value::Object(object) => object,
            Value::Null => return Ok(Filters::default()),
            _ => return Err(invalid(&"not an object")),
        };
        let mut values = BTreeMap::new();
        for (name, value) in object {
            let list = match value {
                Value::Array(list) => list
                    .into_iter()
                    .map(|value| match value {
                        Value::String(text) => Ok(text),
                        // docker-py sends numbers and booleans as they are.
                        Value::Number(number) => Ok(number.to_string()),
                        Value::Bool(flag) => Ok(flag.to_string()),
                        _ => Err(invalid(&format_args!("a value of {name:?} is no text"))),
                    })
                    .collect::<Result<Vec<_>>>()?,
                Value::Object(set) => set
                    .into_iter()
                    .filter(|(_, is_set)| *is_set == Value::Bool(true))
                    .map(|(value, _)| value)
                    .collect(),
                Value::String(text) => vec![text],
                _ => return Err(invalid(&format_args!("{name:?} has no list of values"))),
            };
            values.insert(name, list);
        }
        Ok(Filters { values })
    }

    /// Refuses filters that are not among `accepted`, in Docker's words.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter)
    pub(crate) fn check(&self, accepted: &[&str]) -> Result<()> {
        match self
            .values
            .keys()
            .find(|name| !accepted.contains(&name.as_str()))
        {
            Some(name) => Err(Error::invalid(format!("invalid filter '{name}'"))),
            None => Ok(()),
        }
    }

    /// The same with one more value for a name.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.values
            .entry(name.to_owned())
            .or_default()
            .push(value.to_owned());
    }

    /// The same without what is asked of one name.
    pub(crate) fn without(&self, name: &str) -> Filters {
        let mut filters = self.clone();
        filters.values.remove(name);
        filters
    }

    /// The values for a name.
    pub(crate) fn get(&self, name: &str) -> &[String] {
        self.values.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether something is asked of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Whether nothing is asked of that name, or one of its values fits.
    pub(crate) fn any(&self, name: &str, fits: impl Fn(&str) -> bool) -> bool {
        let values = self.get(name);
        values.is_empty() || values.iter().any(|value| fits(value))
    }

    /// Whether the labels have all that `label` asks for, and nothing of what `label!` does, each being `name` or
    /// `name=value`.
    pub(crate) fn labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        let has = |wanted: &String| match wanted.split_once('=') {
            Some((name, value)) => label(name) == Some(value),
            None => label(wanted).is_some(),
        };
        self.get("label").iter().all(has) && !self.get("label!").iter().any(has)
    }

    /// What a filter that is true or false says, if it is there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for neither, or both.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>> {
        let mut flag = None;
        for value in self.get(name) {
            let value = match value.to_ascii_lowercase().as_str() {
                "1" | "true" | "t" => true,
                "0" | "false" | "f" => false,
                _ => return Err(Error::invalid(format!("invalid filter '{name}={value}'"))),
            };
            if flag.replace(value).is_some_and(|other| other != value) {
                return Err(Error::invalid(format!(
                    "invalid filter '{name}': it is true and false"
                )));
            }
        }
        Ok(flag)
    }
}

/// The body of this module's fuzz target: what is no filter is refused, and what is one can be asked.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let Ok(filters) = Filters::parse(Some(&String::from_utf8_lossy(data))) else {
        return;
    };
    for name in filters.values.keys() {
        assert!(filters.check(&[name]).is_ok() || filters.values.len() > 1);
        let _ = filters.flag(name);
        let _ = filters.labels(|_| None);
        assert!(filters.any(name, |_| true));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_shapes_are_read() {
        for text in [
            r#"{"name":["a","b"],"all":["1"]}"#,
            r#"{"name":{"a":true,"b":true,"c":false},"all":{"1":true}}"#,
        ] {
            let filters = Filters::parse(Some(text)).expect(text);
            assert_eq!(filters.get("name"), ["a", "b"]);
            assert_eq!(filters.flag("all").expect("a flag"), Some(true));
            assert!(!filters.has("other"));
            assert!(filters.any("other", |_| false));
        }
        assert!(!Filters::parse(None).expect("none").has("name"));
    }

    #[test]
    fn other_shapes_are_refused() {
        for text in ["", "[]", "1", r#"{"a":1}"#, r#"{"a":[[]]}"#, "{"] {
            let error = Filters::parse(Some(text)).expect_err(text);
            assert_eq!(error.status(), 400, "{text}");
            assert!(error.to_string().starts_with("invalid filters "), "{error}");
        }
        let filters = Filters::parse(Some(r#"{"nope":["1"]}"#)).expect("filters");
        let error = filters.check(&["name"]).expect_err("unknown");
        assert_eq!(error.to_string(), "invalid filter 'nope'");
    }

    #[test]
    fn labels_fit_by_name_or_by_value() {
        let fits = |text: &str| {
            let filters = Filters::parse(Some(text)).expect(text);
            filters.labels(|name| (name == "a").then_some("1"))
        };
        assert!(fits(r#"{"label":["a"]}"#));
        assert!(fits(r#"{"label":["a=1"],"label!":["b"]}"#));
        assert!(!fits(r#"{"label":["a=2"]}"#));
        assert!(!fits(r#"{"label":["a","b"]}"#));
        assert!(!fits(r#"{"label!":["a"]}"#));
    }

    proptest! {
        #[test]
        fn any_filters_are_read_or_refused(data: Vec<u8>) {
            fuzz(&data);
        }
    }
}
