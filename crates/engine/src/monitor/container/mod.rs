//! The container that a monitor is there for.
//!
//! Everything happens on one thread, so what is in cells is never seen half changed: nothing is borrowed across a wait.

mod run;
mod stop;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::JoinHandle;

use super::busy::Busy;
use super::exec::Joined;
use super::place::Place;
use super::progress::Progress;
use super::protocol::{Attach, Size};
use super::reaper::Reaper;
use super::restart::Restarts;
use super::session::Session;
use super::size;
use super::streams::Streams;
use crate::cgroup::Cgroup;
use crate::state::{Lock, Proven, Record, Removed, State, Status, Store};
use crate::{Error, Layout, Result};

/// How long a disk stays full before it is tried to write to it once more.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// A container, and what its monitor knows of it.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) layout: Layout,
    pub(super) record: Record,
    pub(super) reaper: Rc<Reaper>,
    /// Who wants something of this monitor still.
    pub(super) busy: Busy,
    /// Processes that joined and run, by the ids of their files.
    pub(super) joined: RefCell<HashMap<String, Rc<Joined>>>,
    lock: Lock,
    /// The mount namespace that this process came from.
    home: OwnedFd,
    state: RefCell<State>,
    progress: watch::Sender<Progress>,
    run: RefCell<Option<Rc<Run>>>,
    /// The streams of this run, or of the next one.
    streams: RefCell<Rc<Streams>>,
    restarts: RefCell<Restarts>,
    /// Whether this run is the last, whatever the policy says.
    is_last_run: Cell<bool>,
    /// Whether somebody has it stopped in order to start it: it is not removed then, though that was asked for.
    is_restarted: Cell<bool>,
    /// Wakes who waits to start it again.
    not_again: Notify,
    /// What is left of the last run and goes by itself.
    settling: RefCell<Option<JoinHandle<()>>>,
    /// Starting and removing happen one at a time.
    turn: Mutex<()>,
    has_run: Cell<bool>,
    /// What is left of it when it was removed.
    removed: RefCell<Option<Removed>>,
    /// Whether the state's file is older than the state.
    is_unwritten: Cell<bool>,
}

/// One run of a container: from its start to its end.
#[derive(Debug)]
pub(super) struct Run {
    /// The first process.
    pub(super) first: Proven,
    pub(super) cgroup: RefCell<Option<Cgroup>>,
    terminal: Option<Rc<AsyncFd<OwnedFd>>>,
    started: Instant,
    /// What runs beside it: checks, and what carries connections to its ports.
    beside: RefCell<Vec<JoinHandle<()>>>,
}

impl Container {
    /// The container of that id, which this process was given the lock of.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if its files cannot be read.
    pub(super) fn open(
        layout: Layout,
        id: &str,
        lock: Lock,
        reaper: Rc<Reaper>,
        home: OwnedFd,
    ) -> Result<Rc<Container>> {
        let store = Store::new(&layout);
        let record = store.record(id)?;
        let state = store.state(id)?;
        Ok(Rc::new(Container {
            reaper,
            busy: Busy::default(),
            joined: RefCell::default(),
            lock,
            home,
            progress: watch::Sender::new(Progress {
                exit_code: state.exit_code,
                ..Progress::default()
            }),
            run: RefCell::new(None),
            streams: RefCell::new(Container::new_streams(&record)),
            restarts: RefCell::new(Restarts::new(&record.body, state.restart_count)),
            is_last_run: Cell::new(false),
            is_restarted: Cell::new(false),
            not_again: Notify::new(),
            settling: RefCell::new(None),
            turn: Mutex::new(()),
            has_run: Cell::new(false),
            removed: RefCell::new(None),
            is_unwritten: Cell::new(false),
            state: RefCell::new(state),
            record,
            layout,
        }))
    }

    fn new_streams(record: &Record) -> Rc<Streams> {
        Rc::new(Streams::new(record.tty(), record.stdin_once()))
    }

    /// Whether this monitor has started the container, or taken it over.
    pub(super) fn has_run(&self) -> bool {
        self.has_run.get()
    }

    /// Deletes what is left of it if it was removed, when there is nobody left to be told anything.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if something cannot be deleted.
    pub(super) fn delete_leftovers(&self) -> Result<()> {
        self.removed.take().map_or(Ok(()), Removed::delete)
    }

    /// For whoever waits.
    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The present run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the container does not run.
    pub(super) fn run(&self) -> Result<Rc<Run>> {
        self.run.borrow().clone().ok_or_else(|| self.not_running())
    }

    pub(super) fn not_running(&self) -> Error {
        Error::conflict(format!("container {} is not running", self.record.id))
    }

    /// The container's own files and directories.
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            layout: &self.layout,
            record: &self.record,
            home: self.home.as_fd(),
        }
    }

    pub(super) fn status(&self) -> Status {
        self.state.borrow().status
    }

    /// Changes the state, here and in its file. A change that cannot be written has not happened.
    pub(super) fn update(&self, change: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state.borrow().clone();
        change(&mut state);
        self.lock.write_state(&state)?;
        self.state.replace(state);
        Ok(())
    }

    /// Changes the state, and its file if that can be written.
    fn update_anyway(self: &Rc<Container>, durably: bool, change: impl FnOnce(&mut State)) {
        change(&mut self.state.borrow_mut());
        if let Err(error) = self.write(durably) {
            log::error!("{error}");
            self.write_later(durably);
        }
    }

    fn write(&self, durably: bool) -> Result<()> {
        let state = self.state.borrow();
        match durably {
            true => self.lock.write_final_state(&state),
            false => self.lock.write_state(&state),
        }
    }

    /// Tries again until the state can be written: until then nobody else can be told of it than who asks this monitor.
    fn write_later(self: &Rc<Container>, durably: bool) {
        if self.is_unwritten.replace(true) {
            return;
        }
        let guard = self.busy.guard();
        let container = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let mut progress = container.progress();
            loop {
                let removed = progress.wait_for(|now| now.is_removed);
                let is_removed = tokio::time::timeout(BETWEEN_TRIES, removed).await.is_ok();
                // Somebody may have removed it by hand, too.
                let is_there = container.layout.container(&container.record.id).is_dir();
                if is_removed || !is_there || container.write(durably).is_ok() {
                    break;
                }
            }
            container.is_unwritten.set(false);
            drop(guard);
        });
    }

    /// The lock, for writing what belongs to it.
    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Sets the size of the container's terminal.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it does not run, [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it has no terminal.
    pub(super) fn resize(&self, size: Size) -> Result<()> {
        let run = self.run()?;
        match &run.terminal {
            Some(terminal) => size::resize(terminal.get_ref().as_fd(), size),
            // dockerd does as if it had; a client that asks is a client that shows one.
            None => Ok(()),
        }
    }

    /// Registers a client: it gets what is written from now on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for a container that is paused or between two runs.
    pub(super) fn attach(&self, request: &Attach) -> Result<(Rc<Streams>, Rc<Session>)> {
        match self.status() {
            Status::Paused => {
                return Err(Error::conflict(format!(
                    "container {} is paused, unpause the container before attach",
                    self.record.id
                )));
            }
            Status::Restarting => {
                return Err(Error::conflict(format!(
                    "container {} is restarting, wait until the container is running",
                    self.record.id
                )));
            }
            _ => {}
        }
        let streams = self.streams.borrow().clone();
        let session = Rc::new(Session::new(
            request.stdout,
            request.stderr && !streams.tty,
            !streams.tty,
        ));
        if request.stream {
            streams.hub.add(Rc::clone(&session));
        } else {
            session.end();
        }
        Ok((streams, session))
    }
}
