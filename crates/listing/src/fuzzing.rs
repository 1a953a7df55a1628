//! The bodies of the fuzz targets; a test also runs them over the corpus.

use serde_json::json;

use crate::template::Template;

/// Reads any text as a template, and evaluates what can be read.
pub fn template(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(template) = Template::parse(text) {
        let value = json!({"A": {"B": [1, "two", null, {"C": true}]}, "D": "text", "E": 5});
        let _ = template.render(&value);
        let _ = template.render_header(&json!({"A": "HEAD", "D": "TEXT", "E": ""}));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_survived() {
        harness::corpus(env!("CARGO_MANIFEST_DIR"), "template", super::template);
    }
}
