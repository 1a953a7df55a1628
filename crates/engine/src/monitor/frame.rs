//! The header of a frame: how two streams share a client's connection.
//!
//! Engine API, `POST /containers/{id}/attach`, "Stream format": the stream's number, three zeros and the length of what
//! follows, big-endian.

use super::log::Stream;

/// How long a header is, in bytes.
pub(super) const HEADER: usize = 8;

/// The header of a frame. What is longer than a frame can say is not written at once.
pub(super) fn header(stream: Stream, length: usize) -> [u8; HEADER] {
    let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
    [stream.number(), 0, 0, 0, a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_dockers() {
        assert_eq!(header(Stream::Stdout, 5), [1, 0, 0, 0, 0, 0, 0, 5]);
        assert_eq!(
            header(Stream::Stderr, 0x0102_0304),
            [2, 0, 0, 0, 1, 2, 3, 4]
        );
    }
}
