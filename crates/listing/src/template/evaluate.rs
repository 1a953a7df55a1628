//! A template and a value become text.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::TemplateError;
use super::function::{apply, apply_to_header};
use super::parser::Parsed;
use super::syntax::{Call, Function, Node, Operand, Pipeline};
use super::value::{Kind, Missing, Value, sorted};
use crate::Shape;

/// How deep bodies, parentheses and templates may be in each other, so that none can exhaust the stack.
const DEPTH: usize = 200;

/// How many parts may be evaluated, so that a template comes to an end.
const STEPS: usize = 1_000_000;

/// The longest text, in bytes.
const LONGEST: usize = 256 << 20;

/// The text for this value.
pub(super) fn render(
    template: &Parsed,
    value: &Json,
    shape: Shape,
) -> Result<String, TemplateError> {
    let dot = Value::new(value, shape);
    let mut evaluation = Evaluation {
        is_header: shape == Shape::Headers,
        defined: &template.defined,
        variables: vec![("", dot.clone())],
        output: String::new(),
        depth: 0,
        steps: 0,
    };
    evaluation.nodes(&template.nodes, &dot)?;
    Ok(evaluation.output)
}

struct Evaluation<'a> {
    /// Whether the texts above a table's columns are made, which functions leave as they are.
    is_header: bool,
    defined: &'a BTreeMap<String, Vec<Node>>,
    /// By their names, the innermost last.
    variables: Vec<(&'a str, Value<'a>)>,
    output: String,
    depth: usize,
    steps: usize,
}

/// How a body goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

impl<'a> Evaluation<'a> {
    fn nodes(&mut self, nodes: &'a [Node], dot: &Value<'a>) -> Result<Flow, TemplateError> {
        self.deeper()?;
        let mut flow = Flow::Next;
        for node in nodes {
            flow = self.node(node, dot)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.depth -= 1;
        Ok(flow)
    }

    fn deeper(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        match self.depth > DEPTH {
            true => Err(TemplateError::new("it is nested too deeply")),
            false => Ok(()),
        }
    }

    fn step(&mut self) -> Result<(), TemplateError> {
        self.steps += 1;
        match self.steps > STEPS || self.output.len() > LONGEST {
            true => Err(TemplateError::new("its text has no end")),
            false => Ok(()),
        }
    }

    fn node(&mut self, node: &'a Node, dot: &Value<'a>) -> Result<Flow, TemplateError> {
        self.step()?;
        match node {
            Node::Text(text) => self.output.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    self.output.push_str(&value.printed());
                }
                self.set(pipeline, &value);
            }
            Node::Branch {
                is_with,
                condition,
                body,
                otherwise,
            } => {
                let known = self.variables.len();
                let value = self.pipeline(condition, dot)?;
                self.set(condition, &value);
                let flow = match value.is_true() {
                    true => self.nodes(body, if *is_with { &value } else { dot })?,
                    false => self.nodes(otherwise, dot)?,
                };
                self.variables.truncate(known);
                return Ok(flow);
            }
            Node::Range {
                over,
                body,
                otherwise,
            } => return self.range(over, body, otherwise, dot),
            Node::Template(name, argument) => {
                let dot = match argument {
                    Some(pipeline) => self.pipeline(pipeline, dot)?,
                    None => Value::nothing(),
                };
                let nodes = self.defined.get(name).ok_or_else(|| {
                    TemplateError::new(format!("the template {name:?} is not defined"))
                })?;
                let outer = std::mem::replace(&mut self.variables, vec![("", dot.clone())]);
                self.nodes(nodes, &dot)?;
                self.variables = outer;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    /// Gives the value to the pipeline's variable, if it has one.
    fn set(&mut self, pipeline: &'a Pipeline, value: &Value<'a>) {
        if let [name] = pipeline.variables.as_slice() {
            self.assign(name, pipeline.is_assignment, value.clone());
        }
    }

    fn assign(&mut self, name: &'a str, is_assignment: bool, value: Value<'a>) {
        let known = self.variables.iter_mut().rev();
        match known.into_iter().find(|(known, _)| *known == name) {
            Some((_, known)) if is_assignment => *known = value,
            _ => self.variables.push((name, value)),
        }
    }

    fn range(
        &mut self,
        over: &'a Pipeline,
        body: &'a [Node],
        otherwise: &'a [Node],
        dot: &Value<'a>,
    ) -> Result<Flow, TemplateError> {
        let known = self.variables.len();
        let value = self.pipeline(over, dot)?;
        let mut has_entries = false;
        let mut at = 0;
        let mut entries = Entries::of(&value)?;
        if entries.is_number() && over.variables.len() > 1 {
            return Err(TemplateError::new(
                "a range over a number sets one variable",
            ));
        }
        while let Some((key, entry)) = entries.at(&value, at) {
            at += 1;
            has_entries = true;
            self.step()?;
            match over.variables.as_slice() {
                [one] => self.assign(one, over.is_assignment, entry.clone()),
                [first, second] => {
                    self.assign(first, over.is_assignment, key);
                    self.assign(second, over.is_assignment, entry.clone());
                }
                _ => {}
            }
            let flow = self.nodes(body, &entry)?;
            self.variables.truncate(known);
            if flow == Flow::Break {
                break;
            }
        }
        match has_entries {
            true => Ok(Flow::Next),
            false => self.nodes(otherwise, dot),
        }
    }

    fn pipeline(
        &mut self,
        pipeline: &'a Pipeline,
        dot: &Value<'a>,
    ) -> Result<Value<'a>, TemplateError> {
        self.deeper()?;
        let mut last: Option<Value<'a>> = None;
        for call in &pipeline.calls {
            last = Some(match call {
                Call::Value(operand, operands) => self.called(operand, operands, last, dot)?,
                Call::Function(function @ (Function::And | Function::Or), operands) => {
                    self.first_of(*function, operands, last, dot)?
                }
                Call::Function(function, operands) => {
                    let values = self.operands(operands, last, dot)?;
                    match self.is_header {
                        true => apply_to_header(*function, values)?,
                        false => apply(*function, values)?,
                    }
                }
            });
        }
        self.depth -= 1;
        Ok(last.unwrap_or(Value::nothing()))
    }

    fn operands(
        &mut self,
        operands: &'a [Operand],
        last: Option<Value<'a>>,
        dot: &Value<'a>,
    ) -> Result<Vec<Value<'a>>, TemplateError> {
        let mut values = Vec::with_capacity(operands.len() + 1);
        for operand in operands {
            values.push(self.operand(operand, dot)?);
        }
        values.extend(last);
        Ok(values)
    }

