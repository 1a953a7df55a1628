//! The event queue of a session and the single thread that waits on it.
//!
//! The thread that runs a session waits in one place, for everything: signals, the output's beginning, what other threads
//! report, and the answer of the engine that it needs next. So a request that a signal may interrupt needs no thread of
//! its own, and neither do the signals.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io};

use engine_client::models::ContainerWaitResponse;
use engine_client::{Interrupt, Interruption, Waiting, interruptible};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use crate::Error;
use crate::output::Beginning;
use crate::signals::Receiver;

/// What waiting for a container brought.
pub type Status = Result<ContainerWaitResponse, engine_client::Error>;

/// Something that happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The container's output ended, or cannot be passed on any more.
    Output(Result<(), Error>),
    /// The detach keys were typed.
    Detached,
    /// The container exited, or waiting for it failed.
    Exited(Status),
    /// The user asked for the third time to leave.
    ForcedExit,
}

impl Event {
    /// Whether the session is over, whatever the container's status is.
    fn is_end(&self) -> bool {
        matches!(
            self,
            Event::Detached | Event::ForcedExit | Event::Output(Err(_))
        )
    }
}

/// What happens in a session, in its order, for the thread that runs it.
#[derive(Debug)]
pub struct Events {
    shared: Arc<Shared>,
    /// The exit that is waited for when there is nothing else to do.
    waiting: Option<Waiting>,
}

/// Where events are sent to; each source has one.
#[derive(Clone, Debug)]
pub struct EventSender {
    shared: Arc<Shared>,
}

/// What other threads have a part in.
struct Shared {
    queue: Mutex<VecDeque<Event>>,
    /// Readable when the waiting thread shall look at the queue, and at what it waits for.
    bell: OwnedFd,
    sources: Mutex<Sources>,
}

/// What the waiting thread polls beside the bell.
#[derive(Default)]
struct Sources {
    receivers: Vec<Arc<Receiver>>,
    output: Option<Beginning>,
}

impl EventSender {
    /// Reports the container's exit, or that waiting for it failed. [`Events::watch`] does that by itself.
    pub fn exited(&self, status: Status) {
        self.send(Event::Exited(status));
    }

    /// Has whoever waits look whether what it waits for is still wanted: see [`Events::perform_while`].
    pub fn wake(&self) {
        self.shared.ring();
    }

    /// Nothing happens if the session is over: then nobody wants to know.
    pub(crate) fn send(&self, event: Event) {
        self.shared.push(event);
    }

    /// Takes signals from here on.
    pub(crate) fn receive(&self, receiver: Arc<Receiver>) {
        self.shared.sources().receivers.push(receiver);
    }

    /// Takes them no more.
    pub(crate) fn forget(&self, receiver: &Arc<Receiver>) {
        let mut sources = self.shared.sources();
        sources.receivers.retain(|one| !Arc::ptr_eq(one, receiver));
    }

    /// Passes the output on as soon as there is some.
    pub(crate) fn begin_output(&self, output: Beginning) {
        if output.has_begun() {
            output.begin(self);
        } else {
            self.shared.sources().output = Some(output);
        }
    }

    /// Passes no output on that has not begun by now.
    pub(crate) fn forget_output(&self) {
        self.shared.sources().output = None;
    }
}

