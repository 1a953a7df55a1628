//! Processes that join the container.

use std::cell::RefCell;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use tokio::io::unix::AsyncFd;
use tokio::sync::watch;

use super::container::{Container, Run};
use super::log::Stream;
use super::protocol::Size;
use super::reaper::end_of_stranger;
use super::session::Session;
use super::streams::{Streams, Typed};
use super::{join, size};
use crate::state::{Exec, Recorded, Status, Store, life};
use crate::{Error, Result, runtime, sys};

/// How long the end of what a process wrote is waited for when it has ended: another that it left behind may hold its
/// streams, and write to them or not.
const LATE_OUTPUT: Duration = Duration::from_secs(2);

/// How long the outcome of a process is kept for whoever asks for it, as with dockerd.
const REMEMBERED: Duration = Duration::from_secs(300);

/// A process that joined and runs.
#[derive(Debug)]
pub(super) struct Joined {
    terminal: Option<Rc<AsyncFd<OwnedFd>>>,
    is_over: watch::Sender<bool>,
}

impl Joined {
    /// Waits until it has ended and its file says so.
    pub(super) async fn ended(&self) {
        // The sender is this very process.
        let _ = self.is_over.subscribe().wait_for(|over| *over).await;
    }
}

/// A process that is going to join.
#[derive(Debug)]
pub(super) struct Prepared {
    container: Rc<Container>,
    run: Rc<Run>,
    exec: RefCell<Exec>,
    streams: Rc<Streams>,
}

/// Looks the process up and checks that it can start.
pub(super) fn prepare(container: &Rc<Container>, id: &str) -> Result<Prepared> {
    let own = &container.record.id;
    let exec = Store::new(&container.layout)
        .exec_of(own, id)?
        .ok_or_else(|| Error::not_found(format!("No such exec instance: {id}")))?;
    if exec.running {
        return Err(Error::conflict(format!(
            "Error: Exec command {id} is already running"
        )));
    }
    if exec.exit_code.is_some() {
        return Err(Error::conflict(format!(
            "Error: Exec command {id} has already run"
        )));
    }
    let run = running(container)?;
    Ok(Prepared {
        container: Rc::clone(container),
        run,
        streams: Rc::new(Streams::new(exec.config.tty.unwrap_or(false), true)),
        exec: RefCell::new(exec),
    })
}

/// The present run, if a process can join it.
fn running(container: &Container) -> Result<Rc<Run>> {
    let id = &container.record.id;
    match container.status() {
        Status::Paused => Err(Error::conflict(format!(
            "Container {id} is paused, unpause the container before exec"
        ))),
        Status::Restarting => Err(Error::conflict(format!(
            "Container {id} is restarting, wait until the container is running"
        ))),
        _ => {
            let run = container.run()?;
            // What it wrote is waited for still, and its number may be another process's by now.
            match run.first.is_alive() {
                true => Ok(run),
                false => Err(container.not_running()),
            }
        }
    }
}

impl Prepared {
    /// Registers the client that the process is started for.
    pub(super) fn attach(&self, is_raw: bool) -> Rc<Session> {
        let exec = self.exec.borrow();
        let session = Rc::new(Session::new(
            exec.config.attach_stdout.unwrap_or(false),
            exec.config.attach_stderr.unwrap_or(false),
            !is_raw,
        ));
        self.streams.hub.add(Rc::clone(&session));
        session
    }

    /// What that client types, if the process reads it.
    pub(super) fn typed(&self, early: Vec<u8>) -> Result<Option<Typed>> {
        let exec = self.exec.borrow();
        if !exec.config.attach_stdin.unwrap_or(false) {
            return Ok(None);
        }
        let keys = exec.config.detach_keys.as_deref().unwrap_or_default();
        Typed::new(early, keys).map(Some)
    }

    pub(super) fn streams(&self) -> &Rc<Streams> {
        &self.streams
    }

    /// Starts the process. Who is attached to it is told what fails, too.
    pub(super) fn start(self, size: Option<Size>) -> Result<()> {
        let streams = Rc::clone(&self.streams);
        let started = self.try_start(size);
        if let Err(error) = &started {
            streams
                .hub
                .push(Stream::Stdout, format!("{error}\r\n").as_bytes());
            streams.end();
        }
        started
    }

