//! Connections that become streams: they go to the container's monitor as descriptors, and nobody here looks on.
//!
//! All that a client sends behind the head of such a request is the stream, whether it sent `Upgrade` or not: to go on
//! with HTTP would make requests of what somebody types.

use std::fmt;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::Response;
use hyper::body::{Body, Bytes, Incoming};

use super::answer::{Answer, Continuation};
use super::body::AnswerBody;
use super::call::Call;
use super::head;
use super::version::ApiVersion;
use crate::monitor::Connection;
use crate::monitor::protocol::Request;
use crate::{Result, socket};

/// The version from which on the type of a stream tells whether it has frames.
const TYPED_STREAMS: ApiVersion = ApiVersion::new(1, 42);

/// The type of a stream without frames, and of any stream to clients of old versions.
const RAW_STREAM: &str = "application/vnd.docker.raw-stream";

/// The type of a stream with frames.
const MULTIPLEXED_STREAM: &str = "application/vnd.docker.multiplexed-stream";

/// How long a client may take to read the head of an answer before output follows it.
const HEAD_READ: Duration = Duration::from_millis(5);

/// How long the head of an answer may take to be sent.
const HEAD_SENT: Duration = Duration::from_secs(10);

/// The type of what a container writes.
pub(super) fn content_type(version: ApiVersion, tty: bool) -> &'static str {
    match !tty && version >= TYPED_STREAMS {
        true => MULTIPLEXED_STREAM,
        false => RAW_STREAM,
    }
}

/// Hands the client's connection to a monitor that expects it. One that did not ask to leave HTTP does so all the same, as
/// Docker has it.
pub(super) fn hand_over(call: &Call<'_>, monitor: Connection, tty: bool) -> Result<Answer> {
    let keeps_what_follows = call.keeps_what_follows();
    let then = move |stream: UnixStream, early: Vec<u8>| {
        // docker-py drops what it reads together with the head.
        if !keeps_what_follows {
            socket::wait_until_read(&stream, HEAD_READ);
        }
        if let Err(error) = send(monitor, &stream, &early) {
            log::warn!("hand a connection to a container's monitor: {error}");
        }
    };
    Ok(match call.wants_upgrade() {
        true => Answer::upgrade(content_type(call.version, tty), then),
        false => Answer::raw_stream(RAW_STREAM, then),
    })
}

fn send(mut monitor: Connection, stream: &UnixStream, early: &[u8]) -> Result<()> {
    let request = Request::Stream {
        early: STANDARD.encode(early),
    };
    monitor.send(&request, Some(stream.as_fd()))
}

/// A request whose connection becomes a stream.
pub(super) struct Hijack {
    head: Vec<u8>,
    body: Incoming,
    early: Vec<u8>,
    then: Continuation,
}

impl fmt::Debug for Hijack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hijack").finish_non_exhaustive()
    }
}

impl Hijack {
    /// The request with that body, of which anything may be unread, was answered so.
    pub(super) fn new(answer: Response<AnswerBody>, body: Incoming, then: Continuation) -> Hijack {
        let (head, _) = answer.into_parts();
        Hijack {
            head: head::text(&head),
            body,
            early: Vec::new(),
            then,
        }
    }

    /// Takes what hyper has read of a body that the client declared: it belongs to the stream like all that follows.
    pub(super) fn read_body(&mut self, context: &mut Context<'_>) {
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut self.body).poll_frame(context) {
            if let Ok(data) = frame.into_data() {
                self.early.extend_from_slice(&data);
            }
        }
    }

    /// Answers the request and hands the stream on, with what was read of it already.
    ///
    /// # Errors
    ///
    /// Those of a client that does not read.
    pub(super) fn take_over(self, mut stream: UnixStream, read: &Bytes) -> std::io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(HEAD_SENT))?;
        stream.write_all(&self.head)?;
        stream.set_write_timeout(None)?;
        let mut early = self.early;
        early.extend_from_slice(read);
        (self.then)(stream, early);
        Ok(())
    }
}
