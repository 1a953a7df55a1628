//! Compares two create requests.
//!
//! For every engine a field that is absent, null, empty or zero is not set, so they are equal; but a few fields mean
//! something when they are empty, and those are compared as they are. Lists that the engine takes as sets have no order.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::client::Created;
use super::difference::Difference;

/// Fields that mean something when they are zero or empty.
const KEPT: [&str; 9] = [
    "MemorySwappiness",
    "PidsLimit",
    "OomKillDisable",
    "Init",
    "StopTimeout",
    "Entrypoint",
    "MaskedPaths",
    "ReadonlyPaths",
    "StdinOnce",
];
const UNORDERED: [&str; 2] = ["Env", "Binds"];

/// The fields that differ without a reason, with both values.
pub(super) fn differences(theirs: &Created, ours: &Created, known: &[&Difference]) -> Vec<String> {
    let mut found = Vec::new();
    let is_known = |path: &str| known.iter().any(|difference| difference.covers(path));
    if theirs.query != ours.query && !is_known("query") {
        found.push(format!("query: {:?} {:?}", theirs.query, ours.query));
    }
    let (theirs, ours) = (normal("", &theirs.body), normal("", &ours.body));
    walk("", &theirs, &ours, &mut |path, theirs, ours| {
        if !is_known(path) {
            found.push(format!("{path}: {theirs} {ours}"));
        }
    });
    found
}

fn walk(path: &str, theirs: &Value, ours: &Value, differ: &mut impl FnMut(&str, &Value, &Value)) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let keys: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
            for key in keys {
                let path = match path {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                let value = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                walk(&path, &value(theirs), &value(ours), differ);
            }
        }
        (theirs, ours) if theirs == ours => {}
        (theirs, ours) => differ(path, theirs, ours),
    }
}

/// The value without what is not set.
fn normal(name: &str, value: &Value) -> Value {
    if KEPT.contains(&name) {
        return value.clone();
    }
    match value {
        Value::Object(fields) => {
            let fields: Map<String, Value> = fields
                .iter()
                .map(|(key, value)| (key.clone(), normal(key, value)))
                .filter(|(key, value)| is_set(key, value))
                .collect();
            Value::Object(fields)
        }
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(|value| normal("", value)).collect();
            if UNORDERED.contains(&name) {
                values.sort_by_key(Value::to_string);
            }
            Value::Array(values)
        }
        value => value.clone(),
    }
}

fn is_set(name: &str, value: &Value) -> bool {
    if KEPT.contains(&name) {
        return !value.is_null();
    }
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(value) => value.as_f64() != Some(0.0),
        Value::String(value) => !value.is_empty(),
        Value::Array(values) => values.iter().any(|value| value.as_u64() != Some(0)),
        Value::Object(fields) => !fields.is_empty(),
    }
}
