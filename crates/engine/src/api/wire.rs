//! The socket below HTTP, and what is known of the conversation on it.
//!
//! A connection that becomes a stream is taken from hyper while its request is being answered, for hyper lets go only of
//! those whose client sent `Upgrade`, and Docker takes the others over, too. That is right when all that was answered
//! before has been sent, which hyper tells nobody but its socket.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;
use tokio::time::Instant;

use super::body::AnswerBody;
use super::hijack::Hijack;

/// How long a client may take for the head of a request, from its first byte on, or from the beginning of the connection.
pub(super) const HEAD_LIMIT: Duration = Duration::from_secs(10);

/// How long a client may keep a connection between two requests.
const IDLE_LIMIT: Duration = Duration::from_secs(300);

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The client has connected and sent nothing.
    Silent(Instant),
    /// The head of a request is on its way.
    Head(Instant),
    /// A request is being answered, for as long as that takes.
    Answering,
    /// All requests are answered.
    Idle(Instant),
}

/// Why a client was waited for long enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Late {
    /// The head of its request is not complete.
    Head,
    /// It asks for nothing.
    Silent,
}

/// The state of a connection, shared by its socket, its answers and whoever waits for it.
#[derive(Debug)]
pub(super) struct Conversation {
    phase: Cell<Phase>,
    /// Whether something was written and not flushed.
    has_unsent: Cell<bool>,
    /// The request that makes a stream of the connection.
    hijack: RefCell<Option<Hijack>>,
}

impl Conversation {
    pub(super) fn new() -> Rc<Conversation> {
        Rc::new(Conversation {
            phase: Cell::new(Phase::Silent(Instant::now())),
            has_unsent: Cell::new(false),
            hijack: RefCell::new(None),
        })
    }

    /// A request has been read.
    pub(super) fn answering(&self) {
        self.phase.set(Phase::Answering);
    }

    /// The connection becomes a stream as soon as it can.
    pub(super) fn hijack(&self, hijack: Hijack) {
        self.hijack.replace(Some(hijack));
    }

    /// The request that makes a stream of the connection, once all that was answered before is sent.
    pub(super) fn take_hijack(&self) -> Option<Hijack> {
        match self.has_unsent.get() {
            true => None,
            false => self.hijack.take(),
        }
    }

    /// Until when the client is waited for, and why no longer.
    pub(super) fn deadline(&self) -> Option<(Instant, Late)> {
        match self.phase.get() {
            Phase::Silent(since) => Some((since + HEAD_LIMIT, Late::Silent)),
            Phase::Head(since) => Some((since + HEAD_LIMIT, Late::Head)),
            Phase::Idle(since) => Some((since + IDLE_LIMIT, Late::Silent)),
            Phase::Answering => None,
        }
    }

    fn received(&self) {
        if let Phase::Silent(_) | Phase::Idle(_) = self.phase.get() {
            self.phase.set(Phase::Head(Instant::now()));
        }
    }

    fn answered(&self) {
        self.phase.set(Phase::Idle(Instant::now()));
    }
}

/// A client's socket.
#[derive(Debug)]
pub(super) struct Wire {
    stream: UnixStream,
    conversation: Rc<Conversation>,
}

impl Wire {
    pub(super) fn new(stream: UnixStream, conversation: &Rc<Conversation>) -> Wire {
        Wire {
            stream,
            conversation: Rc::clone(conversation),
        }
    }

    /// The socket alone.
    pub(super) fn into_stream(self) -> io::Result<std::os::unix::net::UnixStream> {
        self.stream.into_std()
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.conversation.received();
        }
        result
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.conversation.has_unsent.set(true);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.conversation.has_unsent.set(true);
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    /// hyper flushes when it has written all that it has.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.conversation.has_unsent.set(false);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The body of an answer, whose end is that of the request.
#[derive(Debug)]
pub(super) struct Watched {
    body: AnswerBody,
    conversation: Rc<Conversation>,
}

impl Watched {
    pub(super) fn new(body: AnswerBody, conversation: &Rc<Conversation>) -> Watched {
        Watched {
            body,
            conversation: Rc::clone(conversation),
        }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.conversation.answered();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_waited_for_while_it_owes_a_request_and_not_while_it_is_answered() {
        let conversation = Conversation::new();
        let late = || conversation.deadline().map(|(_, late)| late);
        assert_eq!(late(), Some(Late::Silent));
        conversation.received();
        assert_eq!(late(), Some(Late::Head));
        let first = conversation.deadline();
        // Further bytes of it give no further time.
        conversation.received();
        assert_eq!(conversation.deadline(), first);
        conversation.answering();
        conversation.received();
        assert_eq!(late(), None);
        drop(Watched::new(AnswerBody::Whole(Bytes::new()), &conversation));
        assert_eq!(late(), Some(Late::Silent));
        let (idle, _) = conversation.deadline().expect("a deadline");
        assert!(idle > Instant::now() + HEAD_LIMIT);
        conversation.received();
        assert_eq!(late(), Some(Late::Head));
    }
}
