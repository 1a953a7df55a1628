//! The container that a monitor is there for.
//!
//! Everything happens on one thread, so what is in cells is never seen half changed: nothing is borrowed across a wait.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;
use tokio::sync::{Mutex, Notify, watch};
use tokio::task::{AbortHandle, JoinHandle};

use super::busy::Busy;
use super::exec::Joined;
use super::health::Check;
use super::launch::{self, Launched, Place};
use super::log::{LogOptions, Writer};
use super::progress::Progress;
use super::protocol::{Attach, Size};
use super::reaper::Reaper;
use super::restart::Restarts;
use super::session::Session;
use super::streams::{Ends, Streams};
use super::{clean_up, exec, probe};
use crate::cgroup::Cgroup;
use crate::network::{Proxies, Released};
use crate::state::life::{self, Verdict};
use crate::state::{Lock, Moment, Record, State, Status, Store};
use crate::{Error, ErrorKind, Layout, Result, sys};

/// How long the end of what a process wrote is waited for when it has ended: another that it left behind may hold its
/// streams, and write to them or not.
const LATE_OUTPUT: Duration = Duration::from_secs(2);

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
    /// Wakes who waits to start it again.
    not_again: Notify,
    /// What is left of the last run and goes by itself.
    settling: RefCell<Option<JoinHandle<()>>>,
    /// Starting and removing happen one at a time.
    turn: Mutex<()>,
    has_run: Cell<bool>,
}

/// One run of a container: from its start to its end.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) pid: i32,
    process: Process,
    pub(super) cgroup: RefCell<Option<Cgroup>>,
    terminal: Option<Rc<AsyncFd<OwnedFd>>>,
    started: Instant,
    /// What runs beside it: checks, and what carries connections to its ports.
    beside: RefCell<Vec<AbortHandle>>,
}

/// The first process of a container.
#[derive(Debug)]
enum Process {
    /// A child.
    Own(OwnedFd),
    /// The child of a monitor that died.
    Adopted(AsyncFd<OwnedFd>),
}

impl Process {
    fn signal(&self, signal: i32) -> std::io::Result<()> {
        let process = match self {
            Process::Own(process) => process.as_fd(),
            Process::Adopted(process) => process.get_ref().as_fd(),
        };
        sys::send_signal(process, signal)
    }
}

impl Container {
    /// The container of that id, which this process was given the lock of.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`] if its files cannot be read.
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
            not_again: Notify::new(),
            settling: RefCell::new(None),
            turn: Mutex::new(()),
            has_run: Cell::new(false),
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

