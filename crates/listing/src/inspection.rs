//! Descriptions of things, whole or through a template.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::template::{Template, TemplateError};

/// How `inspect` prints: all of them as one JSON array, or each through `--format`.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    template: Option<Template>,
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
        Ok(Inspection { template })
    }

    /// The text for these descriptions.
    ///
    /// # Errors
    /// A field that one of them does not have.
    pub fn render(&self, values: &[Value]) -> Result<String, TemplateError> {
        match &self.template {
            Some(template) => {
                let lines: Result<String, _> = values
                    .iter()
                    .map(|value| template.render(value).map(|line| line + "\n"))
                    .collect();
                lines
            }
            None => Ok(indented(values) + "\n"),
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
        let inspection = Inspection::parse(format).expect("a format");
        inspection.render(&values).expect("a text")
    }

    #[test]
    fn descriptions_are_an_array() {
        let text = render(None);
        assert_eq!(
            text,
            "[\n    {\n        \"Id\": \"1\",\n        \"A\": [\n            true\n        ]\n    },\n    {\n        \
             \"Id\": \"2\",\n        \"A\": []\n    }\n]\n"
        );
        let none = Inspection::parse(None).expect("a format").render(&[]);
        assert_eq!(none.expect("a text"), "[]\n");
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
