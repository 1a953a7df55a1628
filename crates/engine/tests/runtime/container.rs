//! A container's first process.

use crate::Test;
use crate::machine::{Machine, Outcome};

pub(crate) const TESTS: &[Test] = &[("a_program_runs_and_ends", a_program_runs_and_ends)];

fn a_program_runs_and_ends() {
    let machine = Machine::new();
    let outcome = machine.sh("echo out; echo err >&2; exit 7");
    assert_eq!(
        outcome,
        Outcome {
            status: 7,
            stdout: "out\n".to_owned(),
            stderr: "err\n".to_owned(),
        }
    );
}