    /// The first false one for `and`, the first true one for `or`, else the last; what is behind it is not evaluated.
    fn first_of(
        &mut self,
        function: Function,
        operands: &'a [Operand],
        last: Option<Value<'a>>,
        dot: &Value<'a>,
    ) -> Result<Value<'a>, TemplateError> {
        let mut found = None;
        for operand in operands {
            let value = self.operand(operand, dot)?;
            if value.is_true() == (function == Function::Or) {
                return Ok(value);
            }
            found = Some(value);
        }
        last.or(found).ok_or_else(|| {
            TemplateError::new(format!("{} takes one value or more", function.name()))
        })
    }

    fn operand(
        &mut self,
        operand: &'a Operand,
        dot: &Value<'a>,
    ) -> Result<Value<'a>, TemplateError> {
        match operand {
            Operand::Literal(value) => Ok(value.clone()),
            Operand::Nil => Ok(Value::nothing()),
            Operand::Field(path) => field(dot, path, "."),
            Operand::Variable(name, path) => {
                let known = self.variables.iter().rev();
                let value = known.into_iter().find(|(known, _)| known == name);
                let value = value.map_or(Value::nothing(), |(_, value)| value.clone());
                field(&value, path, &format!("${name}."))
            }
            Operand::Group(pipeline, path) => {
                let value = self.pipeline(pipeline, dot)?;
                field(&value, path, "(...).")
            }
        }
    }

    /// What an operand is with these arguments, the last of which may come through a pipe.
    fn called(
        &mut self,
        operand: &'a Operand,
        operands: &'a [Operand],
        last: Option<Value<'a>>,
        dot: &Value<'a>,
    ) -> Result<Value<'a>, TemplateError> {
        let value = self.operand(operand, dot)?;
        let arguments = self.operands(operands, last, dot)?;
        let key = match arguments.as_slice() {
            [key] => match key.kind() {
                Kind::Text(key) => Some(key.into_owned()),
                _ => None,
            },
            _ => None,
        };
        match (value.shape, key) {
            (Shape::Labels, Some(key)) => Ok(value.part(Shape::Text, |json| json.get(&key))),
            (Shape::LabelHeaders, Some(key)) => {
                let last = key.rsplit('.').next().unwrap_or_default();
                Ok(Value::text(last.replace(['-', '_'], " ")))
            }
            (Shape::Labels | Shape::LabelHeaders, None) => Err(TemplateError::new(
                ".Label takes the key of a label: {{.Label \"KEY\"}}",
            )),
            _ if arguments.is_empty() => Ok(value),
            _ => {
                let what = match operand {
                    Operand::Field(path) => format!(".{}", path.join(".")),
                    Operand::Variable(name, path) => format!("${name}.{}", path.join(".")),
                    _ => "a pipeline in parentheses".to_owned(),
                };
                Err(TemplateError::new(format!(
                    "{what} takes no arguments; its value is not a function"
                )))
            }
        }
    }
}

