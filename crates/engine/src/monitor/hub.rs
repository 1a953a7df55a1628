//! What a process writes, for whom.

use std::cell::RefCell;
use std::rc::Rc;

use tokio::sync::Notify;

use super::log::{Stream, Writer};
use super::session::Session;

/// Where everything goes that a process writes: into its log, and to each attached client.
#[derive(Debug, Default)]
pub(super) struct Hub {
    sessions: RefCell<Vec<Rc<Session>>>,
    log: RefCell<Option<Writer>>,
    room: Notify,
}

impl Hub {
    /// Keeps a log from now on.
    pub(super) fn set_log(&self, log: Writer) {
        self.log.replace(Some(log));
    }

    /// Has the client get what is written from now on.
    pub(super) fn add(&self, session: Rc<Session>) {
        self.sessions.borrow_mut().push(session);
    }

    /// Somebody wrote that.
    pub(super) fn push(&self, stream: Stream, bytes: &[u8]) {
        if let Some(log) = &mut *self.log.borrow_mut() {
            log.write(stream, bytes);
        }
        for session in &*self.sessions.borrow() {
            session.push(stream, bytes);
        }
    }

    /// Waits until no client is so far behind that the process has to wait for it.
    pub(super) async fn room(&self) {
        loop {
            self.sweep();
            if !self
                .sessions
                .borrow()
                .iter()
                .any(|session| session.is_full())
            {
                return;
            }
            self.room.notified().await;
        }
    }

    /// A client has read something, or has gone.
    pub(super) fn made_room(&self) {
        self.sweep();
        self.room.notify_waiters();
    }

    fn sweep(&self) {
        self.sessions
            .borrow_mut()
            .retain(|session| !session.is_over());
    }

    /// Nothing follows: lines that did not end go into the log as they are, clients go when they have everything.
    pub(super) fn end(&self) {
        if let Some(log) = &mut *self.log.borrow_mut() {
            log.finish();
        }
        self.log.replace(None);
        for session in self.sessions.take() {
            session.end();
        }
    }
}
