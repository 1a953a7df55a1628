//! Help from the registry alone: names, summaries, categories and groups, without any command's parser.

use std::collections::BTreeMap;

use crate::color::Styles;
use crate::command::Command;
use crate::environment::Environment;
use crate::output::Output;
use crate::registry::Registry;

/// The width of what is no terminal.
const DEFAULT_WIDTH: usize = 80;
/// Narrower than this, text is not wrapped to fit: a word a line is harder to read than a line that runs over.
const LEAST_WIDTH: usize = 20;
/// A longer name gets a line of its own above its summary.
const LONGEST_NAME: usize = 28;
/// Where commands without a category are listed.
const UNCATEGORISED: &str = "Commands";

/// The width to wrap to: `COLUMNS`, else the terminal's, else 80.
pub(crate) fn width(output: &Output, environment: &Environment) -> usize {
    let columns = environment
        .get("COLUMNS")
        .and_then(|value| value.to_str()?.trim().parse().ok());
    columns
        .filter(|&columns| columns > 0)
        .or_else(|| output.width())
        .unwrap_or(DEFAULT_WIDTH)
        .max(LEAST_WIDTH)
}

/// What help says of a program.
pub(crate) struct Program<'a> {
    pub(crate) name: &'a str,
    /// Empty if the host has not said what the program does.
    pub(crate) about: &'a str,
    pub(crate) registry: &'a Registry,
    /// The lines about the global options, wrapped to a width.
    pub(crate) options: &'a dyn Fn(Styles, usize) -> String,
}

/// The program's help, or that of a group.
pub(crate) fn overview(
    program: &Program<'_>,
    group: Option<&str>,
    output: &Output,
    environment: &Environment,
) -> String {
    let mut page = Page::new(Styles::of(output, environment), width(output, environment));
    let name = program.name;
    let prefix = group.map_or_else(|| name.to_owned(), |group| format!("{name} {group}"));
    let options = if group.is_none() { " [OPTIONS]" } else { "" };
    page.usage(&prefix, &format!("{options} COMMAND [ARG...]"));
    if group.is_none() && !program.about.is_empty() {
        page.paragraphs(program.about);
    }
    page.commands(program.registry, group);
    if group.is_none() {
        page.section(
            "Global Options",
            &(program.options)(page.styles, page.width),
        );
    }
    let path = group.map_or_else(String::new, |group| format!(" {group}"));
    page.paragraphs(&format!(
        "Run '{name} help{path} COMMAND' for more information on a command."
    ));
    page.finish()
}

/// The help of a command whose words no parser describes: it reads them as they are typed, or takes none.
pub(crate) fn command(
    path: &str,
    command: &Command,
    output: &Output,
    environment: &Environment,
) -> String {
    let mut page = Page::new(Styles::of(output, environment), width(output, environment));
    let takes_words = command.get_parser().is_some();
    let operands = match (command.get_usage(), takes_words) {
        (Some(usage), _) => format!(" {usage}"),
        (None, true) => " [ARG...]".to_owned(),
        (None, false) => String::new(),
    };
    page.usage(path, &operands);
    page.paragraphs(command.summary());
    if let Some(text) = command.get_long_help() {
        page.paragraphs(text);
    }
    if !takes_words {
        let options = page.rows(&[("-h, --help".to_owned(), "Print help".to_owned())]);
        page.section("Options", &options);
    }
    if let Some(aliases) = aliases(command) {
        page.paragraphs(&aliases);
    }
    page.finish()
}

/// `Aliases: container run`, if the command has visible ones.
pub(crate) fn aliases(command: &Command) -> Option<String> {
    let names: Vec<&str> = command
        .visible_aliases()
        .map(|alias| alias.name())
        .collect();
    (!names.is_empty()).then(|| format!("Aliases: {}", names.join(", ")))
}

/// The sections that list a registry's commands, for the help of another program.
pub(crate) fn list(registry: &Registry, width: usize) -> String {
    let mut page = Page::new(Styles::PLAIN, width.max(LEAST_WIDTH));
    page.commands(registry, None);
    page.finish()
}

/// A page of help: blocks with an empty line between two.
struct Page {
    styles: Styles,
    width: usize,
    text: String,
}

/// A listed command: its name and what is said of it.
type Row = (String, String);

impl Page {
    fn new(styles: Styles, width: usize) -> Page {
        Page {
            styles,
            width,
            text: String::new(),
        }
    }

    fn block(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
    }

    fn usage(&mut self, literal: &str, rest: &str) {
        self.block();
        let (header, literal) = (self.styles.header("Usage:"), self.styles.literal(literal));
        self.text.push_str(&format!("{header} {literal}{rest}\n"));
    }

