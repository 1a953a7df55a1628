//! Reads hand-written JSON objects leniently: a value of the wrong type does not spoil the others.
//!
//! Errors name keys and shapes, never values: these may be secrets. A key may be the URL of a registry, whose password is
//! not shown either.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::redacted::redacted;

/// The settings that are left to take, and what was wrong with those that were taken.
pub(crate) struct Settings {
    object: Map<String, Value>,
    /// Where the object is, as it begins a key's name in errors.
    prefix: String,
    pub(crate) errors: Vec<String>,
}

impl Settings {
    /// Reads the first JSON value, which must be an object; no bytes but blanks are an empty one. What stands behind
    /// is not looked at, as by Docker's client.
    pub(crate) fn read(bytes: &[u8]) -> Result<Settings, String> {
        let first = serde_json::Deserializer::from_slice(bytes)
            .into_iter()
            .next();
        match first {
            None => Ok(Settings::of(Map::new(), String::new())),
            // Whatever is not JSON at all is described by its place and not by its text.
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(Value::Object(object))) => Ok(Settings::of(object, String::new())),
            Some(Ok(Value::Null)) => Ok(Settings::of(Map::new(), String::new())),
            Some(Ok(value)) => Err(mismatch(&value, "an object")),
        }
    }

    fn of(object: Map<String, Value>, prefix: String) -> Settings {
        Settings {
            object,
            prefix,
            errors: Vec::new(),
        }
    }

    /// A text; none if it is empty.
    pub(crate) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            Value::String(text) => Some(text).filter(|text| !text.is_empty()),
            value => self.reject(key, &value, "a string"),
        }
    }

    /// An object of texts.
    pub(crate) fn texts(&mut self, key: &str) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for (name, value) in self.object(key) {
            match value {
                Value::String(text) => {
                    texts.insert(name, text);
                }
                Value::Null => {
                    texts.insert(name, String::new());
                }
                value => {
                    let place = format!("{key}.{}", redacted(&name));
                    self.reject::<()>(&place, &value, "a string");
                }
            }
        }
        texts
    }

    /// An object of objects, each of which `read` makes a value of.
    pub(crate) fn objects<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&str, &mut Settings) -> T,
    ) -> BTreeMap<String, T> {
        let mut objects = BTreeMap::new();
        for (name, value) in self.object(key) {
            let object = match value {
                Value::Object(object) => object,
                Value::Null => Map::new(),
                value => {
                    let place = format!("{key}.{}", redacted(&name));
                    self.reject::<()>(&place, &value, "an object");
                    continue;
                }
            };
            let place = format!("{}{key}.{}.", self.prefix, redacted(&name));
            let mut inner = Settings::of(object, place);
            let value = read(&name, &mut inner);
            self.errors.append(&mut inner.errors);
            objects.insert(name, value);
        }
        objects
    }

    /// Notes that the value of this key is wrong.
    pub(crate) fn wrong(&mut self, key: &str, what: &str) {
        self.errors.push(format!("{}{key}: {what}", self.prefix));
    }

    /// The keys that nobody has taken.
    pub(crate) fn rest(&self) -> impl Iterator<Item = String> {
        self.object
            .keys()
            .map(|key| format!("{}{key}", self.prefix))
    }

    fn object(&mut self, key: &str) -> Map<String, Value> {
        match self.take(key) {
            None => Map::new(),
            Some(Value::Object(object)) => object,
            Some(value) => {
                self.reject::<()>(key, &value, "an object");
                Map::new()
            }
        }
    }

    /// Takes a value that is not null. The case of a key's letters does not count, but the exact one comes first.
    fn take(&mut self, key: &str) -> Option<Value> {
        let value = self.object.remove(key).or_else(|| {
            let other = self.object.keys().find(|k| k.eq_ignore_ascii_case(key));
            let other = other?.clone();
            self.object.remove(&other)
        });
        value.filter(|value| !value.is_null())
    }

    fn reject<T>(&mut self, key: &str, value: &Value, expected: &str) -> Option<T> {
        self.wrong(key, &mismatch(value, expected));
        None
    }
}

fn mismatch(value: &Value, expected: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    format!("expected {expected}, found {found}")
}
