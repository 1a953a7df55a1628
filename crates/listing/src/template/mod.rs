//! The template language: the part of Go's that lists and inspections are formatted with.
//!
//! In it: text; fields (`.A.B`) and the dot; strings, integers, `true`, `false` and `nil`; pipelines and parentheses;
//! `json`, `join`, `upper`, `lower`, `index`, `eq`; `if`, `else`, `else if`, `range`, `end`; comments and the trim
//! markers `{{-` and `-}}`. Everything else is refused by name when the template is read.

mod evaluate;
mod lexer;
mod parser;
mod syntax;
mod value;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use serde_json::Value;

use crate::Shape;
use syntax::Node;
pub(crate) use value::text;

/// A template that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    nodes: Vec<Node>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Says what is wrong, or names what is not in the subset.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let nodes = parser::parse(lexer::pieces(text)?)?;
        Ok(Template { nodes })
    }

    /// The text for this value, which is the template's dot.
    ///
    /// # Errors
    /// A field that the value does not have, and values of the wrong kind.
    pub fn render(&self, value: &Value) -> Result<String, TemplateError> {
        self.render_shaped(value, Shape::unknown())
    }

    /// The same, with fields that the value may have: one that is not set is empty, and no mistake.
    ///
    /// # Errors
    /// A field that the value cannot have, and values of the wrong kind.
    pub fn render_shaped(&self, value: &Value, shape: Shape) -> Result<String, TemplateError> {
        evaluate::render(&self.nodes, value, shape)
    }

    /// As [`render`](Template::render), for the header of a table: functions leave their operand as it is.
    pub(crate) fn render_header(&self, header: &Value) -> Result<String, TemplateError> {
        evaluate::render_header(&self.nodes, header)
    }

    /// The fields of the template's own dot that it names anywhere.
    pub(crate) fn fields(&self) -> BTreeSet<&str> {
        let mut fields = BTreeSet::new();
        syntax::collect_fields(&self.nodes, &mut fields);
        fields
    }
}

/// Why a template cannot be read or evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError(String);

impl TemplateError {
    pub(crate) fn new(message: impl Into<String>) -> TemplateError {
        TemplateError(message.into())
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}", self.0)
    }
}

