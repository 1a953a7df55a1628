//! JSON as Go reads it: the keys of a struct are found in any case.
//!
//! Docker's clients may write `memory` for `Memory`, and a key that is not found is left out in silence: a limit, a dropped
//! capability. So what comes from outside and is read by Docker with Go's `encoding/json` is read by [`from_slice`] here,
//! which puts [`AnyCase`] between the format and the types: where a type is a struct, a key becomes the
//! field's own spelling, at any depth; the keys of maps are data and stay. No tree of values is built for it.
//!
//! Of a key that is given twice Go takes the last. Here it is an error that names it: where two readers take one of two
//! values each, what one has checked the other does not do.

use std::fmt;
use std::iter;

use serde::de::value::SeqDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, Visitor,
};

/// The fields, by their structs, that may be one text where a list of texts is meant: Docker's `strslice.StrSlice`.
const ONE_OR_MANY: [(&str, &[&str]); 3] = [
    ("ContainerCreateBody", &["Cmd", "Entrypoint", "Shell"]),
    ("ImageConfig", &["Cmd", "Entrypoint", "Shell"]),
    ("HostConfig", &["CapAdd", "CapDrop"]),
];

/// Reads a text.
///
/// # Errors
///
/// Those of the format and of the type, and a key that is given twice.
pub(crate) fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let mut format = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(AnyCase::new(&mut format))?;
    format.end()?;
    Ok(value)
}

/// The same for a value that is there already.
#[cfg(any(test, feature = "fuzzing"))]
fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> serde_json::Result<T> {
    T::deserialize(AnyCase::new(value))
}

/// A deserializer for which the keys of structs have no case.
struct AnyCase<D> {
    inner: D,
    /// Whether one text is taken for a list of one.
    is_list: bool,
}

impl<D> AnyCase<D> {
    fn new(inner: D) -> AnyCase<D> {
        AnyCase {
            inner,
            is_list: false,
        }
    }

    fn around<V>(&self, visitor: V) -> Around<V> {
        Around {
            visitor,
            shape: None,
            is_list: self.is_list,
        }
    }
}

