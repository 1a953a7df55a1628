//! Signals to us, which are meant for the container.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::{Handle, Signals as Incoming};

use crate::default_action::Suspended;
use crate::event::Event;
use crate::{Error, EventSender, signal_name};

/// What to print when [`End::Forced`](crate::End::Forced) ended a session. The exit status is then 1.
pub const FORCED_EXIT: &str = "got 3 SIGTERM/SIGINTs, forcefully exiting";

/// How often the user has to ask to leave until it is done at once.
const ENOUGH: usize = 3;

/// Signals that may wait for an engine that does not answer. Further ones are dropped.
const QUEUE: usize = 128;

/// Catches signals for as long as it lives.
///
/// Either way SIGINT and SIGTERM do not end the process: the first two do nothing by themselves, each one from the
/// third on is an event that ends the session. Afterwards all signals have their default effect again, except those
/// that the process ignored or caught before.
#[derive(Debug)]
pub struct Signals {
    handle: Handle,
    received: Arc<AtomicI32>,
    _suspended: Suspended,
}

impl Signals {
    /// Catches every signal that can be caught and is not about this process itself (CHLD, PIPE, URG and faults), and
    /// calls `forward` with its name, such as `INT` or `RTMIN+1`, on a thread of its own. What that returns as an
    /// error is only logged: the container may be gone, or not there yet.
    ///
    /// # Errors
    ///
    /// [`Error::Signals`] and [`Error::Resources`]. No signal is caught then.
    pub fn forward(
        events: &EventSender,
        forward: impl FnMut(&str) -> Result<(), engine_client::Error> + Send + 'static,
    ) -> Result<Signals, Error> {
        let (queue, queued) = mpsc::sync_channel(QUEUE);
        spawn("attach-forward", move || send_each(queued, forward))?;
        Signals::catch(
            &signal_name::forwarded().collect::<Vec<_>>(),
            events,
            Some(queue),
        )
    }

    /// Catches SIGINT and SIGTERM and passes nothing on.
    ///
    /// # Errors
    ///
    /// As for [`forward`](Signals::forward).
    pub fn swallow(events: &EventSender) -> Result<Signals, Error> {
        Signals::catch(&[SIGINT, SIGTERM], events, None)
    }

    /// Catches what ends a program (SIGHUP, SIGINT, SIGQUIT and SIGTERM) and ends the session at the first: for a
    /// process that nothing is forwarded to. What is left to do is to restore the terminal;
    /// [`received`](Signals::received) then tells which it was.
    ///
    /// # Errors
    ///
    /// As for [`forward`](Signals::forward).
    pub fn leave(events: &EventSender) -> Result<Signals, Error> {
        Signals::catch_until(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM], events, None, |_| true)
    }

    /// The last signal that was caught.
    #[must_use]
    pub fn received(&self) -> Option<i32> {
        match self.received.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    fn catch(
        signals: &[i32],
        events: &EventSender,
        queue: Option<SyncSender<i32>>,
    ) -> Result<Signals, Error> {
        let mut asked = Asked::default();
        Signals::catch_until(signals, events, queue, move |signal| {
            asked.is_enough(signal)
        })
    }

    fn catch_until(
        signals: &[i32],
        events: &EventSender,
        queue: Option<SyncSender<i32>>,
        mut is_enough: impl FnMut(i32) -> bool + Send + 'static,
    ) -> Result<Signals, Error> {
        let suspended = Suspended::new(signals.iter().copied());
        let mut incoming = Incoming::new([SIGINT, SIGTERM]).map_err(Error::Signals)?;
        for &signal in signals {
            // A kernel or sandbox may not have all of them; the two above are the ones that matter.
            if let Err(error) = incoming.add_signal(signal) {
                log::debug!("cannot catch signal {signal}: {error}");
            }
        }
        let handle = incoming.handle();
        let events = events.clone();
        let received = Arc::new(AtomicI32::new(0));
        let last = Arc::clone(&received);
        spawn("attach-signals", move || {
            for signal in incoming.forever() {
                last.store(signal, Ordering::SeqCst);
                if is_enough(signal) {
                    events.send(Event::ForcedExit);
                }
                // An engine that hangs must not keep the third Ctrl-C from being seen.
                if let Some(queue) = &queue
                    && queue.try_send(signal).is_err()
                {
                    log::debug!("signal {signal} is not forwarded: too many are waiting");
                }
            }
        })?;
        Ok(Signals {
            handle,
            received,
            _suspended: suspended,
        })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // Its thread ends, and with it the one that forwards.
        self.handle.close();
    }
}

/// How often the user has asked to leave.
#[derive(Debug, Default)]
struct Asked {
    times: usize,
}

impl Asked {
    /// Takes note of a signal, and returns whether it is one too many.
    fn is_enough(&mut self, signal: i32) -> bool {
        if !matches!(signal, SIGINT | SIGTERM) {
            return false;
        }
        self.times += 1;
        self.times >= ENOUGH
    }
}

fn send_each(
    queued: Receiver<i32>,
    mut forward: impl FnMut(&str) -> Result<(), engine_client::Error>,
) {
    for signal in queued {
        let Some(name) = signal_name::name(signal) else {
            continue;
        };
        if let Err(error) = forward(&name) {
            log::debug!("cannot forward signal {name}: {error}");
        }
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread: io::Result<_> = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(Error::Resources)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_third_request_to_leave_is_enough_whichever_signals_they_are() {
        let mut asked = Asked::default();
        let hup = 1;
        let seen: Vec<bool> = [SIGINT, hup, hup, SIGTERM, hup, SIGINT, SIGTERM]
            .into_iter()
            .map(|signal| asked.is_enough(signal))
            .collect();
        assert_eq!(seen, [false, false, false, false, false, true, true]);
    }
}
