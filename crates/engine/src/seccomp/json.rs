//! Docker's format of profiles.

use serde::Deserialize;

use super::architecture;
use super::profile::{Action, Argument, Condition, Operator, Profile, Rule, Scope};
use super::{EPERM, invalid};
use crate::{Error, Result, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    default_action: String,
    default_errno_ret: Option<u32>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    #[serde(default)]
    arch_map: Option<Vec<Family>>,
    #[serde(default)]
    flags: Option<Vec<String>>,
    #[serde(default)]
    listener_path: Option<String>,
    #[serde(default)]
    syscalls: Option<Vec<Call>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Family {
    architecture: String,
    #[serde(default)]
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call {
    #[serde(default)]
    name: String,
    #[serde(default)]
    names: Option<Vec<String>>,
    action: String,
    errno_ret: Option<u32>,
    #[serde(default)]
    args: Option<Vec<Comparison>>,
    #[serde(default)]
    includes: Option<Limits>,
    #[serde(default)]
    excludes: Option<Limits>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comparison {
    index: u64,
    value: u64,
    #[serde(default)]
    value_two: u64,
    op: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Limits {
    #[serde(default)]
    arches: Option<Vec<String>>,
    #[serde(default)]
    caps: Option<Vec<String>>,
    #[serde(default)]
    min_kernel: Option<String>,
}

pub(super) fn parse(text: &str) -> Result<Profile> {
    let file: File = json::from_slice(text.as_bytes())
        .map_err(|error| Error::invalid(format!("Decoding seccomp profile failed: {error}")))?;
    if file.listener_path.is_some_and(|path| !path.is_empty()) {
        return Err(Error::not_implemented(
            "the embedded engine does not do seccomp profiles with a listenerPath",
        ));
    }
    let architectures = file.architectures.unwrap_or_default();
    let families = file.arch_map.unwrap_or_default();
    if !architectures.is_empty() && !families.is_empty() {
        return Err(invalid(
            "both 'architectures' and 'archMap' are specified, use either 'architectures' or 'archMap'",
        ));
    }
    let compatible = architectures
        .iter()
        .chain(
            families
                .iter()
                .filter(|family| family.architecture == architecture::LIBSECCOMP_NAME)
                .flat_map(|family| family.sub_architectures.iter().flatten()),
        )
        .any(|name| name == architecture::COMPATIBLE_LIBSECCOMP_NAME);

    let (mut log, mut speculation) = (false, file.flags.is_none());
    for flag in file.flags.iter().flatten() {
        match flag.as_str() {
            "SECCOMP_FILTER_FLAG_LOG" => log = true,
            "SECCOMP_FILTER_FLAG_SPEC_ALLOW" => speculation = true,
            // There is one thread when filters are loaded, so nothing is to be brought in step.
            "SECCOMP_FILTER_FLAG_TSYNC" => {}
            flag => return Err(invalid(format!("unknown flag {flag}"))),
        }
    }
    let mut rules = Vec::new();
    for call in file.syscalls.into_iter().flatten() {
        rules.extend(rules_of(call)?);
    }
    Ok(Profile {
        default_action: action(&file.default_action, file.default_errno_ret)?,
        compatible,
        rules,
        log,
        speculation,
    })
}

fn rules_of(call: Call) -> Result<Vec<Rule>> {
    let mut names = call.names.unwrap_or_default();
    if !call.name.is_empty() {
        if !names.is_empty() {
            return Err(invalid(
                "'name' and 'names' are specified for one rule, use either 'name' or 'names'",
            ));
        }
        names.push(call.name);
    }
    let conditions: Vec<Condition> = call
        .args
        .into_iter()
        .flatten()
        .map(condition)
        .collect::<Result<_>>()?;
    let rule = Rule {
        names,
        action: action(&call.action, call.errno_ret)?,
        conditions,
        includes: scope(call.includes.unwrap_or_default())?,
        excludes: scope(call.excludes.unwrap_or_default())?,
    };
    // Two comparisons of one argument are an alternative, as runc has it.
    let repeated = rule
        .conditions
        .iter()
        .enumerate()
        .any(|(place, condition)| {
            rule.conditions[..place]
                .iter()
                .any(|earlier| earlier.argument == condition.argument)
        });
    if !repeated {
        return Ok(vec![rule]);
    }
    Ok(rule
        .conditions
        .iter()
        .map(|&condition| Rule {
            conditions: vec![condition],
            ..rule.clone()
        })
        .collect())
}

fn action(name: &str, errno: Option<u32>) -> Result<Action> {
    let number = errno.unwrap_or(EPERM);
    // The kernel has 16 bits for it, and cuts errors at the largest one that there is.
    if number > 4095 {
        return Err(invalid(format!("{number} is no error number")));
    }
    match name {
        "SCMP_ACT_ALLOW" => Ok(Action::Allow),
        "SCMP_ACT_LOG" => Ok(Action::Log),
        "SCMP_ACT_ERRNO" => Ok(Action::Errno(number)),
        "SCMP_ACT_TRACE" => Ok(Action::Trace(number)),
        "SCMP_ACT_TRAP" => Ok(Action::Trap),
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => Ok(Action::KillThread),
        "SCMP_ACT_KILL_PROCESS" => Ok(Action::KillProcess),
        "SCMP_ACT_NOTIFY" => Err(Error::not_implemented(
            "the embedded engine does not do seccomp profiles with SCMP_ACT_NOTIFY",
        )),
        name => Err(invalid(format!("unknown action {name}"))),
    }
}

fn condition(comparison: Comparison) -> Result<Condition> {
    let argument = Argument::new(comparison.index).ok_or_else(|| {
        invalid(format!(
            "a system call has no argument {}",
            comparison.index
        ))
    })?;
    let (operator, value) = match comparison.op.as_str() {
        "SCMP_CMP_NE" => (Operator::NotEqual, comparison.value),
        "SCMP_CMP_LT" => (Operator::Less, comparison.value),
        "SCMP_CMP_LE" => (Operator::LessOrEqual, comparison.value),
        "SCMP_CMP_EQ" => (Operator::Equal, comparison.value),
        "SCMP_CMP_GE" => (Operator::GreaterOrEqual, comparison.value),
        "SCMP_CMP_GT" => (Operator::Greater, comparison.value),
        "SCMP_CMP_MASKED_EQ" => (Operator::Masked(comparison.value), comparison.value_two),
        op => return Err(invalid(format!("unknown operator {op}"))),
    };
    Ok(Condition {
        argument,
        operator,
        value,
    })
}

fn scope(limits: Limits) -> Result<Scope> {
    let kernel = match limits.min_kernel.as_deref() {
        None | Some("") => None,
        Some(version) => Some(
            architecture::kernel_version(version)
                .ok_or_else(|| invalid(format!("invalid kernel version {version:?}")))?,
        ),
    };
    Ok(Scope {
        architectures: limits.arches.unwrap_or_default(),
        capabilities: limits.caps.unwrap_or_default(),
        kernel,
    })
}
