//! From one start of a container to its end, and to the next start.

use std::cell::RefCell;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::unix::AsyncFd;

use super::{Container, Run};
use crate::monitor::ends::Ends;
use crate::monitor::exec::{self, Joined};
use crate::monitor::health::{self, Check};
use crate::monitor::launch::{self, Launched};
use crate::monitor::log::{LogOptions, Writer};
use crate::monitor::place::has_leftovers;
use crate::monitor::reaper::end_of_stranger;
use crate::monitor::streams::Streams;
use crate::monitor::{clean_up, ended, probe};
use crate::network::{Proxies, Released};
use crate::state::life::{self, Loss, Verdict};
use crate::state::{Moment, Recorded, State, Status};
use crate::{Error, ErrorKind, Result, runtime, sys};

/// How long the end of what a process wrote is waited for when it has ended: another that it left behind may hold its
/// streams, and write to them or not.
const LATE_OUTPUT: Duration = Duration::from_secs(2);

/// Why a container was ended whose monitor had held the other side of its terminal. The kernel has hung that up, and told
/// the first process, which is the one that may ignore it; whatever it would do, nobody could see.
const LOST_TERMINAL: &str = "the container's monitor was killed and its terminal was lost with it, so the container was ended";

/// Why one was ended whose pipes are in a runtime directory that somebody removed.
const LOST_STREAMS: &str = "the container's monitor was killed and the way to its output was removed, so the container was ended";

/// How long the file with the state of a container gets, in bytes: a page of most file systems.
const STATE: u64 = 4096;

/// The same with what health checks wrote, in which each byte may take six.
const CHECKED_STATE: u64 = STATE + 6 * (health::REMEMBERED * health::LONGEST_OUTPUT) as u64;

/// The exit code of what SIGKILL ended.
const KILLED: i64 = 137;

impl Container {
    /// Sees what became of the container since its last monitor, and does what that one left.
    pub(in crate::monitor) fn take_over(self: &Rc<Container>) -> Result<()> {
        let state = self.state.borrow().clone();
        match life::judge(&state)? {
            Verdict::Sound => {
                if has_leftovers(&self.layout, &self.record.id) {
                    clean_up::all(&self.place())?;
                }
                Ok(())
            }
            Verdict::Orphaned => self.adopt(&state),
            Verdict::Waiting => {
                self.start_again_after(Duration::ZERO);
                Ok(())
            }
            Verdict::HalfRemoved => self.remove_now(state.removes_volumes),
            Verdict::Lost(loss) => {
                let unseen = ended::unseen(&self.layout, &self.record.id, &state, loss);
                clean_up::all(&self.place())?;
                exec::adopt_all(self);
                if loss == Loss::Reboot {
                    // That is for whoever brings the machine up to say, and not for the first who looks at a container.
                    self.is_last_run.set(true);
                }
                let ran = state
                    .started_at
                    .map_or(Duration::ZERO, |start| Moment::now().since(start));
                self.ended(ran, |state| *state = unseen);
                Ok(())
            }
        }
    }

