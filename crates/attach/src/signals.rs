//! Forwards the signals we receive to the container.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::catch::{Caught, is_ignored};
use crate::event::Event;
use crate::{Error, EventSender, signal_name};

/// What to print when [`End::Forced`](crate::End::Forced) ended a session. The exit status is then 1.
pub const FORCED_EXIT: &str = "got 3 SIGTERM/SIGINTs, forcefully exiting";

/// How often the user has to ask to leave until it is done at once.
const ENOUGH: usize = 3;

/// Signals that may wait for an engine that does not answer. Further ones are dropped.
const QUEUE: usize = 128;

/// Sends the signal of a name on.
type Forwarder = dyn FnMut(&str) -> Result<(), engine_client::Error> + Send;

/// Catches signals for as long as it lives. They are taken whenever the thread of the events waits for something.
///
/// Either way SIGINT and SIGTERM do not end the process: the first two do nothing by themselves, each one from the
/// third on is an event that ends the session. Afterwards all signals have the effect again that they had before.
///
/// A signal that is ignored stays ignored: `nohup` ignores SIGHUP, and a shell SIGINT and SIGQUIT for what it runs in the
/// background of a script, so that those neither end the command nor reach the container.
#[derive(Debug)]
pub struct Signals {
    events: EventSender,
    receiver: Arc<Receiver>,
}

impl Signals {
    /// Catches every signal that can be caught and is not about this process itself (CHLD, PIPE, URG and faults), and
    /// calls `forward` with its name, such as `INT` or `RTMIN+1`, on a thread of its own, which begins with the first of
    /// them. What that returns as an error is only logged: the container may be gone, or not there yet.
    ///
    /// # Errors
    ///
    /// [`Error::Signals`]. No signal is caught then.
    pub fn forward(
        events: &EventSender,
        forward: impl FnMut(&str) -> Result<(), engine_client::Error> + Send + 'static,
    ) -> Result<Signals, Error> {
        let mut asked = Asked::default();
        Signals::catch(
            signal_name::forwarded(),
            events,
            Some(Forward::Idle(Box::new(forward))),
            move |signal| asked.is_enough(signal),
        )
    }

    /// Catches SIGINT and SIGTERM and passes nothing on.
    ///
    /// # Errors
    ///
    /// As for [`forward`](Signals::forward).
    pub fn swallow(events: &EventSender) -> Result<Signals, Error> {
        let mut asked = Asked::default();
        Signals::catch([SIGINT, SIGTERM], events, None, move |signal| {
            asked.is_enough(signal)
        })
    }

    /// Catches what ends a program (SIGHUP, SIGINT, SIGQUIT and SIGTERM) and ends the session at the first: for a
    /// process that nothing is forwarded to. What is left to do is to restore the terminal;
    /// [`received`](Signals::received) then tells which it was.
    ///
    /// # Errors
    ///
    /// As for [`forward`](Signals::forward).
    pub fn leave(events: &EventSender) -> Result<Signals, Error> {
        Signals::catch([SIGHUP, SIGINT, SIGQUIT, SIGTERM], events, None, |_| true)
    }

    /// The last signal that was taken.
    #[must_use]
    pub fn received(&self) -> Option<i32> {
        match self.receiver.last.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(signal),
        }
    }

    fn catch(
        signals: impl IntoIterator<Item = i32>,
        events: &EventSender,
        forward: Option<Forward>,
        is_enough: impl FnMut(i32) -> bool + Send + 'static,
    ) -> Result<Signals, Error> {
        let heeded: Vec<i32> = signals
            .into_iter()
            .filter(|signal| !is_ignored(*signal))
            .collect();
        let receiver = Arc::new(Receiver {
            caught: Caught::new(heeded).map_err(Error::Signals)?,
            last: AtomicI32::new(0),
            reaction: Mutex::new(Reaction {
                is_enough: Box::new(is_enough),
                forward,
            }),
        });
        events.receive(Arc::clone(&receiver));
        Ok(Signals {
            events: events.clone(),
            receiver,
        })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // The thread that forwards ends with the receiver.
        self.events.forget(&self.receiver);
    }
}

/// Takes the signals that were caught.
pub(crate) struct Receiver {
    caught: Caught,
    last: AtomicI32,
    reaction: Mutex<Reaction>,
}

/// What is done about signals.
struct Reaction {
    is_enough: Box<dyn FnMut(i32) -> bool + Send>,
    forward: Option<Forward>,
}

/// Who sends signals on.
enum Forward {
    /// Nobody yet: most containers get no signal.
    Idle(Box<Forwarder>),
    /// A thread, since an engine that hangs must not keep the third Ctrl-C from being seen.
    Running(SyncSender<i32>),
}

impl Receiver {
    /// Takes what has come.
    pub(crate) fn receive(&self, events: &EventSender) {
        let taken = self.caught.take().unwrap_or_else(|error| {
            log::debug!("cannot read which signals have come: {error}");
            Vec::new()
        });
        let mut reaction = self.reaction.lock().unwrap_or_else(PoisonError::into_inner);
        for signal in taken.into_iter().map(i32::from) {
            self.last.store(signal, Ordering::SeqCst);
            if (reaction.is_enough)(signal) {
                events.send(Event::ForcedExit);
            }
            reaction.forward(signal);
        }
    }
}

impl AsFd for Receiver {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.caught.as_fd()
    }
}

impl Reaction {
    fn forward(&mut self, signal: i32) {
        self.forward = match self.forward.take() {
            Some(Forward::Idle(forward)) => {
                let (queue, queued) = mpsc::sync_channel(QUEUE);
                let work = move || send_each(&queued, forward);
                let thread = thread::Builder::new().name("attach-forward".to_owned());
                if let Err(error) = thread.spawn(work) {
                    log::debug!("signals are not forwarded: {error}");
                }
                Some(Forward::Running(queue))
            }
            running => running,
        };
        if let Some(Forward::Running(queue)) = &self.forward
            && queue.try_send(signal).is_err()
        {
            log::debug!("signal {signal} is not forwarded: too many are waiting");
        }
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("caught", &self.caught)
            .finish_non_exhaustive()
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

fn send_each(queued: &mpsc::Receiver<i32>, mut forward: Box<Forwarder>) {
    for signal in queued {
        let Some(name) = signal_name::name(signal) else {
            continue;
        };
        if let Err(error) = forward(&name) {
            log::debug!("cannot forward signal {name}: {error}");
        }
    }
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
