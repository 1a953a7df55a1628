//! Splits the framed stream of a container without a terminal into standard output and standard error.
//!
//! A frame is 8 bytes of header (the stream's number, three zero bytes, the length as a big-endian `u32`) and its
//! payload; see `POST /containers/{id}/attach` in the Engine API. The length is a claim of the other side: payloads are
//! handed out in pieces as they come, so that neither memory nor delay depends on it.

use std::io::{self, Read};

use crate::error::{Error, ErrorKind};

const BUFFER: usize = 64 << 10;
/// What is enough for a container that prints little: memory that is never touched costs nothing, but all of a buffer is.
const FIRST_BUFFER: usize = 4 << 10;
/// An engine's error message beyond this is cut off.
const LONGEST_MESSAGE: usize = 64 << 10;
const HEADER: usize = 8;
const WHAT: &str = "attached stream";

/// Which of a container's streams a piece of output belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes a stream of frames apart. It buffers, so `reader` needs no buffer of its own.
///
/// ```
/// use engine_client::{Demultiplexer, Stream};
/// let wire = b"\x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\x02no";
/// let mut frames = Demultiplexer::new(&wire[..]);
/// let mut payload = Vec::new();
/// assert_eq!(frames.next_frame(&mut payload)?, Some(Stream::Stdout));
/// assert_eq!(payload, b"hi");
/// # Ok::<(), engine_client::Error>(())
/// ```
#[derive(Debug)]
pub struct Demultiplexer<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What is in the buffer: `start..end`.
    start: usize,
    end: usize,
    stream: Stream,
    /// How much of the current frame's payload is still to come.
    left: usize,
}

impl<R: Read> Demultiplexer<R> {
    /// Takes the frames that `reader` yields apart.
    pub fn new(reader: R) -> Demultiplexer<R> {
        Demultiplexer {
            reader,
            buffer: vec![0; FIRST_BUFFER],
            start: 0,
            end: 0,
            stream: Stream::Stdout,
            left: 0,
        }
    }

    /// Puts the next piece of output, never more than 64 KiB, in place of what is in `payload`, and says whose it is.
    /// It blocks until there is some. A frame may come in several pieces, but no piece is empty and none spans two
    /// frames.
    ///
    /// `None` is the end: of the stream, or of one that was cut off inside a frame, whose beginning came before.
    ///
    /// # Errors
    /// [`Stream`](ErrorKind::Stream) if the engine sends an error in the stream,
    /// [`Protocol`](ErrorKind::Protocol) if a header names a stream that there is not, and
    /// [`Closed`](ErrorKind::Closed) if reading fails. After an error the state is that of an unknown place in the
    /// stream: do not read on.
    pub fn next_frame(&mut self, payload: &mut Vec<u8>) -> Result<Option<Stream>, Error> {
        payload.clear();
        while self.left == 0 {
            let Some((number, length)) = self.header()? else {
                return Ok(None);
            };
            self.stream = match number {
                // Standard input's number is used by some engines for the output.
                0 | 1 => Stream::Stdout,
                2 => Stream::Stderr,
                3 => return Err(self.engine_error(length)?),
                _ => {
                    return Err(Error::new(
                        ErrorKind::Protocol,
                        format!("unrecognized stream: {number}"),
                    ));
                }
            };
            self.left = length;
        }
        if self.start == self.end && self.fill()? == 0 {
            return Ok(None);
        }
        let piece = self.left.min(self.end - self.start);
        payload.extend_from_slice(&self.buffer[self.start..self.start + piece]);
        self.start += piece;
        self.left -= piece;
        Ok(Some(self.stream))
    }

    /// The number and the length of the next header; `None` if the stream ends before its last byte.
    fn header(&mut self) -> Result<Option<(u8, usize)>, Error> {
        while self.end - self.start < HEADER {
            if self.fill()? == 0 {
                return Ok(None);
            }
        }
        let bytes = &self.buffer[self.start..];
        let number = bytes[0];
        let length = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
        self.start += HEADER;
        Ok(Some((number, length)))
    }

    /// The error that a frame of the engine's own holds.
    fn engine_error(&mut self, length: usize) -> Result<Error, Error> {
        let mut message = Vec::new();
        let wanted = length.min(LONGEST_MESSAGE);
        while message.len() < wanted && (self.start < self.end || self.fill()? > 0) {
            let piece = (wanted - message.len()).min(self.end - self.start);
            message.extend_from_slice(&self.buffer[self.start..self.start + piece]);
            self.start += piece;
        }
        let message = String::from_utf8_lossy(&message);
        Ok(Error::stream(format!(
            "error from daemon in stream: {}",
            message.trim()
        )))
    }

    /// Reads what there is behind what is in the buffer.
    fn fill(&mut self) -> Result<usize, Error> {
        if self.end == self.buffer.len() {
            // There is more than fits.
            self.buffer.resize(BUFFER, 0);
        }
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            // Less than a header is left when there is no room behind it.
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from_read(error, WHAT)),
            }
        }
    }
}
