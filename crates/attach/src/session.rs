//! An attached session: three streams, at most two threads, one terminal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use byname::{Environment, Input, Streams};
use engine_client::{Hijacked, HijackedReader, HijackedWriter};
use signal_hook::consts::SIGTTOU;
use signal_hook::low_level::emulate_default_handler;
use terminal::{DetachKeys, RawMode, StopsBlocked, is_background};

use crate::activity::Activity;
use crate::conclusion::{Conclusion, End, Next, OutputEnd};
use crate::event::Event;
use crate::input::{ContainerInput, InputEnd};
use crate::mode::Mode;
use crate::output::{Beginning, Outputs};
use crate::stop::{Stop, Wake};
use crate::{Error, EventSender, Events};

/// How long the engine may be silent after a container's exit before the rest of its output is given up. An engine
/// closes the stream of a container that is gone, so this is for one that is broken.
const SILENCE: Duration = Duration::from_secs(5);

/// What is attached to, and how.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// The container has a terminal: its output is one raw stream, and keys may detach from it.
    pub tty: bool,
    /// Our standard input goes to the container's.
    pub stdin: bool,
    /// The container's standard output, or its terminal, comes to ours.
    pub stdout: bool,
    /// The container's standard error comes to ours.
    pub stderr: bool,
    /// The keys that detach from a container with a terminal; `None` means the default ones.
    pub detach_keys: Option<DetachKeys>,
}

/// The streams of an attached container. Input is passed on from the moment this exists, output whenever the thread of the
/// events waits for something.
///
/// Dropping it restores the terminal, ends the input and closes the connection; the container runs on.
#[derive(Debug)]
pub struct Session {
    mode: Arc<Mode>,
    stop: Arc<Stop>,
    activity: Arc<Activity>,
    events: EventSender,
}

impl Session {
    /// Starts passing on what is attached.
    ///
    /// If the container has a terminal and our standard input is attached and is one too, it is put in raw mode,
    /// unless the environment variable `NORAW` is set to something. A process in the background is stopped for that
    /// until it gets the terminal, as if it did not catch the signal.
    ///
    /// # Errors
    ///
    /// [`Error::RawMode`], and [`Error::Resources`] if there cannot be another thread. The terminal is as it was.
    pub fn start(
        hijacked: Hijacked,
        attached: Attached,
        streams: &Streams,
        environment: &Environment,
        events: &EventSender,
    ) -> Result<Session, Error> {
        let (stop, wake) = Stop::new(hijacked.shutdown_handle()).map_err(Error::Resources)?;
        let session = Session {
            mode: Arc::new(Mode::new(raw_mode(&attached, &streams.input, environment)?)),
            stop: Arc::new(stop),
            activity: Arc::default(),
            events: events.clone(),
        };
        let (reader, writer) = hijacked.split();
        session.start_output(reader, &attached, streams);
        session.start_input(writer, attached, streams, wake, events)?;
        Ok(session)
    }

    fn start_output(&self, reader: HijackedReader, attached: &Attached, streams: &Streams) {
        let outputs = Outputs {
            out: attached.stdout.then(|| streams.out.clone()),
            err: attached.stderr.then(|| streams.err.clone()),
        };
        // When only the input is attached, an engine may end the other direction whenever it likes.
        let ends_input = attached.stdout || attached.stderr;
        let tty = attached.tty;
        let (mode, stop) = (Arc::clone(&self.mode), Arc::clone(&self.stop));
        let activity = Arc::clone(&self.activity);
        let pass = move |reader: HijackedReader| {
            // A terminal may be set to stop whoever writes from the background, which is not what it does to us who
            // catch the signal: the kernel would let us try for ever.
            let _running = StopsBlocked::new();
            // A host's own writer may panic, and the session must end then, too.
            let pass = AssertUnwindSafe(|| outputs.pass(reader, tty, &activity));
            let outcome = catch_unwind(pass)
                .unwrap_or_else(|_| Err(Error::Output(io::Error::other("the writer panicked"))));
            if ends_input || outcome.is_err() {
                stop.stop();
            }
            // What is printed from now on is not the container's.
            mode.restore();
            outcome
        };
        self.events.begin_output(Beginning::new(reader, pass));
    }

