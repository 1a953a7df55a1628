//! What a template consists of, once it has been read.

use std::collections::BTreeSet;

use super::value::Value;

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Text(String),
    /// An action whose value is printed, unless it only sets a variable.
    Print(Pipeline),
    /// The first body if the value is true, else the second; `with` makes the value the dot of the first.
    Branch {
        is_with: bool,
        condition: Pipeline,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    /// The first body for each entry, else the second.
    Range {
        over: Pipeline,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
    /// A template that the text defines, with the value that is its dot.
    Template(String, Option<Pipeline>),
    Break,
    Continue,
}

/// Calls, of which each is the last argument of the next, and the variables that their value is given to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pipeline {
    /// At most two, and two only in a range.
    pub(super) variables: Vec<String>,
    /// Whether the variables are there already: `=` and not `:=`.
    pub(super) is_assignment: bool,
    pub(super) calls: Vec<Call>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Call {
    /// An operand, with what it is called with: only a few fields take arguments.
    Value(Operand, Vec<Operand>),
    Function(Function, Vec<Operand>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    /// The dot, or a field of it: `.`, `.A.B`.
    Field(Vec<String>),
    /// A variable, or a field of its value: `$`, `$a.B`.
    Variable(String, Vec<String>),
    Literal(Value<'static>),
    Nil,
    /// A pipeline in parentheses, or a field of its value.
    Group(Box<Pipeline>, Vec<String>),
}

macro_rules! functions {
    ($($name:literal => $function:ident,)*) => {
        /// Go's functions, and Docker's eight.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function {
            $($function,)*
        }

        impl Function {
            const ALL: &'static [(&'static str, Function)] = &[$(($name, Function::$function),)*];
        }
    };
}

functions! {
    "and" => And,
    "call" => Call,
    "eq" => Eq,
    "ge" => Ge,
    "gt" => Gt,
    "html" => Html,
    "index" => Index,
    "join" => Join,
    "js" => Js,
    "json" => Json,
    "le" => Le,
    "len" => Len,
    "lower" => Lower,
    "lt" => Lt,
    "ne" => Ne,
    "not" => Not,
    "or" => Or,
    "pad" => Pad,
    "print" => Print,
    "printf" => Printf,
    "println" => Println,
    "slice" => Slice,
    "split" => Split,
    "title" => Title,
    "truncate" => Truncate,
    "upper" => Upper,
    "urlquery" => Urlquery,
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Function> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|&(_, function)| function)
    }

    pub(super) fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, known)| *known == self);
        found.map_or("", |&(name, _)| name)
    }

    /// The names of all, for an error.
    pub(super) fn names() -> String {
        let names: Vec<&str> = Self::ALL.iter().map(|&(name, _)| name).collect();
        names.join(", ")
    }
}

/// The first names of all fields of the template's own dot. In the body of a range or a `with` the dot is another, and `$` is
/// still the same.
pub(super) fn collect_fields<'a>(
    nodes: &'a [Node],
    is_own_dot: bool,
    fields: &mut BTreeSet<&'a str>,
) {
    for node in nodes {
        match node {
            Node::Text(_) | Node::Break | Node::Continue | Node::Template(_, None) => {}
            Node::Print(pipeline) | Node::Template(_, Some(pipeline)) => {
                of_pipeline(pipeline, is_own_dot, fields);
            }
            Node::Branch {
                is_with,
                condition,
                body,
                otherwise,
            } => {
                of_pipeline(condition, is_own_dot, fields);
                collect_fields(body, is_own_dot && !is_with, fields);
                collect_fields(otherwise, is_own_dot, fields);
            }
            Node::Range {
                over,
                body,
                otherwise,
            } => {
                of_pipeline(over, is_own_dot, fields);
                collect_fields(body, false, fields);
                collect_fields(otherwise, is_own_dot, fields);
            }
        }
    }
}

fn of_pipeline<'a>(pipeline: &'a Pipeline, is_own_dot: bool, fields: &mut BTreeSet<&'a str>) {
    for call in &pipeline.calls {
        let (first, operands) = match call {
            Call::Value(first, operands) => (Some(first), operands),
            Call::Function(_, operands) => (None, operands),
        };
        for operand in first.into_iter().chain(operands) {
            match operand {
                Operand::Field(path) if is_own_dot => {
                    fields.extend(path.first().map(String::as_str));
                }
                Operand::Variable(name, path) if name.is_empty() => {
                    fields.extend(path.first().map(String::as_str));
                }
                Operand::Group(pipeline, _) => of_pipeline(pipeline, is_own_dot, fields),
                Operand::Field(_) | Operand::Variable(..) | Operand::Literal(_) | Operand::Nil => {}
            }
        }
    }
}
