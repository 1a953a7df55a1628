//! What a template consists of, once it has been read.

use std::collections::BTreeSet;

use serde_json::Value;

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// An action whose value is printed.
    Print(Pipeline),
    /// The first branch whose condition holds, else the last part.
    If(Vec<(Pipeline, Vec<Node>)>, Vec<Node>),
    /// The body for each entry, else the last part.
    Range(Pipeline, Vec<Node>, Vec<Node>),
}

/// Calls, of which each is the last argument of the next.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pipeline(pub(super) Vec<Call>);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    Value(Operand),
    Function(Function, Vec<Operand>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// The dot, or a field of it: `.`, `.A.B`.
    Field(Vec<String>),
    Literal(Value),
    /// A pipeline in parentheses, or a field of its value.
    Group(Box<Pipeline>, Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Eq,
    Index,
    Join,
    Json,
    Lower,
    Upper,
}

impl Function {
    pub(super) const ALL: [(&'static str, Function); 6] = [
        ("eq", Function::Eq),
        ("index", Function::Index),
        ("join", Function::Join),
        ("json", Function::Json),
        ("lower", Function::Lower),
        ("upper", Function::Upper),
    ];

    pub(super) fn named(name: &str) -> Option<Function> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|&(_, function)| function)
    }

    pub(super) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, known)| *known == self);
        found.map_or("", |&(name, _)| name)
    }
}

/// The first names of all fields of the template's own dot. In the body of a range the dot is another.
pub(super) fn collect_fields<'a>(nodes: &'a [Node], fields: &mut BTreeSet<&'a str>) {
    for node in nodes {
        match node {
            Node::Text(_) => {}
            Node::Print(pipeline) => of_pipeline(pipeline, fields),
            Node::If(branches, otherwise) => {
                for (condition, body) in branches {
                    of_pipeline(condition, fields);
                    collect_fields(body, fields);
                }
                collect_fields(otherwise, fields);
            }
            Node::Range(over, _, otherwise) => {
                of_pipeline(over, fields);
                collect_fields(otherwise, fields);
            }
        }
    }
}

fn of_pipeline<'a>(pipeline: &'a Pipeline, fields: &mut BTreeSet<&'a str>) {
    for call in &pipeline.0 {
        let operands = match call {
            Call::Value(operand) => std::slice::from_ref(operand),
            Call::Function(_, operands) => operands,
        };
        for operand in operands {
            match operand {
                Operand::Field(path) => fields.extend(path.first().map(String::as_str)),
                Operand::Group(pipeline, _) => of_pipeline(pipeline, fields),
                Operand::Literal(_) => {}
            }
        }
    }
}
