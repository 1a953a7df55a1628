//! Passes the streams of a container or process through until it ends.

use attach::{Attached, Events, FORCED_EXIT, Resizer, Session, Signals};
use byname::{Context, ExitStatus};
use engine_client::{AttachOptions, Client, Hijacked, WaitCondition};
use terminal::{DetachKeys, Size};

use crate::errors;

/// Says that a terminal is missing, before anything is done that would need one.
pub(crate) fn check_terminal(cx: &Context, stdin: bool, tty: bool) -> anyhow::Result<()> {
    if stdin && tty && !cx.streams().input.is_terminal() {
        return Err(errors::bare(
            "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
        ));
    }
    Ok(())
}

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
    let options = AttachOptions {
        stdin: target.stdin,
        stdout: true,
        stderr: true,
        detach_keys: target
            .detach_keys
            .as_ref()
            .map(|keys| keys.as_str().to_owned()),
    };
    let wait = || client.wait_container(&target.id, target.condition);
    let connect = || {
        let (hijacked, waiting) = client.attach_container_and(&target.id, &options, wait)?;
        Ok((hijacked, waiting?))
    };
    let connected = events.perform(connect).ok_or_else(forced)?;
    let (hijacked, waiting) =
        connected.map_err(|error: engine_client::Error| errors::bare(error))?;
    let session = open(cx, hijacked, &target, &events)?;
    events.watch(waiting);
    if let Err(error) = start(&mut events) {
        // The terminal is itself again before anything is printed.
        drop(session);
        return Err(error);
    }
    let resizer = if target.tty {
        let (client, id) = (client.clone(), target.id.clone());
        resizer(cx, move |size| {
            client.resize_container(&id, size.rows, size.columns)
        })?
    } else {
        None
    };
    let end = session.end(&mut events);
    drop(resizer);
    end.map_err(errors::session)?
        .exit_status()
        .map_err(errors::bare)
}

fn open(
    cx: &Context,
    hijacked: Hijacked,
    target: &Target,
    events: &Events,
) -> anyhow::Result<Session> {
    let attached = Attached {
        tty: target.tty,
        stdin: target.stdin,
        stdout: true,
        stderr: true,
        detach_keys: target.detach_keys.clone(),
    };
    Session::start(
        hijacked,
        attached,
        cx.streams(),
        cx.environment(),
        &events.sender(),
    )
    .map_err(errors::session)
}

/// Keeps the size of a terminal that of ours.
pub(crate) fn resizer(
    cx: &Context,
    resize: impl FnMut(Size) -> Result<(), engine_client::Error> + Send + 'static,
) -> anyhow::Result<Option<Resizer>> {
    Resizer::start(&cx.streams().out, &cx.streams().err, resize).map_err(errors::session)
}

/// The user has asked for the third time to leave.
pub(crate) fn forced() -> anyhow::Error {
    errors::bare(FORCED_EXIT)
}
