//! Pieces become the parts of a template.

use std::collections::BTreeMap;
use std::vec::IntoIter;

use super::TemplateError;
use super::lexer::{Piece, Word};
use super::syntax::{Call, Function, Node, Operand, Pipeline};
use super::value::Value;

/// How deep parts and parentheses may be nested, so that no template can exhaust the stack.
const DEPTH: usize = 64;

/// The parts of a text, and those of the templates that it defines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) nodes: Vec<Node>,
    pub(super) defined: BTreeMap<String, Vec<Node>>,
}

/// Makes the parts of a template of its pieces.
pub(super) fn parse(pieces: Vec<Piece>) -> Result<Parsed, TemplateError> {
    let mut parser = Parser {
        pieces: pieces.into_iter(),
        // `$` is the value that the template is rendered for.
        variables: vec![String::new()],
        ranges: 0,
        defined: BTreeMap::new(),
    };
    let (nodes, stop) = parser.body(DEPTH)?;
    if let Stop::Word(word, _) = stop {
        return Err(TemplateError::new(format!(
            "{{{{{word}}}}} without an if, with or range"
        )));
    }
    let defined = parser.defined;
    Ok(Parsed { nodes, defined })
}

/// What a body ends with.
enum Stop {
    /// The template's own end.
    End,
    /// `end` or `else`, with the words behind it.
    Word(&'static str, Vec<Word>),
}

struct Parser {
    pieces: IntoIter<Piece>,
    /// Those that may be named here.
    variables: Vec<String>,
    /// How many ranges this is in, of the template that is read.
    ranges: usize,
    defined: BTreeMap<String, Vec<Node>>,
}

impl Parser {
    fn body(&mut self, depth: usize) -> Result<(Vec<Node>, Stop), TemplateError> {
        let depth = deeper(depth)?;
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let mut words = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action(words) => words,
            };
            let keyword = match words.first() {
                Some(Word::Name(name)) => name.clone(),
                Some(_) => String::new(),
                None => return Err(TemplateError::new("an action is empty")),
            };
            let mut behind = || words.split_off(1);
            nodes.push(match keyword.as_str() {
                "end" => return Ok((nodes, Stop::Word("end", behind()))),
                "else" => return Ok((nodes, Stop::Word("else", behind()))),
                "if" => self.branch(false, behind(), depth)?,
                "with" => self.branch(true, behind(), depth)?,
                "range" => self.range(behind(), depth)?,
                "break" | "continue" if self.ranges == 0 => {
                    return Err(TemplateError::new(format!(
                        "{{{{{keyword}}}}} outside of a range"
                    )));
                }
                "break" => nothing_behind("break", &behind()).map(|()| Node::Break)?,
                "continue" => nothing_behind("continue", &behind()).map(|()| Node::Continue)?,
                "template" => {
                    let (name, words) = named("template", behind())?;
                    Node::Template(name, self.argument(words)?)
                }
                "block" => {
                    let (name, words) = named("block", behind())?;
                    let argument = Some(self.value("block", words)?);
                    self.definition(name.clone(), "block", depth)?;
                    Node::Template(name, argument)
                }
                "define" if depth + 1 < DEPTH => {
                    return Err(TemplateError::new("a {{define}} inside of another action"));
                }
                "define" => {
                    let (name, words) = named("define", behind())?;
                    nothing_behind("define", &words)?;
                    self.definition(name, "define", depth)?;
                    continue;
                }
                _ => Node::Print(self.pipeline(words, 1)?),
            });
        }
        Ok((nodes, Stop::End))
    }

    /// The body of a template that is defined, of which the variables are its own.
    fn definition(
        &mut self,
        name: String,
        action: &str,
        depth: usize,
    ) -> Result<(), TemplateError> {
        let variables = std::mem::replace(&mut self.variables, vec![String::new()]);
        let ranges = std::mem::take(&mut self.ranges);
        let (nodes, stop) = self.body(depth)?;
        self.variables = variables;
        self.ranges = ranges;
        ended(action, stop)?;
        // As in Go, an empty one neither replaces another nor keeps another from being defined.
        let is_empty = |nodes: &[Node]| {
            let blank = |node: &Node| matches!(node, Node::Text(text) if text.trim().is_empty());
            nodes.iter().all(blank)
        };
        match self.defined.get(&name) {
            Some(known) if !is_empty(known) && !is_empty(&nodes) => Err(TemplateError::new(
                format!("the template {name:?} is defined twice"),
            )),
            Some(_) if is_empty(&nodes) => Ok(()),
            _ => {
                self.defined.insert(name, nodes);
                Ok(())
            }
        }
    }

    fn branch(
        &mut self,
        is_with: bool,
        condition: Vec<Word>,
        depth: usize,
    ) -> Result<Node, TemplateError> {
        let action = if is_with { "with" } else { "if" };
        let known = self.variables.len();
        let condition = self.value(action, condition)?;
        let (body, stop) = self.body(depth)?;
        let otherwise = match stop {
            Stop::Word("else", words) => match words.split_first() {
                Some((Word::Name(name), condition)) if name == action => {
                    let depth = deeper(depth)?;
                    vec![self.branch(is_with, condition.to_vec(), depth)?]
                }
                _ => self.otherwise(action, &words, depth)?,
            },
            stop => ended(action, stop).map(|()| Vec::new())?,
        };
        self.variables.truncate(known);
        Ok(Node::Branch {
            is_with,
            condition,
            body,
            otherwise,
        })
    }

    fn range(&mut self, over: Vec<Word>, depth: usize) -> Result<Node, TemplateError> {
        let known = self.variables.len();
        if over.is_empty() {
            return Err(TemplateError::new("range needs a value"));
        }
        let over = self.pipeline(over, 2)?;
        self.ranges += 1;
        let (body, stop) = self.body(depth)?;
        self.ranges -= 1;
        let otherwise = match stop {
            Stop::Word("else", words) => self.otherwise("range", &words, depth)?,
            stop => ended("range", stop).map(|()| Vec::new())?,
        };
        self.variables.truncate(known);
        Ok(Node::Range {
            over,
            body,
            otherwise,
        })
    }

    /// What is between `else` and `end`.
    fn otherwise(
        &mut self,
        action: &str,
        words: &[Word],
        depth: usize,
    ) -> Result<Vec<Node>, TemplateError> {
        nothing_behind("else", words)?;
        let (nodes, stop) = self.body(depth)?;
        ended(action, stop).map(|()| nodes)
    }

    fn value(&mut self, action: &str, words: Vec<Word>) -> Result<Pipeline, TemplateError> {
        if words.is_empty() {
            return Err(TemplateError::new(format!("{action} needs a value")));
        }
        self.pipeline(words, 1)
    }

    fn argument(&mut self, words: Vec<Word>) -> Result<Option<Pipeline>, TemplateError> {
        match words.as_slice() {
            [] => Ok(None),
            _ => self.pipeline(words, 1).map(Some),
        }
    }

    /// A whole action's pipeline, which may set as many variables.
    fn pipeline(&mut self, words: Vec<Word>, most: usize) -> Result<Pipeline, TemplateError> {
        let (variables, is_assignment, words) = variables(words, most)?;
        let mut words = words.into_iter();
        let (calls, close) = self.calls(&mut words, DEPTH)?;
        if close.is_some() {
            return Err(TemplateError::new("unexpected ) in an action"));
        }
        for variable in &variables {
            match is_assignment {
                true => self.known(variable)?,
                false => self.variables.push(variable.clone()),
            }
        }
        Ok(Pipeline {
            variables,
            is_assignment,
            calls,
        })
    }

    fn known(&self, variable: &str) -> Result<(), TemplateError> {
        if self.variables.iter().any(|known| known == variable) {
            return Ok(());
        }
        Err(TemplateError::new(format!(
            "the variable ${variable} is not set; set it first: {{{{${variable} := .}}}}"
        )))
    }

    /// The calls up to the end or a closing parenthesis, of which the fields behind it are returned.
    fn calls(
        &self,
        words: &mut IntoIter<Word>,
        depth: usize,
    ) -> Result<(Vec<Call>, Option<Vec<String>>), TemplateError> {
        let depth = deeper(depth)?;
        let mut calls = Vec::new();
        let mut function = None;
        let mut operands: Vec<Operand> = Vec::new();
        loop {
            let is_first = function.is_none() && operands.is_empty();
            match words.next() {
                Some(Word::Field(path)) => operands.push(Operand::Field(path)),
                Some(Word::Variable(name, path)) => {
                    self.known(&name)?;
                    operands.push(Operand::Variable(name, path));
                }
                Some(Word::String(text)) => operands.push(Operand::Literal(Value::text(text))),
                Some(Word::Int(number)) => operands.push(Operand::Literal(Value::int(number))),
                Some(Word::Float(number)) => operands.push(Operand::Literal(Value::float(number))),
                Some(Word::Open) => {
                    let (calls, close) = self.calls(words, depth)?;
                    let fields =
                        close.ok_or_else(|| TemplateError::new("a parenthesis is not closed"))?;
                    let group = Pipeline {
                        calls,
                        ..Pipeline::default()
                    };
                    operands.push(Operand::Group(Box::new(group), fields));
                }
                Some(Word::Name(name)) => match (name.as_str(), Function::named(&name)) {
                    ("true", _) => operands.push(Operand::Literal(Value::bool(true))),
                    ("false", _) => operands.push(Operand::Literal(Value::bool(false))),
                    ("nil", _) => operands.push(Operand::Nil),
                    (_, Some(known)) if is_first => function = Some(known),
                    (_, Some(_)) => {
                        return Err(TemplateError::new(format!(
                            "{name} is a function; put it and its operands into parentheses"
                        )));
                    }
                    (_, None) => return Err(unknown_function(&name)),
                },
                Some(word @ (Word::Comma | Word::Declare | Word::Assign)) => {
                    let sign = match word {
                        Word::Comma => ",",
                        Word::Declare => ":=",
                        _ => "=",
                    };
                    return Err(TemplateError::new(format!(
                        "unexpected {sign} in an action"
                    )));
                }
                word @ (None | Some(Word::Pipe | Word::Close(_))) => {
                    if is_first {
                        return Err(TemplateError::new(match calls.last() {
                            Some(_) => "nothing follows a |",
                            None => "there is nothing to evaluate",
                        }));
                    }
                    let is_behind_pipe = !calls.is_empty();
                    let operands = std::mem::take(&mut operands);
                    calls.push(call(function.take(), operands, is_behind_pipe)?);
                    match word {
                        Some(Word::Close(fields)) => return Ok((calls, Some(fields))),
                        None => return Ok((calls, None)),
                        Some(_) => {}
                    }
                }
            }
        }
    }
}

