//! What a container wrote, read from its log.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;

use super::{Container, moment};
use crate::monitor::log::{Entry, LogOptions, Reader, Stream, files};
use crate::state::{Moment, Status, Store};
use crate::{Engine, Error, Result, monitor};

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogsOptions {
    /// What is written from now on, too, until the container ends.
    pub(crate) follow: bool,
    /// Standard output.
    pub(crate) stdout: bool,
    /// Standard error.
    pub(crate) stderr: bool,
    /// Nothing older.
    pub(crate) since: Option<String>,
    /// Nothing younger.
    pub(crate) until: Option<String>,
    /// The moment before each line.
    pub(crate) timestamps: bool,
    /// Labels and variables that the log's options name before each line.
    pub(crate) details: bool,
    /// So many lines from the end; all of them for what is no number.
    pub(crate) tail: Option<String>,
}

/// How long a change of the log may be overlooked at most: a client that left, and a container whose monitor was killed,
/// change no file.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a container's process may be gone before its monitor says so.
const SILENCE: Duration = Duration::from_secs(30);

/// The log of a container, and what of it is wanted.
#[derive(Debug)]
pub(crate) struct Logs {
    engine: Engine,
    id: String,
    directory: PathBuf,
    tty: bool,
    follow: bool,
    tail: Option<usize>,
    filter: Filter,
}

/// Which entries are shown, and how.
#[derive(Clone, Debug)]
struct Filter {
    stdout: bool,
    stderr: bool,
    since: Option<Moment>,
    until: Option<Moment>,
    timestamps: bool,
    details: bool,
    /// Whether each piece has a header that says where it was written.
    framed: bool,
}

/// The log of a container.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if neither stream is wanted, and
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for a container that keeps no log.
pub(crate) fn logs(engine: &Engine, reference: &str, options: &LogsOptions) -> Result<Logs> {
    if !options.stdout && !options.stderr {
        return Err(Error::invalid(
            "Bad parameters: you must choose at least one stream",
        ));
    }
    let time = |text: &Option<String>| -> Result<Option<Moment>> {
        match text.as_deref() {
            // No limit at all, as Docker has it.
            None | Some("0") => Ok(None),
            Some(text) => moment::parse(text).map(Some),
        }
    };
    let container = Container::find(engine, reference)?;
    if LogOptions::of(&container.record.body)? == LogOptions::None {
        return Err(Error::not_implemented(
            "configured logging driver does not support reading",
        ));
    }
    let tty = container.record.tty();
    let is_up = container.state.is_running();
    Ok(Logs {
        engine: engine.clone(),
        directory: engine.layout().container(container.id()),
        id: container.record.id,
        tty,
        follow: options.follow && is_up,
        tail: options.tail.as_deref().and_then(|tail| tail.parse().ok()),
        filter: Filter {
            stdout: options.stdout,
            stderr: options.stderr,
            since: time(&options.since)?,
            until: time(&options.until)?,
            timestamps: options.timestamps,
            details: options.details,
            framed: !tty,
        },
    })
}

impl Logs {
    /// Whether the container has a terminal, so that there are no frames.
    pub(crate) fn tty(&self) -> bool {
        self.tty
    }

    /// Writes what is wanted, until all of it is written or `is_gone` says that nobody reads any more.
    ///
    /// # Errors
    ///
    /// Those of the log's files, and of `output`.
    pub(crate) fn write(&self, output: impl Write, is_gone: impl Fn() -> bool) -> io::Result<()> {
        let mut output = io::BufWriter::with_capacity(32 << 10, output);
        // What happens from here on is told, so that nothing is missed between reading and waiting.
        let watch = match self.follow {
            true => Some(Watch::new(&self.directory)?),
            false => None,
        };
        let Some(mut reader) = self.write_kept(&mut output)? else {
            return output.flush();
        };
        let Some(watch) = watch else {
            return output.flush();
        };
        let newest = self.directory.join("log");
        // Since when the container's process is gone, and nobody says so.
        let mut gone: Option<Instant> = None;
        loop {
            // Asked before the rest is read, so that what was written before the end is read.
            let is_over = !self.is_up();
            if !self.write_rest(&mut reader, &mut output)? {
                return output.flush();
            }
            while reader.was_rotated(&newest)? {
                let Ok(next) = Reader::open(&newest) else {
                    break;
                };
                self.write_rest(&mut reader, &mut output)?;
                reader = next;
                self.write_rest(&mut reader, &mut output)?;
            }
            output.flush()?;
            if is_over || is_gone() {
                return Ok(());
            }
            if watch.wait()? {
                gone = None;
            } else if self.is_process_gone() {
                let since = *gone.get_or_insert_with(Instant::now);
                if since.elapsed() > SILENCE {
                    // Its monitor is stopped or hangs, and it is that which writes.
                    return Ok(());
                }
            }
        }
    }

