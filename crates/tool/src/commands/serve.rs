//! `engine serve`: serve the embedded engine's API on a unix socket.

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;
use std::{path, thread};

use anyhow::Context as _;
use byname::{Context, ExitStatus, Globals, State, command};
use clap::Args;
use docker_cli::errors;
use engine::{Access, Layout, Listener};
use engine_client::{Address, Endpoint};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::layout::layout;
use crate::choice::Choice;
use crate::globals::GlobalOptions;

/// The default name of the socket.
const SOCKET: &str = "engine.sock";

#[derive(Args)]
struct Serve {
    /// Socket to listen on, with mode 0600 [default: engine.sock in the engine's runtime directory]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Configuration file, with keys of Docker's daemon.json [default: engine.json in the engine's state directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Why serving is over.
enum End {
    Signal,
    Failure(engine::Error),
}

/// Serve the embedded engine's API on a unix socket
///
/// Docker's own clients can use it with DOCKER_HOST=unix://PATH. SIGTERM and SIGINT end the server and leave containers
/// running. -H embedded:///DIR chooses the state, -H unix://PATH the socket; a socket passed by a service manager
/// (LISTEN_FDS) takes precedence.
#[command("engine serve", category = "Engine")]
fn serve(
    cx: &mut Context,
    args: Serve,
    globals: Globals<GlobalOptions>,
    choice: State<Choice>,
) -> anyhow::Result<ExitStatus> {
    let (mut layout, socket) = place(&globals, &choice, cx, args.socket)?;
    if let Some(file) = args.config {
        layout = layout.with_configuration(path::absolute(file)?);
    }
    // Caught before there is a socket that a signal could leave behind.
    // What is ignored stays so: a shell ignores SIGINT for what it starts in the background of a script.
    let heeded = [SIGTERM, SIGINT]
        .into_iter()
        .filter(|signal| !attach::is_ignored(*signal));
    let mut signals = Signals::new(heeded).context("cannot catch signals")?;
    let access = Access::new(layout);
    access.open()?;
    let listener = match Listener::handed_down()? {
        Some(listener) => listener,
        None => Listener::bind(&socket)?,
    };
    let accepting = listener.socket().try_clone()?;
    let (sender, receiver) = mpsc::channel();
    let of_signals = sender.clone();
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            if signals.forever().next().is_some() {
                // Nobody receives once it is over.
                let _ = of_signals.send(End::Signal);
            }
        })?;
    thread::Builder::new()
        .name("accept".to_owned())
        .spawn(move || {
            if let Err(error) = access.listen(&accepting) {
                let _ = sender.send(End::Failure(error));
            }
        })?;
    if let Some(path) = listener.path() {
        writeln!(cx.err(), "Listening on unix://{}", path.display())?;
    }
    match receiver.recv()? {
        End::Signal => Ok(ExitStatus::Success),
        End::Failure(error) => Err(error.into()),
    }
}

/// The state that is served, and where. `-H` names the one or the other.
fn place(
    globals: &GlobalOptions,
    choice: &Choice,
    cx: &Context,
    socket: Option<PathBuf>,
) -> anyhow::Result<(Layout, PathBuf)> {
    let host = globals
        .hosts
        .first()
        .filter(|host| !host.trim().is_empty())
        .map(|host| host.parse::<Endpoint>())
        .transpose()
        .map_err(errors::bare)?;
    let (layout, named) = match (host.as_ref().map(Endpoint::address), socket) {
        (Some(Address::Unix(_)), Some(_)) => {
            return Err(errors::bare(
                "conflicting options: -H unix:// and --socket both name a socket",
            ));
        }
        (Some(Address::Unix(path)), None) => (Layout::default_for_user()?, Some(path.clone())),
        (_, socket) => (layout(choice, cx)?, socket),
    };
    let socket = match named {
        Some(path) => path::absolute(path)?,
        None => layout.run().join(SOCKET),
    };
    Ok((layout, socket))
}