/// Methods for what has nothing in it.
macro_rules! pass_on {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AnyCase<D> {
    type Error = D::Error;

    pass_on! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_identifier
        deserialize_ignored_any
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_option(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        match self.is_list {
            true => self.inner.deserialize_any(visitor),
            false => self.inner.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let visitor = self.around(visitor);
        self.inner.deserialize_map(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let visitor = Around {
            shape: Some(Shape { name, fields }),
            ..self.around(visitor)
        };
        self.inner.deserialize_struct(name, fields, visitor)
    }

    /// Enumerations are words here: Docker's API has none with anything in it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A struct of the types.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    fields: &'static [&'static str],
}

impl Shape {
    /// The number of the field that a key means: the one that is spelled so, or else in another case.
    fn find(self, key: &str) -> Option<usize> {
        let exact = self.fields.iter().position(|field| *field == key);
        exact.or_else(|| self.fields.iter().position(|field| is_same(key, field)))
    }

    fn is_list(self, field: &str) -> bool {
        ONE_OR_MANY
            .iter()
            .any(|(name, fields)| *name == self.name && fields.contains(&field))
    }
}

/// Whether a key is a field's name in another case, by Go's rules: two letters beyond ASCII fold into it.
fn is_same(key: &str, field: &str) -> bool {
    let fold = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(field.chars().map(fold))
}

/// A visitor that meets what is nested with [`AnyCase`] around it.
struct Around<V> {
    visitor: V,
    /// The struct that is expected, if it is one.
    shape: Option<Shape>,
    is_list: bool,
}

/// Methods for values that have nothing in them.
macro_rules! visit {
    ($($method:ident($value:ty))*) => {
        $(fn $method<E: serde::de::Error>(self, value: $value) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Around<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128) visit_u8(u8)
        visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64) visit_char(char)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<V::Value, E> {
        match self.is_list {
            true => self
                .visitor
                .visit_seq(SeqDeserializer::new(iter::once(text))),
            false => self.visitor.visit_str(text),
        }
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<V::Value, E> {
        match self.is_list {
            true => self.visit_str(text),
            false => self.visitor.visit_borrowed_str(text),
        }
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<V::Value, E> {
        match self.is_list {
            true => self.visit_str(&text),
            false => self.visitor.visit_string(text),
        }
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(AnyCase {
            inner,
            is_list: self.is_list,
        })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(AnyCase {
            inner,
            is_list: self.is_list,
        })
    }

    /// A list is no struct, though the types would take the one for the other.
    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        match self.shape {
            Some(_) => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            None => self.visitor.visit_seq(Items(items)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        let seen = self.shape.map_or(0, |shape| shape.fields.len());
        self.visitor.visit_map(Entries {
            entries,
            shape: self.shape,
            seen: vec![false; seen],
            is_list: false,
        })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(variant)
    }
}

/// What is nested and still to be read.
struct Nested<S> {
    seed: S,
    is_list: bool,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Nested<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.seed.deserialize(AnyCase {
            inner,
            is_list: self.is_list,
        })
    }
}

/// The items of a list.
struct Items<A>(A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Nested {
            seed,
            is_list: false,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

/// The entries of a struct or a map.
struct Entries<A> {
    entries: A,
    shape: Option<Shape>,
    /// Which of the struct's fields were given.
    seen: Vec<bool>,
    /// Whether the value that follows may be one text in place of a list.
    is_list: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        match self.shape {
            None => self.entries.next_key_seed(seed),
            Some(shape) => self.entries.next_key_seed(Key {
                seed,
                shape,
                seen: &mut self.seen,
                is_list: &mut self.is_list,
            }),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.entries.next_value_seed(Nested {
            seed,
            is_list: self.is_list,
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.entries.size_hint()
    }
}

/// A key of a struct.
struct Key<'a, S> {
    seed: S,
    shape: Shape,
    seen: &'a mut [bool],
    is_list: &'a mut bool,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Key<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<S::Value, D::Error> {
        key.deserialize_str(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Key<'_, S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<S::Value, E> {
        let Some(number) = self.shape.find(key) else {
            *self.is_list = false;
            return self.seed.deserialize(key.into_deserializer());
        };
        let field = self.shape.fields[number];
        if std::mem::replace(&mut self.seen[number], true) {
            return Err(E::custom(format_args!(
                "the key {key:?} is given twice (keys have no case: it means {field:?})"
            )));
        }
        *self.is_list = self.shape.is_list(field);
        self.seed.deserialize(field.into_deserializer())
    }
}

/// The body of this module's fuzz target: what plain serde reads is read in the same way in any case of its keys.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    use bollard_stubs::models::HostConfig;
    let Ok(plain) = serde_json::from_slice::<HostConfig>(data) else {
        // What the types do not take may be one text for a list, and fails in some way otherwise.
        let _ = from_slice::<HostConfig>(data);
        return;
    };
    if data.trim_ascii_start().starts_with(b"[") {
        assert!(from_slice::<HostConfig>(data).is_err(), "a list");
        return;
    }
    let Ok(read) = from_slice::<HostConfig>(data) else {
        // A key was there in two cases, one of which plain serde does not know.
        return;
    };
    let written = serde_json::to_value(&read).expect("JSON");
    let again: HostConfig = from_value(in_other_case(written)).expect("what was written");
    assert_eq!(again, read);
    // A key in the one case that serde knows is never read as another.
    let known = serde_json::to_value(&plain).expect("JSON");
    let now = serde_json::to_value(&read).expect("JSON");
    for (key, value) in known.as_object().into_iter().flatten() {
        if !value.is_object() && !value.is_array() {
            assert_eq!(now.get(key), Some(value), "{key}");
        }
    }
}

/// The same with the keys of the outermost struct in another case.
#[cfg(any(test, feature = "fuzzing"))]
fn in_other_case(value: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(object) = value else {
        return value;
    };
    let turned = object.into_iter().map(|(key, value)| {
        let turn = |letter: char| match letter.is_ascii_lowercase() {
            true => letter.to_ascii_uppercase(),
            false => letter.to_ascii_lowercase(),
        };
        (key.chars().map(turn).collect(), value)
    });
    serde_json::Value::Object(turned.collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bollard_stubs::models::{ContainerCreateBody, ExecConfig, HostConfig};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read<T: DeserializeOwned>(value: &Value) -> serde_json::Result<T> {
        let text = from_slice(value.to_string().as_bytes());
        let tree = from_value::<T>(value.clone());
        assert_eq!(text.is_ok(), tree.is_ok());
        text
    }

    #[test]
    fn keys_of_structs_are_found_in_any_case_at_every_depth_and_those_of_maps_are_kept() {
        let lower: ContainerCreateBody = read(&json!({
            "image": "busybox",
            "LABELS": {"Key": "1", "key": "2"},
            "exposedports": {"80/tcp": {}},
            "hostconfig": {
                "memory": 64,
                "capdrop": ["ALL"],
                "READONLYROOTFS": true,
                "portbindings": {"80/tcp": [{"hostport": "8080", "HOSTIP": "127.0.0.1"}]},
                "mounts": [{"type": "tmpfs", "target": "/x", "tmpfsoptions": {"sizebytes": 5}}],
                "restartpolicy": {"name": "on-failure", "maximumretrycount": 2},
            },
            "networkingconfig": {"endpointsconfig": {"Net": {"ipamconfig": {"ipv4address": "10.0.0.2"}}}},
        }))
        .expect("a body");
        let upper: ContainerCreateBody = serde_json::from_value(json!({
            "Image": "busybox",
            "Labels": {"Key": "1", "key": "2"},
            "ExposedPorts": {"80/tcp": {}},
            "HostConfig": {
                "Memory": 64,
                "CapDrop": ["ALL"],
                "ReadonlyRootfs": true,
                "PortBindings": {"80/tcp": [{"HostPort": "8080", "HostIp": "127.0.0.1"}]},
                "Mounts": [{"Type": "tmpfs", "Target": "/x", "TmpfsOptions": {"SizeBytes": 5}}],
                "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
            },
            "NetworkingConfig": {"EndpointsConfig": {"Net": {"IPAMConfig": {"IPv4Address": "10.0.0.2"}}}},
        }))
        .expect("a body");
        assert_eq!(lower, upper);
    }

    #[test]
    fn letters_beyond_ascii_that_fold_into_it_are_found_as_go_finds_them() {
        let body: HostConfig =
            read(&json!({"ReadonlyRootf\u{17f}": true, "Lin\u{212a}s": ["a"]})).expect("a body");
        assert_eq!(body.readonly_rootfs, Some(true));
        assert_eq!(body.links, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn a_key_that_is_given_twice_is_named() {
        for text in [
            r#"{"Memory": 1, "memory": 2}"#,
            r#"{"memory": 1, "MEMORY": 2}"#,
            r#"{"Memory": 1, "Memory": 2}"#,
        ] {
            let error = from_slice::<HostConfig>(text.as_bytes()).expect_err(text);
            let error = error.to_string();
            assert!(error.contains("is given twice"), "{error}");
            assert!(error.contains("\"Memory\""), "{error}");
        }
        // What nobody knows means nothing, however often.
        let text = br#"{"unknown": 1, "Unknown": 2, "unknown": [{}]}"#;
        assert_eq!(
            from_slice::<HostConfig>(text).ok(),
            Some(HostConfig::default())
        );
        let labels = br#"{"a": "1", "A": "2"}"#;
        let labels: HashMap<String, String> = from_slice(labels).expect("a map");
        assert_eq!(labels.len(), 2);
    }

    #[test]
    fn one_text_is_a_list_where_docker_says_so() {
        let body: ContainerCreateBody =
            read(&json!({"cmd": "true", "Entrypoint": null, "HostConfig": {"capadd": "ALL"}}))
                .expect("a body");
        assert_eq!(body.cmd, Some(vec!["true".to_owned()]));
        assert_eq!(body.entrypoint, None);
        let host_config = body.host_config.expect("a host config");
        assert_eq!(host_config.cap_add, Some(vec!["ALL".to_owned()]));
        for wrong in [json!({"Env": "A=b"}), json!({"Cmd": 1}), json!({"Cmd": {}})] {
            assert!(read::<ContainerCreateBody>(&wrong).is_err(), "{wrong}");
        }
        assert!(read::<ExecConfig>(&json!({"Cmd": "true"})).is_err());
    }

    #[test]
    fn a_list_is_no_struct_and_nothing_follows_the_value() {
        for wrong in [json!([]), json!({"RestartPolicy": ["no", 0]})] {
            let error = read::<HostConfig>(&wrong).expect_err("a list").to_string();
            assert!(error.contains("invalid type: sequence"), "{error}");
        }
        assert!(from_slice::<HostConfig>(b"{} {}").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_reads_it(
            keys in prop::collection::vec("(Memory|memory|CapAdd|Binds|bindſ|PortBindings|Other)", 0..4),
            value in "(null|true|-?[0-9]{1,12}|\"[a-z]{0,3}\"|\\[(\"a\"|1|null)?\\]|\\{(\"a\":\\[\\]|\"A\":null)?\\})",
        ) {
            let entries: Vec<String> = keys.iter().map(|key| format!("{key:?}: {value}")).collect();
            fuzz(format!("{{{}}}", entries.join(",")).as_bytes());
        }

        #[test]
        fn any_bytes_are_read_or_refused(data in prop::collection::vec(any::<u8>(), 0..64)) {
            fuzz(&data);
        }
    }
}
