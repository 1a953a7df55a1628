//! Accepting clients, as many at a time as there is room for.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use super::connection::serve_while;
use super::head;
use crate::{Engine, socket};

/// How long nobody is accepted after the system would not have one more connection.
const BREATH: Duration = Duration::from_millis(100);

/// How many connections are answered at a time at most. Each has a thread. Streams that a monitor has taken do not count.
const MOST_CONNECTIONS: u64 = 1024;

/// How many descriptors a connection takes: three sockets, four of its run-time, two for what it asks for.
const DESCRIPTORS: u64 = 9;

/// How many descriptors are for everything else.
const OTHER_DESCRIPTORS: u64 = 64;

/// How long a client that was turned away has to read why.
const FAREWELL: Duration = Duration::from_secs(1);

/// How many of those are kept at a time.
const MOST_FAREWELLS: usize = 16;

/// Accepts clients and answers each on a thread of its own, for as long as the listener can be accepted from. Beyond 1024
/// at a time, or as many as the limit of open files leaves room for, they are told so (503) and turned away.
///
/// # Errors
///
/// Those of the listener.
pub fn listen(listener: &UnixListener, engine: &Engine) -> io::Result<()> {
    let most = most_connections(getrlimit(Resource::Nofile).current);
    let open = Arc::new(AtomicU64::new(0));
    let mut farewells = Farewells::default();
    loop {
        farewells.wait(listener)?;
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if is_passing(&error) => {
                thread::sleep(BREATH);
                continue;
            }
            Err(error) => return Err(error),
        };
        let place = Place::take(&open);
        if place.number > most {
            log::warn!("a connection was refused: {most} are open");
            farewells.add(stream, &too_many(most));
            continue;
        }
        if let Err(error) = serve_while(stream, engine.clone(), place) {
            // Whoever comes next may be luckier.
            log::warn!("a connection was refused: {error}");
        }
    }
}

/// How many connections fit, with that limit of open files.
fn most_connections(open_files: Option<u64>) -> u64 {
    let fit = open_files.map_or(u64::MAX, |limit| {
        limit.saturating_sub(OTHER_DESCRIPTORS) / DESCRIPTORS
    });
    fit.clamp(1, MOST_CONNECTIONS)
}

fn too_many(most: u64) -> String {
    let hint = match most < MOST_CONNECTIONS {
        true => "close some, or start the engine with a higher limit of open files (ulimit -n)",
        false => "close some",
    };
    format!("too many connections: the engine answers {most} at a time; {hint}")
}

/// A place among the connections that are open; it is free again when this is dropped.
struct Place {
    number: u64,
    open: Arc<AtomicU64>,
}

impl Place {
    fn take(open: &Arc<AtomicU64>) -> Place {
        Place {
            number: open.fetch_add(1, Ordering::Relaxed) + 1,
            open: Arc::clone(open),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Clients that were turned away and may not have read why: closing at once what they still write to would keep them from
/// it.
#[derive(Default)]
struct Farewells {
    clients: VecDeque<(Instant, UnixStream)>,
}

impl Farewells {
    fn add(&mut self, mut client: UnixStream, message: &str) {
        // It does not wait: the message fits into an empty socket.
        let sent = client
            .set_nonblocking(true)
            .and_then(|()| client.write(&head::refusal(StatusCode::SERVICE_UNAVAILABLE, message)));
        if sent.is_err() {
            return;
        }
        self.clients.push_back((Instant::now(), client));
        if self.clients.len() > MOST_FAREWELLS {
            self.end_first();
        }
    }

    fn end_first(&mut self) {
        if let Some((_, client)) = self.clients.pop_front() {
            socket::end(client);
        }
    }

    /// Waits for a client of `listener`, and lets go meanwhile of those whose time is over.
    fn wait(&mut self, listener: &UnixListener) -> io::Result<()> {
        while let Some((since, _)) = self.clients.front() {
            let rest = FAREWELL.saturating_sub(since.elapsed());
            if rest.is_zero() {
                self.end_first();
                continue;
            }
            let timeout = Timespec::try_from(rest).unwrap_or_default();
            let mut descriptors = [PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN)];
            match poll(&mut descriptors, Some(&timeout)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Whether accepting may work again later: a client that left while it waited, or too many descriptors.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::CONNABORTED
                | Errno::INTR
                | Errno::MFILE
                | Errno::NFILE
                | Errno::NOBUFS
                | Errno::NOMEM
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_connections_as_there_are_descriptors_for() {
        for (open_files, most) in [
            (None, 1024),
            (Some(1 << 20), 1024),
            (Some(1024), 106),
            (Some(256), 21),
            (Some(10), 1),
        ] {
            assert_eq!(most_connections(open_files), most, "{open_files:?}");
        }
        assert!(too_many(21).contains("answers 21 at a time"));
        assert!(too_many(21).contains("ulimit -n"));
        assert!(!too_many(1024).contains("ulimit"));
    }
}