/// The variables that an action sets, at most as many, whether they are there already, and the words of their value.
fn variables(
    mut words: Vec<Word>,
    most: usize,
) -> Result<(Vec<String>, bool, Vec<Word>), TemplateError> {
    let is_plain = |word: &Word| matches!(word, Word::Variable(_, path) if path.is_empty());
    let count = match words.as_slice() {
        [one, Word::Declare | Word::Assign, ..] if is_plain(one) => 1,
        [one, Word::Comma, two, Word::Declare | Word::Assign, ..]
            if is_plain(one) && is_plain(two) =>
        {
            2
        }
        _ => return Ok((Vec::new(), false, words)),
    };
    if count > most {
        return Err(TemplateError::new("only a range sets two variables"));
    }
    let value = words.split_off(count * 2);
    let is_assignment = words.last() == Some(&Word::Assign);
    let names: Vec<String> = words
        .into_iter()
        .filter_map(|word| match word {
            Word::Variable(name, _) => Some(name),
            _ => None,
        })
        .collect();
    Ok((names, is_assignment, value))
}

/// The name of a template, and the words behind it.
fn named(action: &str, mut words: Vec<Word>) -> Result<(String, Vec<Word>), TemplateError> {
    match words.first_mut() {
        Some(Word::String(name)) => {
            let name = std::mem::take(name);
            Ok((name, words.split_off(1)))
        }
        _ => Err(TemplateError::new(format!(
            "{action} needs a name in quotes: {{{{{action} \"NAME\" ...}}}}"
        ))),
    }
}

