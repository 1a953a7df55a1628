//! The text of a template becomes pieces, and the text of an action words.

use super::TemplateError;
use super::constant;

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
    /// `$a.B`: the variable's name, without its `$`, and the fields behind it.
    Variable(String, Vec<String>),
    Name(String),
    String(String),
    Int(i64),
    Float(f64),
    Open,
    /// `)`, with the fields behind it: `).A`.
    Close(Vec<String>),
    Pipe,
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
}

impl Word {
    /// Whether it may stand right behind an operand, without a blank.
    fn ends_operand(&self) -> bool {
        matches!(
            self,
            Word::Close(_) | Word::Pipe | Word::Comma | Word::Declare | Word::Assign
        )
    }

    fn is_operand(&self) -> bool {
        !matches!(
            self,
            Word::Open | Word::Pipe | Word::Comma | Word::Declare | Word::Assign
        )
    }
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
        let mut plain = if trims {
            before.trim_start_matches(is_blank)
        } else {
            before
        };
        let Some(mut action) = behind else {
            push(&mut pieces, plain);
            return Ok(pieces);
        };
        if let Some(trimming) = trim_marker(action) {
            plain = plain.trim_end_matches(is_blank);
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
        let end = characters.0.strip_prefix('-').unwrap_or(characters.0);
        rest = end
            .strip_prefix("}}")
            .ok_or_else(|| TemplateError::new("an action that begins with {{ has no }}"))?;
    }
}

/// What is behind `-` and a blank.
fn trim_marker(action: &str) -> Option<&str> {
    let behind = action.strip_prefix('-')?;
    behind
        .starts_with(is_blank)
        .then(|| behind.trim_start_matches(is_blank))
}

/// Go's templates know these four; other white space is text.
fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
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
        let rest = self.0.trim_start_matches(is_blank);
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

    /// A constant in quotes, as it is written: up to the quote that no backslash precedes.
    fn quoted(&mut self) -> Result<&'a str, TemplateError> {
        let text = self.0;
        let quote = self.next();
        loop {
            match self.next() {
                next if next.is_some() && next == quote => {
                    return Ok(&text[..text.len() - self.0.len()]);
                }
                None => return Err(TemplateError::new("a string has no end")),
                Some('\\') if quote != Some('`') => {
                    self.next();
                }
                Some(_) => {}
            }
        }
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The words up to the end of the action, which stays.
fn words(characters: &mut Characters<'_>) -> Result<Vec<Word>, TemplateError> {
    let mut words: Vec<Word> = Vec::new();
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
        let word = word(first, characters)?;
        if !blank && words.last().is_some_and(Word::is_operand) && !word.ends_operand() {
            return Err(unexpected(first));
        }
        words.push(word);
    }
}

fn word(first: char, characters: &mut Characters<'_>) -> Result<Word, TemplateError> {
    let rest = characters.0;
    let mut sign = |word: Word, length: usize| {
        characters.0 = &rest[length..];
        Ok(word)
    };
    match first {
        '(' => sign(Word::Open, 1),
        '|' => sign(Word::Pipe, 1),
        ',' => sign(Word::Comma, 1),
        '=' => sign(Word::Assign, 1),
        ':' if rest.starts_with(":=") => sign(Word::Declare, 2),
        ')' => {
            characters.next();
            Ok(Word::Close(characters.fields()?))
        }
        '.' if !rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
            Ok(Word::Field(characters.fields()?))
        }
        '"' | '`' => constant::string(characters.quoted()?).map(Word::String),
        '\'' => constant::character(characters.quoted()?).map(Word::Int),
        '$' => {
            characters.next();
            let name = characters.take(is_of_name).to_owned();
            Ok(Word::Variable(name, characters.fields()?))
        }
        '.' | '-' | '+' | '0'..='9' => number(characters),
        c if c.is_alphabetic() || c == '_' => {
            Ok(Word::Name(characters.take(is_of_name).to_owned()))
        }
        c => Err(unexpected(c)),
    }
}

fn number(characters: &mut Characters<'_>) -> Result<Word, TemplateError> {
    // A sign is part of the number at its beginning and behind the letter of its exponent.
    let text = characters.0;
    let mut before = None;
    let end = text.find(|c: char| {
        let exponent = matches!(before, None | Some('e' | 'E' | 'p' | 'P'));
        let is_part = is_of_name(c) || c == '.' || ("+-".contains(c) && exponent);
        before = Some(c);
        !is_part
    });
    let (number, rest) = text.split_at(end.unwrap_or(text.len()));
    characters.0 = rest;
    if let Some(value) = constant::int(number) {
        return Ok(Word::Int(value));
    }
    match constant::float(number) {
        Some(value) => Ok(Word::Float(value)),
        None => Err(TemplateError::new(format!(
            "{number} is not a number of 64 bits"
        ))),
    }
}

fn unexpected(character: char) -> TemplateError {
    TemplateError::new(format!(
        "unexpected {} in an action",
        character.escape_debug()
    ))
}
