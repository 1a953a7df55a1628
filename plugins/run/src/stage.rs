//! What a signal means while the command runs: it ends the preparations, waits for the start to be over, and then
//! belongs to the container.
//!
//! The catching itself is the attach crate's, once for the whole command, so that no signal falls between two catchers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use attach::{EventSender, Events};
use engine_client::{Client, Error};
use signal_hook::consts as signals;
use signal_hook::low_level::emulate_default_handler;

/// How far the command is. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    state: Arc<Mutex<State>>,
    /// Whoever waits for something is woken by the first signal that asks to end.
    events: EventSender,
    /// Signals belong to the container once it runs.
    sig_proxy: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing runs yet.
    Preparing {
        /// The first signal that asked to end.
        asked: Option<u8>,
    },
    /// The container is being started: signals for it are kept.
    Starting {
        kept: Vec<String>,
    },
    Running(Target),
}

/// The container that signals are sent to.
#[derive(Debug, Clone)]
struct Target {
    client: Client,
    id: String,
}

impl Stage {
    /// A stage of the command that waits with these events.
    pub(crate) fn new(sig_proxy: bool, events: EventSender) -> Stage {
        Stage {
            state: Arc::new(Mutex::new(State::Preparing { asked: None })),
            events,
            sig_proxy,
        }
    }

    /// Takes a signal by its name without `SIG`.
    ///
    /// # Errors
    ///
    /// The engine does not pass it on.
    pub(crate) fn signal(&self, name: &str) -> Result<(), Error> {
        let mut state = self.lock();
        match (&mut *state, number(name)) {
            (State::Preparing { asked }, Some(signal)) if asks_to_end(signal) => {
                asked.get_or_insert_with(|| u8::try_from(signal).unwrap_or(u8::MAX));
                drop(state);
                self.events.wake();
            }
            (State::Starting { kept }, _) if self.sig_proxy => kept.push(name.to_owned()),
            (State::Running(target), _) if self.sig_proxy => {
                let target = target.clone();
                // The request may take long, and the next signal must not wait for the lock.
                drop(state);
                return target.kill(name);
            }
            // Without forwarding these two only count: the third one ends the session.
            (
                State::Starting { .. } | State::Running(_),
                Some(signals::SIGINT | signals::SIGTERM),
            ) => {}
            (_, Some(signal)) => {
                drop(state);
                if let Err(error) = emulate_default_handler(signal) {
                    log::debug!("cannot do what signal {name} does by default: {error}");
                }
            }
            (_, None) => {}
        }
        Ok(())
    }

    /// The signal that has asked to end the preparations, if one has.
    pub(crate) fn asked_to_end(&self) -> Option<u8> {
        match &*self.lock() {
            State::Preparing { asked } => *asked,
            _ => None,
        }
    }

    /// Does `work`, which is requests to the engine, and returns its result, or the signal that asked to end before it was
    /// there. What was asked for last may happen all the same.
    pub(crate) fn perform<T>(
        &self,
        events: &mut Events,
        work: impl FnOnce() -> T,
    ) -> Result<T, u8> {
        let stage = self.clone();
        let wanted = move || stage.asked_to_end().is_none();
        events.perform_while(wanted, work).ok_or(self.asked())
    }

