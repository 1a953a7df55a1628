//! Bytes from one thread to another, in few buffers that go round.
//!
//! A stage that ends without saying that all is there, for it failed, fails the next one: half a layer is none.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

/// How large a buffer is.
const SIZE: usize = 64 << 10;
/// How many buffers wait at most for whoever reads.
const WAITING: usize = 6;

/// The end that is written to.
pub(crate) struct Input {
    pieces: SyncSender<Piece>,
    spare: Receiver<Vec<u8>>,
}

/// The end that is read from. An end of the bytes that nobody announced is an error.
pub(crate) struct Output {
    pieces: Receiver<Piece>,
    spare: Sender<Vec<u8>>,
    present: Vec<u8>,
    used: usize,
    ended: bool,
}

enum Piece {
    Bytes(Vec<u8>),
    End,
}

/// Nobody reads any more.
#[derive(Debug)]
pub(crate) struct Closed;

/// Makes both ends.
pub(crate) fn pipe() -> (Input, Output) {
    let (pieces, to) = sync_channel(WAITING);
    let (back, spare) = channel();
    let output = Output {
        pieces: to,
        spare: back,
        present: Vec::new(),
        used: 0,
        ended: false,
    };
    (Input { pieces, spare }, output)
}

impl Input {
    /// Fills a buffer from a reader as far as that goes, and returns it; it is empty at the reader's end.
    pub(crate) fn fill(&self, reader: &mut impl Read) -> io::Result<Vec<u8>> {
        let mut buffer = self.spare.try_recv().unwrap_or_default();
        buffer.resize(SIZE, 0);
        let mut filled = 0;
        while filled < SIZE {
            match reader.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        buffer.truncate(filled);
        Ok(buffer)
    }

    /// Hands a buffer on, once there is room.
    pub(crate) fn send(&self, buffer: Vec<u8>) -> Result<(), Closed> {
        self.pieces.send(Piece::Bytes(buffer)).map_err(|_| Closed)
    }

    /// Says that all is there.
    pub(crate) fn end(self) -> Result<(), Closed> {
        self.pieces.send(Piece::End).map_err(|_| Closed)
    }
}

impl BufRead for Output {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.used == self.present.len() && !self.ended {
            let used = std::mem::take(&mut self.present);
            // Whoever wrote may be done; then nobody needs it.
            let _ = self.spare.send(used);
            self.used = 0;
            match self.pieces.recv() {
                Ok(Piece::Bytes(bytes)) => self.present = bytes,
                Ok(Piece::End) => self.ended = true,
                Err(_) => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        Ok(&self.present[self.used..])
    }

    fn consume(&mut self, count: usize) {
        self.used += count;
    }
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_arrive_in_order() {
        let content: Vec<u8> = (0..10 * SIZE as u32 + 17)
            .map(|n| (n % 251) as u8)
            .collect();
        let (input, mut output) = pipe();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut reader = content.as_slice();
                loop {
                    let buffer = input.fill(&mut reader).expect("memory is read");
                    if buffer.is_empty() {
                        break;
                    }
                    input.send(buffer).expect("somebody reads");
                }
                input.end().expect("somebody reads");
            });
            let mut arrived = Vec::new();
            output.read_to_end(&mut arrived).expect("all of it");
            assert!(arrived == content);
            assert_eq!(output.read(&mut [0]).expect("the end stays"), 0);
        });
    }

    #[test]
    fn an_end_that_nobody_announced_is_an_error() {
        let (input, mut output) = pipe();
        input.send(b"half".to_vec()).expect("there is room");
        drop(input);
        let mut arrived = Vec::new();
        let error = output.read_to_end(&mut arrived).expect_err("cut off");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted);
        assert_eq!(arrived, b"half");
    }

    #[test]
    fn a_reader_that_left_is_noticed() {
        let (input, output) = pipe();
        drop(output);
        assert!(input.send(vec![1]).is_err());
        assert!(input.end().is_err());
    }
}
