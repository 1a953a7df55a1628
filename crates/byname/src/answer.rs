//! The answer to words that name no command: help, or an error with the nearest names.

use std::io::Write;

use crate::color::Styles;
use crate::context::Context;
use crate::help::{self, Program};
use crate::registry::Registry;
use crate::resolution::Unresolved;
use crate::status::ExitStatus;
use crate::suggest;

/// Answers with help for no words, the group's commands for a group, and for an unknown name an error with the nearest
/// names, then help, both on standard error.
pub(crate) fn answer(
    unresolved: &Unresolved,
    program: &Program<'_>,
    cx: &mut Context,
) -> anyhow::Result<ExitStatus> {
    let group = match unresolved {
        Unresolved::NoWords => None,
        Unresolved::Group { group } => Some(group.as_str()),
        Unresolved::Unknown { group, .. } => {
            let mut text = error(unresolved, program.registry, cx);
            text.push_str(&help::overview(
                program,
                group.as_deref(),
                &cx.streams().err,
                cx.environment(),
            ));
            cx.err().write_all(text.as_bytes())?;
            return Ok(ExitStatus::Usage);
        }
    };
    let text = help::overview(program, group, &cx.streams().out, cx.environment());
    cx.out().write_all(text.as_bytes())?;
    Ok(ExitStatus::Success)
}

/// The error and the nearest names, with an empty line behind each.
fn error(unresolved: &Unresolved, registry: &Registry, cx: &Context) -> String {
    let styles = Styles::of(&cx.streams().err, cx.environment());
    let mut text = format!(
        "{} Command not found: {}\n\n",
        styles.error("Error:"),
        unresolved.name()
    );
    let nearest = suggest::nearest(registry, unresolved, cx.args());
    if !nearest.is_empty() {
        text.push_str("Did you mean:\n");
        for name in nearest {
            text.push_str(&format!("  {}\n", styles.literal(&name)));
        }
        text.push('\n');
    }
    text
}