/// What a range goes over.
enum Entries {
    /// As many numbers.
    Number(i64),
    List(Shape),
    /// The keys of a map in their order.
    Map(Vec<String>, Shape),
}

impl Entries {
    fn of(value: &Value<'_>) -> Result<Entries, TemplateError> {
        Ok(match value.kind() {
            Kind::Nothing | Kind::Nil => Entries::Number(0),
            Kind::Int(number) => Entries::Number(number),
            Kind::Uint(number) => Entries::Number(i64::try_from(number).unwrap_or(i64::MAX)),
            Kind::List(_, shape) => Entries::List(shape),
            Kind::Map(entries, shape) => {
                let keys = sorted(entries).into_iter().map(|(key, _)| key.clone());
                Entries::Map(keys.collect(), shape)
            }
            _ => {
                return Err(TemplateError::new(format!(
                    "range cannot go over {}",
                    value.json_text()
                )));
            }
        })
    }

    fn is_number(&self) -> bool {
        matches!(self, Entries::Number(number) if *number > 0)
    }

    /// The entry at this place, and its key.
    fn at<'a>(&mut self, value: &Value<'a>, at: usize) -> Option<(Value<'a>, Value<'a>)> {
        match self {
            Entries::Number(number) => {
                let is_there = i64::try_from(at).is_ok_and(|at| at < *number);
                is_there.then(|| (Value::length(at), Value::length(at)))
            }
            Entries::List(shape) => {
                value.json.get(at)?;
                let entry = value.part(*shape, |json| json.get(at));
                Some((Value::length(at), entry))
            }
            Entries::Map(keys, shape) => {
                let key = keys.get(at)?;
                let entry = value.part(*shape, |json| json.get(key));
                Some((Value::text(key.clone()), entry))
            }
        }
    }
}

/// A field of a value, for whose name in an error `before` is how it begins.
fn field<'a>(value: &Value<'a>, path: &[String], before: &str) -> Result<Value<'a>, TemplateError> {
    let mut value = value.clone();
    for (depth, name) in path.iter().enumerate() {
        let parents: String = path[..depth]
            .iter()
            .map(|name| format!("{name}."))
            .collect();
        let parents = format!("{before}{parents}");
        value = value.field(name).map_err(|missing| match missing {
            Missing::Unknown(known) => no_field(&parents, name, known),
            Missing::Nil => TemplateError::new(format!(
                "{} is not set, so there is no {parents}{name}; ask first: {{{{if {0}}}}}...{{{{end}}}}",
                match parents.trim_end_matches('.') {
                    "" => "the dot",
                    parents => parents,
                }
            )),
            Missing::NoFields => TemplateError::new(format!(
                "{} has no fields, so there is no {parents}{name}",
                value.json_text()
            )),
        })?;
    }
    Ok(value)
}

fn no_field(parents: &str, name: &str, mut known: Vec<String>) -> TemplateError {
    known.sort_unstable();
    let known: Vec<String> = known
        .iter()
        .map(|field| format!("{parents}{field}"))
        .collect();
    TemplateError::new(match known.as_slice() {
        [] => format!("there is no field {parents}{name} here, nor any other"),
        known => format!(
            "there is no field {parents}{name} here; the fields are {}",
            known.join(", ")
        ),
    })
}
