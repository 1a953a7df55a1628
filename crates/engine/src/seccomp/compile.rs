//! From a profile to a program for the kernel.
//!
//! seccompiler compares arguments; the rules for a call are found here, by halving. The kernel runs a filter that is loaded
//! for every number that a call can have, to know which calls it allows in any case, and with one comparison after
//! the other that takes longer than anything else that a container's process does on its way.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompRule,
};

use super::architecture::{self, Architecture, COMPATIBLE, NATIVE, X32};
use super::invalid;
use super::profile::{Action, Condition, Operator, Profile, Rule, Situation};
use super::width::{Width, width};
use crate::Result;
use crate::spec::Capabilities;
use crate::sys::Instruction;

/// The kernel's limit.
const LONGEST: usize = 4096;

/// The error that says that there is no such system call.
const ENOSYS: u32 = 38;

// Instructions, as <linux/bpf_common.h> and <linux/filter.h> put them together.
const LOAD_WORD: u16 = 0x20;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_NOT_LESS: u16 = 0x35;
const RETURN: u16 = 0x06;

// Where `struct seccomp_data` has what.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// The program of a profile.
pub(super) fn compile(profile: &Profile, capabilities: Capabilities) -> Result<Vec<Instruction>> {
    let situation = Situation {
        architecture: architecture::GO_NAME,
        capabilities,
        kernel: architecture::running_kernel(),
    };
    let mut rules: Vec<&Rule> = profile
        .rules
        .iter()
        .filter(|rule| rule.applies(situation))
        // What a rule says that says what happens anyway is nothing.
        .filter(|rule| rule.action != profile.default_action)
        .collect();
    // Of the rules that a call meets the strictest counts. The kernel's numbers are in that order.
    rules.sort_by_key(|rule| code(rule.action).cast_signed());

    let compatible = profile.compatible.then_some(COMPATIBLE);
    let mut program = vec![statement(LOAD_WORD, ARCHITECTURE)];
    for architecture in [Some(NATIVE), compatible].into_iter().flatten() {
        let answers = answers(profile, &rules, architecture)?;
        program.push(jump(JUMP_IF_EQUAL, architecture.audit, 1, 0));
        program.push(skip(answers.len()));
        program.extend(answers);
    }
    program.push(answer(Action::KillProcess));
    match program.len() {
        length if length > LONGEST => Err(invalid(format!(
            "it makes a filter of {length} instructions, and the kernel takes {LONGEST}"
        ))),
        _ => Ok(program),
    }
}

/// Calls of the same answer: those from this number on, up to the next such.
struct Calls {
    first: u32,
    /// What ends with the answer.
    code: Vec<Instruction>,
}

/// The calls of an architecture in the order of their numbers, from 0 on.
struct Numbers(Vec<Calls>);

impl Numbers {
    fn push(&mut self, first: u32, code: Vec<Instruction>) {
        if self.0.last().is_none_or(|last| last.code != code) {
            self.0.push(Calls { first, code });
        }
    }
}

/// Gives every call of an architecture its answer.
fn answers(
    profile: &Profile,
    rules: &[&Rule],
    architecture: Architecture,
) -> Result<Vec<Instruction>> {
    let mut chains: BTreeMap<u32, (&str, Vec<&Rule>)> = BTreeMap::new();
    for rule in rules {
        for name in &rule.names {
            if let Some(number) = (architecture.number)(name) {
                let (_, chain) = chains.entry(number).or_insert_with(|| (name, Vec::new()));
                chain.push(rule);
            }
        }
    }
    let otherwise = || vec![answer(profile.default_action)];
    let mut numbers = Numbers(Vec::new());
    let mut next = 0;
    for (number, (call, chain)) in &chains {
        if next < *number {
            numbers.push(next, otherwise());
        }
        numbers.push(*number, decision(call, chain, profile.default_action)?);
        next = number + 1;
    }
    let unknown = unknown(profile, architecture);
    if unknown.is_none_or(|unknown| next < unknown) {
        numbers.push(next, otherwise());
    }
    if let Some(unknown) = unknown {
        numbers.push(unknown, vec![answer(Action::Errno(ENOSYS))]);
    }
    let mut program = vec![statement(LOAD_WORD, NUMBER)];
    program.extend(search(&numbers.0));
    Ok(program)
}

/// Finds the number that was loaded.
fn search(calls: &[Calls]) -> Vec<Instruction> {
    if let [only] = calls {
        return only.code.clone();
    }
    let (below, from) = calls.split_at(calls.len() / 2);
    let middle = from[0].first;
    let (below, from) = (search(below), search(from));
    let mut program = match u8::try_from(below.len()) {
        Ok(length) => vec![jump(JUMP_IF_NOT_LESS, middle, length, 0)],
        Err(_) => vec![jump(JUMP_IF_NOT_LESS, middle, 0, 1), skip(below.len())],
    };
    program.extend(below);
    program.extend(from);
    program
}

