//! What functions make of their arguments: Go's, and Docker's.

use serde_json::Value as Json;

use super::syntax::Function;
use super::value::{Kind, Value, sorted};
use super::{TemplateError, compare, escape, print, printf};

/// More blanks than this, `pad` does not add.
const WIDEST: i64 = 1_000_000;

/// The function's value. `and` and `or` are none of these: they may leave their last arguments alone.
pub(super) fn apply<'a>(
    function: Function,
    values: Vec<Value<'a>>,
) -> Result<Value<'a>, TemplateError> {
    let arguments = Arguments {
        function,
        values: &values,
    };
    let compared = || {
        let [first, other] = arguments.exactly(["a value", "another"])?;
        compare::compare(function.name(), first, other)
    };
    Ok(match function {
        Function::And | Function::Or => values.into_iter().next_back().unwrap_or(Value::nothing()),
        Function::Not => Value::bool(!arguments.one()?.is_true()),
        Function::Eq => Value::bool(compare::equals_any(&values)?),
        Function::Ne => {
            let [first, other] = arguments.exactly(["a value", "another"])?;
            Value::bool(!compare::equals(first, other)?)
        }
        Function::Lt => Value::bool(compared()?.is_lt()),
        Function::Le => Value::bool(compared()?.is_le()),
        Function::Gt => Value::bool(compared()?.is_gt()),
        Function::Ge => Value::bool(compared()?.is_ge()),
        Function::Len => len(arguments)?,
        Function::Index => index(&values)?,
        Function::Slice => slice(&values)?,
        Function::Print => Value::text(print::joined(&values)),
        Function::Println => Value::text(print::line(&values)),
        Function::Printf => match values.split_first() {
            Some((format, values)) => match format.kind() {
                Kind::Text(format) => Value::text(printf::printf(&format, values)),
                _ => return Err(arguments.wrong("a format", format)),
            },
            None => return Err(TemplateError::new("printf takes a format and its values")),
        },
        Function::Html => Value::text(escape::html(&plain(&values))),
        Function::Js => Value::text(escape::js(&plain(&values))),
        Function::Urlquery => Value::text(escape::query(&plain(&values))),
        Function::Json => Value::text(arguments.one()?.json_text()),
        Function::Lower => Value::text(arguments.text()?.to_lowercase()),
        Function::Upper => Value::text(arguments.text()?.to_uppercase()),
        Function::Title => Value::text(title(&arguments.text()?)),
        Function::Split => {
            let [text, separator] = arguments.exactly(["a text", "a separator"])?;
            let text = arguments.as_text(text)?;
            let separator = arguments.as_text(separator)?;
            Value::texts(split(&text, &separator))
        }
        Function::Join => {
            let [list, separator] = arguments.exactly(["a list", "a separator"])?;
            let separator = arguments.as_text(separator)?;
            Value::text(join(list, &separator).ok_or_else(|| arguments.wrong("a list", list))?)
        }
        Function::Pad => {
            let [text, before, behind] =
                arguments.exactly(["a text", "blanks before it", "blanks behind it"])?;
            let text = arguments.as_text(text)?;
            let before = " ".repeat(arguments.as_length(before)?);
            let behind = " ".repeat(arguments.as_length(behind)?);
            match text.is_empty() {
                true => Value::text(text),
                false => Value::text(format!("{before}{text}{behind}")),
            }
        }
        Function::Truncate => {
            let [text, length] = arguments.exactly(["a text", "a length"])?;
            let text = arguments.as_text(text)?;
            let length = arguments.as_length(length)?;
            Value::text(cut(&text, 0, length.min(text.len())))
        }
        Function::Call => {
            return Err(TemplateError::new(
                "call takes a function, and no value here is one",
            ));
        }
    })
}

