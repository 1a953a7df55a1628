//! Values, as Go's templates print and judge them.

use serde_json::Value;

/// The text of a value: of a string itself, of a list its entries in brackets, of an object its entries after `map`.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Array(values) => {
            let texts: Vec<String> = values.iter().map(text).collect();
            format!("[{}]", texts.join(" "))
        }
        Value::Object(values) => {
            let mut texts: Vec<String> = values
                .iter()
                .map(|(key, value)| format!("{key}:{}", text(value)))
                .collect();
            texts.sort_unstable();
            format!("map[{}]", texts.join(" "))
        }
    }
}

/// Whether `if` takes the value for true: neither null, false, zero nor empty.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(value) => value.as_f64() != Some(0.0),
        Value::String(value) => !value.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(values) => !values.is_empty(),
    }
}
