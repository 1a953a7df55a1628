//! A template and a value become text.

use std::borrow::Cow;

use serde_json::Value;

use super::TemplateError;
use super::syntax::{Call, Function, Node, Operand, Pipeline};
use super::value::{is_true, text};
use crate::Shape;

/// The text for this value.
pub(super) fn render(nodes: &[Node], value: &Value, shape: Shape) -> Result<String, TemplateError> {
    evaluated(nodes, value, shape, Mode::Row)
}

/// The text for a row of headers.
pub(super) fn render_header(nodes: &[Node], header: &Value) -> Result<String, TemplateError> {
    evaluated(nodes, header, Shape::unknown(), Mode::Header)
}

fn evaluated(
    nodes: &[Node],
    dot: &Value,
    shape: Shape,
    mode: Mode,
) -> Result<String, TemplateError> {
    let mut output = String::new();
    let evaluation = Evaluation {
        mode,
        shape,
        top: dot,
    };
    evaluation.nodes(nodes, dot, &mut output)?;
    Ok(output)
}

/// Whose text is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Row,
    /// A table's header: every field is the text above its column, whatever is done to it.
    Header,
}

type Evaluated<'a> = Result<Cow<'a, Value>, TemplateError>;

struct Evaluation<'v> {
    mode: Mode,
    /// That of the value at the top, and that value.
    shape: Shape,
    top: &'v Value,
}

impl Evaluation<'_> {
    fn nodes(&self, nodes: &[Node], dot: &Value, output: &mut String) -> Result<(), TemplateError> {
        for node in nodes {
            match node {
                Node::Text(text) => output.push_str(text),
                Node::Print(pipeline) => output.push_str(&text(&*self.pipeline(pipeline, dot)?)),
                Node::If(branches, otherwise) => {
                    let mut chosen = otherwise;
                    for (condition, body) in branches {
                        if is_true(&*self.pipeline(condition, dot)?) {
                            chosen = body;
                            break;
                        }
                    }
                    self.nodes(chosen, dot, output)?;
                }
                Node::Range(over, body, otherwise) => {
                    let over = self.pipeline(over, dot)?;
                    let entries = self.entries(&over)?;
                    if entries.is_empty() {
                        self.nodes(otherwise, dot, output)?;
                    }
                    for entry in entries {
                        self.nodes(body, entry, output)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What a range goes over: the entries of a list, or the values of an object by the order of their keys.
    fn entries<'a>(&self, value: &'a Value) -> Result<Vec<&'a Value>, TemplateError> {
        match value {
            Value::Null => Ok(Vec::new()),
            Value::Array(values) => Ok(values.iter().collect()),
            Value::Object(values) => {
                let mut entries: Vec<_> = values.iter().collect();
                entries.sort_unstable_by_key(|&(key, _)| key);
                Ok(entries.into_iter().map(|(_, value)| value).collect())
            }
            value if self.mode == Mode::Header => Ok(vec![value]),
            value => Err(TemplateError::new(format!("range cannot go over {value}"))),
        }
    }

    fn pipeline<'a>(&self, pipeline: &'a Pipeline, dot: &'a Value) -> Evaluated<'a> {
        let mut last: Option<Cow<'a, Value>> = None;
        for call in &pipeline.0 {
            last = Some(match call {
                Call::Value(operand) => self.operand(operand, dot)?,
                Call::Function(function, operands) => {
                    let mut values = Vec::with_capacity(operands.len() + 1);
                    for operand in operands {
                        values.push(self.operand(operand, dot)?);
                    }
                    values.extend(last);
                    match self.mode {
                        Mode::Row => Cow::Owned(apply(*function, &values)?),
                        Mode::Header => values.into_iter().next().unwrap_or_default(),
                    }
                }
            });
        }
        Ok(last.unwrap_or_default())
    }

    fn operand<'a>(&self, operand: &'a Operand, dot: &'a Value) -> Evaluated<'a> {
        match operand {
            Operand::Literal(value) => Ok(Cow::Borrowed(value)),
            Operand::Field(path) => self.field(dot, path),
            Operand::Group(pipeline, path) => match self.pipeline(pipeline, dot)? {
                Cow::Borrowed(value) => self.field(value, path),
                Cow::Owned(value) => Ok(Cow::Owned(self.field(&value, path)?.into_owned())),
            },
        }
    }

    fn field<'a>(&self, value: &'a Value, path: &[String]) -> Evaluated<'a> {
        let shape = match std::ptr::eq(value, self.top) {
            true => self.shape,
            false => Shape::unknown(),
        };
        let mut value = value;
        for (depth, name) in path.iter().enumerate() {
            let here = || format!(".{}", path[..=depth].join("."));
            value = match value {
                Value::Object(fields) => {
                    let found = fields.get(name);
                    if found.is_none_or(Value::is_null)
                        && let Some(value) = unset(shape, path, depth)
                    {
                        return Ok(Cow::Owned(value));
                    }
                    found.ok_or_else(|| no_field(&here(), &path[..depth], fields.keys()))?
                }
                // A header has no fields of its own; what is above `.A.B` is what is above `.A`.
                value if self.mode == Mode::Header => return Ok(Cow::Borrowed(value)),
                value => {
                    return Err(TemplateError::new(format!(
                        "{value} has no fields, so there is no {}",
                        here()
                    )));
                }
            };
        }
        Ok(Cow::Borrowed(value))
    }
}