/// The function's value in a header, where what is above a column is left as it is by what would change a value: it is the
/// function's first argument.
pub(super) fn apply_to_header<'a>(
    function: Function,
    values: Vec<Value<'a>>,
) -> Result<Value<'a>, TemplateError> {
    match function {
        Function::Json
        | Function::Split
        | Function::Join
        | Function::Title
        | Function::Lower
        | Function::Upper
        | Function::Truncate => Ok(values.into_iter().next().unwrap_or(Value::nothing())),
        function => apply(function, values),
    }
}

#[derive(Clone, Copy)]
struct Arguments<'v, 'a> {
    function: Function,
    values: &'v [Value<'a>],
}

impl<'v, 'a> Arguments<'v, 'a> {
    fn one(self) -> Result<&'v Value<'a>, TemplateError> {
        match self.values {
            [value] => Ok(value),
            values => Err(TemplateError::new(format!(
                "{} takes one value, not {}",
                self.function.name(),
                values.len()
            ))),
        }
    }

    fn exactly<const N: usize>(
        self,
        names: [&str; N],
    ) -> Result<&'v [Value<'a>; N], TemplateError> {
        self.values.try_into().map_err(|_| {
            TemplateError::new(format!(
                "{} takes {}, not {} values",
                self.function.name(),
                names.join(" and "),
                self.values.len()
            ))
        })
    }

    fn text(self) -> Result<String, TemplateError> {
        self.as_text(self.one()?)
    }

    fn as_text(self, value: &Value<'_>) -> Result<String, TemplateError> {
        match value.kind() {
            Kind::Text(text) => Ok(text.into_owned()),
            _ => Err(self.wrong("a string", value)),
        }
    }

    fn as_length(self, value: &Value<'_>) -> Result<usize, TemplateError> {
        match value.kind() {
            Kind::Int(length @ 0..=WIDEST) => Ok(usize::try_from(length).unwrap_or_default()),
            _ => Err(self.wrong("a length", value)),
        }
    }

    fn wrong(self, wanted: &str, value: &Value<'_>) -> TemplateError {
        TemplateError::new(format!(
            "{} takes {wanted}, not {}",
            self.function.name(),
            value.json_text()
        ))
    }
}

/// What is escaped: a string as it is, and anything else as it is printed.
fn plain(values: &[Value<'_>]) -> String {
    let has_value = |value: &Value<'_>| value.kind() != Kind::Nothing;
    if values.iter().all(has_value) {
        return print::joined(values);
    }
    let values: Vec<Value<'_>> = values
        .iter()
        .map(|value| match has_value(value) {
            true => value.clone(),
            false => Value::text(value.printed()),
        })
        .collect();
    print::joined(&values)
}

fn len<'a>(arguments: Arguments<'_, '_>) -> Result<Value<'a>, TemplateError> {
    let value = arguments.one()?;
    Ok(Value::length(match value.kind() {
        Kind::Text(text) => text.len(),
        Kind::List(entries, _) => entries.len(),
        Kind::Map(entries, _) => entries.map_or(0, serde_json::Map::len),
        _ => return Err(arguments.wrong("a string, a list or a map", value)),
    }))
}

fn index<'a>(values: &[Value<'a>]) -> Result<Value<'a>, TemplateError> {
    let Some((value, keys)) = values.split_first() else {
        return Err(TemplateError::new("index takes a value and its keys"));
    };
    let mut value = value.clone();
    for key in keys {
        let wrong = |text: &str| {
            let message = format!("index of {text}, not {}", key.json_text());
            Err(TemplateError::new(message))
        };
        let found = match (value.kind(), key.kind()) {
            (Kind::List(entries, shape), Kind::Int(_) | Kind::Uint(_)) => {
                let at = position(key, entries.len(), entries.len().checked_sub(1))?;
                value.part(shape, |json| json.get(at))
            }
            (Kind::List(..), _) => return wrong("a list takes a number"),
            (Kind::Text(text), Kind::Int(_) | Kind::Uint(_)) => {
                let at = position(key, text.len(), text.len().checked_sub(1))?;
                Value::int(i64::from(text.as_bytes()[at]))
            }
            (Kind::Text(_), _) => return wrong("a string takes a number"),
            // As in Go, what is not in a map is what such a value is before it is set.
            (Kind::Map(_, shape), Kind::Text(name)) => value.part(shape, |json| json.get(&*name)),
            (Kind::Map(..), _) => return wrong("a map takes a string"),
            _ => {
                return Err(TemplateError::new(format!(
                    "{} has no entries to index",
                    value.json_text()
                )));
            }
        };
        value = found;
    }
    Ok(value)
}

