//! One record of comma-separated values, as in `--gpus 'device="0,1",driver=x'`, by the rules of Go's `encoding/csv`.

use crate::InvalidValue;

const BARE_QUOTE: &str = "bare \" in non-quoted-field";
const UNPAIRED_QUOTE: &str = "extraneous or missing \" in quoted-field";

/// Splits the first record of a text into its fields. A field in quotes may hold commas, line ends, and quotes that are
/// doubled; lines behind the record are ignored.
pub fn record(text: &str) -> Result<Vec<String>, InvalidValue> {
    let mut lines = Line::all(text).skip_while(|line| line.content.is_empty());
    let mut line = lines.next().ok_or_else(|| InvalidValue::new("EOF"))?;
    let first = line.number;
    let mut fields = Vec::new();
    let mut at = 0;
    'fields: loop {
        if !line.content[at..].starts_with('"') {
            let rest = &line.content[at..];
            let field = rest.split(',').next().unwrap_or_default();
            if let Some(quote) = field.find('"') {
                return Err(line.error(first, at + quote, BARE_QUOTE));
            }
            fields.push(field.to_owned());
            if field.len() == rest.len() {
                return Ok(fields);
            }
            at += field.len() + 1;
            continue;
        }
        at += 1;
        let mut field = String::new();
        loop {
            let rest = &line.content[at..];
            let Some(quote) = rest.find('"') else {
                field.push_str(rest);
                field.push_str(line.end);
                let end = line.content.len() + line.end.len();
                let missing = line.error(first, end, UNPAIRED_QUOTE);
                line = lines.next().ok_or(missing)?;
                at = 0;
                continue;
            };
            field.push_str(&rest[..quote]);
            at += quote + 1;
            match line.content[at..].chars().next() {
                Some('"') => {
                    field.push('"');
                    at += 1;
                }
                Some(',') => {
                    fields.push(field);
                    at += 1;
                    continue 'fields;
                }
                None => {
                    fields.push(field);
                    return Ok(fields);
                }
                Some(_) => return Err(line.error(first, at - 1, UNPAIRED_QUOTE)),
            }
        }
    }
}

struct Line<'a> {
    /// From 1.
    number: usize,
    content: &'a str,
    /// A line feed, of which the last line may have none. A carriage return before it does not count.
    end: &'static str,
}

impl<'a> Line<'a> {
    fn all(text: &'a str) -> impl Iterator<Item = Line<'a>> {
        text.split_inclusive('\n').enumerate().map(|(index, line)| {
            let (content, end) = match line.strip_suffix('\n') {
                Some(content) => (content, "\n"),
                None => (line, ""),
            };
            Line {
                number: index + 1,
                content: content.strip_suffix('\r').unwrap_or(content),
                end,
            }
        })
    }

    /// The error at an offset in this line of a record that began on the line `first`.
    fn error(&self, first: usize, at: usize, what: &str) -> InvalidValue {
        let (number, column) = (self.number, at + 1);
        let place = format!("parse error on line {number}, column {column}: {what}");
        if first == number {
            InvalidValue::new(place)
        } else {
            InvalidValue::new(format!("record on line {first}; {place}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_at_commas_outside_quotes() {
        for (text, fields) in [
            ("a", vec!["a"]),
            ("a,b", vec!["a", "b"]),
            ("a,", vec!["a", ""]),
            (",", vec!["", ""]),
            (" a , b ", vec![" a ", " b "]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"\"", vec![""]),
            ("\"a\"\"b\"", vec!["a\"b"]),
            ("\"\",\"\"\"\"", vec!["", "\""]),
            ("\"a\r\nb\",c\nd", vec!["a\nb", "c"]),
            ("a\nb", vec!["a"]),
            ("\n\r\na\r", vec!["a"]),
            ("é,\"ü\"", vec!["é", "ü"]),
        ] {
            assert_eq!(record(text).unwrap(), fields, "{text:?}");
        }
    }

    #[test]
    fn errors_have_a_place() {
        for (text, message) in [
            ("", "EOF"),
            ("\n\n", "EOF"),
            (
                "a\"b",
                "parse error on line 1, column 2: bare \" in non-quoted-field",
            ),
            (
                "x,device=\"0,1\"",
                "parse error on line 1, column 10: bare \" in non-quoted-field",
            ),
            (
                "\"abc",
                "parse error on line 1, column 5: extraneous or missing \" in quoted-field",
            ),
            (
                "\"a\"b",
                "parse error on line 1, column 3: extraneous or missing \" in quoted-field",
            ),
            (
                "a,\"b\nc\"d",
                "record on line 1; parse error on line 2, column 2: extraneous or missing \" in quoted-field",
            ),
        ] {
            assert_eq!(record(text).unwrap_err().to_string(), message, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_quoted_is_read_back(fields in proptest::collection::vec("[^\r]*", 1..5)) {
            let quoted: Vec<String> = fields
                .iter()
                .map(|field| format!("\"{}\"", field.replace('"', "\"\"")))
                .collect();
            assert_eq!(record(&quoted.join(",")), Ok(fields));
        }

        #[test]
        fn no_text_panics(text in "[a\",\r\né]{0,20}|.*") {
            let _ = record(&text);
        }
    }
}
