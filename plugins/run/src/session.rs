//! Runs the created container, attached or detached.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::anyhow;
use attach::{Attached, Attachment, End, Events, NoStatus};
use byname::{Context, ExitStatus};
use docker_cli::errors;
use engine_client::{Client, Error, RemoveOptions, WaitCondition};

use crate::plan::Plan;
use crate::stage::Stage;
use crate::wording::{self, Wording};

/// The status of a container that could not be waited for.
const UNKNOWN: ExitStatus = ExitStatus::Code(125);

/// How long the removal of a container that never ran is waited for. An engine takes some milliseconds for it, and no
/// signal ends this.
const REMOVAL: Duration = Duration::from_secs(10);

/// A container that is created and not started yet. If `--rm` was given and it never is, it is removed: the engine
/// removes containers that end, not those that never began.
#[derive(Debug)]
pub(crate) struct Created {
    client: Client,
    id: String,
    is_removed: bool,
}

impl Created {
    pub(crate) fn new(client: &Client, id: &str, rm: bool) -> Created {
        Created {
            client: client.clone(),
            id: id.to_owned(),
            is_removed: rm,
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Leaves it to the engine: it is asked to start it, and answers for it from now on.
    pub(crate) fn release(&mut self) {
        self.is_removed = false;
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        if !self.is_removed {
            return;
        }
        let (client, id) = (self.client.clone(), self.id.clone());
        let (done, is_done) = mpsc::channel();
        let removal = move || {
            remove(&client, &id);
            // It may not be waited for any more.
            let _ = done.send(());
        };
        let remover = thread::Builder::new().name("run-remove".to_owned());
        match remover.spawn(removal) {
            // Without an answer the engine has the request all the same.
            Ok(_) => drop(is_done.recv_timeout(REMOVAL)),
            Err(_) => remove(&self.client, &self.id),
        }
    }
}

fn remove(client: &Client, id: &str) {
    let options = RemoveOptions {
        force: true,
        volumes: true,
    };
    if let Err(error) = client.remove_container(id, &options) {
        log::debug!("cannot remove the container {id}: {error}");
    }
}

/// Starts a container and leaves it. There is no wait: nothing that it could tell is used.
pub(crate) fn detached(
    cx: &mut Context,
    mut container: Created,
    stage: &Stage,
    events: &mut Events,
    wording: &Wording,
) -> anyhow::Result<ExitStatus> {
    stage.start().map_err(errors::interrupted)?;
    container.release();
    let started = start(&container, events);
    // Scripts get the ID of a container that did not start, too: they may want to look at it or remove it.
    cx.out().write_text(&format!("{}\n", container.id))?;
    match started {
        Some(result) => result.map_err(|error| wording.engine(&error))?,
        None => return Err(errors::forced()),
    }
    Ok(ExitStatus::Success)
}

/// Attaches to a container, starts it and passes its streams on until its end.
pub(crate) fn attached(
    cx: &mut Context,
    mut container: Created,
    plan: &Plan,
    stage: &Stage,
    mut events: Events,
    wording: &Wording,
) -> anyhow::Result<ExitStatus> {
    let (client, id) = (container.client.clone(), container.id.clone());
    let attachment = Attachment {
        client: &client,
        id: &id,
        attached: Attached {
            tty: plan.tty,
            stdin: plan.streams.stdin,
            stdout: plan.streams.stdout,
            stderr: plan.streams.stderr,
            detach_keys: plan.detach_keys.clone(),
        },
        streams: cx.streams(),
        environment: cx.environment(),
    };
    let condition = if plan.rm {
        WaitCondition::Removed
    } else {
        WaitCondition::NextExit
    };
    // Both have to be there before the start; they are left at the first signal that asks to end.
    let connected = stage
        .perform(&mut events, || attachment.connect(condition))
        .map_err(errors::interrupted)?
        .map_err(|error| wording.engine(&error))?;
    stage.start().map_err(errors::interrupted)?;
    let end = attachment.container(connected, &mut events, |events| {
        container.release();
        match start(&container, events) {
            None => Err(NotStarted::Forced),
            Some(Err(error)) => Err(NotStarted::Refused(error)),
            Some(Ok(())) => {
                stage.run(&container.client, &container.id);
                Ok(())
            }
        }
    });
    match end.map_err(|error| failure(error, wording))? {
        Ok(end) => conclude(end),
        Err(NotStarted::Forced) => Err(errors::forced()),
        Err(NotStarted::Refused(error)) => {
            if plan.rm {
                // The engine removes it; afterwards its name can be used again. If that fails there is nothing to add.
                let _ = events.status();
            }
            Err(wording.engine(&error))
        }
    }
}

/// Why a container was not started.
enum NotStarted {
    /// The user forced the exit before the engine answered.
    Forced,
    /// The engine does not.
    Refused(Error),
}

/// Starts the container. `None` if the user forced the exit before the engine answered.
fn start(container: &Created, events: &mut Events) -> Option<Result<(), Error>> {
    events.perform(|| container.client.start_container(&container.id))
}

/// The status that the end of a session means.
fn conclude(end: End) -> anyhow::Result<ExitStatus> {
    end.exit_status().map_err(|error| {
        let status = match error {
            NoStatus::Forced => ExitStatus::Failure,
            _ => UNKNOWN,
        };
        errors::with_status(status, error)
    })
}

/// Words the failure of a session. Our own output that nobody reads is byname's to judge.
fn failure(error: attach::Error, wording: &Wording) -> anyhow::Error {
    match error {
        attach::Error::Output(_) => anyhow!(error),
        error => wording.refused(wording::chain(&error)),
    }
}
