//! What Go's types say of values: the names of fields, their order, and what is there where an engine leaves one out.
//!
//! Docker's client reads an engine's answers into Go types, and templates see those: `.ID` where JSON says `Id`, `0` where it
//! says nothing, fields in the order in which they were declared. A shape is such a type, as a constant.

/// The kind of a value, and of what is in it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Shape {
    /// Whatever the JSON is; an object has the fields that it has.
    Any,
    /// The same, as Docker's client reads an answer of which it knows no type: a number is its digits, as a text is.
    Raw,
    /// A boolean; `false` if it is not set.
    Bool,
    /// A whole number, in 64 bits with a sign; 0 if it is not set.
    Int,
    /// The same without a sign.
    Uint,
    /// A text; empty if it is not set.
    Text,
    /// A moment, in JSON a text by RFC 3339; the first of January of year 1 if it is not set.
    Time,
    /// A length of time, in JSON a number of nanoseconds, printed as `1m30s`.
    Duration,
    /// A list of such.
    List(&'static Shape),
    /// Such by their keys.
    Map(&'static Shape),
    /// Such a value, or none.
    Pointer(&'static Shape),
    /// An object with these fields and no others.
    Struct(&'static [Field]),
    /// An object with these fields that is printed as the pattern says, in which `{Name}` is the field of that name: a type that
    /// has a method `String` in Go. Its JSON is the object's.
    Spelled(&'static [Field], &'static str),
    /// A row of a listing: as [`Any`](Shape::Any), but `.Label "KEY"` looks a label up.
    Row,
    /// No value at all, as of a key that a map does not have. All of its fields are such.
    Nothing,
    /// The headers of a listing, in which `.Label "KEY"` is the key's last word.
    Headers,
    /// What the field `Label` of a row is.
    Labels,
    /// What the field `Label` of the headers is.
    LabelHeaders,
}

/// A list of texts.
pub const TEXTS: Shape = Shape::List(&Shape::Text);

/// Texts by their keys.
pub const TEXT_MAP: Shape = Shape::Map(&Shape::Text);

/// A field of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    pub(crate) shape: Shape,
    pub(crate) is_optional: bool,
    pub(crate) is_embedded: bool,
}

impl Field {
    /// A field that has the same name in Go and in JSON.
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape) -> Field {
        Field {
            name,
            key: name,
            shape,
            is_optional: false,
            is_embedded: false,
        }
    }

    /// Fields that Go has in a struct of that name of their own, and JSON beside the others. A template may leave that
    /// name out.
    #[must_use]
    pub const fn embedded(name: &'static str, fields: &'static [Field]) -> Field {
        Field {
            is_embedded: true,
            ..Field::new(name, Shape::Struct(fields))
        }
    }

    /// The same with another name in JSON.
    #[must_use]
    pub const fn key(self, key: &'static str) -> Field {
        Field { key, ..self }
    }

    /// The same, but left out of JSON where it is empty.
    #[must_use]
    pub const fn optional(self) -> Field {
        Field {
            is_optional: true,
            ..self
        }
    }
}

/// The field of this name: one of these, or of those embedded in them.
pub(crate) fn find(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    let own = fields.iter().find(|field| field.name == name);
    own.or_else(|| {
        fields
            .iter()
            .filter(|field| field.is_embedded)
            .find_map(|field| match field.shape {
                Shape::Struct(inner) => find(inner, name),
                _ => None,
            })
    })
}

/// The names of these fields and of those embedded in them.
pub(crate) fn names(fields: &'static [Field]) -> Vec<&'static str> {
    let mut names = Vec::new();
    for field in fields {
        match field.shape {
            Shape::Struct(inner) if field.is_embedded => names.extend(self::names(inner)),
            _ => names.push(field.name),
        }
    }
    names
}
