//! `engine check`: find what crashed containers and engines left behind.

use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use engine::{Access, Outcome};

use super::layout::layout;
use crate::choice::Choice;

#[derive(Args)]
struct Check {
    /// Remove leftovers, and take over containers whose monitor died
    #[arg(long)]
    repair: bool,
}

/// Find what crashed containers and engines left behind
///
/// Checks the containers, directories, names, sockets, cgroups, processes, mounts, network links and firewall rules of
/// the embedded engine. The status is 1 if there is a finding.
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
