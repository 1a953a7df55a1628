//! Ending a container, pausing it and removing it.

use std::rc::Rc;
use std::time::Duration;

use super::{Container, Run};
use crate::monitor::clean_up;
use crate::state::Status;
use crate::{Error, ErrorKind, Result};

impl Container {
    /// Sends a signal to the first process, which may mean that the container shall end for good.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if the container does not run.
    pub(in crate::monitor) fn kill(self: &Rc<Container>, signal: i32) -> Result<()> {
        let stop_signal = match self.record.body.stop_signal.as_deref() {
            None | Some("") => None,
            Some(name) => crate::signal::parse(name).ok(),
        };
        // As dockerd has it: without a stop signal of its own any signal may be meant to end it.
        let ends = signal == libc::SIGKILL || stop_signal.is_none_or(|stop| stop == signal);
        if self.status() == Status::Restarting {
            // There is no process that the signal could go to.
            if ends {
                self.give_up_restarting();
            }
            return Ok(());
        }
        let run = self.run()?;
        if ends {
            self.is_last_run.set(true);
        }
        if !self.state.borrow().stopped_by_user {
            self.update_anyway(false, |state| state.stopped_by_user = true);
        }
        self.signal(&run, signal)?;
        if ends && self.status() == Status::Paused {
            self.set_paused(false)?;
        }
        Ok(())
    }

    pub(super) fn signal(&self, run: &Run, signal: i32) -> Result<()> {
        match run.first.signal(signal) {
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

    fn give_up_restarting(self: &Rc<Container>) {
        self.update_anyway(true, |state| {
            state.stopped_by_user = true;
            state.status = Status::Exited;
        });
        self.is_last_run.set(true);
        self.not_again.notify_waiters();
        self.progress.send_modify(|progress| {
            // As dockerd has it: who began to wait since it ended last is told now.
            progress.ends += 1;
            progress.is_running = false;
        });
    }

    /// Ends the container: its stop signal, then SIGKILL.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotModified`] if it does not run.
    pub(in crate::monitor) async fn stop(
        self: &Rc<Container>,
        signal: Option<i32>,
        timeout: Option<i64>,
    ) -> Result<()> {
        let mut progress = self.progress();
        match self.status() {
            Status::Running | Status::Paused => {}
            Status::Restarting => {
                self.give_up_restarting();
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
        self.update_anyway(false, |state| state.stopped_by_user = true);
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
    async fn end_now(self: &Rc<Container>, run: &Run) -> Result<()> {
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
    pub(in crate::monitor) async fn restart(
        self: &Rc<Container>,
        signal: Option<i32>,
        timeout: Option<i64>,
    ) -> Result<()> {
        self.is_restarted.set(true);
        let stopped = self.stop(signal, timeout).await;
        let result = match stopped {
            Err(error) if error.kind() != ErrorKind::NotModified => Err(error),
            _ => self.start().await,
        };
        self.is_restarted.set(false);
        result
    }

    /// Freezes all processes, or lets them go on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if the container does not run, or is as was asked for already.
    pub(in crate::monitor) fn set_paused(self: &Rc<Container>, paused: bool) -> Result<()> {
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
        // What the file says is put right when it can be.
        self.update_anyway(false, |state| {
            state.status = if paused {
                Status::Paused
            } else {
                Status::Running
            };
        });
        Ok(())
    }

    /// Removes the container for somebody.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if it runs and that is not `forced`.
    pub(in crate::monitor) async fn remove(
        self: &Rc<Container>,
        forced: bool,
        volumes: bool,
    ) -> Result<()> {
        loop {
            if self.state.borrow().is_running() {
                if !forced {
                    return Err(clean_up::still_runs(
                        &self.layout,
                        &self.record,
                        self.status(),
                    ));
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
            // Somebody may have had it start while we waited for our turn.
            if !self.state.borrow().is_running() {
                return self.remove_now(volumes);
            }
        }
    }

    pub(super) fn remove_now(self: &Rc<Container>, volumes: bool) -> Result<()> {
        let before = match self.status() {
            // It was to be removed when it ended.
            Status::Removing => Status::Exited,
            status => {
                self.update_anyway(false, |state| {
                    state.status = Status::Removing;
                    state.removes_volumes = volumes;
                });
                status
            }
        };
        match clean_up::remove(&self.layout, &self.record, volumes) {
            Ok(removed) => {
                self.removed.replace(Some(removed));
                self.progress
                    .send_modify(|progress| progress.is_removed = true);
                Ok(())
            }
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
                Err(error)
            }
        }
    }
}
