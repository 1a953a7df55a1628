//! The bodies of the fuzz targets; a test also runs them over the corpus.

use serde_json::json;

use crate::template::Template;
use crate::{Field, Shape, TEXT_MAP, TEXTS};

/// What an engine may send of it is set, not set, or of another kind.
const TYPED: [Field; 6] = [
    Field::new("A", TEXT_MAP),
    Field::new("D", TEXTS),
    Field::new("E", Shape::Duration),
    Field::new("F", Shape::Pointer(&Shape::Int)),
    Field::new("G", Shape::Time),
    Field::embedded(
        "H",
        &[Field::new("I", Shape::Map(&TEXTS)).key("i").optional()],
    ),
];

/// Reads any text as a template, and evaluates what can be read.
pub fn template(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(template) = Template::parse(text) {
        let value =
            json!({"A": {"B": [1, "two", null, {"C": true}]}, "D": "text", "E": 5, "F": 0.5});
        for shape in [Shape::Any, Shape::Raw, Shape::Row, Shape::Struct(&TYPED)] {
            let _ = template.render(&value, shape);
        }
        let headers = json!({"A": "HEAD", "D": "TEXT", "E": ""});
        let _ = template.render(&headers, Shape::Headers);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_survived() {
        harness::corpus(env!("CARGO_MANIFEST_DIR"), "template", super::template);
    }
}
