//! Device rules on version 2: a BPF program that the kernel asks for each open and mknod.

use std::os::fd::BorrowedFd;

use super::{Access, DeviceKind, DeviceRule};
use crate::sys::{self, BpfInstruction};
use crate::{Error, Result};

/// Has the kernel ask these rules about all that processes of the cgroup do with devices.
pub(super) fn attach(cgroup: BorrowedFd<'_>, rules: &[DeviceRule]) -> Result<()> {
    let program = program(&Verdict::of(rules));
    sys::load_device_program(&program)
        .and_then(|program| sys::attach_device_program(cgroup, &program))
        .map_err(|error| Error::io("attach the device program of the cgroup", error))
}

/// What rules come to, as the kernel computes it on version 1: a default, and exceptions from it.
#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    allow: bool,
    exceptions: Vec<Exception>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exception {
    /// A block device, or a character device.
    block: bool,
    major: Option<u32>,
    minor: Option<u32>,
    access: Access,
}

impl Verdict {
    fn of(rules: &[DeviceRule]) -> Verdict {
        let mut verdict = Verdict {
            allow: true,
            exceptions: Vec::new(),
        };
        for rule in rules {
            if rule.is_about_everything() {
                verdict = Verdict {
                    allow: rule.allow,
                    exceptions: Vec::new(),
                };
                continue;
            }
            let kinds: &[bool] = match rule.kind {
                DeviceKind::All => &[true, false],
                DeviceKind::Block => &[true],
                DeviceKind::Character => &[false],
            };
            for &block in kinds {
                verdict.take(
                    rule.allow,
                    Exception {
                        block,
                        major: rule.major,
                        minor: rule.minor,
                        access: rule.access,
                    },
                );
            }
        }
        verdict
    }

    fn take(&mut self, allow: bool, exception: Exception) {
        let place = self.exceptions.iter().position(|other| {
            (other.block, other.major, other.minor)
                == (exception.block, exception.major, exception.minor)
        });
        let (left, right) = (
            place.map(|place| self.exceptions[place].access),
            exception.access,
        );
        if allow != self.allow {
            // One more exception, or more of one that is there.
            match (place, left) {
                (Some(place), Some(left)) => {
                    self.exceptions[place].access = Access {
                        read: left.read || right.read,
                        write: left.write || right.write,
                        mknod: left.mknod || right.mknod,
                    };
                }
                _ => self.exceptions.push(exception),
            }
        } else if let (Some(place), Some(left)) = (place, left) {
            // Less of an exception.
            let access = Access {
                read: left.read && !right.read,
                write: left.write && !right.write,
                mknod: left.mknod && !right.mknod,
            };
            if access.read || access.write || access.mknod {
                self.exceptions[place].access = access;
            } else {
                self.exceptions.remove(place);
            }
        }
    }
}

// What <linux/bpf.h> says of `struct bpf_cgroup_dev_ctx`.
const CONTEXT_ACCESS: i16 = 0;
const CONTEXT_MAJOR: i16 = 4;
const CONTEXT_MINOR: i16 = 8;
const BLOCK: i32 = 1;
const CHARACTER: i32 = 2;
const MKNOD: i32 = 1;
const READ: i32 = 2;
const WRITE: i32 = 4;

// Instructions.
const LOAD_WORD: u8 = 0x61;
const AND_NUMBER: u8 = 0x54;
const SHIFT_RIGHT: u8 = 0x74;
const MOVE: u8 = 0xbc;
const SET: u8 = 0xb4;
const JUMP_UNLESS_NUMBER: u8 = 0x56;
const JUMP_UNLESS_REGISTER: u8 = 0x5e;
const JUMP_IF_NUMBER: u8 = 0x16;
const EXIT: u8 = 0x95;

// Registers: the answer, the context, and what is read of it.
const ANSWER: u8 = 0;
const CONTEXT: u8 = 1;
const KIND: u8 = 2;
const ASKED: u8 = 3;
const MAJOR: u8 = 4;
const MINOR: u8 = 5;
const SCRATCH: u8 = 6;