/// What a field is of whose path the part of that depth is not set, if the field may be.
fn unset(shape: Shape, path: &[String], depth: usize) -> Option<Value> {
    let names: Vec<&str> = path[..=depth].iter().map(String::as_str).collect();
    match shape.zero(&names)? {
        value if depth + 1 == path.len() => Some(value),
        // An object that has any entries there are.
        Value::Object(_) => Some(Value::Null),
        _ => None,
    }
}

fn no_field<'a>(
    name: &str,
    parents: &[String],
    known: impl Iterator<Item = &'a String>,
) -> TemplateError {
    let parents: String = parents.iter().map(|parent| format!(".{parent}")).collect();
    let mut known: Vec<String> = known.map(|field| format!("{parents}.{field}")).collect();
    known.sort_unstable();
    TemplateError::new(match known.as_slice() {
        [] => format!("there is no field {name} here, nor any other"),
        known => format!(
            "there is no field {name} here; the fields are {}",
            known.join(", ")
        ),
    })
}

fn apply(function: Function, values: &[Cow<'_, Value>]) -> Result<Value, TemplateError> {
    match function {
        Function::Json => Ok(only(function, values)?.to_string().into()),
        Function::Upper => Ok(string(function, values)?.to_uppercase().into()),
        Function::Lower => Ok(string(function, values)?.to_lowercase().into()),
        Function::Join => join(values),
        Function::Index => index(values),
        Function::Eq => equal(values),
    }
}

fn only<'a>(function: Function, values: &'a [Cow<'_, Value>]) -> Result<&'a Value, TemplateError> {
    match values {
        [value] => Ok(value),
        values => Err(TemplateError::new(format!(
            "{} takes one value, not {}",
            function.name(),
            values.len()
        ))),
    }
}

fn string<'a>(function: Function, values: &'a [Cow<'_, Value>]) -> Result<&'a str, TemplateError> {
    match only(function, values)? {
        Value::String(text) => Ok(text),
        value => Err(TemplateError::new(format!(
            "{} takes a string, not {value}",
            function.name()
        ))),
    }
}

fn join(values: &[Cow<'_, Value>]) -> Result<Value, TemplateError> {
    let wrong = |value: &dyn std::fmt::Display| {
        TemplateError::new(format!(
            "join takes a list of strings and a separator, not {value}"
        ))
    };
    let [list, separator] = values else {
        return Err(wrong(&format!("{} values", values.len())));
    };
    let Value::String(separator) = &**separator else {
        return Err(wrong(separator));
    };
    let Value::Array(entries) = &**list else {
        return Err(wrong(list));
    };
    let texts: Option<Vec<&str>> = entries.iter().map(Value::as_str).collect();
    let texts = texts.ok_or_else(|| wrong(list))?;
    Ok(texts.join(separator).into())
}

fn index(values: &[Cow<'_, Value>]) -> Result<Value, TemplateError> {
    let Some((value, keys)) = values.split_first() else {
        return Err(TemplateError::new("index takes a value and its keys"));
    };
    let mut value: &Value = value;
    for key in keys {
        value = match (value, &**key) {
            (Value::Array(entries), Value::Number(number)) => {
                let entry = number.as_u64().and_then(|n| usize::try_from(n).ok());
                entry.and_then(|n| entries.get(n)).ok_or_else(|| {
                    TemplateError::new(format!(
                        "index {number} is out of range: there are {} entries",
                        entries.len()
                    ))
                })?
            }
            (Value::Array(_), key) => {
                return Err(TemplateError::new(format!(
                    "index of a list takes a number, not {key}"
                )));
            }
            (Value::Object(fields), Value::String(key)) => fields.get(key).unwrap_or(&Value::Null),
            (Value::Object(_), key) => {
                return Err(TemplateError::new(format!(
                    "index of an object takes a string, not {key}"
                )));
            }
            (value, _) => {
                return Err(TemplateError::new(format!(
                    "{value} has no entries to index"
                )));
            }
        };
    }
    Ok(value.clone())
}

/// Whether the first value equals any of the others.
fn equal(values: &[Cow<'_, Value>]) -> Result<Value, TemplateError> {
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
    let kind = |value: &Value| std::mem::discriminant(value);
    for other in others {
        let (first, other): (&Value, &Value) = (first, other);
        if kind(first) != kind(other) && !first.is_null() && !other.is_null() {
            return Err(TemplateError::new(format!(
                "eq cannot compare {first} and {other}"
            )));
        }
        if first == other {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}