    /// Does `work` on another thread, for what does not only wait for the engine: a helper that is asked for
    /// credentials, or a reader of our output that takes its time. It goes on until it notices that it was left.
    pub(crate) fn perform_aside<T: Send + 'static>(
        &self,
        events: &mut Events,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Result<T, u8>> {
        if let Some(signal) = self.asked_to_end() {
            return Ok(Err(signal));
        }
        let is_done = Arc::new(AtomicBool::new(false));
        let done = TellOnDrop {
            is_done: Arc::clone(&is_done),
            events: self.events.clone(),
        };
        let worker = thread::Builder::new()
            .name("run-aside".to_owned())
            .spawn(move || {
                let _done = done;
                work()
            })?;
        let is_done = || is_done.load(Ordering::SeqCst);
        events.wait_until(|| is_done() || self.asked_to_end().is_some());
        if !is_done() {
            return Ok(Err(self.asked()));
        }
        match worker.join() {
            Ok(result) => Ok(Ok(result)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    /// The signal that something was left for. The third one may be noticed before the first is noted here, and is one
    /// of two.
    fn asked(&self) -> u8 {
        const INTERRUPT: u8 = 2;
        self.asked_to_end().unwrap_or(INTERRUPT)
    }

    /// From now on a signal is for the container, unless one has asked to end before: that is returned, and the
    /// container is not to be started.
    pub(crate) fn start(&self) -> Result<(), u8> {
        let mut state = self.lock();
        if let State::Preparing {
            asked: Some(signal),
        } = *state
        {
            return Err(signal);
        }
        *state = State::Starting { kept: Vec::new() };
        Ok(())
    }

    /// The container runs: it gets the signals that were kept, and all further ones.
    pub(crate) fn run(&self, client: &Client, id: &str) {
        let target = Target {
            client: client.clone(),
            id: id.to_owned(),
        };
        let before = std::mem::replace(&mut *self.lock(), State::Running(target.clone()));
        let State::Starting { kept } = before else {
            return;
        };
        for name in kept {
            if let Err(error) = target.kill(&name) {
                log::debug!("cannot forward signal {name}: {error}");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Target {
    fn kill(&self, signal: &str) -> Result<(), Error> {
        self.client.kill_container(&self.id, Some(signal))
    }
}

/// Tells that work is done even if it panics.
struct TellOnDrop {
    is_done: Arc<AtomicBool>,
    events: EventSender,
}

impl Drop for TellOnDrop {
    fn drop(&mut self) {
        self.is_done.store(true, Ordering::SeqCst);
        self.events.wake();
    }
}

/// Whether the signal is a request to leave, which is answered in order, and not one with an effect of its own.
fn asks_to_end(signal: i32) -> bool {
    matches!(signal, signals::SIGINT | signals::SIGTERM | signals::SIGHUP)
}

/// The number of a signal that does something by default. What others do, such as a changed window, is nothing.
fn number(name: &str) -> Option<i32> {
    Some(match name {
        "HUP" => signals::SIGHUP,
        "INT" => signals::SIGINT,
        "QUIT" => signals::SIGQUIT,
        "TRAP" => signals::SIGTRAP,
        "ABRT" => signals::SIGABRT,
        "USR1" => signals::SIGUSR1,
        "USR2" => signals::SIGUSR2,
        "ALRM" => signals::SIGALRM,
        "TERM" => signals::SIGTERM,
        "TSTP" => signals::SIGTSTP,
        "TTIN" => signals::SIGTTIN,
        "TTOU" => signals::SIGTTOU,
        "XCPU" => signals::SIGXCPU,
        "XFSZ" => signals::SIGXFSZ,
        "VTALRM" => signals::SIGVTALRM,
        "PROF" => signals::SIGPROF,
        "SYS" => signals::SIGSYS,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn stage(sig_proxy: bool) -> (Stage, Events) {
        let events = Events::new().expect("a descriptor");
        (Stage::new(sig_proxy, events.sender()), events)
    }

    #[test]
    fn the_first_request_to_leave_ends_the_preparations() {
        let (stage, mut events) = stage(true);
        assert_eq!(stage.asked_to_end(), None);
        stage.signal("WINCH").unwrap();
        assert_eq!(stage.perform(&mut events, || 7), Ok(7));
        assert_eq!(stage.perform_aside(&mut events, || 7).unwrap(), Ok(7));
        stage.signal("TERM").unwrap();
        stage.signal("INT").unwrap();
        assert_eq!(stage.asked_to_end(), Some(15));
        assert_eq!(stage.perform(&mut events, || 7), Err(15));
        assert_eq!(stage.perform_aside(&mut events, || 7).unwrap(), Err(15));
        assert_eq!(stage.start(), Err(15));
    }

    #[test]
    fn work_is_left_at_once() {
        let (stage, mut events) = stage(true);
        let (release, held) = mpsc::channel::<()>();
        let other = stage.clone();
        let outcome = stage.perform_aside(&mut events, move || {
            other.signal("INT").unwrap();
            let _ = held.recv();
        });
        assert_eq!(outcome.unwrap(), Err(2));
        drop(release);
    }

    #[test]
    fn a_panic_of_the_work_goes_on() {
        let (stage, mut events) = stage(true);
        let work =
            std::panic::AssertUnwindSafe(|| stage.perform_aside(&mut events, || panic!("no")));
        assert!(std::panic::catch_unwind(work).is_err());
    }

    #[test]
    fn signals_wait_for_the_start() {
        let (stage, _events) = stage(true);
        stage.start().unwrap();
        stage.signal("INT").unwrap();
        stage.signal("USR1").unwrap();
        assert!(matches!(&*stage.lock(), State::Starting { kept } if kept == &["INT", "USR1"]));
        assert_eq!(stage.asked_to_end(), None);
    }

    #[test]
    fn without_forwarding_requests_to_leave_do_nothing() {
        let (stage, _events) = stage(false);
        stage.start().unwrap();
        stage.signal("INT").unwrap();
        stage.signal("TERM").unwrap();
        assert!(matches!(&*stage.lock(), State::Starting { kept } if kept.is_empty()));
    }
}
