//! `eq`, `ne`, `lt`, `le`, `gt`, `ge`, by Go's rules: numbers with numbers of their kind, texts with texts.

use std::cmp::Ordering;

use super::TemplateError;
use super::value::{Kind, Value};

/// Whether the first equals any of the others.
pub(super) fn equals_any(values: &[Value<'_>]) -> Result<bool, TemplateError> {
    let [first, others @ ..] = values else {
        return Err(TemplateError::new(
            "eq takes a value and others to compare it with",
        ));
    };
    if others.is_empty() {
        return Err(TemplateError::new(
            "eq takes a value and others to compare it with",
        ));
    }
    for other in others {
        if equals(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether both are the same.
pub(super) fn equals(first: &Value<'_>, other: &Value<'_>) -> Result<bool, TemplateError> {
    let is_nothing = |kind: &Kind<'_>| matches!(kind, Kind::Nothing | Kind::Nil);
    let is_whole = |kind: &Kind<'_>| matches!(kind, Kind::List(..) | Kind::Map(..));
    match (first.kind(), other.kind()) {
        (a, b) if is_nothing(&a) || is_nothing(&b) => Ok(is_nothing(&a) && is_nothing(&b)),
        (Kind::Bool(a), Kind::Bool(b)) => Ok(a == b),
        (Kind::Struct(_, a), Kind::Struct(_, b)) if a == b => {
            Ok(first.json_text() == other.json_text())
        }
        (a, b) if is_whole(&a) || is_whole(&b) => Err(TemplateError::new(format!(
            "{} and {} cannot be compared; use len or index",
            first.json_text(),
            other.json_text()
        ))),
        (a, b) => order(&a, &b)
            .map(Ordering::is_eq)
            .ok_or_else(|| incompatible("eq", first, other)),
    }
}

/// How the first stands to the other; for `name`, the function that asks.
pub(super) fn compare(
    name: &str,
    first: &Value<'_>,
    other: &Value<'_>,
) -> Result<Ordering, TemplateError> {
    order(&first.kind(), &other.kind()).ok_or_else(|| incompatible(name, first, other))
}

fn order(first: &Kind<'_>, other: &Kind<'_>) -> Option<Ordering> {
    match (first, other) {
        (Kind::Int(a), Kind::Int(b)) => Some(a.cmp(b)),
        (Kind::Uint(a), Kind::Uint(b)) => Some(a.cmp(b)),
        (Kind::Int(a), Kind::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Kind::Uint(a), Kind::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Kind::Float(a), Kind::Float(b)) => a.partial_cmp(b),
        (Kind::Text(a), Kind::Text(b)) => Some(a.cmp(b)),
        (Kind::Time(a), Kind::Time(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn incompatible(name: &str, first: &Value<'_>, other: &Value<'_>) -> TemplateError {
    TemplateError::new(format!(
        "{name} cannot compare {} ({}) and {} ({})",
        first.json_text(),
        first.type_name(),
        other.json_text(),
        other.type_name()
    ))
}
