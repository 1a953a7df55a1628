//! How a container is, whoever died since its file said so.

use super::place::has_leftovers;
use super::{ended, spawn};
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
    let may_be_wrong = state.status.needs_monitor() || has_leftovers(layout, id);
    if !may_be_wrong || Lock::is_held(layout, id)? {
        return Ok(state);
    }
    let Some(lock) = Lock::try_acquire(layout, id)? else {
        // Somebody else noticed.
        return store.state(id);
    };
    // It may have ended in good order between the two.
    let state = store.state(id)?;
    let judged = match life::judge(&state)? {
        Verdict::Sound if !has_leftovers(layout, id) => return Ok(state),
        Verdict::Lost(loss) => ended::unseen(layout, id, &state, loss),
        Verdict::Sound | Verdict::Orphaned | Verdict::Waiting | Verdict::HalfRemoved => state,
    };
    // A monitor comes to the same conclusion and does what there is to do: it takes the container over, starts it again,
    // or cleans up after it.
    spawn::spawn(layout, id, lock)?;
    Ok(judged)
}
