//! Files that a user names, read within bounds: whatever a path leads to, reading it ends.
//!
//! A path may lead to a pipe into which nobody writes, or to a device without an end. Refusing all but regular files would
//! be simpler, and would refuse `--env-file <(command)` and `/dev/stdin`, too.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// No file of settings, certificates, variables or rules has this many bytes.
const LARGEST: u64 = 16 << 20;

/// How long a file that the user has named may take until it is read: what writes into a pipe may have to ask somebody.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The same of a file that is read because it has its usual name.
pub(crate) const SHORT_PATIENCE: Duration = Duration::from_secs(5);

/// The content of a file, of a pipe or of a device, read to its end within this time. A terminal is read without a limit
/// to its time, because the user who types there can also leave.
///
/// # Errors
/// Those of opening and reading; [`io::ErrorKind::FileTooLarge`] if there are more than 16 MiB, and
/// [`io::ErrorKind::TimedOut`] if the time is up before the end.
pub fn read_file(path: impl AsRef<Path>, patience: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + patience;
    // A pipe without a writer would keep open(2) waiting, which has no limit to its time.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let deadline = (!file.is_terminal()).then_some((deadline, patience));
    let mut content = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        wait(&file, deadline)?;
        match file.read(&mut buffer) {
            Ok(0) => return Ok(content),
            Ok(length) if content.len() + length > LARGEST as usize => {
                let text = format!("it is larger than {} MiB", LARGEST >> 20);
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
            }
            Ok(length) => content.extend_from_slice(&buffer[..length]),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits until there is something to read, or its end.
fn wait(file: &File, deadline: Option<(Instant, Duration)>) -> io::Result<()> {
    loop {
        let left = deadline.map(|(at, _)| at.saturating_duration_since(Instant::now()));
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        // A pipe that has had no writer yet is neither readable nor hung up, though a read would see an end.
        match poll(&mut [PollFd::new(file, PollFlags::IN)], timeout.as_ref()) {
            Ok(0) => {
                let patience = deadline.map_or(Duration::ZERO, |(_, patience)| patience);
                let text = format!("it has no end within {patience:?}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::{fs, thread};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    const SHORT: Duration = Duration::from_millis(200);

    fn fifo() -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("fifo");
        mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).expect("a fifo");
        (directory, path)
    }

    #[test]
    fn files_are_read_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        let content = vec![7; 200_000];
        fs::write(&path, &content).expect("a file");
        assert_eq!(read_file(&path, SHORT).expect("its content"), content);
        assert!(read_file("/dev/null", SHORT).expect("nothing").is_empty());
        let error = read_file(directory.path(), SHORT).expect_err("a directory");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
        let error = read_file(directory.path().join("none"), SHORT).expect_err("no file");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_pipe_is_read_to_its_end_whenever_its_writer_comes() {
        let (_directory, path) = fifo();
        let at = path.clone();
        let writing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            let mut pipe = OpenOptions::new().write(true).open(at).expect("a reader");
            for _ in 0..3 {
                pipe.write_all(&[b'x'; 50_000]).expect("it is read");
                thread::sleep(Duration::from_millis(20));
            }
        });
        let content = read_file(&path, PATIENCE).expect("its content");
        writing.join().expect("no panic");
        assert_eq!(content.len(), 150_000);
    }

    #[test]
    fn a_pipe_that_does_not_end_is_left() {
        let (_directory, path) = fifo();
        let error = read_file(&path, SHORT).expect_err("nobody writes");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "it has no end within 200ms");
        // Open for both, so that this does not wait for a reader.
        let mut writer = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .expect("a writer");
        writer.write_all(b"x").expect("there is room");
        let error = read_file(&path, SHORT).expect_err("its writer keeps it open");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_device_without_an_end_is_too_large() {
        let error = read_file("/dev/zero", PATIENCE).expect_err("it has no end");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is larger than 16 MiB");
    }
}
