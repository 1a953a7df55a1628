//! How a container is, whoever died since its file said so.

use super::spawn;
use crate::state::life::{self, Verdict};
use crate::state::{Lock, State, Store};
use crate::{Layout, Result};

/// How a container is. One whose monitor was killed is given a new one if it runs on, and is recorded as ended if it does
/// not.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container, and
/// [`ErrorKind::System`](crate::ErrorKind::System) if its files cannot be read or written.
pub fn observe(layout: &Layout, id: &str) -> Result<State> {
    let store = Store::new(layout);
    let state = store.state(id)?;
    if !state.status.needs_monitor() || Lock::is_held(layout, id)? {
        return Ok(state);
    }
    let Some(lock) = Lock::try_acquire(layout, id)? else {
        // Somebody else noticed.
        return store.state(id);
    };
    // It may have ended in good order between the two.
    let state = store.state(id)?;
    match life::judge(&state, &life::boot()?, life::process_started(state.pid)) {
        Verdict::Sound => Ok(state),
        Verdict::Lost(life::Loss::Reboot) => {
            let state = life::lost(&state, life::Loss::Reboot);
            lock.write_final_state(&state)?;
            Ok(state)
        }
        // A monitor does the rest: it takes the container over, or cleans up after it.
        Verdict::Orphaned | Verdict::Waiting | Verdict::HalfRemoved => {
            spawn::spawn(layout, id, lock)?;
            Ok(state)
        }
        Verdict::Lost(loss @ life::Loss::Monitor) => {
            let state = life::lost(&state, loss);
            lock.write_final_state(&state)?;
            spawn::spawn(layout, id, lock)?;
            Ok(state)
        }
    }
}