/// The number that a key is, up to a last one.
fn position(key: &Value<'_>, length: usize, last: Option<usize>) -> Result<usize, TemplateError> {
    let position = match key.kind() {
        Kind::Int(number) => usize::try_from(number).ok(),
        Kind::Uint(number) => usize::try_from(number).ok(),
        _ => None,
    };
    match position {
        Some(position) if last.is_some_and(|last| position <= last) => Ok(position),
        _ => Err(TemplateError::new(format!(
            "index {} is out of range: there are {length} entries",
            key.json_text()
        ))),
    }
}

fn slice<'a>(values: &[Value<'a>]) -> Result<Value<'a>, TemplateError> {
    let Some((value, bounds)) = values.split_first() else {
        return Err(TemplateError::new(
            "slice takes a string or a list, and its bounds",
        ));
    };
    let (length, most) = match value.kind() {
        Kind::Text(text) => (text.len(), 2),
        Kind::List(entries, _) => (entries.len(), 3),
        _ => {
            return Err(TemplateError::new(format!(
                "slice takes a string or a list, not {}",
                value.json_text()
            )));
        }
    };
    if bounds.len() > most {
        return Err(TemplateError::new(format!(
            "slice takes at most {most} bounds here, not {}",
            bounds.len()
        )));
    }
    let mut positions = Vec::with_capacity(bounds.len());
    for bound in bounds {
        positions.push(position(bound, length, Some(length))?);
    }
    if !positions.is_sorted() {
        return Err(TemplateError::new("the bounds of slice go backwards"));
    }
    let from = positions.first().copied().unwrap_or(0);
    let to = positions.get(1).copied().unwrap_or(length);
    Ok(match value.kind() {
        Kind::Text(text) => Value::text(cut(&text, from, to)),
        Kind::List(entries, _) => Value {
            json: std::borrow::Cow::Owned(Json::Array(entries[from..to].to_vec())),
            shape: value.shape,
        },
        _ => Value::nothing(),
    })
}

/// Bytes of a text, as Go counts; of a character that is cut in half, nobody can print a half.
fn cut(text: &str, from: usize, to: usize) -> String {
    String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()
}

/// The first letter of each word in its large form.
fn title(text: &str) -> String {
    let mut is_inside = false;
    text.chars()
        .map(|character| {
            let is_letter = match character.is_ascii() {
                true => character.is_ascii_alphanumeric() || character == '_',
                false => !character.is_whitespace(),
            };
            let starts = !std::mem::replace(&mut is_inside, is_letter);
            let mut large = character.to_uppercase();
            match (starts, large.next(), large.next()) {
                (true, Some(large), None) => large,
                _ => character,
            }
        })
        .collect()
}

fn split(text: &str, separator: &str) -> Vec<String> {
    match separator {
        "" => text.chars().map(String::from).collect(),
        separator => text.split(separator).map(str::to_owned).collect(),
    }
}

/// The texts of a list's entries, or of a map's by their own order.
fn join(list: &Value<'_>, separator: &str) -> Option<String> {
    let texts: Vec<String> = match list.kind() {
        Kind::Nothing => Vec::new(),
        Kind::List(entries, shape) => entries
            .iter()
            .map(|entry| print::text(entry, shape))
            .collect(),
        Kind::Map(entries, shape) => {
            let mut texts: Vec<String> = sorted(entries)
                .into_iter()
                .map(|(_, entry)| print::text(entry, shape))
                .collect();
            texts.sort_unstable();
            texts
        }
        _ => return None,
    };
    Some(texts.join(separator))
}