    fn paragraphs(&mut self, text: &str) {
        self.block();
        for line in text.trim_end().lines() {
            // A line that begins with spaces was laid out by hand.
            match line.starts_with(' ') {
                true => self.text.push_str(line.trim_end()),
                false => self.text.push_str(&wrap(line, self.width).join("\n")),
            }
            self.text.push('\n');
        }
    }

    fn section(&mut self, title: &str, body: &str) {
        if body.is_empty() {
            return;
        }
        self.block();
        self.text
            .push_str(&format!("{}\n", self.styles.header(&format!("{title}:"))));
        self.text.push_str(body.trim_end_matches('\n'));
        self.text.push('\n');
    }

    /// The commands by category. Outside of a group, commands of several words are named by their group.
    fn commands(&mut self, registry: &Registry, group: Option<&str>) {
        let mut categories: BTreeMap<&str, Vec<Row>> = BTreeMap::new();
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, command) in registry.visible_names() {
            let is_alias = name != command.name();
            match (group, name.split_once(' ')) {
                (None, Some((group, rest))) => groups.entry(group).or_default().push(rest),
                (None, None) if is_alias => {}
                (Some(group), _) if !is_inside(name, group) => {}
                _ => {
                    let category = command.get_category().unwrap_or(UNCATEGORISED);
                    let row = (name.to_owned(), summary(command, name));
                    categories.entry(category).or_default().push(row);
                }
            }
        }
        // Categories by name, and what has none behind them.
        let uncategorised = categories
            .remove(UNCATEGORISED)
            .map(|rows| (UNCATEGORISED, rows));
        for (category, mut rows) in categories.into_iter().chain(uncategorised) {
            rows.sort();
            let body = self.rows(&rows);
            self.section(category, &body);
        }
        let rows: Vec<Row> = groups
            .into_iter()
            .map(|(group, mut members)| {
                members.sort_unstable();
                (group.to_owned(), members.join(", "))
            })
            .collect();
        let body = self.rows(&rows);
        self.section("Groups", &body);
    }

    fn rows(&self, rows: &[Row]) -> String {
        let names = rows
            .iter()
            .map(|(name, _)| name.chars().count())
            .filter(|&length| length <= LONGEST_NAME);
        let column = names.max().unwrap_or(0);
        let indent = 2 + column + 2;
        let mut text = String::new();
        for (name, summary) in rows {
            let length = name.chars().count();
            let lines = wrap(summary, self.width.saturating_sub(indent).max(LEAST_WIDTH));
            text.push_str(&format!("  {}", self.styles.literal(name)));
            if length > column {
                text.push_str(&format!("\n{:indent$}", ""));
            } else {
                text.push_str(&" ".repeat(indent - 2 - length));
            }
            text.push_str(&lines.join(&format!("\n{:indent$}", "")));
            text.push('\n');
        }
        text
    }

    fn finish(self) -> String {
        self.text
    }
}

fn is_inside(name: &str, group: &str) -> bool {
    name.strip_prefix(group)
        .is_some_and(|rest| rest.starts_with(' '))
}

/// The summary, and the names that the command has beside the one shown.
fn summary(command: &Command, shown: &str) -> String {
    let others: Vec<&str> = std::iter::once(command.name())
        .filter(|_| !command.is_hidden())
        .chain(command.visible_aliases().map(|alias| alias.name()))
        .filter(|name| *name != shown)
        .collect();
    match others.is_empty() {
        true => command.summary().to_owned(),
        false => format!("{} [aliases: {}]", command.summary(), others.join(", ")),
    }
}

/// Breaks a line at spaces so that each part is at most `width` characters; a longer word stays whole.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut length = 0;
    for word in line.split_whitespace() {
        let word_length = word.chars().count();
        let last = lines.len() - 1;
        if length > 0 && length + 1 + word_length > width {
            lines.push(word.to_owned());
            length = word_length;
        } else {
            if length > 0 {
                lines[last].push(' ');
                length += 1;
            }
            lines[last].push_str(word);
            length += word_length;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_spaces() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 3), ["unbreakable"]);
        assert_eq!(wrap("éé éé", 5), ["éé éé"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn columns_go_before_the_terminal() {
        let (out, _) = Output::buffer();
        let width_with =
            |columns: &str| width(&out, &Environment::from_iter([("COLUMNS", columns)]));
        assert_eq!(width_with("132"), 132);
        assert_eq!(width_with("1"), LEAST_WIDTH);
        assert_eq!(width_with("0"), DEFAULT_WIDTH);
        assert_eq!(width_with("wide"), DEFAULT_WIDTH);
    }
}
