//! `--format`: chooses the template and lays out its lines.

use serde_json::{Map, Value};

use crate::Shape;
use crate::table;
use crate::template::{self, Template, TemplateError, Value as TemplateValue};

/// A column of a listing: a field of its rows and what a table writes above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    field: &'static str,
    header: &'static str,
    cut: Cut,
}

/// When the cells of a column are cut for a table to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cut {
    First,
    Last,
    Never,
}

impl Column {
    /// A column for this field of the rows, with this header.
    #[must_use]
    pub const fn new(field: &'static str, header: &'static str) -> Column {
        Column {
            field,
            header,
            cut: Cut::First,
        }
    }

    /// One of names, which are cut when nothing else can be.
    #[must_use]
    pub const fn of_names(self) -> Column {
        Column {
            cut: Cut::Last,
            ..self
        }
    }

    /// One of ids, which are of no use when they are cut.
    #[must_use]
    pub const fn of_ids(self) -> Column {
        Column {
            cut: Cut::Never,
            ..self
        }
    }
}

/// What `--format` says.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Format {
    /// The listing's own table: `table`, or nothing.
    Table,
    /// A table with the columns that a template names, split at tabs: `table {{.ID}}\t{{.Names}}`.
    TableOf(Template),
    /// One JSON object a line: `json`.
    Json,
    /// A template, evaluated for each row.
    Template(Template),
}

impl Format {
    /// Reads the value of `--format`. In a template the two characters `\t` are a tab and `\n` ends a line, for shells
    /// have no easy way to type either.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub fn parse(text: &str) -> Result<Format, TemplateError> {
        let template = |text: &str| {
            let text = text.replace(r"\t", "\t").replace(r"\n", "\n");
            Template::parse(&text)
        };
        Ok(match text.trim() {
            "" | "table" => Format::Table,
            "json" => Format::Json,
            trimmed => match trimmed.strip_prefix("table") {
                Some(columns) if columns.starts_with([' ', '\t', '{', '\\']) => {
                    Format::TableOf(template(columns.trim_start_matches([' ', '\t']))?)
                }
                _ => Format::Template(template(text)?),
            },
        })
    }

    /// Which format a list is printed in: that of `--format`, else with `--quiet` that one, else that of the configuration file.
    /// An empty one is none, and `table` gives way to `--quiet`.
    #[must_use]
    pub fn choose<'a>(
        option: Option<&'a str>,
        quiet: Option<&'a str>,
        configured: Option<&'a str>,
    ) -> &'a str {
        let option = option.filter(|format| !format.is_empty());
        match (option, quiet) {
            (None | Some("table"), Some(quiet)) => quiet,
            (Some(format), _) => format,
            (None, None) => configured.unwrap_or_default(),
        }
    }

    /// Whether a template names this field: what costs an engine much is asked for only then.
    #[must_use]
    pub fn needs(&self, field: &str) -> bool {
        match self {
            Format::Table | Format::Json => false,
            Format::TableOf(template) | Format::Template(template) => {
                template.fields().contains(field)
            }
        }
    }

    /// Whether a table is asked for, in which long values are shortened.
    #[must_use]
    pub fn is_table(&self) -> bool {
        matches!(self, Format::Table | Format::TableOf(_))
    }
}

/// A kind of listing: the columns of its table, and which other fields its rows have.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    columns: &'a [Column],
    others: &'a [Column],
}

