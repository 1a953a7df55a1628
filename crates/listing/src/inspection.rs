//! Prints descriptions of objects, whole or through a template.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::Shape;
use crate::template::{Template, TemplateError};

/// How `inspect` prints: all of them as one JSON array, or each through `--format`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    template: Option<Template>,
    /// What goes into the array.
    values: Vec<Value>,
}

impl Inspection {
    /// Reads the value of `--format`: nothing, `json` (an object a line), or a template.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub fn parse(format: Option<&str>) -> Result<Inspection, TemplateError> {
        let template = match format.map(str::trim).unwrap_or_default() {
            "" => None,
            "json" => Some(Template::parse("{{json .}}")?),
            template => Some(Template::parse(
                &template.replace(r"\t", "\t").replace(r"\n", "\n"),
            )?),
        };
        Ok(Inspection {
            template,
            values: Vec::new(),
        })
    }

    /// Adds a description; what is returned is to be printed now. One that fails keeps no other from being printed.
    ///
    /// # Errors
    /// A field that it cannot have.
    pub fn add(&mut self, value: Value, shape: Shape) -> Result<String, TemplateError> {
        match &self.template {
            Some(template) => Ok(template.render_shaped(&value, shape)? + "\n"),
            None => {
                self.values.push(value);
                Ok(String::new())
            }
        }
    }

    /// What is to be printed when all were added.
    pub fn finish(self) -> String {
        match self.template {
            Some(_) => String::new(),
            None => indented(&self.values) + "\n",
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
            text += &inspection.add(value, Shape::unknown()).expect("a text");
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
        assert_eq!(
            render(Some("json")),
            "{\"Id\":\"1\",\"A\":[true]}\n{\"Id\":\"2\",\"A\":[]}\n"
        );
    }
}