    /// Whether the container is said to run, and its first process is not there.
    fn is_process_gone(&self) -> bool {
        Store::new(self.engine.layout())
            .state(&self.id)
            .is_ok_and(|state| state.status == Status::Running && !state.process.is_alive())
    }

    /// Whether something may still be written.
    fn is_up(&self) -> bool {
        monitor::observe(self.engine.layout(), &self.id).is_ok_and(|state| state.is_running())
    }

    /// Writes what is there already; the reader at the end of the newest file, unless what follows is too young.
    fn write_kept(&self, output: &mut impl Write) -> io::Result<Option<Reader>> {
        let mut files = files(&self.directory);
        let mut start = 0;
        if let Some(lines) = self.tail {
            let (index, offset) = tail(&files, lines)?;
            files.drain(..index);
            start = offset;
        }
        let mut last = None;
        for path in files {
            let mut reader = match Reader::open_at(&path, start) {
                Ok(reader) => reader,
                // It was rotated away in between.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            start = 0;
            if !self.write_rest(&mut reader, output)? {
                return Ok(None);
            }
            last = Some(reader);
        }
        if last.is_none() && self.follow {
            return Reader::open(&self.directory.join("log")).map(Some);
        }
        Ok(last)
    }

    /// Writes what the file has; false once an entry is too young.
    fn write_rest(&self, reader: &mut Reader, output: &mut impl Write) -> io::Result<bool> {
        while let Some(entry) = reader.next()? {
            if self.filter.until.is_some_and(|until| entry.time > until) {
                return Ok(false);
            }
            self.filter.write(&entry, output)?;
        }
        Ok(true)
    }
}

impl Filter {
    fn write(&self, entry: &Entry, output: &mut impl Write) -> io::Result<()> {
        let is_wanted = match entry.stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        };
        if !is_wanted || self.since.is_some_and(|since| entry.time < since) {
            return Ok(());
        }
        let mut head = String::new();
        if self.timestamps {
            // Of one width, so that lines can be sorted.
            head = format!("{} ", fixed_width(entry.time));
        }
        if self.details {
            let pairs: Vec<String> = entry
                .attrs
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            head += &pairs.join(",");
            head.push(' ');
        }
        let length = head.len() + entry.text.len();
        if self.framed {
            let length = u32::try_from(length).map_err(io::Error::other)?;
            output.write_all(&[entry.stream.number(), 0, 0, 0])?;
            output.write_all(&length.to_be_bytes())?;
        }
        output.write_all(head.as_bytes())?;
        output.write_all(entry.text.as_bytes())
    }
}

/// RFC 3339 with all nine digits of the fraction.
fn fixed_width(moment: Moment) -> String {
    let text = moment.to_string();
    let text = text.trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<9}Z")
}

/// Where the last so many lines begin: a file, by its index, and the place in it.
fn tail(files: &[PathBuf], lines: usize) -> io::Result<(usize, u64)> {
    let mut missing = lines;
    for (index, path) in files.iter().enumerate().rev() {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        match tail_of_file(&mut file, missing)? {
            Ok(offset) => return Ok((index, offset)),
            Err(found) => missing -= found,
        }
    }
    Ok((0, 0))
}

/// Where the last so many lines of a file begin, or how many it has if these are fewer.
fn tail_of_file(file: &mut File, lines: usize) -> io::Result<std::result::Result<u64, usize>> {
    const BLOCK: usize = 64 << 10;
    let mut end = file.seek(SeekFrom::End(0))?;
    if lines == 0 {
        return Ok(Ok(end));
    }
    let mut found = 0;
    let mut block = vec![0; BLOCK];
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let length = usize::try_from(end - start).map_err(io::Error::other)?;
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block[..length])?;
        for (index, _) in block[..length]
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, byte)| **byte == b'\n')
        {
            // The one that ends the line before the first that is wanted.
            if found == lines {
                return Ok(Ok(start + index as u64 + 1));
            }
            found += 1;
        }
        end = start;
    }
    match found == lines {
        true => Ok(Ok(0)),
        false => Ok(Err(found)),
    }
}

/// Tells of changes below a container's directory: a longer log, a rotated one, another state.
struct Watch {
    events: std::os::fd::OwnedFd,
}

