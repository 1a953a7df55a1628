//! Removing a container, whether there is a monitor or not.

use std::thread;
use std::time::{Duration, Instant};

use super::place::has_leftovers;
use super::protocol::Request;
use super::{clean_up, connection, observe, spawn};
use crate::state::{Lock, Store};
use crate::{Error, ErrorKind, Layout, Result};

/// How long somebody may hold the lock without answering.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes a container, with its anonymous volumes if that is asked for; one that runs is killed if that is `forced`.
///
/// # Errors
///
/// [`ErrorKind::NotFound`] if there is no such container, [`ErrorKind::Conflict`] if it runs and that is not forced, and
/// [`ErrorKind::System`] if something of it cannot be removed.
pub fn remove(layout: &Layout, id: &str, forced: bool, volumes: bool) -> Result<()> {
    let start = Instant::now();
    // Another removal that is faster is no failure of this one.
    let mut was_there = false;
    loop {
        let state = match observe(layout, id) {
            Err(error) if was_there && error.kind() == ErrorKind::NotFound => return Ok(()),
            result => result?,
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
        if let Some(_lock) = lock {
            // It may have started since.
            if !Store::new(layout).state(id)?.status.needs_monitor() {
                let record = Store::new(layout).record(id)?;
                return clean_up::remove(layout, &record, volumes)?.delete();
            }
        } else if let Some(connection) = spawn::connect(layout, id)? {
            let request = Request::Remove {
                force: forced,
                volumes,
            };
            if let Some((_, reply)) = connection::ask(connection, &request)? {
                return reply.into_result().map(drop);
            }
        }
        if start.elapsed() > PATIENCE {
            return Err(Error::system(format!(
                "the monitor of container {id} does not answer"
            )));
        }
        thread::sleep(Duration::from_millis(1));
    }
}
