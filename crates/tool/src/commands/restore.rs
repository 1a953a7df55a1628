//! `engine restore`: restart containers after a reboot, by their restart policies.

use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use engine::{Access, Action};

use super::layout::layout;
use crate::choice::Choice;

/// Restart containers after a reboot, by their restart policies
///
/// Prints the names of the restarted containers. A container with --rm that ended with the machine is removed.
#[command("engine restore", category = "Engine")]
fn restore(cx: &mut Context, choice: State<Choice>) -> anyhow::Result<ExitStatus> {
    let layout = layout(&choice, cx)?;
    let mut status = ExitStatus::Success;
    for restored in Access::new(layout).restore()? {
        match (&restored.error, restored.action) {
            (None, Action::Start) => writeln!(cx.out(), "{}", restored.name)?,
            (None, Action::Remove) => {}
            (Some(error), _) => {
                let text = format!("{}: {error}", restored.name);
                writeln!(cx.err(), "{}", terminal::printable(&text))?;
                status = ExitStatus::Failure;
            }
        }
    }
    Ok(status)
}
