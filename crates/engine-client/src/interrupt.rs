//! Interrupts a request while the engine has not answered.
//!
//! A thread that waits for an engine may have other things to notice: a signal, most of all. It could leave the request to
//! a thread of its own, but for a request of some tenths of a millisecond that costs more than the request. So the
//! waiting itself is handed over: within [`interruptible`] a thread of the caller's does not block in a read from an engine, but in
//! [`Interrupt::wait`], which polls the connection together with whatever else there is.

use std::cell::RefCell;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt;

use crate::error::{Error, ErrorKind};

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Interrupt>>> = const { RefCell::new(None) };
}

/// Who waits in a thread's place.
pub trait Interrupt {
    /// Waits until `connection` has something to read or is at its end, for `timeout` at most; `None` is for ever. Without a
    /// connection there is nothing to wait for but the time.
    ///
    /// # Errors
    /// It cannot wait. The request fails with that.
    fn wait(
        &self,
        connection: Option<BorrowedFd<'_>>,
        timeout: Option<Duration>,
    ) -> io::Result<Interruption>;
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The connection can be read.
    Readable,
    /// The time is over.
    Timeout,
    /// The request is to be left. It fails with an error of the kind [`Cancelled`](ErrorKind::Cancelled), and its
    /// connection is not used again.
    Leave,
}

/// Does `work`, and whenever that waits for an answer of an engine on this thread, lets `interrupt` do the waiting.
///
/// Requests that other threads make are not concerned.
pub fn interruptible<T>(interrupt: Arc<dyn Interrupt>, work: impl FnOnce() -> T) -> T {
    let _restore = Restore(CURRENT.replace(Some(interrupt)));
    work()
}

/// Puts the outer one back, when unwinding too.
struct Restore(Option<Arc<dyn Interrupt>>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

/// Waits until a read from the connection does not block, if this thread may be interrupted; the time that the socket
/// allows for a read holds here too.
pub(crate) fn wait(connection: BorrowedFd<'_>) -> io::Result<()> {
    let Some(interrupt) = CURRENT.with_borrow(Option::clone) else {
        return Ok(());
    };
    let timeout = sockopt::socket_timeout(connection, sockopt::Timeout::Recv)?;
    match interrupt.wait(Some(connection), timeout)? {
        Interruption::Readable => Ok(()),
        // As a read says it.
        Interruption::Timeout => Err(io::ErrorKind::WouldBlock.into()),
        Interruption::Leave => Err(left()),
    }
}

/// How long to wait at a time for something that no descriptor tells of, such as room among those whom an engine has not
/// accepted yet: `remaining`, or less if this thread may be interrupted meanwhile. [`check`] goes between two waits.
pub(crate) fn portion(remaining: Duration) -> Duration {
    const GLANCE: Duration = Duration::from_millis(50);
    if CURRENT.with_borrow(Option::is_none) {
        remaining
    } else {
        remaining.min(GLANCE)
    }
}

/// Fails if this thread may be interrupted, and what it does is to be left.
pub(crate) fn check() -> io::Result<()> {
    let Some(interrupt) = CURRENT.with_borrow(Option::clone) else {
        return Ok(());
    };
    match interrupt.wait(None, Some(Duration::ZERO))? {
        Interruption::Leave => Err(left()),
        Interruption::Readable | Interruption::Timeout => Ok(()),
    }
}

fn left() -> io::Error {
    io::Error::other(Error::new(
        ErrorKind::Cancelled,
        "the request was left before the engine had answered",
    ))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::*;
    use crate::connection::Connection;
    use std::io::Read;

    /// Does not wait, and always says the same.
    struct Always(Interruption);

    impl Interrupt for Always {
        fn wait(&self, _: Option<BorrowedFd<'_>>, _: Option<Duration>) -> io::Result<Interruption> {
            Ok(self.0)
        }
    }

    #[test]
    fn a_read_is_left_and_later_ones_are_not() {
        let (ours, mut engine) = UnixStream::pair().expect("a pair of sockets");
        let connection = Connection::unix(ours);
        let read = || (&connection).read(&mut [0; 8]);
        let left = interruptible(Arc::new(Always(Interruption::Leave)), read);
        let error = left.expect_err("left").downcast::<Error>();
        assert_eq!(error.expect("our error").kind(), ErrorKind::Cancelled);
        let late = interruptible(Arc::new(Always(Interruption::Timeout)), read);
        assert_eq!(late.expect_err("late").kind(), io::ErrorKind::WouldBlock);
        engine.write_all(b"now").expect("write");
        let nested = || interruptible(Arc::new(Always(Interruption::Readable)), read);
        assert_eq!(
            interruptible(Arc::new(Always(Interruption::Leave)), nested).expect("read"),
            3
        );
        engine.write_all(b"x").expect("write");
        assert_eq!(read().expect("read"), 1);
    }

    #[test]
    fn a_panic_ends_it() {
        let work = || interruptible(Arc::new(Always(Interruption::Leave)), || panic!("no"));
        assert!(std::panic::catch_unwind(work).is_err());
        assert!(CURRENT.with_borrow(Option::is_none));
    }
}
