//! The one queue of what happens in a session.

use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use engine_client::models::ContainerWaitResponse;

use crate::Error;

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
    /// The work of that number, see [`Events::perform`], is done.
    Done(u64),
}

/// The queue of what happens in a session, read by the thread that runs it.
#[derive(Debug)]
pub struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    /// What came while something else was waited for.
    backlog: VecDeque<Event>,
    performed: u64,
}

/// Where events are sent to; each source has one.
#[derive(Clone, Debug)]
pub struct EventSender {
    sender: Sender<Event>,
}

impl EventSender {
    /// Reports the container's exit, or that waiting for it failed. [`Watch`](crate::Watch) does it on a thread.
    pub fn exited(&self, status: Status) {
        self.send(Event::Exited(status));
    }

    /// Nothing happens if the session is over: then nobody wants to know.
    pub(crate) fn send(&self, event: Event) {
        let _ = self.sender.send(event);
    }
}

impl Default for Events {
    fn default() -> Events {
        Events::new()
    }
}

impl Events {
    /// A queue with nothing in it.
    pub fn new() -> Events {
        let (sender, receiver) = mpsc::channel();
        Events {
            sender,
            receiver,
            backlog: VecDeque::new(),
            performed: 0,
        }
    }

    /// A sender for this queue.
    pub fn sender(&self) -> EventSender {
        EventSender {
            sender: self.sender.clone(),
        }
    }

    /// Does `work` on another thread, a request to the engine for example, and returns its result; `None` if the user
    /// forced the exit before it was done. The work then goes on as long as the process lives.
    ///
    /// While signals are caught, a request that blocks this thread could not be left by Ctrl-C. A panic of the work
    /// goes on here.
    ///
    /// # Errors
    ///
    /// [`Error::Resources`] if there cannot be another thread.
    pub fn perform<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Option<T>, Error> {
        self.performed += 1;
        let number = self.performed;
        let done = SendOnDrop {
            sender: self.sender(),
            number,
        };
        let worker = thread::Builder::new()
            .name("attach-request".to_owned())
            .spawn(move || {
                let _done = done;
                work()
            })
            .map_err(Error::Resources)?;
        let event = self.take(|event| match event {
            Event::Done(n) => *n == number,
            Event::ForcedExit => true,
            _ => false,
        });
        if let Event::ForcedExit = event {
            // It is for whoever asks next, too.
            self.backlog.push_front(event);
            return Ok(None);
        }
        match worker.join() {
            Ok(result) => Ok(Some(result)),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Waits for the container's exit alone, whatever its streams do: after a start that failed, for its removal.
    /// `None` if the user forced the exit.
    pub fn status(&mut self) -> Option<Status> {
        match self.take(|event| matches!(event, Event::Exited(_) | Event::ForcedExit)) {
            Event::Exited(status) => Some(status),
            event => {
                self.backlog.push_front(event);
                None
            }
        }
    }

    /// The next event, or `None` if there is none for that long.
    pub(crate) fn next(&mut self, limit: Option<Duration>) -> Option<Event> {
        if let Some(event) = self.backlog.pop_front() {
            return Some(event);
        }
        match limit {
            // This queue holds a sender itself, so it never is without.
            None => self.receiver.recv().ok(),
            Some(limit) => self.receiver.recv_timeout(limit).ok(),
        }
    }

    /// Waits for an event that is `wanted` and leaves the others in the queue, in their order.
    fn take(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        if let Some(index) = self.backlog.iter().position(&wanted) {
            return self.backlog.remove(index).expect("an index of the backlog");
        }
        loop {
            let event = self.receiver.recv().expect("this queue holds a sender");
            if wanted(&event) {
                return event;
            }
            self.backlog.push_back(event);
        }
    }
}

/// Reports that work is done even if it panics.
struct SendOnDrop {
    sender: EventSender,
    number: u64,
}

impl Drop for SendOnDrop {
    fn drop(&mut self) {
        self.sender.send(Event::Done(self.number));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn work_returns_its_result_and_other_events_wait() {
        let mut events = Events::new();
        events.sender().send(Event::Detached);
        events.sender().send(Event::Output(Ok(())));
        assert_eq!(events.perform(|| 7).expect("a thread"), Some(7));
        assert!(matches!(events.next(None), Some(Event::Detached)));
        assert!(matches!(events.next(None), Some(Event::Output(Ok(())))));
        assert!(events.next(Some(Duration::ZERO)).is_none());
    }

    #[test]
    fn a_forced_exit_leaves_the_work_and_stays() {
        let mut events = Events::new();
        let (release, held) = mpsc::channel::<()>();
        events.sender().send(Event::ForcedExit);
        let outcome = events.perform(move || {
            let _ = held.recv();
        });
        assert!(outcome.expect("a thread").is_none());
        assert!(events.status().is_none());
        // Work that is done late is not taken for other work.
        drop(release);
        assert!(events.perform(|| ()).expect("a thread").is_none());
        assert!(matches!(events.next(None), Some(Event::ForcedExit)));
    }

    #[test]
    fn a_panic_of_the_work_goes_on() {
        let mut events = Events::new();
        let outcome = catch_unwind(AssertUnwindSafe(|| events.perform(|| panic!("no"))));
        assert!(outcome.is_err());
    }

    #[test]
    fn the_status_is_found_behind_other_events() {
        let mut events = Events::new();
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
