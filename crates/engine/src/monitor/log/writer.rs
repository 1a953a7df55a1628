//! Writing a log.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::entry::{self, Stream};
use super::{LogOptions, reader};
use crate::state::Moment;
use crate::{Error, Result};

/// The longest piece of a line that is one entry: what is longer is written in several.
const LONGEST_ENTRY: usize = 16 * 1024;

/// A log that is written.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Nothing for a container that keeps none.
    output: Option<Output>,
    /// The beginnings of lines that have not ended yet.
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Whether the last attempt to write failed, which is said once and not with each line.
    is_failing: bool,
}

#[derive(Debug)]
struct Output {
    path: PathBuf,
    file: File,
    size: u64,
    max_size: Option<u64>,
    max_files: u32,
    attributes: String,
}

impl Writer {
    /// Opens the log of the container whose files are in `directory`, to be continued.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the file cannot be opened.
    pub(crate) fn open(directory: &Path, options: &LogOptions) -> Result<Writer> {
        let output = match options {
            LogOptions::None => None,
            LogOptions::JsonFile {
                max_size,
                max_files,
                attributes,
            } => {
                let path = directory.join(reader::NAME);
                let failed =
                    |error: io::Error| Error::io(format_args!("open {}", path.display()), error);
                let file = open(&path).map_err(failed)?;
                let size = file.metadata().map_err(failed)?.len();
                Some(Output {
                    file,
                    size,
                    max_size: *max_size,
                    max_files: *max_files,
                    attributes: attributes.clone(),
                    path,
                })
            }
        };
        Ok(Writer {
            output,
            stdout: Vec::new(),
            stderr: Vec::new(),
            is_failing: false,
        })
    }

    /// Takes what the container wrote. Lines are written when they end; a container goes on if its log cannot, as with a
    /// full disk, and what it wrote meanwhile is missing there.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        let Some(output) = &mut self.output else {
            return;
        };
        let open_line = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let tail = entry::tail(stream, Moment::now(), &output.attributes);
        let mut text = Vec::new();
        let mut result = Ok(());
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let mut rest = piece;
            while open_line.len() + rest.len() >= LONGEST_ENTRY {
                let (head, behind) = rest.split_at(LONGEST_ENTRY - open_line.len());
                open_line.extend_from_slice(head);
                entry::write(open_line, &tail, &mut text);
                open_line.clear();
                rest = behind;
            }
            if rest.ends_with(b"\n") {
                if open_line.is_empty() {
                    entry::write(rest, &tail, &mut text);
                } else {
                    open_line.extend_from_slice(rest);
                    entry::write(open_line, &tail, &mut text);
                    open_line.clear();
                }
            } else {
                open_line.extend_from_slice(rest);
            }
            // A file is as long as it may be, and not as much longer as was written at once.
            if output
                .max_size
                .is_some_and(|max_size| output.size + text.len() as u64 >= max_size)
            {
                result = result.and(output.append(&text));
                text.clear();
            }
        }
        // An idle container's monitor holds no memory that it does not need.
        if open_line.is_empty() {
            *open_line = Vec::new();
        }
        result = result.and(output.append(&text));
        self.complain(result);
    }

    /// Writes the lines that never ended, when nothing follows any more.
    pub(crate) fn finish(&mut self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let open_line = match stream {
                Stream::Stdout => std::mem::take(&mut self.stdout),
                Stream::Stderr => std::mem::take(&mut self.stderr),
            };
            if let (Some(output), false) = (&mut self.output, open_line.is_empty()) {
                let tail = entry::tail(stream, Moment::now(), &output.attributes);
                let mut text = Vec::new();
                entry::write(&open_line, &tail, &mut text);
                let result = output.append(&text);
                self.complain(result);
            }
        }
    }

    fn complain(&mut self, result: io::Result<()>) {
        match result {
            Ok(()) => self.is_failing = false,
            Err(error) => {
                if !self.is_failing {
                    log::error!("the container's log cannot be written: {error}");
                }
                self.is_failing = true;
            }
        }
    }
}

