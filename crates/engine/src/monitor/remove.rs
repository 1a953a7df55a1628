//! Removing a container, whether there is a monitor or not.

use std::thread;
use std::time::{Duration, Instant};

use super::place::has_leftovers;
use super::protocol::Request;
use super::{clean_up, connection, observe, silence, spawn};
use crate::state::{self, Lock, Record, State, Status, Store};
use crate::{ErrorKind, Layout, Result};

/// How long somebody may hold the lock without answering.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes a container whose files cannot all be read, and that nobody looks after. Which volumes it had is lost.
fn remove_damaged(
    layout: &Layout,
    record: &Record,
    state: &State,
    forced: bool,
    lock: Lock,
) -> Result<()> {
    if state.is_running() && !forced {
        return Err(clean_up::still_runs(layout, record, state.status));
    }
    let cleaned = clean_up::unattended(layout, record);
    let removed = clean_up::remove(layout, record, false)?;
    drop(lock);
    cleaned.and(removed.delete())
}

/// Removes a container, with its anonymous volumes if that is asked for; one that runs is killed if that is `forced`.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if there is no such container, [`ErrorKind::Conflict`] if it runs and that is not forced, and
/// [`ErrorKind::System`] if something of it cannot be removed.
pub fn remove(layout: &Layout, id: &str, forced: bool, volumes: bool) -> Result<()> {
    let mut start = Instant::now();
    // Another removal that is faster is no failure of this one.
    let mut was_there = false;
    loop {
        let observed = observe(layout, id).and_then(|state| {
            Store::new(layout).record(id)?;
            Ok(state)
        });
        let state = match observed {
            Ok(state) => state,
            Err(error) => match state::stand_in(layout, id) {
                Some((record, state)) => match Lock::try_acquire(layout, id)? {
                    Some(lock) => return remove_damaged(layout, &record, &state, forced, lock),
                    // Its monitor has read the files while they were whole.
                    None => state,
                },
                None if was_there && error.kind() == ErrorKind::NotFound => return Ok(()),
                None => return Err(error),
            },
        };
        was_there = true;
        let needs_monitor = state.status.needs_monitor() || has_leftovers(layout, id);
        let lock = match needs_monitor {
            true => None,
            false => match Lock::try_acquire(layout, id) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                result => result?,
            },
        };
        if let Some(lock) = lock {
            // It may have started since.
            let state = Store::new(layout).state(id)?;
            if !state.status.needs_monitor() {
                let record = Store::new(layout).record(id)?;
                let removing = State {
                    status: Status::Removing,
                    removes_volumes: volumes,
                    ..state
                };
                // Were this process killed on the way, a monitor would go on. On a full disk it must do without, and so
                // that is nothing to tell a user of.
                if let Err(error) = lock.write_state(&removing) {
                    log::debug!("{error}");
                }
                return clean_up::remove(layout, &record, volumes)?.delete();
            }
        } else if let Some(connection) = spawn::connect(layout, id)? {
            let request = Request::Remove {
                force: forced,
                volumes,
            };
            match connection::ask(layout, id, connection, &request) {
                Ok(Some((_, reply))) => return reply.into_result().map(drop),
                Ok(None) => {}
                // The next one goes on with it.
                Err(error) if forced && silence::is_silence(&error) => {
                    silence::end(layout, id)?;
                    start = Instant::now();
                }
                Err(error) => return Err(error),
            }
        }
        if start.elapsed() > PATIENCE {
            return Err(silence::of_container(layout, id));
        }
        thread::sleep(Duration::from_millis(1));
    }
}
