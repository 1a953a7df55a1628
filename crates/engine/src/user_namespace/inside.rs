//! The process in the namespace, from outside.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::sync::{Mutex, PoisonError};

use super::request::{Channel, Reply, Request};
use super::subordinate::{Further, Kind};
use crate::{Error, Layout, Result};

/// The name that the program runs under in there. Its arguments are the root, the runtime directory, what it is for and
/// the level of its log; standard input is the socket.
pub(super) const NAME: &str = "tool-namespace";

/// What a process in the namespace is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be the engine.
    Engine,
    /// To see what is possible, which leaves no trace.
    Look,
}

impl Purpose {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Purpose::Engine => "engine",
            Purpose::Look => "look",
        }
    }
}

/// The process in the namespace; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Inside {
    child: Child,
    /// Taken for a question and its answer.
    channel: Mutex<Option<Channel>>,
}

impl Inside {
    /// Starts it, and waits until it is in the namespace.
    ///
    /// # Errors
    ///
    /// Those of [`Layout::create`], and [`ErrorKind::System`](crate::ErrorKind::System) if this user can make no namespace.
    pub(crate) fn start(layout: &Layout, purpose: Purpose) -> Result<Inside> {
        let failed = |error: io::Error| Error::io("start the engine of an ordinary user", error);
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let mut command = reexec::command(NAME).map_err(|error| {
            Error::system(format!("start the engine of an ordinary user: {error}"))
        })?;
        command
            .args([layout.root(), layout.run()])
            .args([purpose.as_str(), log::max_level().as_str()])
            .arg(layout.named_configuration())
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null());
        let child = command.spawn().map_err(failed)?;
        // Our copy of their end would keep us from seeing that they are gone.
        drop(command);
        let inside = Inside {
            child,
            channel: Mutex::new(Some(Channel::new(ours))),
        };
        let mut reply = inside.with(receive)?;
        if matches!(reply, Reply::Unshared) {
            let mapped = Request::Mapped {
                users: map(Kind::Users, inside.child.id()),
                groups: map(Kind::Groups, inside.child.id()),
            };
            reply = inside.ask(&mapped, None)?;
        }
        match reply {
            Reply::Done => Ok(inside),
            reply => Err(unexpected(&reply)),
        }
    }

    /// Asks, and waits for the answer; a failure is an error.
    pub(crate) fn ask(
        &self,
        request: &Request,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> Result<Reply> {
        self.with(|channel| {
            channel.send(request, descriptor).map_err(gone)?;
            receive(channel)
        })
    }

    /// A new connection to the engine in there.
    pub(crate) fn connect(&self) -> Result<UnixStream> {
        let (client, server) =
            UnixStream::pair().map_err(|error| Error::io("make a pair of sockets", error))?;
        self.ask(&Request::Connect, Some(server.as_fd()))?;
        Ok(client)
    }

    fn with<T>(&self, act: impl FnOnce(&Channel) -> Result<T>) -> Result<T> {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner);
        match &*channel {
            Some(channel) => act(channel),
            None => Err(gone(io::ErrorKind::UnexpectedEof.into())),
        }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        // The end of the socket is the end of the process.
        let channel = self
            .channel
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        *channel = None;
        let _ = self.child.wait();
    }
}

fn receive(channel: &Channel) -> Result<Reply> {
    match channel.receive::<Reply>().map_err(gone)? {
        Some((reply, _)) => reply.into_result(),
        None => Err(gone(io::ErrorKind::UnexpectedEof.into())),
    }
}

fn gone(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return Error::system("the engine's process in the user namespace went away")
            .with_source(error);
    }
    Error::io("talk to the engine's process in the user namespace", error)
}

pub(crate) fn unexpected(reply: &Reply) -> Error {
    Error::system(format!(
        "the engine's process in the user namespace answered something else than it was asked: {reply:?}"
    ))
}

/// Maps the further ids of this user, if it has some; otherwise the process maps the one it has.
fn map(kind: Kind, pid: u32) -> bool {
    match Further::find(kind) {
        Ok(further) => match further.map(kind, pid) {
            Ok(()) => true,
            Err(error) => {
                log::warn!("only this user's own id is there in containers: {error}");
                false
            }
        },
        Err(why) => {
            log::debug!("only this user's own id is there in containers: {why}");
            false
        }
    }
}
