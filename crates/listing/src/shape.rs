//! What a type says of values that are read as it.
//!
//! An engine leaves out of its answers what is not set. The type of an answer knows the field all the same, so that a
//! template can tell what is not set from what there is not.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
};
use serde_json::{Map, Value};

/// Which fields there are in values of a type.
#[derive(Clone, Copy)]
pub struct Shape(fn(&[&str]) -> Option<Value>);

impl Shape {
    /// That of a type.
    pub fn of<T: DeserializeOwned>() -> Shape {
        Shape(zero::<T>)
    }

    /// That of values of which nothing is known.
    pub fn unknown() -> Shape {
        Shape(|_| None)
    }

    /// What a field is that is not set: an empty string, list or object, `false`, or null, which a number and an object with
    /// fields of its own may be, too. Nothing if there is no such field; each entry of an object without fields of its own is
    /// one.
    pub(crate) fn zero(self, path: &[&str]) -> Option<Value> {
        (self.0)(path)
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shape")
    }
}

fn zero<T: DeserializeOwned>(path: &[&str]) -> Option<Value> {
    let found = RefCell::new(None);
    // It never gets a value, and says on the way there what it expects.
    let _ = T::deserialize(Tracer {
        path,
        found: &found,
    });
    found.into_inner()
}

/// Leads a type's own reader to one field and notes what that asks for.
struct Tracer<'a> {
    path: &'a [&'a str],
    found: &'a RefCell<Option<Value>>,
}

impl Tracer<'_> {
    fn is<T>(&self, value: impl Into<Value>) -> Result<T, Stop> {
        if self.path.is_empty() {
            self.found.replace(Some(value.into()));
        }
        Err(Stop)
    }
}

/// The end of every reading.
#[derive(Debug)]
struct Stop;

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was looked at and not read")
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Stop {
        Stop
    }
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.is(Value::Null)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.is(false)
    }

    fn deserialize_str<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.is("")
    }

    fn deserialize_string<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.is("")
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Stop> {
        self.is("")
    }

    fn deserialize_seq<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
        self.is(Vec::<Value>::new())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.path {
            [] => self.is(Map::new()),
            [_] => {
                self.found.replace(Some(Value::Null));
                Err(Stop)
            }
            [key, ..] => visitor.visit_map(Step { key, tracer: self }),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match self.path {
            [] => self.is(Value::Null),
            [key, ..] if fields.contains(key) => visitor.visit_map(Step { key, tracer: self }),
            _ => Err(Stop),
        }
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
        ignored_any
    }
}

/// The one entry of an object that leads on.
struct Step<'a> {
    key: &'a str,
    tracer: Tracer<'a>,
}

impl<'de> MapAccess<'de> for Step<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        let key: StrDeserializer<'_, Stop> = self.key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(Tracer {
            path: self.tracer.path.get(1..).unwrap_or_default(),
            found: self.tracer.found,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    #[expect(dead_code, reason = "they are only looked at")]
    struct Outer {
        text: Option<String>,
        number: Option<i64>,
        is_up: Option<bool>,
        list: Option<Vec<Inner>>,
        labels: Option<HashMap<String, String>>,
        parts: HashMap<String, Inner>,
        inner: Option<Box<Inner>>,
        word: Option<Word>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    #[expect(dead_code, reason = "they are only looked at")]
    struct Inner {
        deep: Option<String>,
    }

    #[derive(Deserialize)]
    enum Word {
        One,
    }

    #[test]
    fn fields_are_known_by_their_types() {
        let shape = Shape::of::<Outer>();
        for (path, expected) in [
            ("Text", Some(json!(""))),
            ("Number", Some(json!(null))),
            ("IsUp", Some(json!(false))),
            ("List", Some(json!([]))),
            ("Labels", Some(json!({}))),
            ("Labels.any", Some(json!(null))),
            ("Parts.any", Some(json!(null))),
            ("Parts.any.Deep", Some(json!(""))),
            ("Inner", Some(json!(null))),
            ("Inner.Deep", Some(json!(""))),
            ("Word", Some(json!(""))),
            ("Nothing", None),
            ("Inner.Nothing", None),
            ("Text.Nothing", None),
            ("List.Deep", None),
        ] {
            let path: Vec<&str> = path.split('.').collect();
            assert_eq!(shape.zero(&path), expected, "{path:?}");
            assert_eq!(Shape::unknown().zero(&path), None);
        }
    }
}
