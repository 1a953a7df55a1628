//! Pieces become the parts of a template.

use std::vec::IntoIter;

use serde_json::Value;

use super::TemplateError;
use super::lexer::{Piece, Word};
use super::syntax::{Call, Function, Node, Operand, Pipeline};

/// How deep parts and parentheses may be nested, so that no template can exhaust the stack.
const DEPTH: usize = 64;

/// What Go's templates have and this language has not.
const OTHER_ACTIONS: [&str; 6] = ["with", "define", "template", "block", "break", "continue"];

/// Makes the parts of a template of its pieces.
pub(super) fn parse(pieces: Vec<Piece>) -> Result<Vec<Node>, TemplateError> {
    let mut pieces = pieces.into_iter();
    match body(&mut pieces, DEPTH)? {
        (nodes, Stop::End) => Ok(nodes),
        (_, Stop::Word(word, _)) => Err(TemplateError::new(format!(
            "{{{{{word}}}}} without an if or a range"
        ))),
    }
}

/// What a body ends with.
enum Stop {
    /// The template's own end.
    End,
    /// `end` or `else`, with the words behind it.
    Word(&'static str, Vec<Word>),
}

fn body(pieces: &mut IntoIter<Piece>, depth: usize) -> Result<(Vec<Node>, Stop), TemplateError> {
    let depth = deeper(depth)?;
    let mut nodes = Vec::new();
    while let Some(piece) = pieces.next() {
        let words = match piece {
            Piece::Text(text) => {
                nodes.push(Node::Text(text));
                continue;
            }
            Piece::Action(words) => words,
        };
        let keyword = match words.first() {
            Some(Word::Name(name)) => name.as_str(),
            Some(_) => "",
            None => return Err(TemplateError::new("an action is empty")),
        };
        nodes.push(match keyword {
            "end" => return Ok((nodes, Stop::Word("end", words[1..].to_vec()))),
            "else" => return Ok((nodes, Stop::Word("else", words[1..].to_vec()))),
            "if" => conditional(words[1..].to_vec(), pieces, depth)?,
            "range" => range(words[1..].to_vec(), pieces, depth)?,
            other if OTHER_ACTIONS.contains(&other) => {
                return Err(TemplateError::new(format!(
                    "{other} is not supported; these are: if, else, range, end"
                )));
            }
            _ => Node::Print(pipeline(words)?),
        });
    }
    Ok((nodes, Stop::End))
}

fn conditional(
    condition: Vec<Word>,
    pieces: &mut IntoIter<Piece>,
    depth: usize,
) -> Result<Node, TemplateError> {
    let mut branches = Vec::new();
    let mut condition = value("if", condition)?;
    loop {
        let (nodes, stop) = body(pieces, depth)?;
        branches.push((condition, nodes));
        match stop {
            Stop::End => return Err(without_end("if")),
            Stop::Word("end", words) => {
                nothing_behind("end", &words)?;
                return Ok(Node::If(branches, Vec::new()));
            }
            Stop::Word(_, words) => match words.as_slice() {
                [] => return Ok(Node::If(branches, otherwise("if", pieces, depth)?)),
                [Word::Name(name), behind @ ..] if name == "if" => {
                    condition = value("if", behind.to_vec())?;
                }
                _ => return Err(something_behind("else")),
            },
        }
    }
}

fn range(
    over: Vec<Word>,
    pieces: &mut IntoIter<Piece>,
    depth: usize,
) -> Result<Node, TemplateError> {
    let over = value("range", over)?;
    let (nodes, stop) = body(pieces, depth)?;
    match stop {
        Stop::End => Err(without_end("range")),
        Stop::Word("end", words) => {
            nothing_behind("end", &words)?;
            Ok(Node::Range(over, nodes, Vec::new()))
        }
        Stop::Word(word, words) => {
            nothing_behind(word, &words)?;
            let otherwise = otherwise("range", pieces, depth)?;
            Ok(Node::Range(over, nodes, otherwise))
        }
    }
}

/// What is between `else` and `end`.
fn otherwise(
    action: &str,
    pieces: &mut IntoIter<Piece>,
    depth: usize,
) -> Result<Vec<Node>, TemplateError> {
    let (nodes, stop) = body(pieces, depth)?;
    match stop {
        Stop::End => Err(without_end(action)),
        Stop::Word("end", words) => nothing_behind("end", &words).map(|()| nodes),
        Stop::Word(..) => Err(TemplateError::new("a second {{else}}")),
    }
}

fn without_end(action: &str) -> TemplateError {
    TemplateError::new(format!("{action} has no {{{{end}}}}"))
}

fn nothing_behind(word: &str, words: &[Word]) -> Result<(), TemplateError> {
    if words.is_empty() {
        Ok(())
    } else {
        Err(something_behind(word))
    }
}

fn something_behind(word: &str) -> TemplateError {
    TemplateError::new(format!("nothing may stand behind {word} in its action"))
}

fn value(action: &str, words: Vec<Word>) -> Result<Pipeline, TemplateError> {
    if words.is_empty() {
        return Err(TemplateError::new(format!("{action} needs a value")));
    }
    pipeline(words)
}

fn pipeline(words: Vec<Word>) -> Result<Pipeline, TemplateError> {
    let mut words = words.into_iter();
    let (pipeline, close) = calls(&mut words, DEPTH)?;
    match close {
        None => Ok(pipeline),
        Some(_) => Err(TemplateError::new("unexpected ) in an action")),
    }
}

/// The calls up to the end or a closing parenthesis, of which the fields behind it are returned.
fn calls(
    words: &mut IntoIter<Word>,
    depth: usize,
) -> Result<(Pipeline, Option<Vec<String>>), TemplateError> {
    let depth = deeper(depth)?;
    let mut calls = Vec::new();
    let mut function = None;
    let mut operands: Vec<Operand> = Vec::new();
    loop {
        let is_first = function.is_none() && operands.is_empty();
        let word = words.next();
        match word {
            Some(Word::Field(path)) => operands.push(Operand::Field(path)),
            Some(Word::String(text)) => operands.push(Operand::Literal(text.into())),
            Some(Word::Number(number)) => operands.push(Operand::Literal(number.into())),
            Some(Word::Open) => {
                let (group, close) = self::calls(words, depth)?;
                let fields =
                    close.ok_or_else(|| TemplateError::new("a parenthesis is not closed"))?;
                operands.push(Operand::Group(Box::new(group), fields));
            }
            Some(Word::Name(name)) => match (name.as_str(), Function::named(&name)) {
                ("true", _) => operands.push(Operand::Literal(true.into())),
                ("false", _) => operands.push(Operand::Literal(false.into())),
                ("nil", _) => operands.push(Operand::Literal(Value::Null)),
                (_, Some(known)) if is_first => function = Some(known),
                (_, Some(_)) => {
                    return Err(TemplateError::new(format!(
                        "{name} is a function; put it and its operands into parentheses"
                    )));
                }
                (_, None) => return Err(unknown_function(&name)),
            },
            None | Some(Word::Pipe | Word::Close(_)) => {
                if is_first {
                    return Err(TemplateError::new(match calls.last() {
                        Some(_) => "nothing follows a |",
                        None => "there is nothing to evaluate",
                    }));
                }
                let is_last_argument = !calls.is_empty();
                calls.push(call(
                    function.take(),
                    std::mem::take(&mut operands),
                    is_last_argument,
                )?);
                match word {
                    Some(Word::Close(fields)) => return Ok((Pipeline(calls), Some(fields))),
                    None => return Ok((Pipeline(calls), None)),
                    Some(_) => {}
                }
            }
        }
    }
}

/// A call of its words. One behind a `|` gets a value, which only functions take.
fn call(
    function: Option<Function>,
    mut operands: Vec<Operand>,
    is_behind_pipe: bool,
) -> Result<Call, TemplateError> {
    match function {
        Some(function) => Ok(Call::Function(function, operands)),
        None if operands.len() == 1 && !is_behind_pipe => Ok(Call::Value(operands.swap_remove(0))),
        None => {
            let what = match &operands[0] {
                Operand::Field(path) => format!(".{}", path.join(".")),
                Operand::Literal(value) => value.to_string(),
                Operand::Group(..) => "a pipeline in parentheses".to_owned(),
            };
            Err(TemplateError::new(format!(
                "{what} takes no arguments; its value is no function"
            )))
        }
    }
}

fn unknown_function(name: &str) -> TemplateError {
    let known = Function::ALL.map(|(name, _)| name).join(", ");
    TemplateError::new(format!(
        "the function {name} is not supported; these are: {known}"
    ))
}

fn deeper(depth: usize) -> Result<usize, TemplateError> {
    depth
        .checked_sub(1)
        .ok_or_else(|| TemplateError::new("it is nested too deeply"))
}
