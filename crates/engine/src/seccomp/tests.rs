use std::collections::BTreeSet;

use super::architecture::Architecture;
use super::profile::{Action, Condition, Operator, Rule, Situation};
use super::*;

// Filters are for good, and a test harness has many threads: what they do is seen in processes of their own, in
// tests/seccomp.rs.

/// What a program answers to a call, by running it as the kernel does, and after how many instructions.
fn run(
    program: &[sys::Instruction],
    architecture: u32,
    number: u32,
    arguments: [u64; 6],
) -> (u32, usize) {
    let mut data = vec![number, architecture, 0, 0];
    for argument in arguments {
        data.extend([argument as u32, (argument >> 32) as u32]);
    }
    let (mut accumulator, mut place) = (0, 0);
    for steps in 1.. {
        let instruction = &program[place];
        let operand = instruction.operand;
        place += 1;
        let jumps = match instruction.code {
            0x06 => return (operand, steps),
            0x20 => {
                accumulator = data[operand as usize / 4];
                continue;
            }
            0x54 => {
                accumulator &= operand;
                continue;
            }
            0x05 => {
                place += operand as usize;
                continue;
            }
            0x15 => accumulator == operand,
            0x25 => accumulator > operand,
            0x35 => accumulator >= operand,
            code => panic!("no instruction {code:#x}"),
        };
        place += usize::from(match jumps {
            true => instruction.jump_if,
            false => instruction.jump_if_not,
        });
    }
    unreachable!("a program ends")
}

/// What a profile says of the calls of an architecture, read rule by rule.
struct Said<'a> {
    profile: &'a Profile,
    /// With the numbers of their calls.
    rules: Vec<(&'a Rule, BTreeSet<u32>)>,
    newest: u32,
}

impl Said<'_> {
    fn by(profile: &Profile, capabilities: Capabilities, architecture: Architecture) -> Said<'_> {
        let situation = Situation {
            architecture: architecture::GO_NAME,
            capabilities,
            kernel: architecture::running_kernel(),
        };
        let numbers = |rule: &Rule| -> BTreeSet<u32> {
            let names = rule.names.iter();
            names
                .filter_map(|name| (architecture.number)(name))
                .collect()
        };
        let applying = profile
            .rules
            .iter()
            .filter(|rule| rule.applies(situation) && rule.action != profile.default_action);
        Said {
            profile,
            rules: applying.map(|rule| (rule, numbers(rule))).collect(),
            newest: profile
                .rules
                .iter()
                .flat_map(numbers)
                .max()
                .unwrap_or(u32::MAX),
        }
    }

    fn of(&self, number: u32, arguments: [u64; 6]) -> Action {
        let holds = |condition: &Condition| {
            let argument = arguments[usize::from(condition.argument.index())];
            let value = condition.value;
            match condition.operator {
                Operator::NotEqual => argument != value,
                Operator::Less => argument < value,
                Operator::LessOrEqual => argument <= value,
                Operator::Equal => argument == value,
                Operator::GreaterOrEqual => argument >= value,
                Operator::Greater => argument > value,
                Operator::Masked(mask) => argument & mask == value & mask,
            }
        };
        let strictness = |action: &Action| match action {
            Action::KillProcess => 0,
            Action::KillThread => 1,
            Action::Trap => 2,
            Action::Errno(_) => 3,
            Action::Trace(_) => 4,
            Action::Log => 5,
            Action::Allow => 6,
        };
        let about_it = self.rules.iter().filter(|(rule, numbers)| {
            numbers.contains(&number) && rule.conditions.iter().all(holds)
        });
        let default = self.profile.default_action;
        match about_it.map(|(rule, _)| rule.action).min_by_key(strictness) {
            Some(action) => action,
            None if default != Action::Allow && number > self.newest => Action::Errno(38),
            None => default,
        }
    }
}

