//! What a container wrote before a client came.

use std::io;
use std::path::{Path, PathBuf};

use rustix::net::{SendFlags, send};
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::frame;
use super::log::{Reader, Stream, files};
use super::protocol::Attach;
use crate::state::Moment;

/// What a log had in it at one moment.
#[derive(Debug)]
pub(super) struct Replay {
    files: Vec<PathBuf>,
    until: Moment,
    stdout: bool,
    stderr: bool,
}

impl Replay {
    /// What the log of the container whose files are in `directory` has in it now.
    pub(super) fn new(directory: &Path, request: &Attach) -> Replay {
        Replay {
            files: files(directory),
            until: Moment::now(),
            stdout: request.stdout,
            stderr: request.stderr,
        }
    }

    /// Sends it to a client. One that goes away meanwhile is noticed by whoever sends to it next.
    pub(super) async fn play(&self, client: &UnixStream, is_framed: bool) {
        for path in &self.files {
            // It may have been rotated away since.
            let Ok(mut reader) = Reader::open(path) else {
                continue;
            };
            while let Ok(Some(entry)) = reader.next() {
                if entry.time > self.until {
                    return;
                }
                let wanted = match entry.stream {
                    Stream::Stdout => self.stdout,
                    Stream::Stderr => self.stderr,
                };
                if !wanted {
                    continue;
                }
                let header = frame::header(entry.stream, entry.text.len());
                let header = if is_framed { &header[..] } else { &[] };
                for part in [header, entry.text.as_bytes()] {
                    if send_all(client, part).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
}

async fn send_all(client: &UnixStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let attempt = || {
            Ok(send(
                client,
                bytes,
                SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
            )?)
        };
        let sent = client.async_io(Interest::WRITABLE, attempt).await?;
        bytes = &bytes[sent..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read;

    use super::*;

    #[test]
    fn a_log_is_sent_as_it_was_written() {
        let directory = tempfile::tempdir().expect("a directory");
        let line = |text: &str, stream: &str, time: &str| {
            format!("{{\"log\":\"{text}\",\"stream\":\"{stream}\",\"time\":\"{time}\"}}\n")
        };
        fs::write(
            directory.path().join("log.1"),
            line("a\\n", "stdout", "2024-01-01T00:00:00Z"),
        )
        .expect("written");
        fs::write(
            directory.path().join("log"),
            line("b\\n", "stderr", "2024-01-01T00:00:01Z")
                + &line("c\\n", "stdout", "2024-01-01T00:00:02Z")
                + &line("later\\n", "stdout", "9000-01-01T00:00:00Z"),
        )
        .expect("written");
        let request = |stderr| Attach {
            stdout: true,
            stderr,
            ..Attach::default()
        };
        for (stderr, is_framed, expected) in [
            (true, false, &b"a\nb\nc\n"[..]),
            (false, false, b"a\nc\n"),
            (
                false,
                true,
                b"\x01\0\0\0\0\0\0\x02a\n\x01\0\0\0\0\0\0\x02c\n",
            ),
        ] {
            let replay = Replay::new(directory.path(), &request(stderr));
            let (client, server) = std::os::unix::net::UnixStream::pair().expect("a pair");
            server.set_nonblocking(true).expect("no waiting");
            tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()
                .expect("a run-time")
                .block_on(async {
                    let server = UnixStream::from_std(server).expect("a stream");
                    replay.play(&server, is_framed).await;
                });
            let mut sent = Vec::new();
            (&client).read_to_end(&mut sent).expect("read");
            assert_eq!(sent, expected);
        }
    }
}
