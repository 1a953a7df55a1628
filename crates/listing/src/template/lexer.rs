//! The text of a template becomes pieces, and the text of an action words.

use super::TemplateError;

/// A part of a template's text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Action(Vec<Word>),
}

/// A part of an action.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// `.A.B`, or the dot alone.
    Field(Vec<String>),
    Name(String),
    String(String),
    Number(i64),
    Open,
    /// `)`, with the fields behind it: `).A`.
    Close(Vec<String>),
    Pipe,
}

/// Splits a template at its actions. Comments are left out, and what trim markers take away.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trims = false;
    loop {
        let (before, behind) = match rest.split_once("{{") {
            Some((before, behind)) => (before, Some(behind)),
            None => (rest, None),
        };
        let mut plain = if trims { before.trim_start() } else { before };
        let Some(mut action) = behind else {
            push(&mut pieces, plain);
            return Ok(pieces);
        };
        if let Some(trimming) = trim_marker(action) {
            plain = plain.trim_end();
            action = trimming;
        }
        push(&mut pieces, plain);
        let mut characters = Characters(action);
        if let Some(comment) = action.strip_prefix("/*") {
            let (_, behind) = comment
                .split_once("*/")
                .ok_or_else(|| TemplateError::new("a comment has no end"))?;
            characters = Characters(behind);
            characters.skip_blanks();
            if !characters.0.starts_with("}}") && !characters.0.starts_with("-}}") {
                return Err(TemplateError::new("a comment is not alone in its action"));
            }
        } else {
            pieces.push(Piece::Action(words(&mut characters)?));
        }
        trims = characters.0.starts_with('-');
        rest = characters
            .0
            .trim_start_matches('-')
            .strip_prefix("}}")
            .ok_or_else(|| TemplateError::new("an action that begins with {{ has no }}"))?;
    }
}

/// What is behind `-` and a blank.
fn trim_marker(action: &str) -> Option<&str> {
    let behind = action.strip_prefix('-')?;
    behind
        .starts_with(char::is_whitespace)
        .then(|| behind.trim_start())
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// What is left of an action's text.
struct Characters<'a>(&'a str);

impl<'a> Characters<'a> {
    fn skip_blanks(&mut self) -> bool {
        let rest = self.0.trim_start();
        let skipped = rest.len() < self.0.len();
        self.0 = rest;
        skipped
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !wanted(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.0.chars();
        let next = characters.next();
        self.0 = characters.as_str();
        next
    }

    /// `.A.B`, from its first dot on.
    fn fields(&mut self) -> Result<Vec<String>, TemplateError> {
        let mut fields = Vec::new();
        while let Some(rest) = self.0.strip_prefix('.') {
            self.0 = rest;
            let name = self.take(is_of_name);
            if name.is_empty() {
                if fields.is_empty() && !self.0.starts_with('.') {
                    return Ok(fields);
                }
                return Err(TemplateError::new("a field has no name"));
            }
            fields.push(name.to_owned());
        }
        Ok(fields)
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The words up to the end of the action, which stays.
fn words(characters: &mut Characters<'_>) -> Result<Vec<Word>, TemplateError> {
    let mut words = Vec::new();
    loop {
        let blank = characters.skip_blanks();
        let rest = characters.0;
        if rest.starts_with("}}") || (blank && rest.starts_with("-}}")) {
            return Ok(words);
        }
        let Some(first) = rest.chars().next() else {
            return Err(TemplateError::new(
                "an action that begins with {{ has no }}",
            ));
        };
        words.push(match first {
            '.' => Word::Field(characters.fields()?),
            '"' | '`' => Word::String(string(characters)?),
            '(' => {
                characters.next();
                Word::Open
            }
            ')' => {
                characters.next();
                Word::Close(characters.fields()?)
            }
            '|' => {
                characters.next();
                Word::Pipe
            }
            '$' => {
                characters.next();
                let name = characters.take(is_of_name);
                return Err(TemplateError::new(format!(
                    "variables (${name}) are not supported"
                )));
            }
            '-' | '+' | '0'..='9' => {
                let number = characters.take(|c| c.is_alphanumeric() || "+-.".contains(c));
                let value = number
                    .parse()
                    .map_err(|_| TemplateError::new(format!("{number} is no number of 64 bits")))?;
                Word::Number(value)
            }
            c if c.is_alphabetic() || c == '_' => {
                Word::Name(characters.take(is_of_name).to_owned())
            }
            c => {
                return Err(TemplateError::new(format!(
                    "unexpected {} in an action",
                    c.escape_debug()
                )));
            }
        });
    }
}

/// A string in quotes with escapes, or in backquotes as it is.
fn string(characters: &mut Characters<'_>) -> Result<String, TemplateError> {
    let quote = characters.next();
    let mut text = String::new();
    loop {
        let next = characters.next();
        if next == quote {
            return Ok(text);
        }
        match next {
            None => return Err(TemplateError::new("a string has no end")),
            Some('\\') if quote == Some('"') => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(c @ ('"' | '\\' | '\'')) => text.push(c),
                Some(c) => {
                    return Err(TemplateError::new(format!(
                        "unknown escape \\{c} in a string"
                    )));
                }
                None => return Err(TemplateError::new("a string has no end")),
            },
            Some(c) => text.push(c),
        }
    }
}