fn ended(action: &str, stop: Stop) -> Result<(), TemplateError> {
    match stop {
        Stop::End => Err(TemplateError::new(format!("{action} has no {{{{end}}}}"))),
        Stop::Word("end", words) => nothing_behind("end", &words),
        Stop::Word(..) if matches!(action, "if" | "with" | "range") => {
            Err(TemplateError::new("a second {{else}}"))
        }
        Stop::Word(..) => Err(TemplateError::new(format!("{action} has no {{{{else}}}}"))),
    }
}

fn nothing_behind(word: &str, words: &[Word]) -> Result<(), TemplateError> {
    if words.is_empty() {
        return Ok(());
    }
    Err(TemplateError::new(format!(
        "nothing may stand behind {word} in its action"
    )))
}

/// A call of its words. One behind a `|` gets a value, which constants do not take.
fn call(
    function: Option<Function>,
    mut operands: Vec<Operand>,
    is_behind_pipe: bool,
) -> Result<Call, TemplateError> {
    if let Some(function) = function {
        return Ok(Call::Function(function, operands));
    }
    let first = operands.remove(0);
    let is_called = is_behind_pipe || !operands.is_empty();
    let what = match &first {
        Operand::Nil => return Err(TemplateError::new("nil alone says nothing")),
        Operand::Field(path) if !path.is_empty() => return Ok(Call::Value(first, operands)),
        Operand::Variable(_, path) if !path.is_empty() => return Ok(Call::Value(first, operands)),
        _ if !is_called => return Ok(Call::Value(first, operands)),
        Operand::Field(_) => "the dot".to_owned(),
        Operand::Variable(name, _) => format!("${name}"),
        Operand::Literal(value) => value.json_text(),
        Operand::Group(..) => "a pipeline in parentheses".to_owned(),
    };
    Err(TemplateError::new(format!(
        "{what} takes no arguments; its value is not a function"
    )))
}

fn unknown_function(name: &str) -> TemplateError {
    TemplateError::new(format!(
        "there is no function {name}; the functions are {}",
        Function::names()
    ))
}

fn deeper(depth: usize) -> Result<usize, TemplateError> {
    depth
        .checked_sub(1)
        .ok_or_else(|| TemplateError::new("it is nested too deeply"))
}
