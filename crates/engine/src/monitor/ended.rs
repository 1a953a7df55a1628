//! What the first process of a container ended with, noted before anything is taken away: a monitor that is killed while it
//! cleans up takes nothing along that nobody else can know.
//!
//! It is noted in the runtime directory, which is in memory and not full when a disk is.

use std::fs;

use crate::Layout;
use crate::state::life::{self, Loss};
use crate::state::{State, Status, Store};

const NAME: &str = "ended";

/// Notes what the process that `state` is about ended with.
pub(super) fn note(layout: &Layout, id: &str, state: &State, exit_code: i64) {
    let text = format!("{} {exit_code}", state.process);
    // Without it the code is lost with this monitor, and with nothing else.
    if let Err(error) = fs::write(layout.container_run(id).join(NAME), text) {
        log::warn!("note the container's end: {error}");
    }
}

/// The state of a container that ended and whose monitor is not there any more.
pub(super) fn unseen(layout: &Layout, id: &str, state: &State, loss: Loss) -> State {
    let lost = life::lost(state, loss);
    match read(layout, id, state) {
        Some(exit_code) if loss == Loss::Monitor => State {
            exit_code,
            error: String::new(),
            ..lost
        },
        _ => lost,
    }
}

/// What a container ended with, whoever goes on with its removal: as far as anything says so.
pub(crate) fn recorded(layout: &Layout, id: &str) -> Option<i64> {
    let store = Store::new(layout);
    let state = store.state(id).ok().or_else(|| store.last_state(id))?;
    match state.status {
        Status::Removing | Status::Exited => Some(state.exit_code),
        _ => read(layout, id, &state),
    }
}

/// A note of an earlier run, and one that was not finished, are none.
fn read(layout: &Layout, id: &str, state: &State) -> Option<i64> {
    let text = fs::read_to_string(layout.container_run(id).join(NAME)).ok()?;
    let code = text.strip_prefix(&format!("{} ", state.process))?;
    code.parse().ok()
}
