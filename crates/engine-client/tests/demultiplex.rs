//! Frames: the output does not depend on how the stream is cut, and a claimed length is not trusted.

use std::io::{self, Read};

use engine_client::{Demultiplexer, ErrorKind, Stream};
use proptest::prelude::*;

/// Yields the parts one by one, with an interruption before each.
struct Parts {
    parts: Vec<Vec<u8>>,
    interrupted: bool,
}

impl Parts {
    fn new(bytes: &[u8], cuts: &[usize]) -> Parts {
        let mut parts = Vec::new();
        let mut rest = bytes;
        for cut in cuts {
            let (part, behind) = rest.split_at(cut % (rest.len() + 1));
            parts.push(part.to_vec());
            rest = behind;
        }
        parts.push(rest.to_vec());
        parts.retain(|part| !part.is_empty());
        parts.reverse();
        Parts {
            parts,
            interrupted: false,
        }
    }
}

impl Read for Parts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let Some(part) = self.parts.last_mut() else {
            return Ok(0);
        };
        let read = part.as_slice().read(buffer)?;
        part.drain(..read);
        if part.is_empty() {
            self.parts.pop();
        }
        Ok(read)
    }
}

fn frame(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![number, 0, 0, 0];
    frame.extend((payload.len() as u32).to_be_bytes());
    frame.extend(payload);
    frame
}

/// Joins neighbouring pieces of the same stream.
fn join(output: &mut Vec<(Stream, Vec<u8>)>, stream: Stream, piece: &[u8]) {
    match output.last_mut() {
        Some((last, bytes)) if *last == stream => bytes.extend(piece),
        _ if piece.is_empty() => {}
        _ => output.push((stream, piece.to_vec())),
    }
}

fn read(reader: impl Read) -> (Vec<(Stream, Vec<u8>)>, Option<String>) {
    let mut frames = Demultiplexer::new(reader);
    let (mut output, mut payload) = (Vec::new(), Vec::new());
    loop {
        match frames.next_frame(&mut payload) {
            Ok(Some(stream)) => join(&mut output, stream, &payload),
            Ok(None) => return (output, None),
            Err(error) => return (output, Some(error.to_string())),
        }
    }
}

proptest! {
    #[test]
    fn any_cut_is_the_same_output(
        frames in prop::collection::vec((0_u8..3, prop::collection::vec(any::<u8>(), 0..300)), 0..20),
        cuts in prop::collection::vec(0_usize..200, 0..40),
    ) {
        let mut bytes = Vec::new();
        let mut expected = Vec::new();
        for (number, payload) in &frames {
            bytes.extend(frame(*number, payload));
            join(&mut expected, if *number == 2 { Stream::Stderr } else { Stream::Stdout }, payload);
        }
        prop_assert_eq!(read(Parts::new(&bytes, &cuts)), (expected, None));
    }

    #[test]
    fn a_stream_that_is_cut_off_is_its_beginning(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..100), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes: Vec<u8> = payloads.iter().flat_map(|payload| frame(1, payload)).collect();
        let whole: Vec<u8> = payloads.concat();
        let (output, error) = read(&bytes[..cut.index(bytes.len())]);
        prop_assert_eq!(error, None);
        let output = output.into_iter().next().map(|(_, bytes)| bytes).unwrap_or_default();
        prop_assert!(whole.starts_with(&output));
    }

    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        read(&bytes[..]);
    }
}

#[test]
fn large_frames_come_in_bounded_pieces() {
    let payload: Vec<u8> = (0..10 << 20)
        .map(|number: u32| (number % 251) as u8)
        .collect();
    let bytes = frame(2, &payload);
    let mut frames = Demultiplexer::new(&bytes[..]);
    let (mut piece, mut output) = (Vec::new(), Vec::new());
    while let Some(stream) = frames.next_frame(&mut piece).expect("output") {
        assert_eq!(stream, Stream::Stderr);
        assert!(piece.capacity() <= 128 << 10);
        output.extend_from_slice(&piece);
    }
    assert_eq!(output, payload);
}

#[test]
fn a_claim_of_four_gigabytes_allocates_nothing() {
    let mut bytes = frame(1, b"");
    bytes[4..].fill(0xff);
    bytes.extend(b"all there is");
    let mut frames = Demultiplexer::new(&bytes[..]);
    let mut piece = Vec::new();
    assert_eq!(
        frames.next_frame(&mut piece).expect("output"),
        Some(Stream::Stdout)
    );
    assert_eq!(piece, b"all there is");
    assert!(piece.capacity() <= 128 << 10);
    assert_eq!(frames.next_frame(&mut piece).expect("the end"), None);
    assert!(piece.is_empty());
}

#[test]
fn an_engine_error_ends_the_stream() {
    let mut bytes = frame(1, b"out");
    bytes.extend(frame(3, b" the disk is gone\n"));
    bytes.extend(frame(1, b"more"));
    let (output, error) = read(&bytes[..]);
    assert_eq!(output, [(Stream::Stdout, b"out".to_vec())]);
    assert_eq!(
        error.as_deref(),
        Some("error from daemon in stream: the disk is gone")
    );

    // One that is cut off, or whose length is a lie.
    let mut bytes = frame(3, b"the di");
    bytes[4..8].fill(0xff);
    assert_eq!(
        read(&bytes[..]).1.as_deref(),
        Some("error from daemon in stream: the di")
    );
    bytes.resize(1 << 20, b'x');
    assert!(read(&bytes[..]).1.is_some_and(|text| text.len() < 70 << 10));
}

#[test]
fn an_unknown_stream_is_an_error() {
    let mut frames = Demultiplexer::new(&b"raw output"[..]);
    let error = frames.next_frame(&mut Vec::new()).expect_err("no frame");
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert_eq!(error.to_string(), "unrecognized stream: 114");
}

#[test]
fn a_short_header_is_the_end() {
    assert_eq!(read(&b"\x01\0\0"[..]), (vec![], None));
}

#[test]
fn a_read_that_fails_is_a_lost_connection() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(104))
        }
    }
    let error = Demultiplexer::new(Broken)
        .next_frame(&mut Vec::new())
        .expect_err("broken");
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert_eq!(
        error.to_string(),
        "attached stream: connection lost: connection reset by peer"
    );
}
