//! Records when output last arrived, so that a silent engine can be told from a busy one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What the output thread is doing, for the thread that waits for it.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    pieces: AtomicU64,
    writing: AtomicBool,
}

impl Activity {
    /// Marks the time that `write` takes, and that there was a piece of output.
    pub(crate) fn writing<T>(&self, write: impl FnOnce() -> T) -> T {
        self.writing.store(true, Ordering::SeqCst);
        let result = write();
        self.pieces.fetch_add(1, Ordering::SeqCst);
        self.writing.store(false, Ordering::SeqCst);
        result
    }

    /// Whether a piece is being written right now, which may take as long as our own reader pleases.
    pub(crate) fn is_writing(&self) -> bool {
        self.writing.load(Ordering::SeqCst)
    }

    /// How many pieces there were.
    pub(crate) fn pieces(&self) -> u64 {
        self.pieces.load(Ordering::SeqCst)
    }
}