    fn try_start(self, size: Option<Size>) -> Result<()> {
        // Two may have asked, or the container may have ended while the client was on its way.
        let run = running(&self.container)?;
        if !Rc::ptr_eq(&run, &self.run) {
            return Err(Error::conflict("the container was started anew"));
        }
        let launched = {
            let exec = self.exec.borrow();
            join::exec(
                &self.container.place(),
                &run.first,
                run.cgroup.borrow().as_ref(),
                &exec.config,
                size,
            )
        };
        let (process, ends) = match launched {
            Ok(launched) => launched,
            Err(error) => {
                let code = match runtime::exit_code(&error) {
                    // What Docker's clients are told where the reason is no program's.
                    128 => 126,
                    code => code,
                };
                self.record(|exec| exec.exit_code = Some(code));
                forget_later(&self.container, self.exec.borrow().id.clone());
                return Err(error);
            }
        };
        let exit = self
            .container
            .reaper
            .expect(process.pid.as_raw_nonzero().get());
        // A child that nobody waits for before this returns; one that has ended already is none.
        let recorded = Recorded::of(process.pid).unwrap_or_default();
        let reads_terminal = self.exec.borrow().config.attach_stdin.unwrap_or(false);
        let terminal = self.streams.open(ends, reads_terminal)?;
        self.record(|exec| {
            exec.process = recorded;
            exec.running = true;
        });
        let joined = Rc::new(Joined {
            terminal,
            is_over: watch::Sender::new(false),
        });
        let id = self.exec.borrow().id.clone();
        self.container
            .joined
            .borrow_mut()
            .insert(id.clone(), Rc::clone(&joined));
        tokio::task::spawn_local(async move {
            let code = exit.await.unwrap_or(life::UNKNOWN_EXIT_CODE);
            let _ = tokio::time::timeout(LATE_OUTPUT, self.streams.drained()).await;
            // First the code: who sees the end of the output asks for it at once.
            self.record(|exec| {
                exec.running = false;
                exec.exit_code = Some(code);
            });
            self.container.joined.borrow_mut().remove(&id);
            self.streams.end();
            joined.is_over.send_replace(true);
            forget_later(&self.container, id);
        });
        Ok(())
    }

    fn record(&self, change: impl FnOnce(&mut Exec)) {
        let exec = &mut *self.exec.borrow_mut();
        change(exec);
        write(&self.container, exec);
    }
}

fn write(container: &Container, exec: &Exec) {
    if let Err(error) = container.lock().write_exec(exec) {
        log::error!("{error}");
    }
}

fn forget_later(container: &Rc<Container>, id: String) {
    let container = Rc::clone(container);
    tokio::task::spawn_local(async move {
        tokio::time::sleep(REMEMBERED).await;
        forget(&container, &id);
    });
}

fn forget(container: &Container, id: &str) {
    let store = Store::new(&container.layout);
    if let Err(error) = store.remove_exec(&container.record.id, id) {
        log::warn!("{error}");
    }
}

/// Forgets the processes of earlier runs.
pub(super) fn forget_all(container: &Container) {
    for exec in records(container) {
        if !exec.process.is_none() || exec.exit_code.is_some() {
            forget(container, &exec.id);
        }
    }
}

fn records(container: &Container) -> Vec<Exec> {
    let store = Store::new(&container.layout);
    let own = &container.record.id;
    let ids = store.exec_ids(own).unwrap_or_else(|error| {
        log::warn!("{error}");
        Vec::new()
    });
    ids.iter()
        .filter_map(|id| store.exec_of(own, id).ok().flatten())
        .collect()
}

/// Takes over what joined while another monitor lived: those that run are waited for, the ends of the others are unknown.
pub(super) fn adopt_all(container: &Rc<Container>) {
    for mut exec in records(container).into_iter().filter(|exec| exec.running) {
        let process = exec.process.open().ok();
        let process = process.and_then(|process| sys::watch(process.into_pidfd()).ok());
        let container = Rc::clone(container);
        tokio::task::spawn_local(async move {
            let code = match process {
                Some(process) => end_of_stranger(&process).await,
                None => None,
            };
            exec.running = false;
            exec.exit_code = Some(code.unwrap_or(life::UNKNOWN_EXIT_CODE));
            write(&container, &exec);
        });
    }
}

/// Sets the size of a joined process's terminal.
pub(super) fn resize(container: &Container, id: &str, size: Size) -> Result<()> {
    let joined = container.joined.borrow().get(id).cloned();
    let joined = joined.ok_or_else(|| Error::conflict(format!("exec {id} is not running")))?;
    match &joined.terminal {
        Some(terminal) => size::resize(terminal.get_ref().as_fd(), size),
        None => Ok(()),
    }
}
