//! Values as Go's encoder writes them; its escapes for HTML are in the rows of listings only, as Docker's client has it.

use serde_json::Value as Json;

use super::value::{Kind, kind, sorted};
use crate::shape::{Field, Shape};

/// The JSON of a value: objects of a known type in the order of their fields, others in that of their keys, and what is not
/// set as what Go has in its place.
pub(super) fn text(json: &Json, shape: Shape) -> String {
    let mut text = String::new();
    write(&mut text, json, shape);
    match shape {
        // Docker's client makes a row's JSON with Go's default, which escapes for HTML. Outside of texts JSON has none of these.
        Shape::Row => text
            .replace('&', "\\u0026")
            .replace('<', "\\u003c")
            .replace('>', "\\u003e"),
        _ => text,
    }
}

fn write(out: &mut String, json: &Json, shape: Shape) {
    match kind(json, shape) {
        Kind::Nothing | Kind::Nil => out.push_str("null"),
        // Lists and maps that are not set are null, and those that are set to nothing are not.
        Kind::List(..) | Kind::Map(..) if json.is_null() => out.push_str("null"),
        // Digits stay what they are, with a fraction and an exponent.
        Kind::Text(digits) if json.is_number() => out.push_str(&digits),
        Kind::Text(text) => write_text(out, &text),
        Kind::Time(text) => write_text(out, text),
        Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Kind::Int(value) => out.push_str(&value.to_string()),
        Kind::Uint(value) => out.push_str(&value.to_string()),
        Kind::Float(_) => write_float(out, json),
        Kind::List(entries, shape) => {
            out.push('[');
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, entry, shape);
            }
            out.push(']');
        }
        Kind::Map(entries, inner) => {
            let mut members = Members::new(out);
            for (key, entry) in sorted(entries) {
                // It is a function of the row, not a field.
                if shape != Shape::Row || key != "Label" {
                    members.add(key, entry, inner);
                }
            }
            members.out.push('}');
        }
        Kind::Struct(_, fields) => {
            let mut members = Members::new(out);
            members.add_fields(json, fields);
            members.out.push('}');
        }
    }
}

struct Members<'a> {
    out: &'a mut String,
    is_first: bool,
}

impl Members<'_> {
    fn new(out: &mut String) -> Members<'_> {
        out.push('{');
        Members {
            out,
            is_first: true,
        }
    }

    fn add(&mut self, key: &str, json: &Json, shape: Shape) {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(',');
        }
        write_text(self.out, key);
        self.out.push(':');
        write(self.out, json, shape);
    }

    fn add_fields(&mut self, json: &Json, fields: &'static [Field]) {
        for field in fields {
            let value = json.get(field.key).unwrap_or(&Json::Null);
            match field.shape {
                Shape::Struct(inner) if field.is_embedded => self.add_fields(json, inner),
                _ if field.is_optional && is_empty(value, field.shape) => {}
                _ => self.add(field.key, value, field.shape),
            }
        }
    }
}

/// What Go leaves out where that is asked of it: an object of a known type is never empty.
fn is_empty(json: &Json, shape: Shape) -> bool {
    match kind(json, shape) {
        Kind::Nothing | Kind::Nil => true,
        _ if matches!(shape, Shape::Pointer(_)) => false,
        Kind::Bool(value) => !value,
        Kind::Int(value) => value == 0,
        Kind::Uint(value) => value == 0,
        Kind::Float(value) => value == 0.0,
        Kind::Text(text) => text.is_empty(),
        Kind::List(entries, _) => entries.is_empty(),
        Kind::Map(entries, _) => entries.is_none_or(serde_json::Map::is_empty),
        Kind::Struct(..) | Kind::Time(_) => false,
    }
}

fn write_text(out: &mut String, text: &str) {
    let quoted = Json::String(text.to_owned()).to_string();
    // These end lines in JavaScript, so Go escapes them.
    for character in quoted.chars() {
        match character {
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            character => out.push(character),
        }
    }
}

/// A number that is whole has no fraction in Go.
fn write_float(out: &mut String, json: &Json) {
    match json.as_f64() {
        Some(value) if value == value.trunc() && value.abs() < 1e21 => {
            out.push_str(&format!("{value:.0}"));
        }
        _ => out.push_str(&json.to_string()),
    }
}