impl Watch {
    fn new(directory: &Path) -> io::Result<Watch> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let events = inotify::init(flags)?;
        let changes = inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::MOVED_TO
            | inotify::WatchFlags::CREATE
            | inotify::WatchFlags::DELETE_SELF;
        inotify::add_watch(&events, directory, changes)?;
        Ok(Watch { events })
    }

    /// Waits for a change, or for a while; whether there was one.
    fn wait(&self) -> io::Result<bool> {
        let timeout = Timespec::try_from(PATIENCE).map_err(io::Error::other)?;
        let mut polled = [PollFd::new(&self.events, PollFlags::IN)];
        let is_changed = match poll(&mut polled, Some(&timeout)) {
            Ok(ready) => ready > 0,
            Err(rustix::io::Errno::INTR) => false,
            Err(error) => return Err(error.into()),
        };
        // Which ones they are does not matter.
        let mut buffer = [0_u8; 4096];
        while rustix::io::read(&self.events, &mut buffer).is_ok_and(|count| count > 0) {}
        Ok(is_changed)
    }
}

/// The body of this module's fuzz target: whatever is in a log's file, it is read to its end, and as many lines from the
/// end as are asked for are no more than that.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let Some((&lines, text)) = data.split_first() else {
        return;
    };
    let file = rustix::fs::memfd_create("log", rustix::fs::MemfdFlags::CLOEXEC).map(File::from);
    let mut file = file.expect("a file");
    file.write_all(text).expect("written");
    let path = PathBuf::from(format!(
        "/proc/self/fd/{}",
        std::os::fd::AsRawFd::as_raw_fd(&file)
    ));
    let filter = Filter {
        stdout: true,
        stderr: true,
        since: None,
        until: None,
        timestamps: lines & 1 != 0,
        details: lines & 2 != 0,
        framed: lines & 4 != 0,
    };
    let read = |start: u64| {
        let mut reader = Reader::open_at(&path, start).expect("a log");
        let mut count = 0;
        while let Some(entry) = reader.next().expect("a file in memory is read") {
            filter.write(&entry, &mut io::sink()).expect("written");
            count += 1;
        }
        count
    };
    let all = read(0);
    let (index, start) = tail(std::slice::from_ref(&path), usize::from(lines)).expect("read");
    assert_eq!(index, 0);
    let last = read(start);
    assert!(
        last <= all && last <= usize::from(lines),
        "{last} of {all}, not {lines}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> Filter {
        Filter {
            stdout: true,
            stderr: true,
            since: None,
            until: None,
            timestamps: false,
            details: false,
            framed: false,
        }
    }

    fn shown(filter: &Filter, entry: &Entry) -> Vec<u8> {
        let mut output = Vec::new();
        filter.write(entry, &mut output).expect("written");
        output
    }

    #[test]
    fn entries_are_shown_as_asked() {
        let entry = Entry {
            text: "hello\n".to_owned(),
            stream: Stream::Stderr,
            time: "2024-01-01T00:00:00.5Z".parse().expect("a time"),
            attrs: [("a".to_owned(), "1".to_owned())].into(),
        };
        assert_eq!(shown(&filter(), &entry), b"hello\n");
        let framed = Filter {
            framed: true,
            ..filter()
        };
        assert_eq!(shown(&framed, &entry), b"\x02\0\0\0\0\0\0\x06hello\n");
        let decorated = Filter {
            timestamps: true,
            details: true,
            ..filter()
        };
        assert_eq!(
            shown(&decorated, &entry),
            b"2024-01-01T00:00:00.500000000Z a=1 hello\n"
        );
        let stdout = Filter {
            stderr: false,
            ..filter()
        };
        assert!(shown(&stdout, &entry).is_empty());
        let later = Filter {
            since: Some("2024-01-01T00:00:01Z".parse().expect("a time")),
            ..filter()
        };
        assert!(shown(&later, &entry).is_empty());
    }

    #[test]
    fn the_last_lines_may_lie_in_several_files() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let long = format!("{}\nz\n", "x".repeat(200_000));
        let files = [
            file("log.2", "a\nb\n"),
            file("log.1", &long),
            file("log", "c\nd\n"),
        ];
        for (lines, expected) in [
            (0, (2, 4)),
            (1, (2, 2)),
            (2, (2, 0)),
            (3, (1, 200_001)),
            (4, (1, 0)),
            (5, (0, 2)),
            (6, (0, 0)),
            (7, (0, 0)),
        ] {
            assert_eq!(tail(&files, lines).expect("read"), expected, "{lines}");
        }
        assert_eq!(tail(&[], 3).expect("none"), (0, 0));
    }
}