/// The answer to one call: that of the first of these rules whose conditions hold.
fn decision(call: &str, chain: &[&Rule], otherwise: Action) -> Result<Vec<Instruction>> {
    let mut program = Vec::new();
    for rule in chain {
        if rule.conditions.is_empty() {
            program.push(answer(rule.action));
            return Ok(program);
        }
        let conditions = rule.conditions.iter().map(|one| condition(call, one));
        let conditions = conditions.collect::<Result<Vec<_>>>()?;
        // It ends where the answer is if they hold, and behind that if not.
        let comparison: BpfProgram = SeccompRule::new(conditions).map_err(invalid)?.into();
        program.extend(comparison.into_iter().map(|instruction| Instruction {
            code: instruction.code,
            jump_if: instruction.jt,
            jump_if_not: instruction.jf,
            operand: instruction.k,
        }));
        program.push(answer(rule.action));
    }
    program.push(answer(otherwise));
    Ok(program)
}

/// Calls that the profile's author cannot have known do not exist: a C library takes the older call then, where a
/// refusal would be an error to it. They are those above the newest one that the profile names; this is the first.
fn unknown(profile: &Profile, architecture: Architecture) -> Option<u32> {
    let is_permissive = matches!(
        profile.default_action,
        Action::Allow | Action::Log | Action::Trace(_)
    );
    let names = || profile.rules.iter().flat_map(|rule| &rule.names);
    let newest = match is_permissive {
        true => None,
        false => names().filter_map(|name| (architecture.number)(name)).max(),
    };
    match newest {
        Some(newest) => Some(newest + 1),
        // The numbers of x32 would go past every rule that refuses.
        None => X32.filter(|_| architecture.audit == NATIVE.audit),
    }
}

/// Compares an argument of that call, by as many bits as the kernel reads of it.
fn condition(call: &str, condition: &Condition) -> Result<SeccompCondition> {
    let operator = match condition.operator {
        Operator::NotEqual => SeccompCmpOp::Ne,
        Operator::Less => SeccompCmpOp::Lt,
        Operator::LessOrEqual => SeccompCmpOp::Le,
        Operator::Equal => SeccompCmpOp::Eq,
        Operator::GreaterOrEqual => SeccompCmpOp::Ge,
        Operator::Greater => SeccompCmpOp::Gt,
        Operator::Masked(mask) => SeccompCmpOp::MaskedEq(mask),
    };
    let mask = match condition.operator {
        Operator::Masked(mask) => mask,
        _ => 0,
    };
    // A value that 32 bits cannot have is compared as it is written: cut off, it would be another one.
    let length = match width(call, condition.argument) {
        Width::Half if [condition.value, mask].into_iter().all(is_half) => SeccompCmpArgLen::Dword,
        _ => SeccompCmpArgLen::Qword,
    };
    SeccompCondition::new(
        condition.argument.index(),
        length,
        operator,
        condition.value,
    )
    .map_err(invalid)
}

/// Whether 32 bits say all of a value, as a number without a sign or with one.
fn is_half(value: u64) -> bool {
    let high = (value >> 32) as u32;
    high == 0 || (high == u32::MAX && value & 0x8000_0000 != 0)
}

fn action(action: Action) -> SeccompAction {
    match action {
        Action::Allow => SeccompAction::Allow,
        Action::Log => SeccompAction::Log,
        Action::Errno(number) => SeccompAction::Errno(number),
        Action::Trace(number) => SeccompAction::Trace(number),
        Action::Trap => SeccompAction::Trap,
        Action::KillThread => SeccompAction::KillThread,
        Action::KillProcess => SeccompAction::KillProcess,
    }
}

pub(super) fn code(of: Action) -> u32 {
    u32::from(action(of))
}

fn answer(action: Action) -> Instruction {
    statement(RETURN, code(action))
}

/// Goes on behind as many instructions. There are never so many that the number would not do.
fn skip(instructions: usize) -> Instruction {
    statement(JUMP, u32::try_from(instructions).unwrap_or(u32::MAX))
}

fn statement(code: u16, operand: u32) -> Instruction {
    jump(code, operand, 0, 0)
}

fn jump(code: u16, operand: u32, jump_if: u8, jump_if_not: u8) -> Instruction {
    Instruction {
        code,
        jump_if,
        jump_if_not,
        operand,
    }
}

/// Whether no jump leaves the program and its last instruction is an answer, which is what the kernel asks for.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn ends_well(program: &[Instruction]) -> bool {
    let jumps_stay = program.iter().enumerate().all(|(place, instruction)| {
        let left = program.len() - place - 1;
        // The class of jumps.
        instruction.code & 0x07 != 0x05
            || if instruction.code == 0x05 {
                (instruction.operand as usize) < left
            } else {
                usize::from(instruction.jump_if.max(instruction.jump_if_not)) < left
            }
    });
    jumps_stay && program.last().is_some_and(|last| last.code == RETURN)
}
