//! The content of a blob, read to its end although connections break.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use super::http::{Answer, Failure};
use super::{Registry, manifest};
use crate::error::os_text;
use crate::{Error, Result};

/// How often a blob is asked for again without getting further in between.
const MOST_FAILURES: u32 = 5;
/// What counts as getting further: who gives a byte a time does not.
const FURTHER: u64 = 64 << 10;
/// How much longer each try waits than the last. The first follows at once.
const PAUSE: Duration = Duration::from_secs(2);

/// A reader of a blob's content. Its errors have an [`Error`] inside.
pub(in crate::image) struct BlobReader<'a> {
    registry: &'a Registry,
    blob: &'a manifest::Blob,
    /// Told before each pause how long it is.
    pausing: &'a dyn Fn(Duration),
    answer: Option<Answer>,
    offset: u64,
    failures: u32,
    /// Where the last failure was.
    failed_at: u64,
}

/// Why a try to read failed.
enum Trouble {
    /// It may go better the next time.
    Passing(Error),
    Lasting(Error),
}

impl<'a> BlobReader<'a> {
    /// A reader from the beginning. Nothing is asked before the first byte is wanted.
    pub(in crate::image) fn new(
        registry: &'a Registry,
        blob: &'a manifest::Blob,
        pausing: &'a dyn Fn(Duration),
    ) -> BlobReader<'a> {
        BlobReader {
            registry,
            blob,
            pausing,
            answer: None,
            offset: 0,
            failures: 0,
            failed_at: 0,
        }
    }

    fn try_read(&mut self, buffer: &mut [u8]) -> std::result::Result<usize, Trouble> {
        let answer = match &mut self.answer {
            Some(answer) => answer,
            None => {
                let answer = self.open()?;
                self.answer.insert(answer)
            }
        };
        let what = match answer.read(buffer) {
            Ok(0) if self.offset < self.blob.size => "unexpected EOF".to_owned(),
            Ok(count) => {
                self.offset += count as u64;
                return Ok(count);
            }
            Err(error) => os_text(&error),
        };
        Err(Trouble::Passing(Error::system(format!(
            "Get \"{}\": {what}",
            answer.address()
        ))))
    }

    /// Asks for what is missing.
    fn open(&self) -> std::result::Result<Answer, Trouble> {
        let range = format!("bytes={}-", self.offset);
        let headers = [("Range", range.as_str())];
        let headers = if self.offset > 0 { &headers[..] } else { &[] };
        let path = format!("/blobs/{}", self.blob.digest);
        let mut answer =
            self.registry
                .try_ask(&path, headers)
                .map_err(|failure| match failure {
                    Failure::Connection(error) | Failure::Disconnected(error) => {
                        Trouble::Passing(error)
                    }
                    Failure::NotHttp(error) | Failure::Other(error) => Trouble::Lasting(error),
                })?;
        match answer.status {
            206 if self.offset > 0 => {
                let range = answer.header("Content-Range").unwrap_or_default();
                if range.starts_with(&format!("bytes {}-", self.offset)) {
                    return Ok(answer);
                }
                Err(Trouble::Lasting(Error::system(format!(
                    "Get \"{}\": asked for {:?}, got {range:?}",
                    answer.address(),
                    headers[0].1
                ))))
            }
            // Some servers know nothing of ranges. What is there already is read once more.
            200 => {
                let mut known = (&mut answer).take(self.offset);
                match io::copy(&mut known, &mut io::sink()) {
                    Ok(count) if count == self.offset => Ok(answer),
                    _ => Err(Trouble::Passing(Error::system(format!(
                        "Get \"{}\": unexpected EOF",
                        answer.address()
                    )))),
                }
            }
            429 | 500.. => Err(Trouble::Passing(self.registry.refused(answer))),
            _ => Err(Trouble::Lasting(self.registry.refused(answer))),
        }
    }

    /// Waits before the next try, if there is to be one.
    fn pause(&mut self, error: Error) -> Result<()> {
        self.answer = None;
        self.registry.check_cancelled()?;
        if self.offset >= self.failed_at + FURTHER {
            self.failures = 0;
        }
        self.failed_at = self.offset;
        self.failures += 1;
        if self.failures > MOST_FAILURES {
            return Err(error);
        }
        log::debug!(target: "engine::image", "{error}; going on at byte {}", self.offset);
        let pause = PAUSE * (self.failures - 1);
        if !pause.is_zero() {
            (self.pausing)(pause);
        }
        let end = Instant::now() + pause;
        while Instant::now() < end {
            self.registry.check_cancelled()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Read for BlobReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.try_read(buffer) {
                Ok(count) => return Ok(count),
                Err(Trouble::Passing(error)) => self.pause(error).map_err(io::Error::other)?,
                Err(Trouble::Lasting(error)) => return Err(io::Error::other(error)),
            }
        }
    }
}