fn program(verdict: &Verdict) -> Vec<BpfInstruction> {
    let step = |code, target, source, offset, number| {
        BpfInstruction::new(code, target, source, offset, number)
    };
    let mut program = vec![
        step(LOAD_WORD, KIND, CONTEXT, CONTEXT_ACCESS, 0),
        step(MOVE, ASKED, KIND, 0, 0),
        step(AND_NUMBER, KIND, 0, 0, 0xffff),
        step(SHIFT_RIGHT, ASKED, 0, 0, 16),
        step(LOAD_WORD, MAJOR, CONTEXT, CONTEXT_MAJOR, 0),
        step(LOAD_WORD, MINOR, CONTEXT, CONTEXT_MINOR, 0),
    ];
    for exception in &verdict.exceptions {
        // Each test that fails jumps to the next exception; how far is known in the end.
        let mut block = Vec::new();
        let kind = if exception.block { BLOCK } else { CHARACTER };
        block.push(step(JUMP_UNLESS_NUMBER, KIND, 0, 0, kind));
        let access = access_bits(exception.access);
        if access != READ | WRITE | MKNOD {
            block.push(step(MOVE, SCRATCH, ASKED, 0, 0));
            block.push(step(AND_NUMBER, SCRATCH, 0, 0, access));
            block.push(if verdict.allow {
                // Denied is what has any part of it.
                step(JUMP_IF_NUMBER, SCRATCH, 0, 0, 0)
            } else {
                // Allowed is what is all of it.
                step(JUMP_UNLESS_REGISTER, SCRATCH, ASKED, 0, 0)
            });
        }
        for (register, number) in [(MAJOR, exception.major), (MINOR, exception.minor)] {
            if let Some(number) = number {
                block.push(step(
                    JUMP_UNLESS_NUMBER,
                    register,
                    0,
                    0,
                    number.cast_signed(),
                ));
            }
        }
        block.push(step(SET, ANSWER, 0, 0, i32::from(!verdict.allow)));
        block.push(step(EXIT, 0, 0, 0, 0));
        let length = block.len();
        for (place, instruction) in block.iter_mut().enumerate() {
            if matches!(
                instruction.code(),
                JUMP_UNLESS_NUMBER | JUMP_UNLESS_REGISTER | JUMP_IF_NUMBER
            ) {
                // A block has at most eight instructions.
                instruction.set_offset((length - place - 1) as i16);
            }
        }
        program.extend(block);
    }
    program.push(step(SET, ANSWER, 0, 0, i32::from(verdict.allow)));
    program.push(step(EXIT, 0, 0, 0, 0));
    program
}

