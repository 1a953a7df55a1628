//! Passes the streams of a container or process through until it ends.

use attach::{Attached, Attachment, Events, Signals};
use byname::{Context, ExitStatus};
use docker_cli::errors;
use engine_client::{Client, WaitCondition};
use terminal::DetachKeys;

/// What to attach to, and what is to be known of it.
pub(crate) struct Target {
    /// The container's identifier.
    pub(crate) id: String,
    /// It has a terminal.
    pub(crate) tty: bool,
    /// Our standard input goes to it.
    pub(crate) stdin: bool,
    /// The keys that detach.
    pub(crate) detach_keys: Option<DetachKeys>,
    /// Signals to us go to it.
    pub(crate) sig_proxy: bool,
    /// What its end is.
    pub(crate) condition: WaitCondition,
}

/// Attaches to a container, lets `start` do what is to be done before it runs, and returns the status that it ends
/// with, or success if the user detaches.
pub(crate) fn run(
    cx: &Context,
    client: &Client,
    target: Target,
    start: impl FnOnce(&mut Events) -> anyhow::Result<()>,
) -> anyhow::Result<ExitStatus> {
    let mut events = Events::new().map_err(errors::session)?;
    let _signals = if target.sig_proxy {
        let (client, id) = (client.clone(), target.id.clone());
        Signals::forward(&events.sender(), move |name| {
            client.kill_container(&id, Some(name))
        })
    } else {
        Signals::swallow(&events.sender())
    }
    .map_err(errors::session)?;
    let attachment = Attachment {
        client,
        id: &target.id,
        attached: Attached {
            tty: target.tty,
            stdin: target.stdin,
            stdout: true,
            stderr: true,
            detach_keys: target.detach_keys,
        },
        streams: cx.streams(),
        environment: cx.environment(),
    };
    let connected = events.perform(|| attachment.connect(target.condition));
    let connected = connected
        .ok_or_else(errors::forced)?
        .map_err(errors::bare)?;
    let end = attachment.container(connected, &mut events, start);
    end.map_err(errors::session)??
        .exit_status()
        .map_err(errors::bare)
}
