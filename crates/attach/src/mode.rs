//! The terminal's raw mode during a session; the first side to see the end restores it.

use std::sync::{Mutex, PoisonError};

use terminal::RawMode;

/// The raw mode of the terminal, if there is one.
#[derive(Debug)]
pub(crate) struct Mode {
    raw: Mutex<Option<RawMode>>,
}

impl Mode {
    pub(crate) fn new(raw: Option<RawMode>) -> Mode {
        Mode {
            raw: Mutex::new(raw),
        }
    }

    /// Restores the mode; the first call counts. It has happened when any call returns.
    pub(crate) fn restore(&self) {
        let mut raw = self.raw.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(raw) = raw.take()
            && let Err(error) = raw.restore()
        {
            log::debug!("cannot restore the terminal's mode: {error}");
        }
    }
}
