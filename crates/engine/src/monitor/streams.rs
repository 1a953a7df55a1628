//! The standard streams of a process, and who is attached to them.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::io::{Errno, ioctl_fionbio, read};
use terminal::DetachKeys;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use super::ends::Ends;
use super::hub::Hub;
use super::input::Input;
use super::log::Stream;
use super::session::Session;
use crate::{Error, Result, sys};

/// How much is read at once, in bytes: what a pipe holds.
const PIECE: usize = 64 * 1024;

/// The standard streams of a process.
#[derive(Debug)]
pub(super) struct Streams {
    /// What it reads.
    pub(super) input: Input,
    /// What it writes.
    pub(super) hub: Hub,
    /// Whether all of them are one terminal.
    pub(super) tty: bool,
    /// Whether the end of a client's input is the end of the process's.
    pub(super) input_ends: bool,
    /// The readers of what it writes.
    pumps: RefCell<JoinSet<()>>,
}

impl Streams {
    pub(super) fn new(tty: bool, input_ends: bool) -> Streams {
        Streams {
            input: Input::new(),
            hub: Hub::default(),
            tty,
            input_ends,
            pumps: RefCell::default(),
        }
    }

    /// The process runs: what it writes is read from now on. Returns its terminal, if it has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the descriptors cannot be waited for.
    pub(super) fn open(
        self: &Rc<Streams>,
        ends: Ends,
        reads_terminal: bool,
    ) -> Result<Option<Rc<AsyncFd<OwnedFd>>>> {
        let terminal = ends.terminal.map(register).transpose()?;
        match (&terminal, ends.stdin) {
            (Some(terminal), _) if reads_terminal => self.input.open(Rc::clone(terminal)),
            (_, Some(stdin)) => self.input.open(register(stdin)?),
            _ => self.input.close(),
        }
        let outputs = [
            (Stream::Stdout, terminal.clone()),
            (Stream::Stdout, ends.stdout.map(register).transpose()?),
            (Stream::Stderr, ends.stderr.map(register).transpose()?),
        ];
        for (stream, source) in outputs {
            if let Some(source) = source {
                let streams = Rc::clone(self);
                self.pumps.borrow_mut().spawn_local(async move {
                    streams.pump(stream, &source).await;
                });
            }
        }
        Ok(terminal)
    }

    /// Waits until the process has closed what it writes to, and all of it was read.
    pub(super) async fn drained(&self) {
        let mut pumps = self.pumps.take();
        // A pump that panicked ends the monitor, so there is none to be heard of here.
        while pumps.join_next().await.is_some() {}
    }

    /// Nothing follows.
    pub(super) fn end(&self) {
        self.pumps.take().abort_all();
        self.input.close();
        self.hub.end();
    }

    async fn pump(&self, stream: Stream, source: &AsyncFd<OwnedFd>) {
        loop {
            self.hub.room().await;
            let piece = source
                .async_io(Interest::READABLE, |source| {
                    // One piece at a time for the whole monitor, and none while it has nothing to do.
                    let mut buffer = Vec::with_capacity(PIECE);
                    loop {
                        match read(source, rustix::buffer::spare_capacity(&mut buffer)) {
                            Ok(_) => return Ok(buffer),
                            Err(Errno::INTR) => {}
                            Err(error) => return Err(error.into()),
                        }
                    }
                })
                .await;
            match piece {
                // A terminal that nobody has open any more gives an error in place of an end.
                Ok(piece) if piece.is_empty() => return,
                Err(_) => return,
                Ok(piece) => self.hub.push(stream, &piece),
            }
        }
    }

    /// Serves a client until it or the process ends the session.
    pub(super) async fn serve(
        self: &Rc<Streams>,
        session: Rc<Session>,
        client: Rc<UnixStream>,
        stdin: Option<Typed>,
    ) {
        let flush = session.flush(|| self.hub.made_room());
        tokio::pin!(flush);
        let Some(mut typed) = stdin else {
            return flush.await;
        };
        tokio::select! {
            () = &mut flush => return,
            () = self.type_in(&client, &mut typed) => {}
        }
        // As dockerd has it: the end of a client's input is that of the process's, or of the session.
        if self.input_ends && !self.tty && !typed.was_detached {
            self.input.close();
        } else {
            session.end();
        }
        flush.await;
    }

    /// Hands on what a client types until it has said that it sends no more, or has typed the detach keys.
    async fn type_in(&self, client: &UnixStream, typed: &mut Typed) {
        if !self.input.ready().await {
            return std::future::pending().await;
        }
        let early = std::mem::take(&mut typed.early);
        if !early.is_empty() && self.type_piece(&early, typed).await.is_break() {
            return;
        }
        loop {
            let piece = client
                .async_io(Interest::READABLE, || {
                    let mut buffer = Vec::with_capacity(PIECE);
                    loop {
                        match read(client, rustix::buffer::spare_capacity(&mut buffer)) {
                            Ok(_) => return Ok(buffer),
                            Err(Errno::INTR) => {}
                            Err(error) => return Err(error.into()),
                        }
                    }
                })
                .await;
            match piece {
                Ok(piece) if !piece.is_empty() => {
                    if self.type_piece(&piece, typed).await.is_break() {
                        return;
                    }
                }
                // Also what was there when a client was lost.
                _ => break,
            }
        }
        if self.tty {
            let mut rest = Vec::new();
            typed.keys.flush(&mut rest);
            let _ = self.input.write(&rest).await;
        }
    }

    async fn type_piece(&self, piece: &[u8], typed: &mut Typed) -> std::ops::ControlFlow<()> {
        use std::ops::ControlFlow::{Break, Continue};
        if !self.tty {
            // Who reads no more has the client find out by the end of the session.
            return match self.input.write(piece).await {
                Ok(()) => Continue(()),
                Err(_) => std::future::pending().await,
            };
        }
        let mut passed = Vec::with_capacity(piece.len());
        typed.was_detached = typed.keys.feed(piece, &mut passed);
        let result = self.input.write(&passed).await;
        match result {
            _ if typed.was_detached => Break(()),
            Ok(()) => Continue(()),
            Err(_) => std::future::pending().await,
        }
    }
}

/// What a client types.
#[derive(Debug)]
pub(super) struct Typed {
    early: Vec<u8>,
    keys: terminal::DetachMatcher,
    was_detached: bool,
}

impl Typed {
    /// `early` is what a client typed before it came here.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for keys that there are not.
    pub(super) fn new(early: Vec<u8>, keys: &str) -> Result<Typed> {
        Ok(Typed {
            early,
            keys: detach_keys(keys)?.matcher(),
            was_detached: false,
        })
    }
}

/// Reads detach keys; none are the default ones.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for keys that there are not.
pub(super) fn detach_keys(text: &str) -> Result<DetachKeys> {
    match text {
        "" => Ok(DetachKeys::default()),
        text => DetachKeys::parse(text)
            .map_err(|error| Error::invalid(format!("Invalid detach keys ({text}): {error}"))),
    }
}

/// Makes it possible to wait for a descriptor.
pub(super) fn register(descriptor: OwnedFd) -> Result<Rc<AsyncFd<OwnedFd>>> {
    ioctl_fionbio(descriptor.as_fd(), true)
        .map_err(io::Error::from)
        .and_then(|()| sys::watch(descriptor))
        .map(Rc::new)
        .map_err(|error| Error::io("wait for a stream", error))
}
