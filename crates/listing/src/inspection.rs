//! Prints descriptions of objects, whole or through a template.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::Shape;
use crate::template::{Template, TemplateError};

/// How `inspect` prints: all of them as one JSON array, or each through `--format`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    style: Style,
    /// What goes into the array.
    values: Vec<Value>,
    /// Whether a template has printed anything.
    has_printed: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Style {
    /// An array in lines, or in one.
    Array {
        is_indented: bool,
    },
    Template(Template),
}

impl Inspection {
    /// Reads the value of `--format`: nothing, `json` (the array in one line), or a template.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub fn parse(format: Option<&str>) -> Result<Inspection, TemplateError> {
        let style = match format.map(str::trim).unwrap_or_default() {
            "" => Style::Array { is_indented: true },
            "json" => Style::Array { is_indented: false },
            _ => Style::Template(Template::parse(format.unwrap_or_default())?),
        };
        Ok(Inspection {
            style,
            values: Vec::new(),
            has_printed: false,
        })
    }

    /// The same for a command that describes one thing alone: `json` is that thing, without an array around it.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub fn parse_single(format: Option<&str>) -> Result<Inspection, TemplateError> {
        match format.map(str::trim) {
            Some("json") => Inspection::parse(Some("{{json .}}")),
            _ => Inspection::parse(format),
        }
    }

    /// Adds a description; what is returned is to be printed now. One that fails keeps no other from being printed.
    ///
    /// A template names fields as Docker's client does, by the shape. If it cannot be evaluated so, its names are taken for those
    /// of the JSON, as Docker's client does, too: an engine may say what the shape does not have.
    ///
    /// # Errors
    /// A field that is in neither. It is the shape's that the error is about.
    pub fn add(&mut self, value: Value, shape: Shape) -> Result<String, TemplateError> {
        match &self.style {
            Style::Template(template) => {
                let text = template
                    .render(&value, shape)
                    .or_else(|error| template.render(&value, Shape::Raw).map_err(|_| error))?;
                self.has_printed = true;
                Ok(text + "\n")
            }
            Style::Array { .. } => {
                self.values.push(value);
                Ok(String::new())
            }
        }
    }

    /// What is to be printed when all were added. Where a template printed nothing at all, Docker prints an empty line.
    pub fn finish(self) -> String {
        match self.style {
            Style::Template(_) if self.has_printed => String::new(),
            Style::Template(_) => "\n".to_owned(),
            Style::Array { is_indented: true } => indented(&self.values) + "\n",
            Style::Array { is_indented: false } => Value::Array(self.values).to_string() + "\n",
        }
    }
}

/// JSON with four blanks a level.
fn indented(values: &[Value]) -> String {
    let mut text = Vec::new();
    let mut serializer =
        Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    // Neither writing to memory nor a value that is JSON already can fail.
    let written = values.serialize(&mut serializer);
    debug_assert!(written.is_ok());
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(format: Option<&str>) -> String {
        let values = [json!({"Id": "1", "A": [true]}), json!({"Id": "2", "A": []})];
        let mut inspection = Inspection::parse(format).expect("a format");
        let mut text = String::new();
        for value in values {
            text += &inspection.add(value, Shape::Any).expect("a text");
        }
        text + &inspection.finish()
    }

    #[test]
    fn descriptions_are_an_array() {
        let text = render(None);
        assert_eq!(
            text,
            "[\n    {\n        \"Id\": \"1\",\n        \"A\": [\n            true\n        ]\n    },\n    {\n        \
             \"Id\": \"2\",\n        \"A\": []\n    }\n]\n"
        );
        let none = Inspection::parse(None).expect("a format").finish();
        assert_eq!(none, "[]\n");
    }

    #[test]
    fn or_a_line_each() {
        assert_eq!(render(Some("{{.Id}}")), "1\n2\n");
        assert_eq!(render(Some("{{if false}}{{end}}")), "\n\n");
        let none = Inspection::parse(Some("{{.Id}}"))
            .expect("a format")
            .finish();
        assert_eq!(none, "\n");
    }

    #[test]
    fn or_all_in_one() {
        assert_eq!(
            render(Some("json")),
            "[{\"Id\":\"1\",\"A\":[true]},{\"Id\":\"2\",\"A\":[]}]\n"
        );
    }
}
