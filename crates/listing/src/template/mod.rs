//! Go's template language, `text/template`, with Docker's functions.
//!
//! All of it is here: fields, variables, pipelines, every action and every function of Go's, and the eight that Docker adds. It
//! is written here because no crate fits: `gtmpl`, the one there is, is "passively maintained" by its own manifest, has values of
//! its own instead of JSON in its order, knows neither `break` nor `continue`, and cannot ask a type what a field is called or
//! what it is where it is not set, which is what Docker's templates rest on ([`Shape`]).
//!
//! What differs from Go: the address of what a pointer leads to is never printed but what is there; `call` is refused, because
//! no value is a function; complex numbers are refused; nesting, steps and output are bounded; errors are our own.

mod compare;
mod constant;
mod escape;
mod evaluate;
mod function;
mod json;
mod lexer;
mod parser;
mod print;
mod printf;
mod syntax;
mod value;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use serde_json::Value as Json;

use crate::Shape;
pub(crate) use value::Value;

/// A template that has been read.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    parsed: parser::Parsed,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        let parsed = parser::parse(lexer::pieces(text)?)?;
        Ok(Template { parsed })
    }

    /// The text for this value of that shape, which is the template's dot.
    ///
    /// # Errors
    /// A field that the value cannot have, and values of the wrong kind.
    pub fn render(&self, value: &Json, shape: Shape) -> Result<String, TemplateError> {
        evaluate::render(&self.parsed, value, shape)
    }

    /// The fields of the template's own dot that it names anywhere.
    pub(crate) fn fields(&self) -> BTreeSet<&str> {
        let mut fields = BTreeSet::new();
        syntax::collect_fields(&self.parsed.nodes, true, &mut fields);
        fields
    }
}

