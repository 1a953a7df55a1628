//! What a process reads.

use std::cell::RefCell;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::io::{Errno, write};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Mutex, watch};

/// The other end of a process's standard input, or its terminal.
#[derive(Debug)]
pub(super) struct Input {
    state: watch::Sender<State>,
    /// Clients take turns: what one of them sends at once stays together.
    turn: Mutex<()>,
    writer: RefCell<Option<Rc<AsyncFd<OwnedFd>>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The process has not started.
    Early,
    Open,
    Closed,
}

impl Input {
    pub(super) fn new() -> Input {
        Input {
            state: watch::Sender::new(State::Early),
            turn: Mutex::new(()),
            writer: RefCell::new(None),
        }
    }

    /// The process can read.
    pub(super) fn open(&self, writer: Rc<AsyncFd<OwnedFd>>) {
        self.writer.replace(Some(writer));
        self.state.send_replace(State::Open);
    }

    /// The process reads the end, whatever else somebody wants to send.
    pub(super) fn close(&self) {
        self.writer.replace(None);
        self.state.send_replace(State::Closed);
    }

    /// Waits until the process can read; the answer is whether it can.
    pub(super) async fn ready(&self) -> bool {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| *state != State::Early).await;
        settled.is_ok_and(|state| *state == State::Open)
    }

    /// Has the process read all of that, or as much as it does before its input is closed.
    ///
    /// # Errors
    ///
    /// If nobody reads any more.
    pub(super) async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        let mut state = self.state.subscribe();
        let closed = state.wait_for(|state| *state == State::Closed);
        tokio::pin!(closed);
        while !bytes.is_empty() {
            let Some(writer) = self.writer.borrow().clone() else {
                return Err(io::ErrorKind::BrokenPipe.into());
            };
            let attempt = writer.async_io(Interest::WRITABLE, |writer| {
                loop {
                    match write(writer, bytes) {
                        Err(Errno::INTR) => {}
                        result => return result.map_err(io::Error::from),
                    }
                }
            });
            let count = tokio::select! {
                count = attempt => count?,
                _ = &mut closed => return Err(io::ErrorKind::BrokenPipe.into()),
            };
            bytes = &bytes[count..];
        }
        Ok(())
    }
}
