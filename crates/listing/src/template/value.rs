//! Values, as Go's templates see and judge them.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::{json, print};
use crate::shape::{self, Field, Shape};

const NULL: Json = Json::Null;

/// What an action computes: JSON, and what kind of value that is to Go.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value<'a> {
    pub(super) json: Cow<'a, Json>,
    pub(super) shape: Shape,
}

/// A value by its kind, where what is not set is already what Go has in its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind<'v> {
    /// No value at all, or none of a kind that could be named.
    Nothing,
    /// A pointer to nothing.
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'v, str>),
    List(&'v [Json], Shape),
    Map(Option<&'v Map<String, Json>>, Shape),
    Struct(Option<&'v Map<String, Json>>, &'static [Field]),
    /// A moment's text.
    Time(&'v str),
}

/// Why a value does not have a field.
#[derive(Debug, PartialEq)]
pub(super) enum Missing {
    /// It has these.
    Unknown(Vec<String>),
    /// It is a pointer to nothing.
    Nil,
    /// Values of its kind have no fields.
    NoFields,
}

impl<'a> Value<'a> {
    pub(crate) fn new(json: &'a Json, shape: Shape) -> Value<'a> {
        Value {
            json: Cow::Borrowed(json),
            shape,
        }
    }

    fn owned(json: impl Into<Json>, shape: Shape) -> Value<'a> {
        Value {
            json: Cow::Owned(json.into()),
            shape,
        }
    }

    pub(super) fn nothing() -> Value<'a> {
        Value::owned(Json::Null, Shape::Nothing)
    }

    pub(super) fn text(text: impl Into<String>) -> Value<'a> {
        Value::owned(text.into(), Shape::Text)
    }

    pub(super) fn texts(texts: Vec<String>) -> Value<'a> {
        Value::owned(texts, shape::TEXTS)
    }

    pub(super) fn bool(value: bool) -> Value<'a> {
        Value::owned(value, Shape::Bool)
    }

    pub(super) fn int(value: i64) -> Value<'a> {
        Value::owned(value, Shape::Int)
    }

    pub(super) fn length(value: usize) -> Value<'a> {
        Value::int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub(super) fn float(value: f64) -> Value<'a> {
        Value::owned(value, Shape::Any)
    }

    /// What is in this value, by a way that leads there from its JSON.
    pub(super) fn part(
        &self,
        shape: Shape,
        lead: impl for<'v> Fn(&'v Json) -> Option<&'v Json>,
    ) -> Value<'a> {
        let json = match &self.json {
            Cow::Borrowed(json) => lead(json).map(Cow::Borrowed),
            Cow::Owned(json) => lead(json).map(|part| Cow::Owned(part.clone())),
        };
        Value {
            json: json.unwrap_or(Cow::Owned(NULL)),
            shape,
        }
    }

    pub(super) fn kind(&self) -> Kind<'_> {
        kind(&self.json, self.shape)
    }

    /// The field of this name.
    pub(super) fn field(&self, name: &str) -> Result<Value<'a>, Missing> {
        match self.shape {
            Shape::Nothing => return Ok(Value::nothing()),
            Shape::Row if name == "Label" && self.json.get(name).is_some() => {
                return Ok(self.part(Shape::Labels, |json| json.get(name)));
            }
            Shape::Headers if name == "Label" => {
                return Ok(Value::owned(Json::Null, Shape::LabelHeaders));
            }
            _ => {}
        }
        match self.kind() {
            Kind::Struct(_, fields) => match shape::find(fields, name) {
                Some(field) if field.is_embedded => Ok(self.part(field.shape, |json| Some(json))),
                Some(field) => Ok(self.part(field.shape, |json| json.get(field.key))),
                None => {
                    let names = shape::names(fields).into_iter().map(str::to_owned);
                    Err(Missing::Unknown(names.collect()))
                }
            },
            Kind::Map(fields, shape) => match fields.and_then(|fields| fields.get(name)) {
                Some(_) => Ok(self.part(shape, |json| json.get(name))),
                // Keys of a map are data and not names: one that is not there has no value.
                None if !matches!(shape, Shape::Any | Shape::Raw) => Ok(Value::nothing()),
                None => {
                    let names = fields.into_iter().flat_map(Map::keys).cloned();
                    Err(Missing::Unknown(names.collect()))
                }
            },
            Kind::Nil | Kind::Nothing => Err(Missing::Nil),
            _ => Err(Missing::NoFields),
        }
    }

    /// Whether `if` takes the value for true: neither null, false, zero nor empty.
    pub(super) fn is_true(&self) -> bool {
        match self.kind() {
            Kind::Nothing | Kind::Nil => false,
            Kind::Bool(value) => value,
            Kind::Int(value) => value != 0,
            Kind::Uint(value) => value != 0,
            Kind::Float(value) => value != 0.0,
            Kind::Text(text) => !text.is_empty(),
            Kind::List(entries, _) => !entries.is_empty(),
            Kind::Map(entries, _) => entries.is_some_and(|entries| !entries.is_empty()),
            Kind::Struct(..) | Kind::Time(_) => true,
        }
    }

    /// What an action prints of it.
    pub(crate) fn printed(&self) -> String {
        match self.kind() {
            Kind::Nothing => "<no value>".to_owned(),
            _ => print::text(&self.json, self.shape),
        }
    }

    /// The value as JSON, as Go writes it.
    pub(super) fn json_text(&self) -> String {
        json::text(&self.json, self.shape)
    }

    /// The name of the value's kind, for an error and for `%T`.
    pub(super) fn type_name(&self) -> String {
        type_name(&self.json, self.shape)
    }
}

