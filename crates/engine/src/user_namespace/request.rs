//! What the process in the namespace is asked, and what it answers: lines in turn, one question and one answer. A socket
//! that belongs to a question comes along.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::RecvFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::check::Finding;
use crate::machine::Survey;
use crate::restore::Restored;
use crate::{Error, ErrorMessage, lines};

/// What the process in the namespace is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// The answer to [`Reply::Unshared`]: for users and for groups, whether their map is written.
    Mapped { users: bool, groups: bool },
    /// Answer the client whose connection comes along.
    Connect,
    /// Answer all clients of the socket that comes along. It is answered only when no more can be accepted.
    Listen,
    /// As [`check`](crate::check()).
    Check { repair: bool },
    /// As [`restore`](crate::restore()).
    Restore,
    /// As [`survey`](crate::machine::survey).
    Survey,
}

/// What it answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// It has a new namespace, whose ids are to be mapped from outside: [`Request::Mapped`] is expected.
    Unshared,
    /// It is in the namespace and can be asked, or it did what it was asked.
    Done,
    Checked(Vec<Finding>),
    Restored(Vec<Restored>),
    Surveyed(Box<Survey>),
    Failed(ErrorMessage),
}

impl From<Error> for Reply {
    fn from(error: Error) -> Reply {
        Reply::Failed(ErrorMessage::of(&error))
    }
}

impl Reply {
    /// The answer, a failure being an error.
    pub(super) fn into_result(self) -> crate::Result<Reply> {
        match self {
            Reply::Failed(message) => Err(message.into_error()),
            reply => Ok(reply),
        }
    }
}

/// One end of the socket.
#[derive(Debug)]
pub(super) struct Channel {
    stream: UnixStream,
}

impl Channel {
    pub(super) fn new(stream: UnixStream) -> Channel {
        Channel { stream }
    }

    pub(super) fn send(
        &self,
        message: &impl Serialize,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> io::Result<()> {
        lines::send(&self.stream, message, descriptor)
    }

    /// The next message; nothing if the other end is closed. As there is one message at a time, nothing follows it.
    pub(super) fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Option<OwnedFd>)>> {
        let mut line = Vec::new();
        let mut descriptor = None;
        while line.last() != Some(&b'\n') {
            let (bytes, descriptors) = match lines::receive(&self.stream, RecvFlags::empty()) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(None),
                received => received?,
            };
            if bytes.is_empty() {
                return Ok(None);
            }
            line.extend_from_slice(&bytes);
            descriptor = descriptor.or(descriptors.into_iter().next());
        }
        Ok(Some((serde_json::from_slice(&line)?, descriptor)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn a_message_comes_with_its_descriptor() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let (ours, theirs) = (Channel::new(ours), Channel::new(theirs));
        let (client, server) = UnixStream::pair().expect("a pair");
        ours.send(&Request::Connect, Some(server.as_fd()))
            .expect("a request");
        let (request, descriptor) = theirs
            .receive::<Request>()
            .expect("a message")
            .expect("one");
        assert!(matches!(request, Request::Connect));
        let mut there = UnixStream::from(descriptor.expect("a descriptor"));
        there.write_all(b"x").expect("a byte");
        drop(client);

        let long = "x".repeat(100_000);
        let failed = Reply::from(Error::conflict(long.clone()));
        std::thread::scope(|scope| {
            scope.spawn(|| theirs.send(&failed, None).expect("a reply"));
            let (reply, none) = ours.receive::<Reply>().expect("a message").expect("one");
            assert!(none.is_none());
            let error = reply.into_result().expect_err("a failure");
            assert_eq!(
                (error.kind(), error.to_string()),
                (ErrorKind::Conflict, long)
            );
        });
        drop(theirs);
        assert!(ours.receive::<Reply>().expect("an end").is_none());
    }
}
