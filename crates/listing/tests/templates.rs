//! Templates say what Docker's client makes of them.
//!
//! `templates.jsonl` has a template and its text a line, or null where it is refused, as `docker version --format` of Docker 28
//! printed it. That they are still Docker's is tried where there is a Docker client, in `tests/commands`.

use listing::{Shape, Template};
use serde_json::Value;

#[test]
fn recorded_templates_have_the_recorded_texts() {
    let mut wrong = Vec::new();
    for line in include_str!("templates.jsonl").lines() {
        let (template, expected): (String, Option<String>) =
            serde_json::from_str(line).expect("a template and its text");
        // As there, an empty line ends what is printed.
        let text = Template::parse(&template)
            .and_then(|template| template.render(&Value::Null, Shape::Any));
        if text.as_ref().ok() != expected.as_ref() {
            wrong.push(format!(
                "{template}\n  Docker: {expected:?}\n  here:   {text:?}"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