impl Error for TemplateError {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn render(template: &str) -> Result<String, String> {
        let value = json!({
            "Name": "/web", "Id": "abc", "Count": 3, "Ratio": 0.5, "Up": true, "Nothing": null,
            "List": ["a", "b"], "Numbers": [1, 2], "Empty": [],
            "State": {"Status": "running", "Health": {"Log": [{"Exit": 0}, {"Exit": 1}]}},
            "Labels": {"b": "2", "a.x": "1"},
        });
        Template::parse(template)
            .and_then(|template| template.render(&value))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn templates_say_what_gos_would() {
        for (template, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("{{.Name}}", "/web"),
            ("{{ .State.Status }}!", "running!"),
            ("{{.Count}} {{.Ratio}} {{.Up}}", "3 0.5 true"),
            ("{{.Nothing}}", "<no value>"),
            ("{{.List}} {{.Empty}}", "[a b] []"),
            ("{{.Labels}}", "map[a.x:1 b:2]"),
            ("{{json .State.Health}}", r#"{"Log":[{"Exit":0},{"Exit":1}]}"#),
            ("{{json .Name}} {{.Name | json}}", r#""/web" "/web""#),
            ("{{json .}}", &json!({
                "Name": "/web", "Id": "abc", "Count": 3, "Ratio": 0.5, "Up": true, "Nothing": null,
                "List": ["a", "b"], "Numbers": [1, 2], "Empty": [],
                "State": {"Status": "running", "Health": {"Log": [{"Exit": 0}, {"Exit": 1}]}},
                "Labels": {"b": "2", "a.x": "1"},
            }).to_string()),
            (r#"{{join .List ", "}}"#, "a, b"),
            ("{{upper .Name}}{{.Name | upper | lower}}", "/WEB/web"),
            (r#"{{index .Labels "a.x"}}{{index .List 1}}"#, "1b"),
            (r#"{{index .Labels "none"}}"#, "<no value>"),
            ("{{(index .State.Health.Log 1).Exit}}", "1"),
            ("{{index .State.Health.Log 1 \"Exit\"}}", "1"),
            ("{{range .List}}<{{.}}>{{end}}", "<a><b>"),
            ("{{range .Labels}}{{.}};{{end}}", "1;2;"),
            ("{{range .Empty}}x{{else}}none{{end}}", "none"),
            ("{{range .State.Health.Log}}{{.Exit}}{{end}}", "01"),
            ("{{if .Up}}up{{else}}down{{end}}", "up"),
            ("{{if .Empty}}a{{else if .Nothing}}b{{else if .Count}}c{{else}}d{{end}}", "c"),
            (r#"{{if eq .State.Status "running" "paused"}}yes{{end}}"#, "yes"),
            ("{{eq .Count 3}}{{eq .Count 4}}", "truefalse"),
            (r#"{{eq "a" (lower "A")}}"#, "true"),
            ("{{`raw \\n`}}{{\"tab\\t\"}}", "raw \\ntab\t"),
            ("a {{- .Id -}} \n b", "aabcb"),
            ("a {{- /* why */ -}} b", "ab"),
            ("{{/* why */}}x", "x"),
            ("{{ \"{{\" }}", "{{"),
            ("}} {", "}} {"),
        ] {
            assert_eq!(render(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (template, expected) in [
            (
                "{{.Nmae}}",
                "there is no field .Nmae here; the fields are .Count, .Empty, .Id, .Labels, .List, .Name, .Nothing, .Numbers, .Ratio, .State, .Up",
            ),
            (
                "{{.State.Foo}}",
                "there is no field .State.Foo here; the fields are .State.Health, .State.Status",
            ),
            (
                "{{.Name.Foo}}",
                "\"/web\" has no fields, so there is no .Name.Foo",
            ),
            ("{{.Name", "an action that begins with {{ has no }}"),
            ("{{}}", "an action is empty"),
            ("{{if .Up}}x", "if has no {{end}}"),
            ("{{range .List}}x{{else}}", "range has no {{end}}"),
            ("{{end}}", "{{end}} without an if or a range"),
            ("{{else}}", "{{else}} without an if or a range"),
            ("{{if .Up}}{{else}}{{else}}{{end}}", "a second {{else}}"),
            (
                "{{printf \"%s\" .Name}}",
                "the function printf is not supported; these are: eq, index, join, json, lower, upper",
            ),
            (
                "{{with .State}}{{end}}",
                "with is not supported; these are: if, else, range, end",
            ),
            ("{{$x := .Name}}", "variables ($x) are not supported"),
            (
                "{{.Name \"x\"}}",
                ".Name takes no arguments; its value is no function",
            ),
            (
                "{{.Name | .Id}}",
                ".Id takes no arguments; its value is no function",
            ),
            ("{{\"open}}", "a string has no end"),
            ("{{\"\\q\"}}", "unknown escape \\q in a string"),
            ("{{(.Name}}", "a parenthesis is not closed"),
            ("{{.Name)}}", "unexpected ) in an action"),
            ("{{.Name |}}", "nothing follows a |"),
            ("{{if}}{{end}}", "if needs a value"),
            ("{{else .Up}}", "{{else}} without an if or a range"),
            ("{{json}}", "json takes one value, not 0"),
            ("{{json .Name .Id}}", "json takes one value, not 2"),
            ("{{upper .Count}}", "upper takes a string, not 3"),
            (
                "{{join .Name \",\"}}",
                "join takes a list of strings and a separator, not \"/web\"",
            ),
            (
                "{{join .Numbers \",\"}}",
                "join takes a list of strings and a separator, not [1,2]",
            ),
            (
                "{{index .List 2}}",
                "index 2 is out of range: there are 2 entries",
            ),
            (
                "{{index .List \"a\"}}",
                "index of a list takes a number, not \"a\"",
            ),
            ("{{index .Name 1}}", "\"/web\" has no entries to index"),
            ("{{eq .Name 1}}", "eq cannot compare \"/web\" and 1"),
            (
                "{{eq .Name}}",
                "eq takes a value and others to compare it with",
            ),
            ("{{range .Name}}{{end}}", "range cannot go over \"/web\""),
            (
                "{{99999999999999999999}}",
                "99999999999999999999 is no number of 64 bits",
            ),
            ("{{#}}", "unexpected # in an action"),
        ] {
            assert_eq!(
                render(template),
                Err(format!("template: {expected}")),
                "{template}"
            );
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let template = format!("{{{{{}.Name{}}}}}", "(".repeat(5000), ")".repeat(5000));
        assert_eq!(
            render(&template).unwrap_err(),
            "template: it is nested too deeply"
        );
        let template = format!("{}{}", "{{if .Up}}".repeat(5000), "{{end}}".repeat(5000));
        assert_eq!(
            render(&template).unwrap_err(),
            "template: it is nested too deeply"
        );
    }

    #[test]
    fn fields_of_other_dots_are_not_the_rows() {
        let template = Template::parse(
            "{{.A.B}}{{range .C}}{{.D}}{{else}}{{.E}}{{end}}{{if eq .F (json .G)}}{{.H}}{{end}}",
        );
        let template = template.expect("a template");
        assert_eq!(
            template.fields().into_iter().collect::<Vec<_>>(),
            ["A", "C", "E", "F", "G", "H"]
        );
    }
}
