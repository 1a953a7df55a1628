//! Connections that become streams: they go to the container's monitor as descriptors, and nobody here looks on.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::answer::Answer;
use super::call::Call;
use super::version::ApiVersion;
use crate::monitor::Connection;
use crate::monitor::protocol::Request;
use crate::{Error, Result};

/// The version from which on the type of a stream tells whether it has frames.
const TYPED_STREAMS: ApiVersion = ApiVersion::new(1, 42);

/// The type of a stream without frames, and of any stream to clients of old versions.
const RAW_STREAM: &str = "application/vnd.docker.raw-stream";

/// The type of a stream with frames.
const MULTIPLEXED_STREAM: &str = "application/vnd.docker.multiplexed-stream";

/// The type of what a container writes.
pub(super) fn content_type(version: ApiVersion, tty: bool) -> &'static str {
    match !tty && version >= TYPED_STREAMS {
        true => MULTIPLEXED_STREAM,
        false => RAW_STREAM,
    }
}

/// Hands the client's connection to a monitor that expects it.
///
/// A client that did not offer to leave HTTP gets what the container writes as the body of an answer.
pub(super) fn hand_over(call: &Call<'_>, monitor: Connection, tty: bool) -> Result<Answer> {
    let content_type = content_type(call.version, tty);
    if call.wants_upgrade() {
        return Ok(Answer::upgrade(content_type, move |stream, early| {
            let label = "hand a connection to a container's monitor";
            if let Err(error) = send(monitor, &stream, &early) {
                log::warn!("{label}: {error}");
            }
        }));
    }
    let (ours, theirs) =
        UnixStream::pair().map_err(|error| Error::io("make a pair of sockets", error))?;
    send(monitor, &theirs, &[])?;
    Answer::stream(content_type, move |writer| {
        if let Err(error) = copy(ours, writer) {
            log::debug!("a client left its stream: {error}");
        }
    })
}

fn send(mut monitor: Connection, stream: &UnixStream, early: &[u8]) -> Result<()> {
    let request = Request::Stream {
        early: STANDARD.encode(early),
    };
    monitor.send(&request, Some(stream.as_fd()))
}

fn copy(mut from: UnixStream, mut to: impl Write) -> io::Result<()> {
    // There is no input, and no more will come.
    from.shutdown(std::net::Shutdown::Write)?;
    let mut buffer = vec![0; 32 << 10];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => to.write_all(&buffer[..count])?,
        }
    }
}
