//! `engine check`: find what crashed containers and engines left behind.

use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use engine::{Access, Outcome};

use super::layout::layout;
use crate::choice::Choice;

#[derive(Args)]
struct Check {
    /// Remove what has no owner, and look after containers that nobody looks after
    #[arg(long)]
    repair: bool,
}

/// Check that everything that the engine inside of this program made has an owner
///
/// Containers, directories, names, sockets, cgroups, processes, mounts, links of the network and rules of the packet
/// filter are looked at. The status is 1 if something is left that is not as it should be.
#[command("engine check", category = "Engine")]
fn check(cx: &mut Context, args: Check, choice: State<Choice>) -> anyhow::Result<ExitStatus> {
    let layout = layout(&choice, cx)?;
    let findings = Access::new(layout).check(args.repair)?;
    for finding in &findings {
        writeln!(cx.out(), "{}", terminal::printable(&finding.to_string()))?;
    }
    let is_left = |outcome: &Outcome| *outcome != Outcome::Repaired;
    let left = findings.iter().filter(|finding| is_left(&finding.outcome));
    Ok(match left.count() {
        0 => ExitStatus::Success,
        _ => ExitStatus::Failure,
    })
}
