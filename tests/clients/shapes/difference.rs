//! How the shapes of two JSON values differ: their keys, the types of what is there, and whether it is null or empty.

use std::fmt;

use serde_json::{Map, Value};

/// One difference, and the place of it: keys behind dots, `[]` for the elements of a list, `*` for keys that are ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) place: String,
    pub(super) what: What,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The measure has the key, and the other one lacks it.
    Missing,
    /// The other one has a key that the measure lacks.
    Further,
    /// The values are of different types, or one of them is null or empty: first the measure's, then the other's.
    Kinds(&'static str, &'static str),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { place, what } = self;
        match what {
            What::Missing => write!(f, "{place} is missing"),
            What::Further => write!(f, "{place} is there, and dockerd has no such key"),
            What::Kinds(theirs, ours) => write!(f, "{place} is {ours}, and dockerd's is {theirs}"),
        }
    }
}

/// All differences of `ours` from `measure`.
pub(super) fn differences(measure: &Value, ours: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(measure, ours, "", &mut found);
    found
}

fn compare(measure: &Value, ours: &Value, place: &str, found: &mut Vec<Difference>) {
    let mut push = |what| {
        found.push(Difference {
            place: place.to_owned(),
            what,
        });
    };
    match (measure, ours) {
        (Value::Object(measure), Value::Object(ours)) if measure.is_empty() == ours.is_empty() => {
            compare_keys(measure, ours, place, found);
        }
        (Value::Array(measure), Value::Array(ours)) if measure.is_empty() == ours.is_empty() => {
            for (measure, ours) in pairs(measure, ours) {
                compare(measure, ours, &format!("{place}[]"), found);
            }
        }
        (measure, ours) => {
            let (theirs, ours) = (kind(measure), kind(ours));
            if theirs != ours {
                push(What::Kinds(theirs, ours));
            }
        }
    }
}

/// Elements of two lists that are about the same thing, wherever they stand; of what has no name, those at one place.
fn pairs<'a>(measure: &'a [Value], ours: &'a [Value]) -> Vec<(&'a Value, &'a Value)> {
    let by_name = measure.iter().filter_map(|one| {
        let name = name(one)?;
        let same = ours
            .iter()
            .find(|other| self::name(other).as_ref() == Some(&name))?;
        Some((one, same))
    });
    let nameless = |list: &'a [Value]| list.iter().filter(|value| name(value).is_none());
    by_name
        .chain(nameless(measure).zip(nameless(ours)))
        .collect()
}

/// What an element of a list is known by on every engine.
fn name(value: &Value) -> Option<String> {
    ["Destination", "Names", "Name", "RepoTags", "PrivatePort"]
        .iter()
        .find_map(|key| match value.get(key) {
            None | Some(Value::Null) => None,
            Some(name) => Some(name.to_string()),
        })
}

fn compare_keys(
    measure: &Map<String, Value>,
    ours: &Map<String, Value>,
    place: &str,
    found: &mut Vec<Difference>,
) {
    let mut push = |key: &str, what| {
        found.push(Difference {
            place: format!("{place}.{key}"),
            what,
        });
    };
    for key in measure.keys().filter(|key| !is_id(key)) {
        if !ours.contains_key(key) {
            push(key, What::Missing);
        }
    }
    for key in ours.keys().filter(|key| !is_id(key)) {
        if !measure.contains_key(key) {
            push(key, What::Further);
        }
    }
    for (key, value) in measure.iter().filter(|(key, _)| !is_id(key)) {
        if let Some(ours) = ours.get(key) {
            compare(value, ours, &format!("{place}.{key}"), found);
        }
    }
    // Which id is whose is another engine's business.
    let under_ids = |map: &Map<String, Value>| -> Vec<Value> {
        map.iter()
            .filter(|(key, _)| is_id(key))
            .map(|(_, value)| value.clone())
            .collect()
    };
    let (measure, ours) = (under_ids(measure), under_ids(ours));
    if measure.is_empty() != ours.is_empty() {
        let what = match ours.is_empty() {
            true => What::Missing,
            false => What::Further,
        };
        found.push(Difference {
            place: format!("{place}.*"),
            what,
        });
    }
    for (measure, ours) in measure.iter().zip(&ours) {
        compare(measure, ours, &format!("{place}.*"), found);
    }
}

fn is_id(key: &str) -> bool {
    key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The type of a value, as far as a client could stumble over it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(list) if list.is_empty() => "an empty list",
        Value::Array(_) => "a list",
        Value::Object(map) if map.is_empty() => "an empty object",
        Value::Object(_) => "an object",
    }
}

#[test]
fn keys_types_and_emptiness_are_compared_at_every_depth() {
    use serde_json::json;
    let told = |measure: Value, ours: Value| -> Vec<String> {
        differences(&measure, &ours)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    let id = "0".repeat(64);
    let other = "f".repeat(64);
    assert_eq!(
        told(
            json!({"a": {"b": [{"c": 1}]}, "n": 1, "s": "x", id: {"k": 1}}),
            json!({"a": {"b": [{"c": 2}]}, "n": 0, "s": "y", other.as_str(): {"k": 2}}),
        ),
        [""; 0]
    );
    assert_eq!(
        told(
            json!({"a": {"b": [{"c": 1}]}, "e": [], "m": {}, "s": "x", "z": 1, "f": 1}),
            json!({"a": {"b": [{"d": 1}]}, "e": null, "m": {"k": 1}, "s": "", "f": 1.5}),
        ),
        [
            ".z is missing",
            ".a.b[].c is missing",
            ".a.b[].d is there, and dockerd has no such key",
            ".e is null, and dockerd's is an empty list",
            ".m is an object, and dockerd's is an empty object",
            ".s is an empty text, and dockerd's is a text",
            ".f is a fraction, and dockerd's is a number",
        ]
    );
    assert_eq!(
        told(json!({other: {"k": 1}}), json!({})),
        [" is an empty object, and dockerd's is an object"]
    );
}