    /// For whoever waits.
    pub(super) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// The present run.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if the container does not run.
    pub(super) fn run(&self) -> Result<Rc<Run>> {
        self.run
            .borrow()
            .clone()
            .ok_or_else(|| Error::conflict(format!("container {} is not running", self.record.id)))
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
    fn update_anyway(&self, durably: bool, change: impl FnOnce(&mut State)) {
        let state = &mut *self.state.borrow_mut();
        change(state);
        let written = match durably {
            true => self.lock.write_final_state(state),
            false => self.lock.write_state(state),
        };
        if let Err(error) = written {
            log::error!("{error}");
        }
    }

    /// The lock, for writing what belongs to it.
    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Sees what became of the container since its last monitor, and does what that one left.
    pub(super) fn take_over(self: &Rc<Container>) -> Result<()> {
        let state = self.state.borrow().clone();
        match life::judge(&state, &life::boot()?, life::process_started(state.pid)) {
            Verdict::Sound => {
                if clean_up::is_needed(&self.layout, &self.record.id) {
                    clean_up::all(&self.place())?;
                }
                Ok(())
            }
            Verdict::Orphaned => self.adopt(&state),
            Verdict::Waiting => {
                self.start_again_after(Duration::ZERO);
                Ok(())
            }
            Verdict::HalfRemoved => self.remove_now(self.record.auto_remove()),
            Verdict::Lost(loss) => {
                clean_up::all(&self.place())?;
                exec::adopt_all(self, None);
                let ran = state
                    .started_at
                    .map_or(Duration::ZERO, |start| Moment::now().since(start));
                self.ended(ran, |state| *state = life::lost(state, loss));
                Ok(())
            }
        }
    }

    fn adopt(self: &Rc<Container>, state: &State) -> Result<()> {
        let adopted = launch::adopt(&self.place(), state)?;
        let process = sys::watch(adopted.process)
            .map_err(|error| Error::io("wait for the container", error))?;
        let log = self.log()?;
        let streams = self.streams.borrow().clone();
        streams.hub.set_log(log);
        self.open_streams(&streams, adopted.ends)?;
        log::warn!("the container runs and had lost its monitor: it was taken over");
        exec::adopt_all(self, adopted.cgroup.as_ref());
        let run = Rc::new(Run {
            pid: state.pid,
            process: Process::Adopted(process),
            cgroup: RefCell::new(adopted.cgroup),
            terminal: None,
            started: Instant::now(),
            beside: RefCell::default(),
        });
        self.begin(&run, adopted.proxies);
        let container = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let code = match &run.process {
                Process::Adopted(process) => super::reaper::end_of_stranger(process).await,
                Process::Own(_) => None,
            };
            let error = match code {
                Some(_) => "",
                None => life::Loss::Monitor.as_str(),
            };
            let code = code.unwrap_or(life::UNKNOWN_EXIT_CODE);
            container.finish(&run, code, error).await;
        });
        Ok(())
    }

    /// Starts the container for somebody.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotModified`] if it runs, [`ErrorKind::Conflict`] if it is paused or being removed, and those of the
    /// start.
    pub(super) async fn start(self: &Rc<Container>) -> Result<()> {
        let _turn = self.turn.lock().await;
        match self.status() {
            Status::Running => {
                return Err(Error::new(
                    ErrorKind::NotModified,
                    format!("container {} is already running", self.record.id),
                ));
            }
            Status::Paused => {
                return Err(Error::conflict(
                    "cannot start a paused container, try unpause instead",
                ));
            }
            Status::Removing | Status::Dead => {
                return Err(Error::conflict(
                    "container is marked for removal and cannot be started",
                ));
            }
            Status::Restarting => self.not_again.notify_waiters(),
            Status::Created | Status::Exited => {}
        }
        self.settled().await;
        self.restarts.borrow_mut().reset();
        let started = self.start_now();
        if let Err(error) = &started {
            self.failed_to_start(error);
        }
        started
    }

    /// Starts it; what fails has left nothing but a state that is to be changed.
    fn start_now(self: &Rc<Container>) -> Result<()> {
        let log = self.log()?;
        exec::forget_all(self);
        self.is_last_run.set(false);
        let Launched {
            process,
            cgroup,
            ends,
            network,
            proxies,
        } = launch::start(&self.place())?;
        let pid = process.pid.as_raw_nonzero().get();
        let exit = self.reaper.expect(pid);
        let check = Check::of(&self.record.body);
        let recorded = life::boot().and_then(|boot| {
            self.update(|state| {
                *state = State {
                    status: Status::Running,
                    pid,
                    pid_started: life::process_started(pid).unwrap_or(0),
                    boot,
                    started_at: Some(Moment::now()),
                    finished_at: state.finished_at,
                    restart_count: self.restarts.borrow().count(),
                    health: check.as_ref().map(|_| Default::default()),
                    network: Some(network),
                    ..State::default()
                };
            })
        });
        let streams = self.streams.borrow().clone();
        streams.hub.set_log(log);
        let terminal = recorded.and_then(|()| self.open_streams(&streams, ends));
        let terminal = match terminal {
            Ok(terminal) => terminal,
            Err(error) => {
                // A container that nobody knows of must not run.
                let _ = sys::send_signal(process.pidfd.as_fd(), libc::SIGKILL);
                let _ = rustix::process::waitid(
                    rustix::process::WaitId::PidFd(process.pidfd.as_fd()),
                    rustix::process::WaitIdOptions::EXITED,
                );
                drop(cgroup);
                let _ = clean_up::all(&self.place());
                return Err(error);
            }
        };
        let run = Rc::new(Run {
            pid,
            process: Process::Own(process.pidfd),
            cgroup: RefCell::new(cgroup),
            terminal,
            started: Instant::now(),
            beside: RefCell::default(),
        });
        self.begin(&run, proxies);
        let container = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let code = exit.await.unwrap_or(life::UNKNOWN_EXIT_CODE);
            container.finish(&run, code, "").await;
        });
        Ok(())
    }

    fn log(&self) -> Result<Writer> {
        let options = LogOptions::of(&self.record.body)?;
        Writer::open(&self.layout.container(&self.record.id), &options)
    }

    fn open_streams(
        &self,
        streams: &Rc<Streams>,
        ends: Ends,
    ) -> Result<Option<Rc<AsyncFd<OwnedFd>>>> {
        streams.open(ends, self.record.open_stdin())
    }

    fn begin(self: &Rc<Container>, run: &Rc<Run>, proxies: Proxies) {
        self.has_run.set(true);
        self.run.replace(Some(Rc::clone(run)));
        self.progress.send_modify(|progress| {
            progress.is_running = true;
            progress.error = None;
        });
        let mut beside = run.beside.borrow_mut();
        beside.push(tokio::task::spawn_local(proxies.run()).abort_handle());
        if let Some(check) = Check::of(&self.record.body) {
            let container = Rc::clone(self);
            let task =
                tokio::task::spawn_local(async move { probe::run(&container, &check).await });
            beside.push(task.abort_handle());
        }
    }

    /// What is left to do when the first process has ended.
    async fn finish(self: &Rc<Container>, run: &Rc<Run>, code: i64, error: &str) {
        for task in run.beside.take() {
            task.abort();
        }
        if let Some(cgroup) = &*run.cgroup.borrow()
            && launch::outlives_its_first_process(&self.record)
            && let Err(error) = cgroup.kill()
        {
            log::error!("{error}");
        }
        let streams = self.streams.borrow().clone();
        // Who attaches from now on is there for the next run.
        self.streams.replace(Container::new_streams(&self.record));
        let _ = tokio::time::timeout(LATE_OUTPUT, streams.drained()).await;
        streams.end();
        let joined: Vec<Rc<Joined>> = self.joined.borrow().values().cloned().collect();
        for process in joined {
            let _ = tokio::time::timeout(LATE_OUTPUT, process.ended()).await;
        }
        let mut cgroup = run.cgroup.take();
        let oom_killed = match &cgroup {
            Some(cgroup) => cgroup.oom_kills().is_ok_and(|kills| kills > 0),
            None => false,
        };
        self.run.replace(None);
        let (network, cleaned) = clean_up::after_run(&self.place(), cgroup.as_mut());
        if let Err(error) = cleaned {
            log::error!("{error}");
        }
        self.ended(run.started.elapsed(), |state| {
            *state = State {
                status: Status::Exited,
                pid: 0,
                pid_started: 0,
                finished_at: Some(Moment::now()),
                exit_code: code,
                error: error.to_owned(),
                oom_killed,
                network: None,
                ..state.clone()
            };
        });
        self.settle(network);
    }

    /// Sees to what is left of a run's network, when everybody has been told of its end.
    fn settle(&self, network: Released) {
        let guard = self.busy.guard();
        let settling = tokio::task::spawn_local(async move {
            if let Err(error) = network.settle().await {
                log::warn!("{error}");
            }
            drop(guard);
        });
        self.settling.replace(Some(settling));
    }

    /// Waits until nothing is left of the last run that the next one could be taken for.
    async fn settled(&self) {
        let settling = self.settling.take();
        if let Some(settling) = settling {
            // Had it panicked, this process would be gone.
            let _ = settling.await;
        }
    }

    /// The container has ended, as `change` says: it starts again, goes, or stays.
    fn ended(self: &Rc<Container>, ran: Duration, change: impl FnOnce(&mut State)) {
        let mut state = self.state.borrow().clone();
        change(&mut state);
        let code = state.exit_code;
        let pause = match self.is_last_run.get() || state.stopped_by_user {
            true => None,
            false => self.restarts.borrow_mut().after(code, ran),
        };
        if pause.is_some() {
            // It is never seen as ended in between.
            state.status = Status::Restarting;
            state.restart_count = self.restarts.borrow().count();
        }
        let is_final = pause.is_none() && !self.record.auto_remove();
        self.update_anyway(is_final, |old| *old = state);
        if let Some(pause) = pause {
            self.start_again_after(pause);
        }
        self.progress.send_modify(|progress| {
            progress.ends += 1;
            progress.exit_code = code;
            progress.is_running = pause.is_some();
        });
        if pause.is_none() {
            self.remove_if_asked();
        }
    }

    /// Has the container start again by itself.
    fn start_again_after(self: &Rc<Container>, pause: Duration) {
        self.has_run.set(true);
        let container = Rc::clone(self);
        tokio::task::spawn_local(async move {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = container.not_again.notified() => return,
            }
            let _turn = container.turn.lock().await;
            container.settled().await;
            // Somebody may have started, stopped or removed it while we waited for our turn.
            if container.status() != Status::Restarting || container.is_last_run.get() {
                return;
            }
            if let Err(error) = container.start_now() {
                log::error!("the container does not start again: {error}");
                container.failed_to_start(&error);
            }
        });
    }

    fn failed_to_start(&self, error: &Error) {
        let code = crate::runtime::exit_code(error);
        let streams = self.streams.replace(Container::new_streams(&self.record));
        streams.end();
        self.update_anyway(false, |state| {
            // One that never ran stays what it was.
            if state.status != Status::Created {
                state.status = Status::Exited;
            }
            state.pid = 0;
            state.exit_code = code;
            state.error = error.to_string();
        });
        self.progress.send_modify(|progress| {
            progress.ends += 1;
            progress.exit_code = code;
            progress.error = Some(error.to_string());
            progress.is_running = false;
        });
        self.remove_if_asked();
    }

    fn remove_if_asked(&self) {
        if self.record.auto_remove()
            && let Err(error) = self.remove_now(true)
        {
            log::error!("{error}");
        }
    }

    /// Sends a signal to the first process, which may mean that the container shall end for good.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if the container does not run.
    pub(super) fn kill(&self, signal: i32) -> Result<()> {
        let run = self.run()?;
        let stop_signal = match self.record.body.stop_signal.as_deref() {
            None | Some("") => None,
            Some(name) => crate::signal::parse(name).ok(),
        };
        // As dockerd has it: without a stop signal of its own any signal may be meant to end it.
        let ends = signal == libc::SIGKILL || stop_signal.is_none_or(|stop| stop == signal);
        if ends {
            self.is_last_run.set(true);
        }
        if !self.state.borrow().stopped_by_user {
            self.update(|state| state.stopped_by_user = true)?;
        }
        self.signal(&run, signal)?;
        if ends && self.status() == Status::Paused {
            self.set_paused(false)?;
        }
        Ok(())
    }

    fn signal(&self, run: &Run, signal: i32) -> Result<()> {
        match run.process.signal(signal) {
            // It has ended, and whoever waits for that will hear of it.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            result => result.map_err(|error| {
                Error::io(
                    format_args!("send signal {signal} to container {}", self.record.id),
                    error,
                )
            }),
        }
    }

    /// Ends the container: its stop signal, then SIGKILL.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotModified`] if it does not run.
    pub(super) async fn stop(&self, signal: Option<i32>, timeout: Option<i64>) -> Result<()> {
        let mut progress = self.progress();
        match self.status() {
            Status::Running | Status::Paused => {}
            Status::Restarting => {
                self.update(|state| {
                    state.stopped_by_user = true;
                    state.status = Status::Exited;
                })?;
                self.is_last_run.set(true);
                self.not_again.notify_waiters();
                self.progress
                    .send_modify(|progress| progress.is_running = false);
                return Ok(());
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::NotModified,
                    format!("container {} is already stopped", self.record.id),
                ));
            }
        }
        let body = &self.record.body;
        let signal = match (signal, body.stop_signal.as_deref()) {
            (Some(signal), _) => signal,
            (None, None | Some("")) => libc::SIGTERM,
            (None, Some(name)) => crate::signal::parse(name)?,
        };
        let seconds = timeout.or(body.stop_timeout).unwrap_or(10);
        self.is_last_run.set(true);
        self.update(|state| state.stopped_by_user = true)?;
        let run = self.run()?;
        self.signal(&run, signal)?;
        if self.status() == Status::Paused {
            self.set_paused(false)?;
        }
        let ended = progress.wait_for(|progress| !progress.is_running);
        let in_time = match u64::try_from(seconds) {
            Ok(seconds) => tokio::time::timeout(Duration::from_secs(seconds), ended)
                .await
                .is_ok(),
            Err(_) => ended.await.is_ok(),
        };
        if !in_time {
            self.end_now(&run).await?;
        }
        Ok(())
    }

    /// Kills the container and waits for its end.
    async fn end_now(&self, run: &Run) -> Result<()> {
        self.is_last_run.set(true);
        self.signal(run, libc::SIGKILL)?;
        if self.status() == Status::Paused {
            self.set_paused(false)?;
        }
        let mut progress = self.progress();
        let ended = progress.wait_for(|progress| !progress.is_running);
        match tokio::time::timeout(Duration::from_secs(30), ended).await {
            Ok(_) => Ok(()),
            // A process that waits for a device does not die before that answers.
            Err(_) => Err(Error::system(format!(
                "container {} was killed and has not ended for 30 seconds",
                self.record.id
            ))),
        }
    }

    /// Stops the container if it runs, and starts it.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Container::start) and [`stop`](Container::stop).
    pub(super) async fn restart(
        self: &Rc<Container>,
        signal: Option<i32>,
        timeout: Option<i64>,
    ) -> Result<()> {
        match self.stop(signal, timeout).await {
            Err(error) if error.kind() != ErrorKind::NotModified => return Err(error),
            _ => {}
        }
        self.start().await
    }

    /// Freezes all processes, or lets them go on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if the container does not run, or is as was asked for already.
    pub(super) fn set_paused(&self, paused: bool) -> Result<()> {
        let run = self.run()?;
        match (self.status(), paused) {
            (Status::Paused, true) => {
                return Err(Error::conflict(format!(
                    "Container {} is already paused",
                    self.record.id
                )));
            }
            (Status::Running, false) => {
                return Err(Error::conflict(format!(
                    "Container {} is not paused",
                    self.record.id
                )));
            }
            _ => {}
        }
        match (&*run.cgroup.borrow(), paused) {
            (None, _) => {
                return Err(Error::not_implemented(
                    "the container has no cgroup, so it cannot be paused",
                ));
            }
            (Some(cgroup), true) => cgroup.freeze()?,
            (Some(cgroup), false) => cgroup.thaw()?,
        }
        self.update(|state| {
            state.status = if paused {
                Status::Paused
            } else {
                Status::Running
            };
        })
    }

    /// Sets the size of the container's terminal.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if it does not run, [`ErrorKind::InvalidParameter`] if it has no terminal.
    pub(super) fn resize(&self, size: Size) -> Result<()> {
        let run = self.run()?;
        match &run.terminal {
            Some(terminal) => launch::resize(terminal.get_ref().as_fd(), size),
            // dockerd does as if it had; a client that asks is a client that shows one.
            None => Ok(()),
        }
    }

    /// Registers a client: it gets what is written from now on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] for a container that is paused or between two runs.
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

    /// Removes the container for somebody.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if it runs and that is not `forced`.
    pub(super) async fn remove(self: &Rc<Container>, forced: bool, volumes: bool) -> Result<()> {
        if self.state.borrow().is_running() {
            if !forced {
                return Err(clean_up::still_runs(&self.record, self.status()));
            }
            if self.status() == Status::Restarting {
                self.stop(None, None).await?;
            } else if let Ok(run) = self.run() {
                self.end_now(&run).await?;
            }
        }
        if self.progress.borrow().is_removed {
            return Ok(());
        }
        let _turn = self.turn.lock().await;
        if self.progress.borrow().is_removed {
            return Ok(());
        }
        self.remove_now(volumes)
    }

    fn remove_now(&self, volumes: bool) -> Result<()> {
        let before = self.status();
        self.update_anyway(false, |state| state.status = Status::Removing);
        let removed = clean_up::remove(&self.layout, &self.record, volumes);
        match &removed {
            Ok(()) => self
                .progress
                .send_modify(|progress| progress.is_removed = true),
            Err(error) => {
                self.update_anyway(false, |state| {
                    state.status = before;
                    state.error = error.to_string();
                });
                // Whoever waits for its removal would wait for ever.
                self.progress.send_modify(|progress| {
                    progress.error = Some(error.to_string());
                    progress.is_removed = self.record.auto_remove();
                });
            }
        }
        removed
    }
}
