//! Tells whether a container may run, by its lock and, should its monitor be dead, by its process.

use super::life::{self, Verdict};
use super::{Lock, Store};
use crate::{ErrorKind, Layout};

/// Whether the container of that full id runs, whether or not its monitor does, or is about to. In doubt it does.
pub(crate) fn is_alive(layout: &Layout, id: &str) -> bool {
    match Lock::is_held(layout, id) {
        Ok(true) => true,
        Ok(false) => {
            let judged = Store::new(layout)
                .state(id)
                .and_then(|state| life::judge(&state));
            matches!(judged, Ok(Verdict::Orphaned))
        }
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}
