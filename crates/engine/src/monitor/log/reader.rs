//! Reading a log.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Entry;

/// The name of the newest file.
pub(super) const NAME: &str = "log";

/// The path of the file that was rotated away that often.
pub(super) fn numbered(path: &Path, number: u32) -> PathBuf {
    match number {
        0 => path.to_owned(),
        number => path.with_extension(number.to_string()),
    }
}

/// The files of the log of the container whose files are in `directory`, oldest first.
pub fn files(directory: &Path) -> Vec<PathBuf> {
    let newest = directory.join(NAME);
    let mut files: Vec<PathBuf> = (0..)
        .map(|number| numbered(&newest, number))
        .take_while(|path| path.exists())
        .collect();
    files.reverse();
    files
}

/// One file of a log that is read, while it may still be written.
#[derive(Debug)]
pub struct Reader {
    file: BufReader<File>,
    /// A line of which the end was not there yet.
    line: Vec<u8>,
    position: u64,
}

impl Reader {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Reader> {
        Reader::open_at(path, 0)
    }

    /// Opens a file, to be read from that byte on, at which a line begins.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open_at(path: &Path, position: u64) -> io::Result<Reader> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(position))?;
        Ok(Reader {
            file: BufReader::new(file),
            line: Vec::new(),
            position,
        })
    }

    /// The next entry; nothing at the end of what is written so far, after which there may be another later. A line that
    /// is no entry, as a full disk may leave one, is passed over.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "an end is not for good, as an iterator's is"
    )]
    pub fn next(&mut self) -> io::Result<Option<Entry>> {
        loop {
            let read = self.file.read_until(b'\n', &mut self.line)?;
            self.position += read as u64;
            if !self.line.ends_with(b"\n") {
                // A single file that is full is cut and begins anew.
                if read == 0 && self.file.get_ref().metadata()?.len() < self.position {
                    self.file.seek(SeekFrom::Start(0))?;
                    self.position = 0;
                    self.line.clear();
                    continue;
                }
                return Ok(None);
            }
            let entry = serde_json::from_slice(&self.line);
            self.line.clear();
            if let Ok(entry) = entry {
                return Ok(Some(entry));
            }
        }
    }

    /// Whether the file of that path is another one by now: this one was rotated away and grows no more.
    ///
    /// # Errors
    ///
    /// If one of the two cannot be looked at.
    pub fn was_rotated(&self, path: &Path) -> io::Result<bool> {
        let own = self.file.get_ref().metadata()?;
        match std::fs::metadata(path) {
            Ok(other) => Ok((own.dev(), own.ino()) != (other.dev(), other.ino())),
            // Between the two steps of a rotation.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    const ENTRY: &str =
        "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}\n";

    #[test]
    fn a_line_that_is_being_written_is_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join(NAME);
        fs::write(&path, &ENTRY[..10]).expect("written");
        let mut reader = Reader::open(&path).expect("a log");
        assert_eq!(reader.next().expect("read"), None);
        let mut file = File::options().append(true).open(&path).expect("a file");
        file.write_all(&ENTRY.as_bytes()[10..]).expect("written");
        file.write_all(b"no entry\n").expect("written");
        file.write_all(ENTRY.as_bytes()).expect("written");
        for _ in 0..2 {
            let entry = reader.next().expect("read").expect("an entry");
            assert_eq!(entry.text, "a\n");
        }
        assert_eq!(reader.next().expect("read"), None);
        // Cut, and begun anew.
        fs::write(&path, ENTRY).expect("written");
        assert!(reader.next().expect("read").is_some());
        assert!(!reader.was_rotated(&path).expect("an answer"));
        fs::rename(&path, numbered(&path, 1)).expect("renamed");
        assert!(reader.was_rotated(&path).expect("an answer"));
    }
}