/// A value of that shape by its kind.
pub(super) fn kind(json: &Json, shape: Shape) -> Kind<'_> {
    match (shape, json) {
        (Shape::Pointer(_), Json::Null) => Kind::Nil,
        (Shape::Pointer(shape), json) => kind(json, *shape),
        (Shape::Bool, Json::Null) => Kind::Bool(false),
        (Shape::Int | Shape::Duration, Json::Null) => Kind::Int(0),
        (Shape::Uint, Json::Null) => Kind::Uint(0),
        (Shape::Uint, Json::Number(number)) if number.is_u64() => {
            Kind::Uint(number.as_u64().unwrap_or_default())
        }
        (Shape::Text, Json::Null) => Kind::Text("".into()),
        (Shape::Time, Json::Null) => Kind::Time("0001-01-01T00:00:00Z"),
        (Shape::Time, Json::String(text)) => Kind::Time(text),
        (Shape::List(shape), Json::Null) => Kind::List(&[], *shape),
        (Shape::List(shape), Json::Array(entries)) => Kind::List(entries, *shape),
        (Shape::Map(shape), Json::Null) => Kind::Map(None, *shape),
        (Shape::Map(shape), Json::Object(entries)) => Kind::Map(Some(entries), *shape),
        (Shape::Struct(fields) | Shape::Spelled(fields, _), Json::Null) => {
            Kind::Struct(None, fields)
        }
        (Shape::Struct(fields) | Shape::Spelled(fields, _), Json::Object(entries)) => {
            Kind::Struct(Some(entries), fields)
        }
        // An engine may send what the type does not foresee. It is what it is.
        (_, Json::Null) => Kind::Nothing,
        (_, Json::Bool(value)) => Kind::Bool(*value),
        (_, Json::String(text)) => Kind::Text(text.into()),
        (Shape::Raw, Json::Number(number)) => Kind::Text(number.to_string().into()),
        (_, Json::Number(number)) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Kind::Int(number),
            (_, Some(number)) => Kind::Uint(number),
            _ => Kind::Float(number.as_f64().unwrap_or_default()),
        },
        (Shape::Raw, Json::Array(entries)) => Kind::List(entries, Shape::Raw),
        (_, Json::Array(entries)) => Kind::List(entries, Shape::Any),
        (Shape::Raw, Json::Object(entries)) => Kind::Map(Some(entries), Shape::Raw),
        (_, Json::Object(entries)) => Kind::Map(Some(entries), Shape::Any),
    }
}

/// The entries of an object by the order of their keys, as Go goes through its maps.
pub(super) fn sorted(entries: Option<&Map<String, Json>>) -> Vec<(&String, &Json)> {
    let mut entries: Vec<_> = entries.into_iter().flatten().collect();
    entries.sort_unstable_by_key(|&(key, _)| key);
    entries
}

fn type_name(json: &Json, shape: Shape) -> String {
    match (shape, kind(json, shape)) {
        (Shape::Pointer(inner), _) => format!("*{}", type_name(&Json::Null, *inner)),
        (Shape::Duration, _) => "time.Duration".to_owned(),
        (Shape::Raw, Kind::Text(_)) if json.is_number() => "json.Number".to_owned(),
        (_, Kind::Nothing | Kind::Nil) => "<nil>".to_owned(),
        (_, Kind::Bool(_)) => "bool".to_owned(),
        (_, Kind::Int(_)) => "int".to_owned(),
        (_, Kind::Uint(_)) => "uint64".to_owned(),
        (_, Kind::Float(_)) => "float64".to_owned(),
        (_, Kind::Text(_)) => "string".to_owned(),
        (_, Kind::Time(_)) => "time.Time".to_owned(),
        (_, Kind::Struct(..)) => "struct".to_owned(),
        (_, Kind::List(_, Shape::Any | Shape::Raw)) => "[]interface {}".to_owned(),
        (_, Kind::List(_, shape)) => format!("[]{}", type_name(&Json::Null, shape)),
        (_, Kind::Map(_, Shape::Any | Shape::Raw)) => "map[string]interface {}".to_owned(),
        (_, Kind::Map(_, shape)) => format!("map[string]{}", type_name(&Json::Null, shape)),
    }
}
