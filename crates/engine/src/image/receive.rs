//! A layer on its way into its directory: read and hashed, decompressed and hashed, unpacked, each by a thread.

use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::thread;

use sha2::{Digest as _, Sha256};

use super::decompress::Decompressed;
use super::digest::Digest;
use super::pipe::{Closed, Input, Output, pipe};
use super::unpack::{self, Unpacked, unpack};
use crate::{Error, ErrorKind, Result};

/// What a layer has to be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expected<'a> {
    /// Digest and size of what is read.
    pub(super) blob: Option<(&'a Digest, u64)>,
    /// Digest of the archive in it.
    pub(super) diff_id: Option<&'a Digest>,
}

/// A layer that has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// Digest of the archive.
    pub(super) diff_id: Digest,
    /// What came out of it.
    pub(super) unpacked: Unpacked,
}

/// The reading stage: bytes that are counted, hashed and handed on.
struct Reading<'a, R> {
    source: R,
    hash: Sha256,
    count: u64,
    expected: Expected<'a>,
    progress: &'a dyn Fn(u64) -> Result<()>,
}

/// Unpacks what the reader has into a directory, and says by its digests whether it is what it should be. `progress` is
/// told how many bytes were read, and ends all by an error.
///
/// # Errors
///
/// Those of the reader, of `progress` and of unpacking; [`ErrorKind::InvalidParameter`] if it is another layer than was
/// expected.
pub(super) fn receive(
    source: impl Read,
    directory: BorrowedFd<'_>,
    expected: Expected<'_>,
    options: unpack::Options,
    progress: &dyn Fn(u64) -> Result<()>,
) -> Result<Received> {
    let mut reading = Reading {
        source,
        hash: Sha256::new(),
        count: 0,
        expected,
        progress,
    };
    thread::scope(|scope| {
        let (compressed, to_decompress) = pipe();
        let (plain, to_unpack) = pipe();
        // Files have names and headers beside their content, which for many small ones is most of an archive.
        let longest = options
            .largest
            .saturating_add(options.most.saturating_mul(4096));
        let unpacking = thread::Builder::new()
            .name("unpack".to_owned())
            .spawn_scoped(scope, move || unpack(to_unpack, directory, options))
            .map_err(|error| Error::io("start a thread", error))?;
        let decompressing = thread::Builder::new()
            .name("decompress".to_owned())
            .spawn_scoped(scope, move || decompress(to_decompress, plain, longest))
            .map_err(|error| Error::io("start a thread", error))?;
        let read = reading.hand_on(compressed);
        let decompressed = decompressing.join().map_err(|_| panicked())?;
        let unpacked = unpacking.join().map_err(|_| panicked())?;
        let is_all_read = read?;
        // A stage that stopped has a cause, and the last one is asked first: those before it stopped because of it.
        let arrived = match (decompressed, unpacked) {
            (Ok(diff_id), Ok(unpacked)) => Ok(Received { diff_id, unpacked }),
            (Err(Stop::Because(error)), _) | (Err(Stop::Closed) | Ok(_), Err(error)) => Err(error),
            (Err(Stop::Closed), Ok(_)) => Err(panicked()),
        };
        // Of what cannot be unpacked, all is read all the same: it may not be what the registry should have sent.
        let is_spoilt =
            matches!(&arrived, Err(error) if error.kind() == ErrorKind::InvalidParameter);
        if !is_all_read && is_spoilt && expected.blob.is_some() {
            reading.drain()?;
        }
        if is_all_read || is_spoilt {
            reading.check()?;
        }
        let arrived = arrived.map_err(|error| {
            let text = format!("failed to register layer: {error}");
            Error::new(error.kind(), text).with_source(error)
        })?;
        match expected.diff_id {
            Some(diff_id) if *diff_id != arrived.diff_id => Err(Error::invalid(
                "layers from manifest don't match image configuration",
            )),
            _ => Ok(arrived),
        }
    })
}

impl<R: Read> Reading<'_, R> {
    /// Reads all, and says whether the next stage took it.
    fn hand_on(&mut self, next: Input) -> Result<bool> {
        loop {
            let bytes = next.fill(&mut self.source).map_err(unpack::failure)?;
            if bytes.is_empty() {
                return Ok(next.end().is_ok());
            }
            self.count(&bytes)?;
            if next.send(bytes).is_err() {
                return Ok(false);
            }
        }
    }

    fn drain(&mut self) -> Result<()> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            match self.source.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.count(&buffer[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(unpack::failure(error)),
            }
        }
    }

    fn count(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.count += bytes.len() as u64;
        match self.expected.blob {
            Some((digest, size)) if self.count > size => Err(Error::invalid(format!(
                "filesystem layer verification failed for digest {digest}: it is larger than the {size} bytes that its \
                 manifest says"
            ))),
            _ => (self.progress)(self.count),
        }
    }

    fn check(&self) -> Result<()> {
        let Some((digest, size)) = self.expected.blob else {
            return Ok(());
        };
        if self.count != size {
            return Err(Error::invalid(format!(
                "filesystem layer verification failed for digest {digest}: it has {} bytes and not the {size} that its \
                 manifest says",
                self.count
            )));
        }
        if Digest::from_hash(self.hash.clone().finalize().as_ref()) != *digest {
            return Err(Error::invalid(format!(
                "filesystem layer verification failed for digest {digest}"
            )));
        }
        Ok(())
    }
}

/// Why a stage stopped.
enum Stop {
    Because(Error),
    /// The next one did.
    Closed,
}

