//! The state directory that the `engine` commands work on.

use std::path::Path;

use byname::Context;
use docker_cli::errors;
use engine::Layout;
use engine_client::Address;

use crate::choice::{Choice, Reason};

/// That of the engine that was chosen, or the user's if another one was.
pub(super) fn state(choice: &Choice) -> engine::Result<Layout> {
    layout_of(match choice.endpoint.address() {
        Address::Embedded(directory) => directory.as_deref(),
        _ => None,
    })
}

/// The state in that directory, or the user's.
pub(crate) fn layout_of(directory: Option<&Path>) -> engine::Result<Layout> {
    match directory {
        Some(directory) => Layout::at(directory),
        None => Layout::default_for_user(),
    }
}

/// The same for a command that is of no use with another engine: one that this very command line names is refused.
pub(super) fn layout(choice: &Choice, cx: &Context) -> anyhow::Result<Layout> {
    let is_named = matches!(
        choice.reason,
        Reason::Host | Reason::Context(_, "--context")
    );
    if is_named && !matches!(choice.endpoint.address(), Address::Embedded(_)) {
        return Err(errors::bare(format!(
            "'{}' is about the engine inside of this program, and {} is another; -H embedded:///DIR names the directory of its state",
            cx.command_path(),
            choice.endpoint
        )));
    }
    Ok(state(choice)?)
}
