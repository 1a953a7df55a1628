//! The whole sequence of an attached session: connect, pass streams, start, follow the window's size, end.
//!
//! The order is what matters and is the same for every command: the engine is asked to attach and to wait before the start,
//! so that nothing is missed; the terminal is itself again before anything is said about a start that failed; its size is
//! set once the container runs.

use byname::{Environment, Streams};
use engine_client::{AttachOptions, Client, Hijacked, WaitCondition, Waiting};
use terminal::Size;

use crate::{Attached, End, Error, Events, OutputEnd, Resizer, Session};

/// What is attached to what, until [`Attachment::container`] or [`Attachment::process`] ends it.
#[derive(Debug)]
pub struct Attachment<'a> {
    /// Asks the engine.
    pub client: &'a Client,
    /// The identifier of the container, or of the process of an exec.
    pub id: &'a str,
    /// Which streams, and how.
    pub attached: Attached,
    /// Ours.
    pub streams: &'a Streams,
    /// Ours, for `NORAW`: see [`Session::start`].
    pub environment: &'a Environment,
}

impl Attachment<'_> {
    /// Attaches to the container and waits for what `condition` says. Neither needs the other, so the engine is asked for
    /// both before it has answered either.
    ///
    /// # Errors
    ///
    /// Those of either request.
    pub fn connect(
        &self,
        condition: WaitCondition,
    ) -> Result<(Hijacked, Waiting), engine_client::Error> {
        let keys = self.attached.detach_keys.as_ref();
        let options = AttachOptions {
            stdin: self.attached.stdin,
            stdout: self.attached.stdout,
            stderr: self.attached.stderr,
            detach_keys: keys.map(|keys| keys.as_str().to_owned()),
        };
        let wait = || self.client.wait_container(self.id, condition);
        let (hijacked, waiting) = self.client.attach_container_and(self.id, &options, wait)?;
        Ok((hijacked, waiting?))
    }

    /// Passes the streams on, has `start` do what is left to do until the container runs, and goes on until the end, as
    /// [`Session::end`] says.
    ///
    /// # Errors
    ///
    /// The outer error is the session's, the inner one that of `start`. Either way the terminal is restored and the
    /// connection closed.
    pub fn container<E>(
        self,
        (hijacked, waiting): (Hijacked, Waiting),
        events: &mut Events,
        start: impl FnOnce(&mut Events) -> Result<(), E>,
    ) -> Result<Result<End, E>, Error> {
        let tty = self.attached.tty;
        let session = Session::start(
            hijacked,
            self.attached,
            self.streams,
            self.environment,
            &events.sender(),
        )?;
        events.watch(waiting);
        if let Err(error) = start(events) {
            drop(session);
            return Ok(Err(error));
        }
        let (client, id) = (self.client.clone(), self.id.to_owned());
        let resizer = resizer(tty, self.streams, move |size| {
            client.resize_container(&id, size.rows, size.columns)
        })?;
        let end = session.end(events);
        drop(resizer);
        end.map(Ok)
    }

    /// The same of a process of an exec, which runs already: until its output ends, as [`Session::output`] says.
    ///
    /// # Errors
    ///
    /// As of [`Session::start`] and [`Session::output`].
    pub fn process(self, hijacked: Hijacked, events: &mut Events) -> Result<OutputEnd, Error> {
        let tty = self.attached.tty;
        let session = Session::start(
            hijacked,
            self.attached,
            self.streams,
            self.environment,
            &events.sender(),
        )?;
        let (client, id) = (self.client.clone(), self.id.to_owned());
        let resizer = resizer(tty, self.streams, move |size| {
            client.resize_exec(&id, size.rows, size.columns)
        })?;
        let end = session.output(events);
        drop(resizer);
        end
    }
}

/// Keeps the size of a terminal that of ours, if there is one.
fn resizer(
    tty: bool,
    streams: &Streams,
    resize: impl FnMut(Size) -> Result<(), engine_client::Error> + Send + 'static,
) -> Result<Option<Resizer>, Error> {
    if tty {
        Resizer::start(&streams.out, &streams.err, resize)
    } else {
        Ok(None)
    }
}
