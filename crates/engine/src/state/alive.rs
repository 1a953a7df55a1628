//! Tells whether a container may run, by its lock and, should its monitor be dead, by its process.

use super::life::{self, Verdict};
use super::{Lock, Store};
use crate::{ErrorKind, Layout};

/// Whether the container of that full id runs, whether or not its monitor does, or is about to. In doubt it does.
pub(crate) fn is_alive(layout: &Layout, id: &str) -> bool {
    match Lock::is_held(layout, id) {
        Ok(true) => true,
        Ok(false) => {
            let (Ok(state), Ok(boot)) = (Store::new(layout).state(id), life::boot()) else {
                return false;
            };
            let started = life::process_started(state.pid);
            matches!(life::judge(&state, &boot, started), Verdict::Orphaned)
        }
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}