/// A value as JSON, as Go's encoder writes one of that shape.
pub(crate) fn json(value: &Json, shape: Shape) -> String {
    json::text(value, shape)
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
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{Field, TEXT_MAP, TEXTS};

    fn render(template: &str) -> Result<String, String> {
        let value = json!({
            "Name": "/web", "Id": "abc", "Count": 3, "Ratio": 0.5, "Up": true, "Nothing": null,
            "List": ["a", "b"], "Numbers": [1, 2], "Empty": [],
            "State": {"Status": "running", "Health": {"Log": [{"Exit": 0}, {"Exit": 1}]}},
            "Labels": {"b": "2", "a.x": "1"},
        });
        Template::parse(template)
            .and_then(|template| template.render(&value, Shape::Any))
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
            (
                "{{json .State.Health}}",
                r#"{"Log":[{"Exit":0},{"Exit":1}]}"#,
            ),
            ("{{json .Name}} {{.Name | json}}", r#""/web" "/web""#),
            ("{{json .Labels}}", r#"{"a.x":"1","b":"2"}"#),
            (r#"{{join .List ", "}}"#, "a, b"),
            ("{{upper .Name}}{{.Name | upper | lower}}", "/WEB/web"),
            (r#"{{index .Labels "a.x"}}{{index .List 1}}"#, "1b"),
            (r#"{{index .Labels "none"}}"#, "<no value>"),
            ("{{print .Nothing}}{{json .Nothing}}", "<nil>null"),
            ("{{(index .State.Health.Log 1).Exit}}", "1"),
            ("{{index .State.Health.Log 1 \"Exit\"}}", "1"),
            ("{{range .List}}<{{.}}>{{end}}", "<a><b>"),
            ("{{range .Labels}}{{.}};{{end}}", "1;2;"),
            ("{{range .Empty}}x{{else}}none{{end}}", "none"),
            ("{{range .State.Health.Log}}{{.Exit}}{{end}}", "01"),
            ("{{if .Up}}up{{else}}down{{end}}", "up"),
            (
                "{{if .Empty}}a{{else if .Nothing}}b{{else if .Count}}c{{else}}d{{end}}",
                "c",
            ),
            (
                r#"{{if eq .State.Status "running" "paused"}}yes{{end}}"#,
                "yes",
            ),
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
            ("{{end}}", "{{end}} without an if, with or range"),
            ("{{else}}", "{{else}} without an if, with or range"),
            ("{{if .Up}}{{else}}{{else}}{{end}}", "a second {{else}}"),
            (
                "{{printg .Name}}",
                "there is no function printg; the functions are and, call, eq, ge, gt, html, index, join, js, json, le, len, \
                 lower, lt, ne, not, or, pad, print, printf, println, slice, split, title, truncate, upper, urlquery",
            ),
            (
                "{{call .Name}}",
                "call takes a function, and no value here is one",
            ),
            (
                "{{$x}}",
                "the variable $x is not set; set it first: {{$x := .}}",
            ),
            (
                "{{if $x := 1}}{{end}}{{$x}}",
                "the variable $x is not set; set it first: {{$x := .}}",
            ),
            (
                "{{$x = 1}}",
                "the variable $x is not set; set it first: {{$x := .}}",
            ),
            ("{{$a, $b := .List}}", "only a range sets two variables"),
            (
                "{{range $a, $b := .Count}}{{end}}",
                "a range over a number sets one variable",
            ),
            ("{{.A := 1}}", "unexpected := in an action"),
            ("{{break}}", "{{break}} outside of a range"),
            (
                "{{range .List}}{{else}}{{continue}}{{end}}",
                "{{continue}} outside of a range",
            ),
            (
                "{{if .Up}}{{define \"a\"}}{{end}}{{end}}",
                "a {{define}} inside of another action",
            ),
            (
                "{{define a}}{{end}}",
                "define needs a name in quotes: {{define \"NAME\" ...}}",
            ),
            ("{{template \"a\"}}", "the template \"a\" is not defined"),
            ("{{with .State}}", "with has no {{end}}"),
            (
                "{{define \"a\"}}b{{end}}{{block \"a\" 1}}c{{end}}",
                "the template \"a\" is defined twice",
            ),
            ("{{nil}}", "nil alone says nothing"),
            (
                "{{1 | 2}}",
                "2 takes no arguments; its value is not a function",
            ),
            ("{{.Name\"x\"}}", "unexpected \\\" in an action"),
            (
                "{{.Nothing.A}}",
                ".Nothing is not set, so there is no .Nothing.A; ask first: {{if .Nothing}}...{{end}}",
            ),
            (
                "{{eq .Count \"3\"}}",
                "eq cannot compare 3 (int) and \"3\" (string)",
            ),
            (
                "{{lt .Up true}}",
                "lt cannot compare true (bool) and true (bool)",
            ),
            (
                "{{eq .List .List}}",
                "[\"a\",\"b\"] and [\"a\",\"b\"] cannot be compared; use len or index",
            ),
            (
                "{{len .Count}}",
                "len takes a string, a list or a map, not 3",
            ),
            ("{{slice .Name 3 1}}", "the bounds of slice go backwards"),
            (
                "{{slice .Name 1 9}}",
                "index 9 is out of range: there are 4 entries",
            ),
            ("{{pad .Name -1 0}}", "pad takes a length, not -1"),
            ("{{range 99999999999}}x{{end}}", "its text has no end"),
            (
                "{{.Name \"x\"}}",
                ".Name takes no arguments; its value is not a function",
            ),
            (
                "{{.Name | .Id}}",
                ".Id takes no arguments; its value is not a function",
            ),
            ("{{\"open}}", "a string has no end"),
            ("{{\"\\q\"}}", "unknown escape \\q in a string"),
            ("{{(.Name}}", "a parenthesis is not closed"),
            ("{{.Name)}}", "unexpected ) in an action"),
            ("{{.Name |}}", "nothing follows a |"),
            ("{{if}}{{end}}", "if needs a value"),
            ("{{else .Up}}", "{{else}} without an if, with or range"),
            ("{{json}}", "json takes one value, not 0"),
            ("{{json .Name .Id}}", "json takes one value, not 2"),
            ("{{upper .Count}}", "upper takes a string, not 3"),
            ("{{join .Name \",\"}}", "join takes a list, not \"/web\""),
            (
                "{{index .List 2}}",
                "index 2 is out of range: there are 2 entries",
            ),
            (
                "{{index .List \"a\"}}",
                "index of a list takes a number, not \"a\"",
            ),
            ("{{index .Count 1}}", "3 has no entries to index"),
            (
                "{{eq .Name 1}}",
                "eq cannot compare \"/web\" (string) and 1 (int)",
            ),
            (
                "{{eq .Name}}",
                "eq takes a value and others to compare it with",
            ),
            ("{{range .Name}}{{end}}", "range cannot go over \"/web\""),
            (
                "{{99999999999999999999}}",
                "99999999999999999999 is not a number of 64 bits",
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
        let recursive = r#"{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}"#;
        assert_eq!(
            render(recursive).unwrap_err(),
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
            "{{.A.B}}{{range .C}}{{.D}}{{else}}{{.E}}{{end}}{{if eq .F (json .G)}}{{.H}}{{end}}\
             {{with .I}}{{.J}}{{$.K}}{{end}}{{define \"x\"}}{{.L}}{{end}}{{template \"x\" .M}}",
        );
        let template = template.expect("a template");
        assert_eq!(
            template.fields().into_iter().collect::<Vec<_>>(),
            ["A", "C", "E", "F", "G", "H", "I", "K", "M"]
        );
    }

    #[test]
    fn typed_values_are_named_and_empty_as_gos() {
        const INNER: &[Field] = &[
            Field::new("Deep", Shape::Text),
            Field::new("Flag", Shape::Bool).optional(),
        ];
        const FIELDS: &[Field] = &[
            Field::new("ID", Shape::Text).key("Id"),
            Field::new("Count", Shape::Int),
            Field::new("Most", Shape::Pointer(&Shape::Int)),
            Field::new("Wait", Shape::Duration).optional(),
            Field::new("Since", Shape::Time),
            Field::new("List", TEXTS),
            Field::new("Labels", TEXT_MAP).optional(),
            Field::new("Inner", Shape::Struct(INNER)),
            Field::new("State", Shape::Pointer(&Shape::Struct(INNER))),
            Field::embedded("Other", &[Field::new("CPUs", Shape::Int).key("Cpus")]),
        ];
        let empty = json!({});
        let full = json!({
            "Id": "abc", "Count": 1, "Most": 5, "Wait": 90_000_000_000_u64, "Since": "2026-01-31T12:00:00Z", "List": ["a"],
            "Labels": {"b": "2"}, "Inner": {"Deep": "x"}, "State": {"Deep": "y", "Flag": true}, "Cpus": 2, "Further": 3,
        });
        for (template, of_empty, of_full) in [
            ("{{.ID}}", Ok(""), Ok("abc")),
            ("{{.Id}}", Err(()), Ok("abc")),
            (
                "{{.Count}} {{.CPUs}} {{.Other.CPUs}}",
                Ok("0 0 0"),
                Ok("1 2 2"),
            ),
            ("{{.Most}} {{json .Most}}", Ok("<nil> null"), Ok("5 5")),
            (
                "{{.Wait}} {{json .Wait}}",
                Ok("0s 0"),
                Ok("1m30s 90000000000"),
            ),
            (
                "{{.Since}}",
                Ok("0001-01-01 00:00:00 +0000 UTC"),
                Ok("2026-01-31 12:00:00 +0000 UTC"),
            ),
            (
                "{{.List}} {{json .List}} {{len .List}}",
                Ok("[] null 0"),
                Ok(r#"[a] ["a"] 1"#),
            ),
            (
                r#"{{.Labels.a}}|{{index .Labels "a"}}|"#,
                Ok("<no value>||"),
                Ok("<no value>||"),
            ),
            ("{{.Labels.a.b}}", Ok("<no value>"), Ok("<no value>")),
            (
                "{{.Inner}} {{.Inner.Deep}}",
                Ok("{ false} "),
                Ok("{x false} x"),
            ),
            ("{{.State}}", Ok("<nil>"), Ok("{y true}")),
            ("{{.State.Deep}}", Err(()), Ok("y")),
            (
                "{{with .State}}{{.Flag}}{{else}}none{{end}}",
                Ok("none"),
                Ok("true"),
            ),
            (
                "{{json .}}",
                Ok(
                    r#"{"Id":"","Count":0,"Most":null,"Since":"0001-01-01T00:00:00Z","List":null,"Inner":{"Deep":""},"State":null,"Cpus":0}"#,
                ),
                Ok(
                    r#"{"Id":"abc","Count":1,"Most":5,"Wait":90000000000,"Since":"2026-01-31T12:00:00Z","List":["a"],"Labels":{"b":"2"},"Inner":{"Deep":"x"},"State":{"Deep":"y","Flag":true},"Cpus":2}"#,
                ),
            ),
            ("{{.Further}}", Err(()), Ok("3")),
        ] {
            for (value, expected) in [(&empty, of_empty), (&full, of_full)] {
                let mut inspection = crate::Inspection::parse(Some(template)).expect("a template");
                let rendered = inspection.add(value.clone(), Shape::Struct(FIELDS));
                assert_eq!(
                    rendered.as_deref().map(str::trim_end).map_err(|_| ()),
                    expected.map(str::trim_end),
                    "{template} {rendered:?}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_and_rendered_or_refused(text in "(\\{\\{-?|-?\\}\\}|[ .$|(),:=\"`]|[a-zA-Z]{1,3}|if|range|with|else|end|print|eq|[0-9]{1,3}){0,24}") {
            crate::fuzzing::template(text.as_bytes());
        }

        #[test]
        fn plain_text_stays(text in "[^{]{0,40}") {
            prop_assert_eq!(render(&text), Ok(text));
        }

        #[test]
        fn a_quoted_text_is_itself(text in "\\PC{0,20}") {
            let quoted = serde_json::Value::from(text.clone()).to_string();
            prop_assert_eq!(render(&format!("{{{{{quoted}}}}}")), Ok(text.clone()));
            prop_assert_eq!(render(&format!("{{{{printf \"%s\" {quoted}}}}}")), Ok(text));
        }

        #[test]
        fn integers_are_ordered_as_numbers(a: i64, b: i64) {
            let template = format!("{{{{lt {a} {b}}}}} {{{{eq {a} {b}}}}} {{{{ge {a} {b}}}}} {{{{printf \"%d\" {a}}}}}");
            prop_assert_eq!(render(&template), Ok(format!("{} {} {} {a}", a < b, a == b, a >= b)));
        }
    }
}
