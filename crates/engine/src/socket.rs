//! The ends of connections on unix sockets.

use std::os::fd::AsFd;
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use crate::sys;

/// How long a peer that reads waits at most between two looks.
const LOOK: Duration = Duration::from_micros(50);

/// Ends a connection such that the other side reads an end and not an error, which it does if something is left that it
/// sent.
pub(crate) fn end(socket: impl AsFd) {
    let _ = shutdown(&socket, Shutdown::Both);
    let mut buffer = [0; 512];
    while let Ok((1.., _)) = recv(&socket, &mut buffer, RecvFlags::DONTWAIT) {}
}

/// Waits until the other side has read all that was sent, or as long as `limit`. A unix socket says so (`SIOCOUTQ`), and
/// wakes nobody.
pub(crate) fn wait_until_read(socket: impl AsFd, limit: Duration) {
    let start = Instant::now();
    while sys::unread(socket.as_fd()).is_ok_and(|bytes| bytes > 0) && start.elapsed() < limit {
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_other_side_reads_an_end_though_it_sent_more_than_was_read() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        theirs.write_all(&[0; 4096]).expect("written");
        ours.write_all(b"answer").expect("written");
        end(&ours);
        drop(ours);
        let mut answer = String::new();
        theirs.read_to_string(&mut answer).expect("an end");
        assert_eq!(answer, "answer");
    }

    #[test]
    fn a_peer_is_waited_for_until_it_has_read() {
        let (mut ours, mut theirs) = UnixStream::pair().expect("a pair");
        ours.write_all(b"head").expect("written");
        let start = Instant::now();
        wait_until_read(&ours, Duration::from_millis(20));
        assert!(start.elapsed() >= Duration::from_millis(20), "it is unread");
        let reader = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            theirs.read_exact(&mut [0; 4]).expect("four bytes");
            theirs
        });
        let start = Instant::now();
        wait_until_read(&ours, Duration::from_secs(60));
        assert!(start.elapsed() < Duration::from_secs(60), "it is read");
        drop(reader.join().expect("no panic"));
    }
}