impl Output {
    /// As dockerd, which looks at the size before it writes: a file may be longer by one entry.
    fn append(&mut self, text: &[u8]) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if self.max_size.is_some_and(|max_size| self.size >= max_size) {
            self.rotate()?;
        }
        match self.file.write_all(text) {
            Ok(()) => {
                self.size += text.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Half an entry would hide the next one.
                let _ = self.file.set_len(self.size);
                Err(error)
            }
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        if self.max_files < 2 {
            self.file.set_len(0)?;
        } else {
            for number in (1..self.max_files).rev() {
                let from = reader::numbered(&self.path, number - 1);
                match fs::rename(from, reader::numbered(&self.path, number)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            self.file = open(&self.path)?;
        }
        self.size = 0;
        Ok(())
    }
}

/// Appending, so that a file that was cut is written from its beginning.
fn open(path: &Path) -> io::Result<File> {
    File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Entry, Reader, files};
    use super::*;

    fn options(max_size: Option<u64>, max_files: u32) -> LogOptions {
        LogOptions::JsonFile {
            max_size,
            max_files,
            attributes: String::new(),
        }
    }

    fn entries(directory: &Path) -> Vec<Entry> {
        let mut entries = Vec::new();
        for path in files(directory) {
            let mut reader = Reader::open(&path).expect("a log");
            while let Some(entry) = reader.next().expect("an entry") {
                entries.push(entry);
            }
        }
        entries
    }

    fn texts(directory: &Path) -> Vec<String> {
        entries(directory)
            .into_iter()
            .map(|entry| entry.text)
            .collect()
    }

    #[test]
    fn lines_are_written_when_they_end() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = Writer::open(directory.path(), &options(None, 1)).expect("a log");
        writer.write(Stream::Stdout, b"a\nb");
        writer.write(Stream::Stderr, b"e\n");
        assert_eq!(texts(directory.path()), ["a\n", "e\n"]);
        writer.write(Stream::Stdout, b"c\n\nd");
        assert_eq!(texts(directory.path()), ["a\n", "e\n", "bc\n", "\n"]);
        writer.finish();
        writer.finish();
        assert_eq!(texts(directory.path()), ["a\n", "e\n", "bc\n", "\n", "d"]);
    }

    #[test]
    fn a_log_is_continued() {
        let directory = tempfile::tempdir().expect("a directory");
        for text in ["a\n", "b\n"] {
            let mut writer = Writer::open(directory.path(), &options(None, 1)).expect("a log");
            writer.write(Stream::Stdout, text.as_bytes());
        }
        assert_eq!(texts(directory.path()), ["a\n", "b\n"]);
    }

    #[test]
    fn a_long_line_is_several_entries() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = Writer::open(directory.path(), &options(None, 1)).expect("a log");
        writer.write(Stream::Stdout, &vec![b'x'; 40_000]);
        writer.write(Stream::Stdout, b"y\n");
        let lengths: Vec<usize> = texts(directory.path()).iter().map(String::len).collect();
        assert_eq!(lengths, [16384, 16384, 7234]);
    }

    #[test]
    fn old_files_go() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = Writer::open(directory.path(), &options(Some(100), 3)).expect("a log");
        for number in 0..20 {
            writer.write(Stream::Stdout, format!("{number}\n").as_bytes());
        }
        let found = files(directory.path());
        assert_eq!(found.len(), 3, "{found:?}");
        for path in &found {
            assert!(fs::metadata(path).expect("a file").len() < 200);
        }
        let texts = texts(directory.path());
        assert_eq!(texts.last().map(String::as_str), Some("19\n"));
        assert!((3..=6).contains(&texts.len()), "{texts:?}");
    }

    #[test]
    fn a_single_file_begins_anew() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = Writer::open(directory.path(), &options(Some(100), 1)).expect("a log");
        for number in 0..20 {
            writer.write(Stream::Stdout, format!("{number}\n").as_bytes());
        }
        assert_eq!(files(directory.path()).len(), 1);
        assert!(texts(directory.path()).len() <= 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Whatever is written, in whatever pieces, is what is read, as long as nothing is rotated away.
        #[test]
        fn nothing_is_lost(
            pieces in proptest::collection::vec(("[a-c\n]{0,20}", any::<bool>()), 0..30),
            max_size in proptest::option::of(1_u64..500),
        ) {
            let directory = tempfile::tempdir().expect("a directory");
            let mut writer =
                Writer::open(directory.path(), &options(max_size, 10_000)).expect("a log");
            let mut expected = [String::new(), String::new()];
            for (text, error) in &pieces {
                let stream = if *error { Stream::Stderr } else { Stream::Stdout };
                writer.write(stream, text.as_bytes());
                expected[usize::from(*error)].push_str(text);
            }
            writer.finish();
            let mut found = [String::new(), String::new()];
            for entry in entries(directory.path()) {
                found[usize::from(entry.stream == Stream::Stderr)].push_str(&entry.text);
            }
            prop_assert_eq!(found, expected);
        }
    }
}