#[test]
fn programs_answer_as_their_profile_says() {
    let mixed = r#"{
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
        "syscalls": [
            {"names": ["kill", "read", "write", "openat", "close"], "action": "SCMP_ACT_LOG"},
            {"names": ["kill", "read"], "action": "SCMP_ACT_ERRNO", "errnoRet": 7,
                "args": [{"index": 1, "value": 9, "op": "SCMP_CMP_GE"}, {"index": 0, "value": 4294967297, "op": "SCMP_CMP_LT"}]},
            {"names": ["kill", "socket"], "action": "SCMP_ACT_TRAP", "args": [{"index": 1, "value": 15, "op": "SCMP_CMP_NE"}]},
            {"names": ["kill"], "action": "SCMP_ACT_KILL_PROCESS",
                "args": [{"index": 0, "value": 240, "valueTwo": 16, "op": "SCMP_CMP_MASKED_EQ"}]},
            {"names": ["futex"], "action": "SCMP_ACT_TRACE", "args": [{"index": 5, "value": 8589934592, "op": "SCMP_CMP_GT"}]},
            {"names": ["futex"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 5, "value": 3, "op": "SCMP_CMP_LE"}]}
        ]
    }"#;
    let strict = mixed.replacen("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", 1);
    let values = [
        0,
        1,
        8,
        9,
        15,
        16,
        0x2002_0000,
        0x7e02_0000,
        1 << 32,
        (1 << 32) + 1,
        (2 << 32) + 1,
        u64::MAX,
    ];
    for profile in [
        Profile::builtin(),
        Profile::from_json(mixed).expect("a profile"),
        Profile::from_json(&strict).expect("a profile"),
    ] {
        for capabilities in [
            Capabilities::none(),
            Capabilities::default_set(Capabilities::all()),
            Capabilities::all(),
        ] {
            let filter = Filter::of(&profile, capabilities).expect("a filter");
            assert!(compile::ends_well(&filter.program));
            for architecture in [architecture::NATIVE, architecture::COMPATIBLE] {
                let said = Said::by(&profile, capabilities, architecture);
                for number in 0..600 {
                    for (place, value) in values.into_iter().enumerate() {
                        let mut arguments = [value; 6];
                        arguments[1] = values[(place * 5) % values.len()];
                        let (answer, _) =
                            run(&filter.program, architecture.audit, number, arguments);
                        let said = said.of(number, arguments);
                        assert_eq!(answer, compile::code(said), "{number} {arguments:?}");
                    }
                }
            }
            // Of another architecture, and of x32.
            let (answer, _) = run(&filter.program, 0x1234, 0, [0; 6]);
            assert_eq!(answer, compile::code(Action::KillProcess));
            if let Some(first) = architecture::X32 {
                let native = architecture::NATIVE.audit;
                let (answer, _) = run(&filter.program, native, first, [0; 6]);
                assert_eq!(answer, compile::code(Action::Errno(38)));
            }
        }
    }
}

#[test]
fn an_answer_is_found_in_a_few_steps() {
    let filter = Filter::new(&Seccomp::Builtin, Capabilities::none()).expect("a filter");
    for architecture in [architecture::NATIVE, architecture::COMPATIBLE] {
        for number in 0..600 {
            let (_, steps) = run(&filter.program, architecture.audit, number, [1; 6]);
            assert!(steps < 60, "{number}: {steps}");
        }
    }
}

#[test]
fn nothing_is_nothing() {
    assert!(
        Filter::new(&Seccomp::Unconfined, Capabilities::none())
            .expect("none")
            .is_empty()
    );
}

#[test]
fn profiles_are_read() {
    let json = r#"{
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}],
        "syscalls": [
            {"name": "mkdir", "action": "SCMP_ACT_ERRNO"},
            {"names": ["mkdirat", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13, "comment": "x"},
            {"names": ["kill"], "action": "SCMP_ACT_KILL", "args": [
                {"index": 1, "value": 9, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 15, "op": "SCMP_CMP_EQ"}]}
        ]
    }"#;
    let profile = Profile::from_json(json).expect("a profile");
    assert_eq!(
        profile.rules.len(),
        4,
        "two comparisons of one argument are two rules"
    );
}

#[test]
fn wrong_profiles_are_named() {
    for (json, part) in [
        ("", "Decoding seccomp profile failed"),
        ("{}", "missing field `defaultAction`"),
        (r#"{"defaultAction": "ALLOW"}"#, "unknown action ALLOW"),
        (
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 70000}"#,
            "70000 is no error number",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_ALLOW"}]}"#,
            "use either 'name' or 'names'",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["a"], "archMap": [{"architecture": "b"}]}"#,
            "use either 'architectures' or 'archMap'",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]}"#,
            "a system call has no argument 6",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["a"], "action": "SCMP_ACT_ALLOW",
                "args": [{"index": 0, "value": 0, "op": "EQ"}]}]}"#,
            "unknown operator EQ",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]}"#,
            "unknown flag X",
        ),
    ] {
        let error = Profile::from_json(json).expect_err(part);
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains(part), "{error}");
    }
    for json in [
        r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#,
        r#"{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/run/x"}"#,
    ] {
        assert_eq!(
            Profile::from_json(json).expect_err("no listener").status(),
            501
        );
    }
}

#[test]
fn a_profile_without_end_is_refused() {
    let condition = r#"{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}"#;
    let rule =
        format!(r#"{{"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [{condition}]}}"#);
    let json = format!(
        r#"{{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{}]}}"#,
        vec![rule.as_str(); 2000].join(",")
    );
    let profile = Profile::from_json(&json).expect("a profile");
    let error = Filter::of(&profile, Capabilities::none()).expect_err("too long");
    assert!(
        error.to_string().contains("the kernel takes 4096"),
        "{error}"
    );
}