    fn start_input(
        &self,
        writer: HijackedWriter,
        attached: Attached,
        streams: &Streams,
        wake: Wake,
        events: &EventSender,
    ) -> Result<(), Error> {
        // Without input of ours, the container's ends here.
        let container = ContainerInput::new(writer);
        if !attached.stdin {
            return Ok(());
        }
        let input = streams.input.clone();
        let matcher = attached
            .tty
            .then(|| attached.detach_keys.unwrap_or_default().matcher());
        let (mode, stop) = (Arc::clone(&self.mode), Arc::clone(&self.stop));
        let events = events.clone();
        spawn("attach-input", move || {
            let end = container.pass(input, matcher, &stop, &wake);
            if end != InputEnd::Stopped {
                mode.restore();
            }
            if end == InputEnd::Detached {
                events.send(Event::Detached);
            }
        })
    }

    /// Passes on until the output ends, for a process whose status is asked for afterwards: one of an exec.
    ///
    /// The terminal is restored and the connection closed when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] if our output could not be written, [`Error::Connection`] and [`Error::Stream`] if the
    /// engine's stream broke.
    pub fn output(self, events: &mut Events) -> Result<OutputEnd, Error> {
        loop {
            match events.next(None) {
                Some(Event::Output(outcome)) => return outcome.map(|()| OutputEnd::Ended),
                Some(Event::Detached) => return Ok(OutputEnd::Detached),
                Some(Event::ForcedExit) => return Ok(OutputEnd::Forced),
                Some(Event::Exited(_)) | None => {}
            }
        }
    }

    /// Passes on until the end, and returns which one it was.
    ///
    /// Whichever of the output's end and the container's exit comes first, the other is waited for; so the events have
    /// to come to include the exit, from [`Events::watch`] or [`EventSender::exited`]. After the exit, an engine
    /// that neither sends more output nor ends it is left after 5 to 10 seconds; one that waits for whoever reads *our*
    /// output is not.
    ///
    /// The terminal is restored and the connection closed when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Output`] if our output could not be written. [`Error::Connection`] and [`Error::Stream`] if the
    /// engine's stream broke before the container's exit was known.
    pub fn end(self, events: &mut Events) -> Result<End, Error> {
        let mut next = Next::Wait(Conclusion::default());
        loop {
            next = match next {
                Next::End(end) => return end,
                Next::Wait(conclusion) => match events.next(None) {
                    Some(event) => conclusion.event(event),
                    None => Next::Wait(conclusion),
                },
                Next::Drain(conclusion) => {
                    let before = self.activity.pieces();
                    match events.next(Some(SILENCE)) {
                        Some(event) => conclusion.event(event),
                        None if self.activity.is_writing() || self.activity.pieces() != before => {
                            Next::Drain(conclusion)
                        }
                        None => {
                            log::debug!(
                                "the engine does not end the output of an exited container"
                            );
                            conclusion.give_up_output()
                        }
                    }
                }
            };
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.mode.restore();
        self.stop.stop();
        self.events.forget_output();
    }
}

fn raw_mode(
    attached: &Attached,
    input: &Input,
    environment: &Environment,
) -> Result<Option<RawMode>, Error> {
    let noraw = environment
        .get("NORAW")
        .is_some_and(|value| !value.is_empty());
    if !attached.tty || !attached.stdin || noraw || !input.is_terminal() {
        return Ok(None);
    }
    let Some(fd) = input.as_fd() else {
        return Ok(None);
    };
    // In the background a process is stopped that changes the terminal, until it gets it. That we catch the signal for
    // it must not make this go on for ever instead.
    while is_background(fd) {
        emulate_default_handler(SIGTTOU).map_err(Error::RawMode)?;
    }
    RawMode::enable(fd).map(Some).map_err(Error::RawMode)
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(drop).map_err(Error::Resources)
}
