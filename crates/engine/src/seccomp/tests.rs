use std::collections::BTreeMap;

use super::architecture::Architecture;
use super::profile::{Action, Condition, Operator, Rule, Situation};
use super::width::{Width, width};
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
    /// With the numbers and names of their calls.
    rules: Vec<(&'a Rule, BTreeMap<u32, &'a str>)>,
    newest: u32,
}

impl Said<'_> {
    fn by(profile: &Profile, capabilities: Capabilities, architecture: Architecture) -> Said<'_> {
        let situation = Situation {
            architecture: architecture::GO_NAME,
            capabilities,
            kernel: architecture::running_kernel(),
        };
        let number = architecture.number;
        fn numbers(rule: &Rule, number: fn(&str) -> Option<u32>) -> BTreeMap<u32, &str> {
            let names = rule.names.iter();
            names
                .filter_map(|name| Some((number(name)?, name.as_str())))
                .collect()
        }
        let applying = profile
            .rules
            .iter()
            .filter(|rule| rule.applies(situation) && rule.action != profile.default_action);
        Said {
            profile,
            rules: applying.map(|rule| (rule, numbers(rule, number))).collect(),
            newest: profile
                .rules
                .iter()
                .flat_map(|rule| numbers(rule, number).into_keys())
                .max()
                .unwrap_or(u32::MAX),
        }
    }

    fn of(&self, number: u32, arguments: [u64; 6]) -> Action {
        let holds = |call: &str, condition: &Condition| {
            let mut argument = arguments[usize::from(condition.argument.index())];
            let mut value = condition.value;
            // What a profile says of 32 bits is said of what the kernel reads.
            if width(call, condition.argument) == Width::Half && value >> 32 == 0 {
                argument &= 0xffff_ffff;
                value &= 0xffff_ffff;
            }
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
            numbers.get(&number).is_some_and(|call| {
                rule.conditions
                    .iter()
                    .all(|condition| holds(call, condition))
            })
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
        38,
        40,
        1 << 32,
        (1 << 32) + 1,
        (1 << 32) + 40,
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

/// The kernel drops the upper half of an `int`, so whatever is there must change no answer.
#[test]
fn the_upper_half_of_an_int_hides_nothing() {
    let custom = r#"{"defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
        "syscalls": [
            {"names": ["ioctl"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 21522, "op": "SCMP_CMP_EQ"}]},
            {"names": ["kill"], "action": "SCMP_ACT_ERRNO",
                "args": [{"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]},
            {"names": ["prctl"], "action": "SCMP_ACT_ERRNO",
                "args": [{"index": 1, "value": 7, "op": "SCMP_CMP_EQ"}]}
        ]}"#;
    let builtin = Filter::new(&Seccomp::Builtin, Capabilities::none()).expect("a filter");
    let custom =
        Filter::new(&Seccomp::Custom(custom.to_owned()), Capabilities::none()).expect("a filter");
    let answer = |filter: &Filter, call: &str, arguments| {
        let native = architecture::NATIVE;
        let number = (native.number)(call).expect(call);
        run(&filter.program, native.audit, number, arguments).0
    };
    let (refused, allowed) = (
        compile::code(Action::Errno(EPERM)),
        compile::code(Action::Allow),
    );
    for upper in [0, 1 << 32, 0x7fff_ffff << 32, 0xffff_ffff << 32] {
        for (filter, call, arguments, expected) in [
            (&builtin, "socket", [upper | 40, 1, 0, 0, 0, 0], refused),
            (&builtin, "socket", [upper | 38, 5, 0, 0, 0, 0], refused),
            (&builtin, "socket", [upper | 39, 1, 0, 0, 0, 0], allowed),
            (&builtin, "socket", [upper | 2, 1, 0, 0, 0, 0], allowed),
            (
                &builtin,
                "personality",
                [upper | 0xffff_ffff, 0, 0, 0, 0, 0],
                allowed,
            ),
            (
                &builtin,
                "personality",
                [upper | 0x4_0000, 0, 0, 0, 0, 0],
                refused,
            ),
            (
                &builtin,
                "clone",
                [upper | 0x1000_0000, 0, 0, 0, 0, 0],
                refused,
            ),
            (&custom, "ioctl", [0, upper | 0x5412, 0, 0, 0, 0], refused),
            (&custom, "ioctl", [0, upper | 0x5413, 0, 0, 0, 0], allowed),
            (
                &custom,
                "kill",
                [upper | 0xffff_ffff, 0, 0, 0, 0, 0],
                refused,
            ),
            // This one is a long, of which every bit counts.
            (
                &custom,
                "prctl",
                [0, upper | 7, 0, 0, 0, 0],
                if upper == 0 { refused } else { allowed },
            ),
        ] {
            assert_eq!(
                answer(filter, call, arguments),
                expected,
                "{call} {arguments:x?}"
            );
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn socketcall_makes_no_sockets_unless_a_profile_says_so() {
    let answer = |seccomp: &Seccomp, call: u64| {
        let filter = Filter::new(seccomp, Capabilities::all()).expect("a filter");
        let number = (architecture::COMPATIBLE.number)("socketcall").expect("a call of i386");
        let compatible = architecture::COMPATIBLE.audit;
        run(&filter.program, compatible, number, [call, 0, 0, 0, 0, 0]).0
    };
    assert_eq!(
        answer(&Seccomp::Builtin, 1),
        compile::code(Action::Errno(38))
    );
    for call in 2..21 {
        assert_eq!(
            answer(&Seccomp::Builtin, call),
            compile::code(Action::Allow)
        );
    }
    let custom = r#"{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86"],
        "syscalls": [{"names": ["socketcall"], "action": "SCMP_ACT_ALLOW"}]}"#;
    assert_eq!(
        answer(&Seccomp::Custom(custom.to_owned()), 1),
        compile::code(Action::Allow)
    );
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