impl Events {
    /// With nothing that has happened yet.
    ///
    /// # Errors
    ///
    /// [`Error::Resources`] if there cannot be another descriptor.
    pub fn new() -> Result<Events, Error> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| Error::Resources(error.into()))?;
        Ok(Events {
            shared: Arc::new(Shared {
                queue: Mutex::default(),
                bell,
                sources: Mutex::default(),
            }),
            waiting: None,
        })
    }

    /// A sender of events to this.
    pub fn sender(&self) -> EventSender {
        EventSender {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Waits for a container's exit, whenever something is waited for. The wait ends with this.
    pub fn watch(&mut self, waiting: Waiting) {
        self.waiting = Some(waiting);
    }

    /// Does `work`, a request to the engine for example, and returns its result; `None` if the user forced the exit
    /// before it was done.
    ///
    /// While signals are caught, a request that blocks this thread could not be left by Ctrl-C; here its wait for the
    /// engine's answer is a wait for signals too. A panic of the work goes on.
    pub fn perform<T>(&mut self, work: impl FnOnce() -> T) -> Option<T> {
        self.perform_while(|| true, work)
    }

    /// As [`Events::perform`], and the work is left as well when it is not `wanted` any more. That is asked after each
    /// [`EventSender::wake`].
    pub fn perform_while<T>(
        &mut self,
        wanted: impl Fn() -> bool + Send + Sync + 'static,
        work: impl FnOnce() -> T,
    ) -> Option<T> {
        self.until(
            move |queue| !wanted() || queue.iter().any(|event| matches!(event, Event::ForcedExit)),
            work,
        )
    }

    /// Waits until what was reported with [`EventSender::wake`] makes `done` true, which is asked at first, too. False if
    /// the user forced the exit before that.
    pub fn wait_until(&mut self, done: impl Fn() -> bool) -> bool {
        loop {
            if done() {
                return true;
            }
            if self.shared.any(|event| matches!(event, Event::ForcedExit)) {
                return false;
            }
            self.shared.pause(None, None);
        }
    }

    /// Waits for the container's exit alone, whatever its streams do: after a start that failed, for its removal.
    /// `None` if the user forced the exit.
    pub fn status(&mut self) -> Option<Status> {
        loop {
            let mut queue = self.shared.queue();
            let wanted = queue
                .iter()
                .position(|event| matches!(event, Event::Exited(_) | Event::ForcedExit));
            if let Some(index) = wanted {
                return match queue.remove(index) {
                    Some(Event::Exited(status)) => Some(status),
                    // It is for whoever asks next, too.
                    event => {
                        queue.extend(event);
                        None
                    }
                };
            }
            drop(queue);
            match self.waiting.take() {
                Some(waiting) => {
                    if let Some(status) = self.perform(|| waiting.status()) {
                        return Some(status);
                    }
                }
                None => {
                    self.shared.pause(None, None);
                }
            }
        }
    }

    /// The next event, or `None` if there is none for that long.
    pub(crate) fn next(&mut self, limit: Option<Duration>) -> Option<Event> {
        let deadline = limit.map(|limit| Instant::now() + limit);
        loop {
            if let Some(event) = self.shared.queue().pop_front() {
                return Some(event);
            }
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return None;
            }
            match self.waiting.take() {
                // Once it is there, what is left has a limit of its own.
                Some(waiting) if limit.is_none() => {
                    let is_over = |queue: &VecDeque<Event>| queue.iter().any(Event::is_end);
                    if let Some(status) = self.until(is_over, || waiting.status()) {
                        self.shared.push(Event::Exited(status));
                    }
                }
                waiting => {
                    self.waiting = waiting;
                    self.shared.pause(None, left);
                }
            }
        }
    }

    /// Does the work until what has happened says that it is to be left; then there is no result.
    fn until<T>(
        &self,
        is_over: impl Fn(&VecDeque<Event>) -> bool + Send + Sync + 'static,
        work: impl FnOnce() -> T,
    ) -> Option<T> {
        let guard = Arc::new(Guard {
            shared: Arc::clone(&self.shared),
            is_over: Box::new(is_over),
            has_left: Mutex::new(false),
        });
        if guard.is_over() {
            return None;
        }
        let result = interruptible(Arc::<Guard>::clone(&guard), work);
        let has_left = guard.has_left.lock();
        (!*has_left.unwrap_or_else(PoisonError::into_inner)).then_some(result)
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sources(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn any(&self, wanted: impl Fn(&Event) -> bool) -> bool {
        self.queue().iter().any(wanted)
    }

    fn push(&self, event: Event) {
        self.queue().push_back(event);
        self.ring();
    }

    fn ring(&self) {
        // It fails when its count is at the end of its range, and then it rings already.
        let _rings = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// Waits for anything, takes care of it, and returns whether the connection can be read. There may be nothing new.
    fn pause(
        self: &Arc<Self>,
        connection: Option<BorrowedFd<'_>>,
        limit: Option<Duration>,
    ) -> bool {
        let sender = EventSender {
            shared: Arc::clone(self),
        };
        let receivers = self.sources().receivers.clone();
        let output = self.sources().output.take();
        // What the descriptors of are polled stays where it is until that is over.
        let mut polled = vec![PollFd::new(&self.bell, PollFlags::IN)];
        let readable = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        polled.extend(receivers.iter().map(|receiver| readable(receiver.as_fd())));
        polled.extend(output.iter().map(|output| readable(output.as_fd())));
        polled.extend(connection.map(readable));
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let result = poll(&mut polled, limit.as_ref());
        if let Err(error) = result
            && error != Errno::INTR
        {
            // No descriptor of ours is bad; without memory there is nothing to wait for.
            log::debug!("cannot wait: {error}");
        }
        let ready: Vec<bool> = polled
            .iter()
            .map(|fd| result.is_ok() && !fd.revents().is_empty())
            .collect();
        drop(polled);
        if ready[0] {
            let _count = rustix::io::read(&self.bell, &mut [0; 8]);
        }
        for (receiver, _) in receivers
            .iter()
            .zip(&ready[1..])
            .filter(|(_, ready)| **ready)
        {
            receiver.receive(&sender);
        }
        let at = 1 + receivers.len();
        match output {
            Some(output) if ready[at] => output.begin(&sender),
            Some(output) => self.sources().output = Some(output),
            None => {}
        }
        connection.is_some() && ready.last() == Some(&true)
    }
}

/// Whether what has happened leaves nothing to wait for.
type IsOver = dyn Fn(&VecDeque<Event>) -> bool + Send + Sync;

/// Decides for a request whether its answer is still waited for.
struct Guard {
    shared: Arc<Shared>,
    is_over: Box<IsOver>,
    has_left: Mutex<bool>,
}

impl Guard {
    fn is_over(&self) -> bool {
        (self.is_over)(&self.shared.queue())
    }
}

impl Interrupt for Guard {
    fn wait(
        &self,
        connection: Option<BorrowedFd<'_>>,
        timeout: Option<Duration>,
    ) -> io::Result<Interruption> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            let left = match deadline {
                // It may have been over before, and the work has gone on to its next request.
                _ if self.is_over() => Some(Duration::ZERO),
                deadline => deadline.map(|end| end.saturating_duration_since(Instant::now())),
            };
            // An answer that is there is taken: what was asked for has happened.
            if self.shared.pause(connection, left) {
                return Ok(Interruption::Readable);
            }
            if self.is_over() {
                *self.has_left.lock().unwrap_or_else(PoisonError::into_inner) = true;
                return Ok(Interruption::Leave);
            }
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Interruption::Timeout);
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn work_returns_its_result_and_other_events_wait() {
        let mut events = Events::new().expect("a descriptor");
        events.sender().send(Event::Detached);
        events.sender().send(Event::Output(Ok(())));
        assert_eq!(events.perform(|| 7), Some(7));
        assert!(matches!(events.next(None), Some(Event::Detached)));
        assert!(matches!(events.next(None), Some(Event::Output(Ok(())))));
        assert!(events.next(Some(Duration::ZERO)).is_none());
    }

    #[test]
    fn after_a_forced_exit_nothing_is_begun() {
        let mut events = Events::new().expect("a descriptor");
        events.sender().send(Event::ForcedExit);
        assert!(events.perform(|| panic!("begun")).is_none());
        assert!(events.status().is_none());
        assert!(!events.wait_until(|| false));
        assert!(matches!(events.next(None), Some(Event::ForcedExit)));
    }

    #[test]
    fn a_wait_ends_when_somebody_says_so() {
        let mut events = Events::new().expect("a descriptor");
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (sender, is_done) = (events.sender(), Arc::clone(&done));
        let other = std::thread::spawn(move || {
            is_done.store(true, std::sync::atomic::Ordering::SeqCst);
            sender.wake();
        });
        assert!(events.wait_until(|| done.load(std::sync::atomic::Ordering::SeqCst)));
        other.join().expect("no panic");
    }

    #[test]
    fn a_panic_of_the_work_goes_on() {
        let mut events = Events::new().expect("a descriptor");
        let outcome = catch_unwind(AssertUnwindSafe(|| events.perform(|| panic!("no"))));
        assert!(outcome.is_err());
    }

    #[test]
    fn the_status_is_found_behind_other_events() {
        let mut events = Events::new().expect("a descriptor");
        events.sender().send(Event::Output(Ok(())));
        events.sender().exited(Ok(ContainerWaitResponse {
            status_code: 3,
            error: None,
        }));
        let status = events.status().expect("not forced").expect("a status");
        assert_eq!(status.status_code, 3);
        assert!(matches!(events.next(None), Some(Event::Output(Ok(())))));
    }
}