impl<'a> Listing<'a> {
    /// A listing with these columns, in the order of its table.
    #[must_use]
    pub const fn new(columns: &'a [Column]) -> Listing<'a> {
        Listing {
            columns,
            others: &[],
        }
    }

    /// Fields that a template may name and the listing's own table does not show.
    #[must_use]
    pub const fn with_fields(self, others: &'a [Column]) -> Listing<'a> {
        Listing { others, ..self }
    }

    /// Checks that every field that the format names exists, so that a mistake shows before any work is done, and
    /// however few rows there are.
    ///
    /// # Errors
    /// Names the field that does not exist, and those that do.
    pub fn check(&self, format: &Format) -> Result<(), TemplateError> {
        match format {
            Format::Table | Format::Json => Ok(()),
            Format::TableOf(template) | Format::Template(template) => template
                .fields()
                .iter()
                .find(|name| !self.all().any(|column| column.field == **name))
                .map_or(Ok(()), |name| Err(self.unknown(name))),
        }
    }

    /// The text of the rows, each an object with the listing's fields. A table has its header even without rows;
    /// `width` is that of the terminal that it is to fit, in columns, and `None` leaves it as wide as it is.
    ///
    /// # Errors
    /// As [`check`](Listing::check), or where a template does to a value what cannot be done to it.
    pub fn render(
        &self,
        format: &Format,
        rows: &[Value],
        width: Option<usize>,
    ) -> Result<String, TemplateError> {
        self.check(format)?;
        match format {
            Format::Table => {
                let cells = |row: &Value| {
                    let cell = |column: &Column| {
                        TemplateValue::new(&row[column.field], Shape::Any).printed()
                    };
                    self.columns.iter().map(cell).collect::<Vec<_>>().join("\t")
                };
                Ok(self.table(rows.iter().map(cells), cells(&self.header()), width))
            }
            Format::TableOf(template) => {
                let lines: Result<Vec<String>, _> = rows
                    .iter()
                    .map(|row| template.render(row, Shape::Row))
                    .collect();
                Ok(self.table(
                    lines?.into_iter(),
                    template.render(&self.header(), Shape::Headers)?,
                    width,
                ))
            }
            Format::Json => {
                let json = |row| template::json(row, Shape::Row) + "\n";
                Ok(rows.iter().map(json).collect())
            }
            Format::Template(template) => {
                let lines: Result<String, _> = rows
                    .iter()
                    .map(|row| Ok(template.render(row, Shape::Row)? + "\n"))
                    .collect();
                lines
            }
        }
    }

    fn table(
        &self,
        rows: impl Iterator<Item = String>,
        header: String,
        width: Option<usize>,
    ) -> String {
        // A row may be of several lines, if the template says so.
        let lines: Vec<String> = std::iter::once(header)
            .chain(rows)
            .flat_map(|row| row.split('\n').map(str::to_owned).collect::<Vec<_>>())
            .collect();
        // Which column it is, in a table of a template's, its header tells.
        let cut = |header: &str| {
            let column = self.all().find(|column| column.header == header);
            column.map_or(Cut::First, |column| column.cut)
        };
        table::align(&lines, width, cut)
    }

    fn all(&self) -> impl Iterator<Item = &'a Column> {
        self.columns.iter().chain(self.others)
    }

    /// A row whose fields are the headers.
    fn header(&self) -> Value {
        let fields = self
            .all()
            .map(|column| (column.field.to_owned(), column.header.into()));
        Value::Object(fields.collect::<Map<_, _>>())
    }

    fn unknown(&self, name: &str) -> TemplateError {
        let mut known: Vec<&str> = self.all().map(|column| column.field).collect();
        known.sort_unstable();
        TemplateError::new(format!(
            "there is no field .{name} here; the fields are .{}",
            known.join(", .")
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: [Column; 2] = [Column::new("ID", "IMAGE ID"), Column::new("Size", "SIZE")];
    const OTHERS: [Column; 1] = [Column::new("Labels", "LABELS")];

    fn render(format: &str) -> Result<String, TemplateError> {
        let rows = [
            json!({"ID": "1", "Size": "12MB", "Labels": "a=b"}),
            json!({"ID": "22", "Size": "3kB", "Labels": ""}),
        ];
        let listing = Listing::new(&COLUMNS).with_fields(&OTHERS);
        listing.render(&Format::parse(format)?, &rows, None)
    }

    #[test]
    fn formats() {
        for (format, expected) in [
            ("", "IMAGE ID   SIZE\n1          12MB\n22         3kB\n"),
            (
                "table",
                "IMAGE ID   SIZE\n1          12MB\n22         3kB\n",
            ),
            (
                r"table {{.Size}}\t{{.Labels}}",
                "SIZE      LABELS\n12MB      a=b\n3kB\n",
            ),
            ("table {{upper .Size}}", "SIZE\n12MB\n3KB\n"),
            (
                "json",
                "{\"ID\":\"1\",\"Labels\":\"a=b\",\"Size\":\"12MB\"}\n{\"ID\":\"22\",\"Labels\":\"\",\"Size\":\"3kB\"}\n",
            ),
            (r"{{.ID}}\t{{.Size}}", "1\t12MB\n22\t3kB\n"),
            (r"{{.ID}}\n-", "1\n-\n22\n-\n"),
            ("tables of {{.ID}}", "tables of 1\ntables of 22\n"),
            ("{{if .Labels}}{{.ID}}{{end}}", "1\n\n"),
        ] {
            assert_eq!(
                render(format).unwrap_or_else(|e| panic!("{format}: {e}")),
                expected,
                "{format}"
            );
        }
    }

    #[test]
    fn an_option_is_chosen_before_a_file() {
        for (option, quiet, configured, expected) in [
            (None, None, None, ""),
            (None, None, Some("a"), "a"),
            (Some(""), None, Some("a"), "a"),
            (Some("b"), None, Some("a"), "b"),
            (Some("table"), None, Some("a"), "table"),
            (Some("b"), Some("q"), Some("a"), "b"),
            (Some("table"), Some("q"), Some("a"), "q"),
            (None, Some("q"), Some("a"), "q"),
        ] {
            assert_eq!(Format::choose(option, quiet, configured), expected);
        }
    }

    #[test]
    fn functions_leave_headers_as_they_are() {
        const COLUMNS: [Column; 2] = [Column::new("ID", "IMAGE ID"), Column::new("Label", "")];
        let rows = [json!({"ID": "sha256:1", "Label": {"a.b-c_d": "v"}})];
        for (format, expected) in [
            ("table {{lower .ID}}", "IMAGE ID\nsha256:1\n"),
            ("table {{title (upper .ID)}}", "IMAGE ID\nSHA256:1\n"),
            ("table {{truncate .ID 3}}", "IMAGE ID\nsha\n"),
            ("table {{json .ID}}", "IMAGE ID\n\"sha256:1\"\n"),
            (
                r#"table {{join (split .ID ":") "-"}}"#,
                "IMAGE ID\nsha256-1\n",
            ),
            (r#"table {{printf "%.5s" .ID}}"#, "IMAGE\nsha25\n"),
            (
                "table {{slice .ID 0 3}}x{{pad .ID 1 0}}",
                "IMAx IMAGE ID\nshax sha256:1\n",
            ),
            (
                r#"table {{.Label "a.b-c_d"}}.{{.Label "no"}}"#,
                "b c d.no\nv.\n",
            ),
            (
                r#"{{.Label "a.b-c_d"}}{{json .}}"#,
                "v{\"ID\":\"sha256:1\"}\n",
            ),
        ] {
            let parsed = Format::parse(format).expect("a format");
            let text = Listing::new(&COLUMNS).render(&parsed, &rows, None);
            assert_eq!(text.as_deref(), Ok(expected), "{format}");
        }
        let format = Format::parse("{{.Label}}").expect("a format");
        assert!(Listing::new(&COLUMNS).render(&format, &rows, None).is_err());
    }

    /// Recorded from `docker images` 28.2 of an image without a digest.
    #[test]
    fn the_json_of_a_row_is_escaped_for_html() {
        const COLUMNS: [Column; 1] = [Column::new("Digest", "DIGEST")];
        let rows = [json!({"Digest": "<none>&"})];
        let row = "{\"Digest\":\"\\u003cnone\\u003e\\u0026\"}\n";
        for (format, expected) in [
            ("json", row),
            ("{{json .}}", row),
            ("{{json .Digest}}", "\"<none>&\"\n"),
        ] {
            let parsed = Format::parse(format).expect("a format");
            let text = Listing::new(&COLUMNS).render(&parsed, &rows, None);
            assert_eq!(text.as_deref(), Ok(expected), "{format}");
        }
    }

    #[test]
    fn an_unknown_field_is_named_even_without_rows() {
        let listing = Listing::new(&COLUMNS).with_fields(&OTHERS);
        let format = Format::parse("{{if false}}{{.Nmae}}{{end}}").expect("a format");
        let error = listing.render(&format, &[], None).expect_err("no field");
        assert_eq!(
            error.to_string(),
            "template: there is no field .Nmae here; the fields are .ID, .Labels, .Size"
        );
    }

    #[test]
    fn an_empty_table_has_its_header() {
        let listing = Listing::new(&COLUMNS);
        let table = listing.render(&Format::Table, &[], None);
        assert_eq!(table.expect("a table"), "IMAGE ID   SIZE\n");
    }
}
