//! Decompression of layers: gzip and zstd, told apart by how they begin, for what a manifest says is not to be relied on.
//!
//! Both decoders are written in Rust. They take several members or frames, one after the other, as the formats for
//! lazily fetched images have them.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, DEFAULT_MAX_WINDOW_SIZE, FrameDecoder};

use crate::{Error, Result};

/// A reader of what is in a compressed stream, or of the stream itself if it is not compressed.
pub(super) enum Decompressed<R: BufRead> {
    Plain(R),
    Gzip(Box<MultiGzDecoder<R>>),
    Zstd(Box<Frames<R>>),
}

/// Zstandard frames, one after the other.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    within: bool,
}

impl<R: BufRead> Decompressed<R> {
    /// Looks at how the stream begins.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for other compressions that Docker knows.
    pub(super) fn new(mut source: R) -> Result<Decompressed<R>> {
        let start = source
            .fill_buf()
            .map_err(|error| Error::io("read the layer", error))?;
        let other = if start.starts_with(&[0x1f, 0x8b, 8]) {
            return Ok(Decompressed::Gzip(Box::new(MultiGzDecoder::new(source))));
        } else if is_frame(start) {
            return Ok(Decompressed::Zstd(Box::new(Frames {
                source,
                decoder: FrameDecoder::new(),
                within: false,
            })));
        } else if start.starts_with(b"BZh") {
            "bzip2"
        } else if start.starts_with(b"\xfd7zXZ\0") {
            "xz"
        } else {
            return Ok(Decompressed::Plain(source));
        };
        Err(Error::not_implemented(format!(
            "the embedded engine does not decompress {other}, only gzip and zstd"
        )))
    }
}

impl<R: BufRead> Read for Decompressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Decompressed::Plain(source) => source.read(buffer),
            Decompressed::Gzip(decoder) => decoder.read(buffer),
            Decompressed::Zstd(frames) => frames.read(buffer),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.within && !self.next_frame()? {
                return Ok(0);
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.within = false;
                let (said, found) = (
                    self.decoder.get_checksum_from_data(),
                    self.decoder.get_calculated_checksum(),
                );
                if said.is_some() && said != found {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "a Zstandard frame has a wrong checksum",
                    ));
                }
                continue;
            }
            self.decoder
                .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(broken)?;
        }
    }
}

impl<R: BufRead> Frames<R> {
    /// Goes to the next frame that holds something; not at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.within = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = (&mut self.source).take(length.into());
                    if io::copy(&mut skipped, &mut io::sink())? != u64::from(length) {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(broken(error)),
            }
        }
    }
}

/// Whether these are the first bytes of a frame, or of one that is to be skipped.
fn is_frame(start: &[u8]) -> bool {
    match start {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [first, 0x2a, 0x4d, 0x18, ..] => first & 0xf0 == 0x50,
        _ => false,
    }
}

fn broken(error: FrameDecoderError) -> io::Error {
    let text = match error {
        FrameDecoderError::WindowSizeTooBig { requested: got, .. }
        | FrameDecoderError::FrameHeaderError(FrameHeaderError::WindowTooBig { got }) => format!(
            "a Zstandard frame wants {got} bytes of memory, and {DEFAULT_MAX_WINDOW_SIZE} are the most"
        ),
        error => error.to_string(),
    };
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    }

    fn zstd(content: &[u8]) -> Vec<u8> {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};
        compress_to_vec(content, CompressionLevel::Fastest)
    }

    fn read(stream: &[u8]) -> io::Result<Vec<u8>> {
        let reader = io::BufReader::with_capacity(100, stream);
        let mut content = Vec::new();
        Decompressed::new(reader)
            .map_err(io::Error::other)?
            .read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let content: Vec<u8> = (0..300_000u32).map(|n| (n / 7 % 256) as u8).collect();
        let (first, second) = content.split_at(70_000);
        let skipped = [&[0x52, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"toc"].concat();
        for (name, stream) in [
            ("plain", content.clone()),
            ("gzip", gzip(&content)),
            ("members", [gzip(first), gzip(second)].concat()),
            ("zstd", zstd(&content)),
            (
                "frames",
                [
                    &skipped[..],
                    &zstd(first),
                    &skipped,
                    &zstd(second),
                    &skipped,
                ]
                .concat(),
            ),
        ] {
            assert!(read(&stream).expect(name) == content, "{name}");
        }
        assert!(read(&[]).expect("nothing").is_empty());
    }

    #[test]
    fn what_is_cut_or_changed_is_noticed() {
        let content: Vec<u8> = (0..300_000u32).map(|n| (n / 7 % 256) as u8).collect();
        for (name, stream) in [("gzip", gzip(&content)), ("zstd", zstd(&content))] {
            for length in [4, 20, stream.len() / 2, stream.len() - 1] {
                assert!(read(&stream[..length]).is_err(), "{name} cut to {length}");
            }
            let mut changed = stream.clone();
            let middle = changed.len() / 2;
            changed[middle] ^= 0x55;
            assert!(read(&changed).is_err(), "{name} changed");
            let followed = [&stream[..], b"rubbish"].concat();
            assert!(
                read(&followed).is_err(),
                "{name} followed by something else"
            );
        }
    }

    #[test]
    fn a_frame_does_not_choose_how_much_memory_it_takes() {
        const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        // Windows of 3.75 TiB and of 256 MiB, and all of the content as one, which has 16 EiB.
        for (head, size) in [
            (&[0x00, 0xff][..], (1_u64 << 41) + 7 * (1 << 38)),
            (&[0x00, 0x90], 1 << 28),
            (&[0xe0, 255, 255, 255, 255, 255, 255, 255, 255], u64::MAX),
        ] {
            let frame = [&MAGIC[..], head, &[0; 100]].concat();
            let error = read(&frame).expect_err("too large").to_string();
            let expected = format!(
                "a Zstandard frame wants {size} bytes of memory, and 134217728 are the most"
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn other_compressions_are_named() {
        for (start, name) in [(&b"BZh91AY"[..], "bzip2"), (b"\xfd7zXZ\0\0", "xz")] {
            let error = Decompressed::new(start).err().expect("it is not done");
            assert_eq!(error.status(), 501);
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
