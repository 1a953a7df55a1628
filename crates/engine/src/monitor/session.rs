//! One attached client.
//!
//! What the container writes goes straight into the client's socket if that has room, and waits here if it has not. A
//! container writes on until as much waits as dockerd keeps for a client; then it is held up until the client has read
//! some of it, for nothing may be lost.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice};
use std::rc::Rc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags, sendmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Notify;

use super::frame;
use super::log::Stream;
use crate::socket;

/// How much may wait for a client before the container is held up, in bytes.
const MOST_WAITING: usize = 1_000_000;

/// A client that gets what a container writes.
#[derive(Debug)]
pub(super) struct Session {
    stdout: bool,
    stderr: bool,
    /// Whether both streams share the connection, as without a terminal.
    is_framed: bool,
    client: RefCell<Option<Rc<UnixStream>>>,
    waiting: RefCell<Waiting>,
    /// Nothing follows any more.
    is_ending: Cell<bool>,
    /// Nobody is there any more.
    is_over: Cell<bool>,
    changed: Notify,
}

/// What waits for a client.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// How many of them were sent.
    sent: usize,
}

impl Waiting {
    fn length(&self) -> usize {
        self.bytes.len() - self.sent
    }
}

impl Session {
    /// A session whose client is still to come.
    pub(super) fn new(stdout: bool, stderr: bool, is_framed: bool) -> Session {
        Session {
            stdout,
            stderr,
            is_framed,
            client: RefCell::new(None),
            waiting: RefCell::default(),
            is_ending: Cell::new(false),
            is_over: Cell::new(false),
            changed: Notify::new(),
        }
    }

    /// The client has come.
    pub(super) fn connect(&self, client: Rc<UnixStream>) {
        self.client.replace(Some(client));
        self.changed.notify_one();
    }

    /// The client gets that, if it asked for the stream.
    pub(super) fn push(&self, stream: Stream, bytes: &[u8]) {
        let wanted = match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        };
        if !wanted || bytes.is_empty() || self.is_over.get() || self.is_ending.get() {
            return;
        }
        let header = frame::header(stream, bytes.len());
        let header = if self.is_framed { &header[..] } else { &[] };
        let mut waiting = self.waiting.borrow_mut();
        let mut sent = 0;
        if waiting.length() == 0
            && let Some(client) = &*self.client.borrow()
        {
            sent = match send(client, &[IoSlice::new(header), IoSlice::new(bytes)]) {
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                Err(_) => {
                    self.is_over.set(true);
                    self.changed.notify_one();
                    return;
                }
            };
        }
        waiting
            .bytes
            .extend_from_slice(&header[sent.min(header.len())..]);
        waiting
            .bytes
            .extend_from_slice(&bytes[sent.saturating_sub(header.len())..]);
        if waiting.length() > 0 {
            self.changed.notify_one();
        }
    }

    /// Whether the container has to wait for this client.
    pub(super) fn is_full(&self) -> bool {
        !self.is_over.get() && self.waiting.borrow().length() >= MOST_WAITING
    }

    /// Whether nobody is there any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    /// Ends the session when the client has what waits for it.
    pub(super) fn end(&self) {
        self.is_ending.set(true);
        self.changed.notify_one();
    }

    /// Ends the session at once: the client went away before it came, or detached.
    pub(super) fn abandon(&self) {
        self.is_over.set(true);
        self.waiting.replace(Waiting::default());
        self.changed.notify_one();
    }

    /// Sends what waits, whenever there is some and the client takes it, until the session is over. `made_room` is called
    /// when the container need not wait for this client any more.
    pub(super) async fn flush(&self, made_room: impl Fn()) {
        loop {
            let client = self.client.borrow().clone();
            if self.is_over.get() {
                break;
            }
            // One that is still to come may have something waiting for it, even if nothing follows.
            let Some(client) = client else {
                self.changed.notified().await;
                continue;
            };
            if self.waiting.borrow().length() > 0 {
                let result = client
                    .async_io(Interest::WRITABLE, || self.send_waiting(&client))
                    .await;
                if result.is_err() {
                    self.is_over.set(true);
                }
                made_room();
            } else if self.is_ending.get() {
                self.is_over.set(true);
            } else {
                tokio::select! {
                    () = self.changed.notified() => {}
                    () = hang_up(&client) => self.is_over.set(true),
                }
            }
        }
        self.waiting.replace(Waiting::default());
        made_room();
        if let Some(client) = self.client.take() {
            socket::end(&*client);
        }
    }

    fn send_waiting(&self, client: &UnixStream) -> io::Result<()> {
        let mut waiting = self.waiting.borrow_mut();
        let sent = send(client, &[IoSlice::new(&waiting.bytes[waiting.sent..])])?;
        waiting.sent += sent;
        if waiting.length() == 0 {
            // An idle container's monitor holds no memory that it does not need.
            *waiting = Waiting::default();
        } else if waiting.sent > MOST_WAITING / 4 {
            let sent = std::mem::take(&mut waiting.sent);
            waiting.bytes.drain(..sent);
        }
        Ok(())
    }
}

/// Sends as much as there is room for, whatever tokio thinks of that: it may not have seen yet that there is some again.
fn send(client: &UnixStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
    let mut nothing = SendAncillaryBuffer::default();
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    loop {
        match sendmsg(client, parts, &mut nothing, flags) {
            Err(Errno::INTR) => {}
            result => return result.map_err(io::Error::from),
        }
    }
}

/// Waits until the client is gone altogether. One that has only said that it will send no more is there still.
async fn hang_up(client: &UnixStream) {
    let gone = || {
        let mut descriptors = [PollFd::new(client, PollFlags::empty())];
        match poll(&mut descriptors, Some(&Timespec::default())) {
            Ok(1..) => Ok(()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    };
    // An error of tokio's own means that nothing can be waited for; the next write tells.
    if client.async_io(Interest::WRITABLE, gone).await.is_err() {
        std::future::pending::<()>().await;
    }
}
