//! Waiting for the container's exit beside everything else.

use std::thread;

use engine_client::{Canceller, Waiting};

use crate::{Error, EventSender};

/// A thread that waits for a container's exit and reports it. Dropping this ends the wait.
#[derive(Debug)]
pub struct Watch {
    canceller: Canceller,
}

impl Watch {
    /// Starts waiting.
    ///
    /// # Errors
    ///
    /// [`Error::Resources`] if there cannot be another thread.
    pub fn start(waiting: Waiting, events: &EventSender) -> Result<Watch, Error> {
        let canceller = waiting.canceller();
        let events = events.clone();
        thread::Builder::new()
            .name("attach-wait".to_owned())
            .spawn(move || events.exited(waiting.status()))
            .map_err(Error::Resources)?;
        Ok(Watch { canceller })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.canceller.cancel();
    }
}
