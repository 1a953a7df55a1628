//! The ends of processes.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use rustix::io::{Errno, read};
use rustix::process::{WaitOptions, wait};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::sys;

/// What a process ended with: its own code, or 128 and the number of the signal that killed it.
pub(super) type ExitCode = i64;

/// Waits for all children of this process. Some of them it never knew: a subreaper is given the orphans of those that it
/// did, where they had no init process of their own.
#[derive(Debug)]
pub(super) struct Reaper {
    signals: AsyncFd<OwnedFd>,
    expected: RefCell<HashMap<i32, oneshot::Sender<ExitCode>>>,
}

impl Reaper {
    /// `signals` is readable when a child ended.
    pub(super) fn new(signals: OwnedFd) -> io::Result<Rc<Reaper>> {
        Ok(Rc::new(Reaper {
            signals: sys::watch(signals)?,
            expected: RefCell::default(),
        }))
    }

    /// The end of a child that was started just now: nothing may have been awaited since.
    pub(super) fn expect(&self, pid: i32) -> oneshot::Receiver<ExitCode> {
        let (sender, receiver) = oneshot::channel();
        self.expected.borrow_mut().insert(pid, sender);
        receiver
    }

    /// Reaps without end.
    pub(super) async fn run(&self) {
        loop {
            self.reap();
            let consumed = self
                .signals
                .async_io(Interest::READABLE, |signals| {
                    let mut buffer = [0_u8; 128];
                    Ok(read(signals, &mut buffer)?)
                })
                .await;
            if let Err(error) = consumed {
                log::error!("the ends of processes cannot be heard of: {error}");
                return;
            }
        }
    }

    fn reap(&self) {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let code = match (status.exit_status(), status.terminating_signal()) {
                        (Some(code), _) => i64::from(code),
                        (None, Some(signal)) => 128 + i64::from(signal),
                        (None, None) => continue,
                    };
                    let pid = pid.as_raw_nonzero().get();
                    if let Some(sender) = self.expected.borrow_mut().remove(&pid) {
                        // Whoever expected it may not care any more.
                        let _ = sender.send(code);
                    }
                }
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// How often a process that has ended is looked at for its code, 5 ms apart.
const REAPINGS: u32 = 1000;

/// Waits for the end of a process that is no child of this one, and returns what it ended with; nothing where the kernel
/// does not tell.
pub(super) async fn end_of_stranger(process: &AsyncFd<OwnedFd>) -> Option<ExitCode> {
    // An error means that nobody can wait for it: then its end is as unknown as on an old kernel.
    let _ = process.readable().await;
    // It is known when somebody has reaped it, which is who got it when our predecessor died, and may take its time.
    for _ in 0..REAPINGS {
        if let Some(status) = sys::exit_status(process.get_ref().as_fd()) {
            let code = match status & 0x7f {
                0 => (status >> 8) & 0xff,
                signal => 128 + signal,
            };
            return Some(code.into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    None
}
