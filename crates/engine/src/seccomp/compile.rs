//! From a profile to programs for the kernel.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::architecture::{self, Architecture, COMPATIBLE, NATIVE, X32};
use super::invalid;
use super::profile::{Action, Condition, Operator, Profile, Rule, Situation};
use crate::spec::Capabilities;
use crate::sys::Instruction;
use crate::{Error, Result};

/// The kernel's limit.
pub(super) const LONGEST: usize = 4096;

/// The error that says that there is no such system call.
const ENOSYS: u32 = 38;

// Instructions, as <linux/bpf_common.h> and <linux/filter.h> put them together.
const LOAD_WORD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_GREATER: u16 = 0x25;
const RETURN: u16 = 0x06;

// Where `struct seccomp_data` has what.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

/// How many instructions seccompiler spends on the architecture before its rules: load, compare, kill.
const ARCHITECTURE_CHECK: usize = 3;

/// The programs of a profile: for each architecture one that allows, and one for each other answer.
pub(super) fn compile(
    profile: &Profile,
    capabilities: Capabilities,
) -> Result<Vec<Vec<Instruction>>> {
    let situation = Situation {
        architecture: architecture::GO_NAME,
        capabilities,
        kernel: architecture::running_kernel(),
    };
    let rules: Vec<Rule> = profile
        .rules
        .iter()
        .filter(|rule| rule.applies(situation))
        // What a rule says that says what happens anyway is nothing.
        .filter(|rule| rule.action != profile.default_action)
        .cloned()
        .collect();
    let mut actions: Vec<Action> = Vec::new();
    for rule in &rules {
        if rule.action != Action::Allow && !actions.contains(&rule.action) {
            actions.push(rule.action);
        }
    }

    let mut programs = Vec::new();
    if profile.compatible {
        let chosen = Chosen {
            profile,
            rules: rules.clone(),
            actions: &actions,
        };
        programs.extend(chosen.answers(COMPATIBLE)?);
        if profile.default_action != Action::Allow {
            let mut program = only_for(COMPATIBLE);
            program.extend(chosen.allowance(COMPATIBLE)?);
            programs.push(program);
        }
    }
    // The machine's own come last, and of those the one that allows: once it is there, a profile may refuse to load
    // another one. So what refuses that is part of it.
    let (rules, loading) = without_loading(rules);
    let chosen = Chosen {
        profile,
        rules,
        actions: &actions,
    };
    programs.extend(chosen.answers(NATIVE)?);
    let mut program = check_architectures(profile.compatible);
    program.extend(loading.map(refuse_loading).unwrap_or_default());
    program.extend(chosen.allowance(NATIVE)?);
    programs.push(program);
    match programs.iter().map(Vec::len).max() {
        Some(longest) if longest > LONGEST => Err(too_long(longest)),
        _ => Ok(programs),
    }
}

/// What counts of a profile here.
struct Chosen<'a> {
    profile: &'a Profile,
    rules: Vec<Rule>,
    /// The answers beside the default and allowing.
    actions: &'a [Action],
}

impl Chosen<'_> {
    /// A program for each answer.
    fn answers(&self, architecture: Architecture) -> Result<Vec<Vec<Instruction>>> {
        self.actions
            .iter()
            .map(|&action| {
                let answered = self.rules.iter().filter(|rule| rule.action == action);
                let mut program = only_for(architecture);
                program.extend(body(answered, architecture, Action::Allow, action)?);
                Ok(program)
            })
            .collect()
    }

    /// What allows: whatever no rule knows gets the default, and what another program answers has to pass here.
    fn allowance(&self, architecture: Architecture) -> Result<Vec<Instruction>> {
        let mut program = outlandish(self.profile, architecture);
        program.extend(body(
            &self.rules,
            architecture,
            self.profile.default_action,
            Action::Allow,
        )?);
        Ok(program)
    }
}

/// The call that loads filters.
const LOAD: &str = "seccomp";

/// Takes the refusal to load filters out of the rules.
fn without_loading(mut rules: Vec<Rule>) -> (Vec<Rule>, Option<Action>) {
    let mut refusal = None;
    for rule in &mut rules {
        let names_it = rule.names.iter().any(|name| name == LOAD);
        if names_it && rule.action != Action::Allow && rule.conditions.is_empty() {
            rule.names.retain(|name| name != LOAD);
            refusal = Some(rule.action);
        }
    }
    (rules, refusal)
}

fn refuse_loading(action: Action) -> Vec<Instruction> {
    match (NATIVE.number)(LOAD) {
        Some(number) => vec![
            statement(LOAD_WORD, NUMBER),
            jump(JUMP_IF_EQUAL, number, 0, 1),
            statement(RETURN, code(action)),
        ],
        None => Vec::new(),
    }
}

fn too_long(length: usize) -> Error {
    invalid(format!(
        "it makes a filter of {length} instructions, and the kernel takes {LONGEST}"
    ))
}