impl From<Closed> for Stop {
    fn from(_: Closed) -> Stop {
        Stop::Closed
    }
}

fn decompress(source: Output, next: Input, longest: u64) -> std::result::Result<Digest, Stop> {
    let mut source = Decompressed::new(source).map_err(Stop::Because)?;
    let mut hash = Sha256::new();
    let mut count = 0u64;
    loop {
        let bytes = next.fill(&mut source).map_err(|error| {
            Stop::Because(match error.kind() {
                io::ErrorKind::ConnectionAborted => unpack::failure(error),
                _ => Error::invalid(format!("decompress the layer: {error}")).with_source(error),
            })
        })?;
        if bytes.is_empty() {
            next.end()?;
            return Ok(Digest::from_hash(hash.finalize().as_ref()));
        }
        hash.update(&bytes);
        count += bytes.len() as u64;
        if count > longest {
            return Err(Stop::Because(Error::invalid(format!(
                "the layer has more than {longest} bytes when decompressed"
            ))));
        }
        next.send(bytes)?;
    }
}

fn panicked() -> Error {
    Error::system("a thread that unpacked the layer stopped")
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;
    use std::os::fd::AsFd;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const OPTIONS: unpack::Options = unpack::Options {
        rights: unpack::Rights::Own,
        largest: 10 << 20,
        most: 100,
    };

    fn archive(content: &[u8]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, "file", content)
            .expect("memory");
        builder.into_inner().expect("memory")
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).expect("memory");
        encoder.finish().expect("memory")
    }

    fn try_receive(source: impl Read, expected: Expected<'_>) -> Result<(Received, Vec<u8>)> {
        let directory = tempfile::tempdir().expect("a directory");
        let opened = File::open(directory.path()).expect("a directory");
        let received = receive(source, opened.as_fd(), expected, OPTIONS, &|_| Ok(()))?;
        let file = fs::read(directory.path().join("file")).expect("the file");
        Ok((received, file))
    }

    #[test]
    fn a_layer_is_what_its_digests_say() {
        let content = vec![7; 5 << 20];
        let archive = archive(&content);
        let (diff_id, blob) = (Digest::of(&archive), gzip(&archive));
        let (digest, size) = (Digest::of(&blob), blob.len() as u64);
        let expected = Expected {
            blob: Some((&digest, size)),
            diff_id: Some(&diff_id),
        };
        let (received, file) = try_receive(blob.as_slice(), expected).expect("a layer");
        assert!(file == content);
        assert_eq!(received.diff_id, diff_id);
        assert_eq!(received.unpacked.size, 5 << 20);

        let other = Digest::of(b"other");
        for (blob_digest, size, diff_id, text) in [
            (
                &other,
                size,
                &diff_id,
                "verification failed for digest sha256:d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa",
            ),
            (&digest, size + 1, &diff_id, "and not the"),
            (&digest, size - 1, &diff_id, "it is larger than"),
            (
                &digest,
                size,
                &other,
                "layers from manifest don't match image configuration",
            ),
        ] {
            let expected = Expected {
                blob: Some((blob_digest, size)),
                diff_id: Some(diff_id),
            };
            let error = try_receive(blob.as_slice(), expected).expect_err(text);
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn rubbish_is_called_what_it_is() {
        let archive = archive(&vec![7; 5 << 20]);
        let mut changed = gzip(&archive);
        let middle = changed.len() / 2;
        changed[middle] ^= 0xff;
        // A registry that sent what its manifest says has a broken layer; one that did not has lied.
        let (right, wrong) = (Digest::of(&changed), Digest::of(b"x"));
        let size = changed.len() as u64;
        let of = |digest| Expected {
            blob: Some((digest, size)),
            diff_id: None,
        };
        let error = try_receive(changed.as_slice(), of(&right)).expect_err("it is broken");
        assert!(
            error
                .to_string()
                .starts_with("failed to register layer: decompress"),
            "{error}"
        );
        let error = try_receive(changed.as_slice(), of(&wrong)).expect_err("it is another");
        assert!(
            error
                .to_string()
                .starts_with("filesystem layer verification failed"),
            "{error}"
        );
    }

    #[test]
    fn a_bomb_is_cut_off() {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};
        let zeros = vec![0; 20 << 20];
        let zstd = compress_to_vec(zeros.as_slice(), CompressionLevel::Fastest);
        for bomb in [gzip(&zeros), zstd] {
            let error = try_receive(bomb.as_slice(), Expected::default()).expect_err("too large");
            assert!(error.to_string().contains("when decompressed"), "{error}");
        }
        let error = try_receive(
            gzip(&archive(&vec![0; 11 << 20])).as_slice(),
            Expected::default(),
        )
        .expect_err("too large");
        assert!(
            error.to_string().contains("more than 10485760 bytes"),
            "{error}"
        );
    }

    #[test]
    fn errors_of_the_source_and_of_who_waits_come_through() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other(Error::not_found("the registry says no")))
            }
        }
        let archive = archive(b"x");
        let source = archive.as_slice().take(700).chain(Broken);
        let error = try_receive(source, Expected::default()).expect_err("broken");
        assert_eq!(
            (error.status(), error.to_string().as_str()),
            (404, "the registry says no")
        );

        let directory = tempfile::tempdir().expect("a directory");
        let opened = File::open(directory.path()).expect("a directory");
        let stop = |_| Err(Error::system("enough"));
        let error = receive(
            archive.as_slice(),
            opened.as_fd(),
            Expected::default(),
            OPTIONS,
            &stop,
        )
        .expect_err("stopped");
        assert_eq!(error.to_string(), "enough");
    }
}