    fn adopt(self: &Rc<Container>, state: &State) -> Result<()> {
        let adopted = launch::adopt(&self.place(), state)?;
        let end = adopted
            .process
            .as_fd()
            .try_clone_to_owned()
            .and_then(sys::watch)
            .map_err(|error| Error::io("wait for the container", error))?;
        let log = self.log()?;
        let streams = self.streams.borrow().clone();
        streams.hub.set_log(log);
        let lost = match (adopted.ends, self.record.tty()) {
            (Some(ends), _) => {
                self.open_streams(&streams, ends)?;
                None
            }
            (None, true) => Some(LOST_TERMINAL),
            (None, false) => Some(LOST_STREAMS),
        };
        log::warn!("the container runs and had lost its monitor: it was taken over");
        exec::adopt_all(self);
        let run = Rc::new(Run {
            first: adopted.process,
            cgroup: RefCell::new(adopted.cgroup),
            terminal: None,
            started: Instant::now(),
            beside: RefCell::default(),
        });
        self.begin(&run, adopted.proxies);
        if lost.is_some() {
            log::warn!("its terminal or its pipes went with the monitor, so it is killed");
            self.signal(&run, libc::SIGKILL)?;
            if self.status() == Status::Paused {
                self.set_paused(false)?;
            }
        }
        let container = Rc::clone(self);
        tokio::task::spawn_local(async move {
            let (code, error) = match (end_of_stranger(&end).await, lost) {
                // Where the kernel does not tell, it is what we did.
                (code, Some(why)) => (code.unwrap_or(KILLED), why),
                (Some(code), None) => (code, ""),
                (None, None) => (life::UNKNOWN_EXIT_CODE, Loss::Monitor.as_str()),
            };
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
    pub(in crate::monitor) async fn start(self: &Rc<Container>) -> Result<()> {
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
        let check = Check::of(&self.record.body);
        self.lock.reserve(match check {
            Some(_) => CHECKED_STATE,
            None => STATE,
        })?;
        exec::forget_all(self);
        self.is_last_run.set(false);
        let Launched {
            pid,
            first,
            cgroup,
            ends,
            network,
            proxies,
        } = launch::start(&self.place())?;
        let exit = self.reaper.expect(pid.as_raw_nonzero().get());
        // It is a child that nobody waits for before this returns, so the number is its own.
        let recorded = match Recorded::of(pid) {
            Ok(recorded) => Ok(recorded),
            // It has ended already.
            Err(_) => life::boot().map(Recorded::none),
        };
        let recorded = recorded.and_then(|process| {
            self.update(|state| {
                *state = State {
                    status: Status::Running,
                    process,
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
                let _ = first.signal(libc::SIGKILL);
                let _ = rustix::process::waitid(
                    rustix::process::WaitId::PidFd(first.as_fd()),
                    rustix::process::WaitIdOptions::EXITED,
                );
                drop(cgroup);
                let _ = clean_up::all(&self.place());
                return Err(error);
            }
        };
        let run = Rc::new(Run {
            first,
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
        beside.push(tokio::task::spawn_local(proxies.run()));
        if let Some(check) = Check::of(&self.record.body) {
            let container = Rc::clone(self);
            beside.push(tokio::task::spawn_local(async move {
                probe::run(&container, &check).await;
            }));
        }
    }

    /// What is left to do when the first process has ended.
    async fn finish(self: &Rc<Container>, run: &Rc<Run>, code: i64, error: &str) {
        if error.is_empty() {
            ended::note(&self.layout, &self.record.id, &self.state.borrow(), code);
        }
        for task in run.beside.take() {
            task.abort();
            let _ = task.await;
        }
        // What they had started is told to end by that, and does at its next turn: it holds ports that the next run wants.
        tokio::task::yield_now().await;
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
                process: state.process.gone(),
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
        let is_over = pause.is_none() && !self.is_restarted.get();
        let is_final = pause.is_none() && !self.record.auto_remove();
        if is_over && self.record.auto_remove() {
            // Whoever takes this monitor's place goes on with that.
            state.status = Status::Removing;
            state.removes_volumes = true;
        }
        self.update_anyway(is_final, |old| *old = state);
        if let Some(pause) = pause {
            self.start_again_after(pause);
        }
        self.progress.send_modify(|progress| {
            progress.ends += 1;
            progress.exit_code = code;
            progress.is_running = pause.is_some();
        });
        if is_over {
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

    fn failed_to_start(self: &Rc<Container>, error: &Error) {
        let code = runtime::exit_code(error);
        let streams = self.streams.replace(Container::new_streams(&self.record));
        streams.end();
        self.update_anyway(!self.record.auto_remove(), |state| {
            state.status = match state.status {
                _ if self.record.auto_remove() => Status::Removing,
                // One that never ran stays what it was.
                Status::Created => Status::Created,
                _ => Status::Exited,
            };
            state.removes_volumes = self.record.auto_remove();
            state.process = state.process.gone();
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

    fn remove_if_asked(self: &Rc<Container>) {
        if self.record.auto_remove()
            && let Err(error) = self.remove_now(true)
        {
            log::error!("{error}");
        }
    }
}
