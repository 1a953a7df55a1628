//! The bodies of answers: nothing, bytes, or what another thread makes while it is sent.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

/// How many pieces wait at most for a client that reads slowly.
const WAITING: usize = 8;

/// The body of an answer.
pub(crate) enum AnswerBody {
    /// All of it. Empty once it was sent.
    Whole(Bytes),
    /// What comes through a channel, until that is closed.
    Stream(mpsc::Receiver<Bytes>),
    /// What there will be once something has happened.
    Later(Pin<Box<dyn Future<Output = Bytes>>>),
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswerBody::Whole(bytes) => f.debug_tuple("Whole").field(bytes).finish(),
            AnswerBody::Stream(_) => f.write_str("Stream"),
            AnswerBody::Later(_) => f.write_str("Later"),
        }
    }
}

impl AnswerBody {
    /// A body that is sent while it is made, and the other end of it.
    pub(crate) fn stream() -> (BodyWriter, AnswerBody) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (BodyWriter { sender }, AnswerBody::Stream(receiver))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, Infallible>>> {
        let body = self.get_mut();
        let piece = match body {
            AnswerBody::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready(Some(bytes).filter(|bytes| !bytes.is_empty()))
            }
            AnswerBody::Stream(receiver) => receiver.poll_recv(context),
            AnswerBody::Later(future) => {
                let bytes = future.as_mut().poll(context);
                if bytes.is_ready() {
                    *body = AnswerBody::Whole(Bytes::new());
                }
                bytes.map(Some)
            }
        };
        piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, AnswerBody::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            AnswerBody::Stream(_) | AnswerBody::Later(_) => SizeHint::default(),
        }
    }
}

/// Writes the body of an answer, from any thread but the connection's own. Each write is sent at once; it fails with
/// [`io::ErrorKind::BrokenPipe`] when the client is gone. Dropping it ends the body.
#[derive(Clone, Debug)]
pub(crate) struct BodyWriter {
    sender: mpsc::Sender<Bytes>,
}

impl io::Write for BodyWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if !data.is_empty() {
            self.sender
                .blocking_send(Bytes::copy_from_slice(data))
                .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BodyWriter {
    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}
