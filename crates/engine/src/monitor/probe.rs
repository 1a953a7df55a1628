//! Running health checks.

use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Instant;

use bollard_stubs::models::ExecConfig;
use rustix::io::{Errno, read};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::container::Container;
use super::health::{Check, LONGEST_OUTPUT};
use super::streams::register;
use super::{join, reaper::ExitCode};
use crate::state::{Health, Moment, Probe, Status, life};
use crate::{Result, sys};

/// Checks the container's health until it ends.
pub(super) async fn run(container: &Rc<Container>, check: &Check) {
    let started = Instant::now();
    let mut health = Health::default();
    loop {
        tokio::time::sleep(check.pause(&health, started.elapsed())).await;
        // Nothing of it answers while it is frozen.
        if container.status() != Status::Running {
            continue;
        }
        let running = started.elapsed();
        let begun = Moment::now();
        let probe = match try_once(container, check, begun).await {
            Ok(probe) => probe,
            // As dockerd has it: a check that cannot be started has failed.
            Err(error) => Check::ended(begun, -1, error.to_string().as_bytes()),
        };
        check.record(&mut health, probe, running);
        let recorded = container.update(|state| state.health = Some(health.clone()));
        if let Err(error) = recorded {
            log::error!("{error}");
        }
    }
}

async fn try_once(container: &Rc<Container>, check: &Check, begun: Moment) -> Result<Probe> {
    let config = ExecConfig {
        cmd: Some(check.command.clone()),
        ..ExecConfig::default()
    };
    let run = container.run()?;
    let (process, output) = join::probe(
        &container.place(),
        &run.first,
        run.cgroup.borrow().as_ref(),
        &config,
    )?;
    let exit = container.reaper.expect(process.pid.as_raw_nonzero().get());
    let _killed = Killed(process.pidfd);
    let output = register(output)?;
    let mut text = Vec::new();
    let ended = async {
        let code: ExitCode = tokio::select! {
            biased;
            code = exit => code.unwrap_or(life::UNKNOWN_EXIT_CODE),
            never = collect(&output, &mut text) => match never {},
        };
        code
    };
    let code = tokio::time::timeout(check.timeout, ended).await;
    drain(&output, &mut text);
    Ok(match code {
        Ok(code) => Check::ended(begun, code, &text),
        Err(_) => check.too_long(begun, &text),
    })
}

/// A process that does not outlive whoever waits for it.
struct Killed(OwnedFd);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended, and then there is nothing to kill.
        let _ = sys::send_signal(self.0.as_fd(), libc::SIGKILL);
    }
}

/// Reads without end; what is too much is thrown away, so that the check does not wait for us.
async fn collect(output: &AsyncFd<OwnedFd>, text: &mut Vec<u8>) -> std::convert::Infallible {
    loop {
        let read = output
            .async_io(Interest::READABLE, |output| Ok(take(output, text)?))
            .await;
        if !matches!(read, Ok(1..)) {
            return std::future::pending().await;
        }
    }
}

/// Reads what is there.
fn drain(output: &AsyncFd<OwnedFd>, text: &mut Vec<u8>) {
    while let Ok(1..) = take(output.get_ref(), text) {}
}

fn take(output: &OwnedFd, text: &mut Vec<u8>) -> rustix::io::Result<usize> {
    let mut buffer = [0; 4096];
    loop {
        match read(output, &mut buffer) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
            Ok(count) => {
                let room = LONGEST_OUTPUT.saturating_sub(text.len());
                text.extend_from_slice(&buffer[..count.min(room)]);
                return Ok(count);
            }
        }
    }
}