fn access_bits(access: Access) -> i32 {
    [
        (access.mknod, MKNOD),
        (access.read, READ),
        (access.write, WRITE),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, bit)| bit)
    .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(lines: &[&str]) -> Vec<DeviceRule> {
        lines
            .iter()
            .map(|line| {
                let (allow, rule) = line.split_at(1);
                let rule: DeviceRule = rule.trim().parse().expect(line);
                DeviceRule {
                    allow: allow == "+",
                    ..rule
                }
            })
            .collect()
    }

    /// What the program answers: the few instructions that it is made of, carried out.
    fn run(program: &[BpfInstruction], kind: i32, access: i32, major: u32, minor: u32) -> bool {
        let mut registers = [0_u32; 7];
        let mut place = 0;
        loop {
            let instruction = program[place];
            let (target, source) = (
                usize::from(instruction.target()),
                usize::from(instruction.source()),
            );
            let number = instruction.number().cast_unsigned();
            let mut jump = false;
            match instruction.code() {
                LOAD_WORD => {
                    registers[target] = match instruction.offset() {
                        CONTEXT_ACCESS => ((access << 16) | kind).cast_unsigned(),
                        CONTEXT_MAJOR => major,
                        _ => minor,
                    }
                }
                MOVE => registers[target] = registers[source],
                SET => registers[target] = number,
                AND_NUMBER => registers[target] &= number,
                SHIFT_RIGHT => registers[target] >>= number,
                JUMP_UNLESS_NUMBER => jump = registers[target] != number,
                JUMP_UNLESS_REGISTER => jump = registers[target] != registers[source],
                JUMP_IF_NUMBER => jump = registers[target] == number,
                EXIT => return registers[usize::from(ANSWER)] != 0,
                code => panic!("instruction {code:#x}"),
            }
            place += 1;
            if jump {
                place += usize::try_from(instruction.offset()).expect("a jump forward");
            }
        }
    }

    fn allows(rules: &[DeviceRule], kind: i32, access: i32, major: u32, minor: u32) -> bool {
        run(&program(&Verdict::of(rules)), kind, access, major, minor)
    }

    #[test]
    fn the_default_rules_allow_what_every_container_has() {
        let rules = DeviceRule::defaults();
        assert!(allows(&rules, CHARACTER, READ | WRITE, 1, 3));
        assert!(allows(&rules, CHARACTER, READ | WRITE, 136, 99));
        assert!(allows(&rules, CHARACTER, MKNOD, 4, 64));
        assert!(allows(&rules, BLOCK, MKNOD, 8, 0));
        assert!(!allows(&rules, BLOCK, READ, 8, 0));
        assert!(!allows(&rules, BLOCK, READ | MKNOD, 8, 0));
        assert!(!allows(&rules, CHARACTER, READ, 4, 64));
        assert!(
            !allows(&rules, BLOCK, READ, 1, 3),
            "a block device of the same number"
        );
    }

    #[test]
    fn later_rules_count_more() {
        let two = rules(&[
            "-a *:* rwm",
            "+b 8:0 r",
            "+b 8:0 w",
            "+c 10:* rw",
            "-c 10:* w",
        ]);
        assert!(allows(&two, BLOCK, READ | WRITE, 8, 0), "parts add up");
        assert!(!allows(&two, BLOCK, READ | MKNOD, 8, 0));
        assert!(allows(&two, CHARACTER, READ, 10, 5));
        assert!(!allows(&two, CHARACTER, WRITE, 10, 5));
        let all = rules(&["-a *:* rwm", "+a *:* rwm", "-b 8:0 w"]);
        assert!(allows(&all, BLOCK, READ, 8, 0));
        assert!(
            !allows(&all, BLOCK, READ | WRITE, 8, 0),
            "any part is denied"
        );
        assert!(allows(&all, BLOCK, WRITE, 8, 1));
        let some = rules(&["-a *:* rwm", "+a 7:* r"]);
        assert!(allows(&some, BLOCK, READ, 7, 1) && allows(&some, CHARACTER, READ, 7, 1));
        assert!(!allows(&some, BLOCK, READ, 8, 1), "not everything");
    }

    proptest::proptest! {
        /// Rules that name whole devices can be read one by one, the last one deciding.
        #[test]
        fn whole_devices_are_decided_by_the_last_rule(
            list in proptest::collection::vec((proptest::bool::ANY, 0_u32..3, proptest::bool::ANY), 0..12),
            major in 0_u32..3,
            block in proptest::bool::ANY,
        ) {
            let everything = DeviceRule { allow: false, ..DeviceRule::ALLOW_ALL };
            let mut rules = vec![everything];
            let mut expected = false;
            for (allow, rule_major, rule_block) in list {
                let kind = if rule_block { DeviceKind::Block } else { DeviceKind::Character };
                rules.push(DeviceRule { allow, ..DeviceRule::allow(kind, Some(rule_major), None, Access::ALL) });
                if (rule_major, rule_block) == (major, block) {
                    expected = allow;
                }
            }
            let kind = if block { BLOCK } else { CHARACTER };
            proptest::prop_assert_eq!(allows(&rules, kind, READ, major, 9), expected);
        }
    }
}
