//! A profile: what each system call gets for an answer.

use crate::spec::Capabilities;

/// Which system calls are allowed to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// What a call gets that no rule knows.
    pub(super) default_action: Action,
    /// Whether 32-bit programs may run beside the machine's own.
    pub(super) compatible: bool,
    pub(super) rules: Vec<Rule>,
    /// Whether the kernel logs what is refused, beside what it logs in any case.
    pub(super) log: bool,
    /// Whether filtered programs may speculate as others do, instead of paying for a mitigation.
    pub(super) speculation: bool,
}

impl Profile {
    /// The one that containers have if nobody says otherwise.
    pub fn builtin() -> Profile {
        super::builtin::profile()
    }

    /// Reads a profile in Docker's format.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is none, and
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for one that hands calls to another program.
    pub fn from_json(text: &str) -> crate::Result<Profile> {
        super::json::parse(text)
    }
}

/// What a call gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Allow,
    /// It is done and logged.
    Log,
    /// It is not done and returns this error.
    Errno(u32),
    /// A tracer is told, with this number.
    Trace(u32),
    /// SIGSYS.
    Trap,
    KillThread,
    KillProcess,
}

/// One answer for some calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) names: Vec<String>,
    pub(super) action: Action,
    /// All of these hold, or the rule is not about the call.
    pub(super) conditions: Vec<Condition>,
    /// The rule is there only for these,
    pub(super) includes: Scope,
    /// and never for these.
    pub(super) excludes: Scope,
}

/// What an argument of a call is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) argument: Argument,
    pub(super) operator: Operator,
    pub(super) value: u64,
}

/// One of the six arguments of a call, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Argument(u8);

impl Argument {
    pub(super) const FIRST: Argument = Argument(0);

    pub(super) fn new(index: u64) -> Option<Argument> {
        u8::try_from(index)
            .ok()
            .filter(|&index| index < 6)
            .map(Argument)
    }

    pub(super) fn index(self) -> u8 {
        self.0
    }
}

/// How an argument is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    /// The bits of this mask are equal.
    Masked(u64),
}

/// For whom a rule is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Go's names of architectures.
    pub(super) architectures: Vec<String>,
    pub(super) capabilities: Vec<String>,
    /// This kernel version or a later one.
    pub(super) kernel: Option<(u32, u32)>,
}

/// Where a profile is to be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation {
    pub(super) architecture: &'static str,
    pub(super) capabilities: Capabilities,
    pub(super) kernel: (u32, u32),
}

impl Rule {
    /// Whether the rule is there at all.
    pub(super) fn applies(&self, situation: Situation) -> bool {
        let here = |name: &String| name == situation.architecture;
        let held = |name: &String| situation.capabilities.contains(name);
        let new_enough = |kernel: (u32, u32)| situation.kernel >= kernel;
        let includes = &self.includes;
        let excludes = &self.excludes;
        (includes.architectures.is_empty() || includes.architectures.iter().any(here))
            && includes.capabilities.iter().all(held)
            && includes.kernel.is_none_or(new_enough)
            && !excludes.architectures.iter().any(here)
            && !excludes.capabilities.iter().any(held)
            && !excludes.kernel.is_some_and(new_enough)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_decide() {
        let situation = Situation {
            architecture: "amd64",
            capabilities: Capabilities::default_set(Capabilities::all()),
            kernel: (5, 15),
        };
        let scope = |architectures: &[&str], capabilities: &[&str], kernel| Scope {
            architectures: architectures.iter().map(|&name| name.to_owned()).collect(),
            capabilities: capabilities.iter().map(|&name| name.to_owned()).collect(),
            kernel,
        };
        let none = Scope::default();
        for (includes, excludes, applies) in [
            (none.clone(), none.clone(), true),
            (scope(&["arm64", "amd64"], &[], None), none.clone(), true),
            (scope(&["arm64"], &[], None), none.clone(), false),
            (none.clone(), scope(&["amd64"], &[], None), false),
            (
                scope(&[], &["CAP_CHOWN", "CAP_KILL"], None),
                none.clone(),
                true,
            ),
            (
                scope(&[], &["CAP_CHOWN", "CAP_SYS_ADMIN"], None),
                none.clone(),
                false,
            ),
            (
                none.clone(),
                scope(&[], &["CAP_SYS_ADMIN", "CAP_KILL"], None),
                false,
            ),
            (none.clone(), scope(&[], &["CAP_SYS_ADMIN"], None), true),
            (scope(&[], &[], Some((5, 15))), none.clone(), true),
            (scope(&[], &[], Some((5, 16))), none.clone(), false),
            (none.clone(), scope(&[], &[], Some((4, 8))), false),
        ] {
            let rule = Rule {
                names: Vec::new(),
                action: Action::Allow,
                conditions: Vec::new(),
                includes,
                excludes,
            };
            assert_eq!(rule.applies(situation), applies, "{rule:?}");
        }
    }
}