/// Goes on for the machine's own programs, leaves 32-bit ones to their own filter and ends all others.
fn check_architectures(compatible: bool) -> Vec<Instruction> {
    let mut program = vec![statement(LOAD_WORD, ARCHITECTURE)];
    if compatible {
        program.push(jump(JUMP_IF_EQUAL, NATIVE.audit, 3, 0));
        program.push(jump(JUMP_IF_EQUAL, COMPATIBLE.audit, 0, 1));
        program.push(statement(RETURN, code(Action::Allow)));
    } else {
        program.push(jump(JUMP_IF_EQUAL, NATIVE.audit, 1, 0));
    }
    program.push(statement(RETURN, code(Action::KillProcess)));
    program
}

/// Goes on for programs of that architecture and leaves all others alone.
fn only_for(architecture: Architecture) -> Vec<Instruction> {
    vec![
        statement(LOAD_WORD, ARCHITECTURE),
        jump(JUMP_IF_EQUAL, architecture.audit, 1, 0),
        statement(RETURN, code(Action::Allow)),
    ]
}

/// Calls that the profile's author cannot have known do not exist: a C library takes the older call then, where a
/// refusal would be an error to it. They are those above the newest one that the profile names.
fn outlandish(profile: &Profile, architecture: Architecture) -> Vec<Instruction> {
    let newest = profile
        .rules
        .iter()
        .flat_map(|rule| &rule.names)
        .filter_map(|name| (architecture.number)(name))
        .max();
    let is_permissive = matches!(
        profile.default_action,
        Action::Allow | Action::Log | Action::Trace(_)
    );
    let last = match (is_permissive, newest) {
        (false, Some(newest)) => Some(newest),
        // The numbers of x32 would go past every rule that refuses.
        _ => X32
            .filter(|_| architecture.audit == NATIVE.audit)
            .map(|first| first - 1),
    };
    match last {
        Some(last) => vec![
            statement(LOAD_WORD, NUMBER),
            jump(JUMP_IF_GREATER, last, 0, 1),
            statement(RETURN, code(Action::Errno(ENOSYS))),
        ],
        None => Vec::new(),
    }
}

/// The rules as seccompiler compiles them: `matched` for calls that one of them is about, else `otherwise`.
fn body<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
    architecture: Architecture,
    otherwise: Action,
    matched: Action,
) -> Result<Vec<Instruction>> {
    let mut chains: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for rule in rules {
        let conditions = rule
            .conditions
            .iter()
            .map(condition)
            .collect::<Result<Vec<_>>>()?;
        for number in rule
            .names
            .iter()
            .filter_map(|name| (architecture.number)(name))
        {
            let number = i64::from(number);
            if conditions.is_empty() {
                // Without a condition it is about every call, whatever other rules say.
                chains.insert(number, Vec::new());
                continue;
            }
            match chains.get_mut(&number) {
                Some(chain) if chain.is_empty() => {}
                Some(chain) => chain.push(SeccompRule::new(conditions.clone()).map_err(failed)?),
                None => {
                    chains.insert(
                        number,
                        vec![SeccompRule::new(conditions.clone()).map_err(failed)?],
                    );
                }
            }
        }
    }
    if chains.is_empty() || otherwise == matched {
        return Ok(vec![statement(RETURN, code(otherwise))]);
    }
    let filter = SeccompFilter::new(
        chains,
        action(otherwise),
        action(matched),
        architecture::TARGET,
    )
    .map_err(failed)?;
    let program: BpfProgram = filter.try_into().map_err(|error| match error {
        seccompiler::BackendError::FilterTooLarge(length) => too_long(length),
        error => failed(error),
    })?;
    let instructions: Vec<Instruction> = program
        .into_iter()
        .map(|instruction| Instruction {
            code: instruction.code,
            jump_if: instruction.jt,
            jump_if_not: instruction.jf,
            operand: instruction.k,
        })
        .collect();
    // The architecture was looked at already, and may be one that seccompiler does not know.
    let checks_architecture = matches!(
        instructions[..],
        [
            Instruction {
                code: LOAD_WORD,
                operand: ARCHITECTURE,
                ..
            },
            Instruction {
                code: JUMP_IF_EQUAL,
                jump_if: 1,
                jump_if_not: 0,
                ..
            },
            Instruction { code: RETURN, .. },
            Instruction {
                code: LOAD_WORD,
                operand: NUMBER,
                ..
            },
            ..
        ]
    );
    if !checks_architecture {
        return Err(Error::system(
            "make a filter of system calls: it does not begin with a check of the architecture",
        ));
    }
    Ok(instructions[ARCHITECTURE_CHECK..].to_vec())
}

fn condition(condition: &Condition) -> Result<SeccompCondition> {
    let operator = match condition.operator {
        Operator::NotEqual => SeccompCmpOp::Ne,
        Operator::Less => SeccompCmpOp::Lt,
        Operator::LessOrEqual => SeccompCmpOp::Le,
        Operator::Equal => SeccompCmpOp::Eq,
        Operator::GreaterOrEqual => SeccompCmpOp::Ge,
        Operator::Greater => SeccompCmpOp::Gt,
        Operator::Masked(mask) => SeccompCmpOp::MaskedEq(mask),
    };
    SeccompCondition::new(
        condition.argument.index(),
        SeccompCmpArgLen::Qword,
        operator,
        condition.value,
    )
    .map_err(failed)
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

fn code(of: Action) -> u32 {
    u32::from(action(of))
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

fn failed(error: impl std::fmt::Display) -> Error {
    invalid(error)
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
