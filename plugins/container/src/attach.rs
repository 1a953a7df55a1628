//! `attach`: attach to a running container's streams. Engine API `POST /containers/{id}/attach`.

use crate::session::{self, Target};
use byname::{Context, ExitStatus, MaybeState, State, command};
use clap::{ArgAction, Args};
use docker_cli::{Docker, attaching, errors};
use engine_client::{Client, ConfigFile, WaitCondition};
use serde_json::Value;

#[derive(Args)]
struct Attach {
    /// Keys that detach from a container with a terminal [default: ctrl-p,ctrl-q]
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Do not attach standard input
    #[arg(long)]
    no_stdin: bool,
    /// Forward signals to the container; --sig-proxy=false turns it off
    #[arg(long, action = ArgAction::Set, default_value = "true")]
    sig_proxy: bool,
    /// Container, by name or ID
    container: String,
}

/// Attach local standard input, output, and error streams to a running container
///
/// The status is the container's, or 0 after the detach keys.
#[command("attach", alias = "container attach", category = "Containers")]
fn attach(
    cx: &mut Context,
    Docker(args): Docker<Attach>,
    client: State<Client>,
    configuration: MaybeState<ConfigFile>,
) -> anyhow::Result<ExitStatus> {
    let detach_keys = attaching::detach_keys(args.detach_keys.as_deref(), configuration.get())
        .map_err(errors::bare)?;
    let container = client
        .describe_container(&args.container, false)
        .map_err(errors::bare)?;
    check_state(&container["State"])?;
    let is = |field: &str| container["Config"][field].as_bool().unwrap_or_default();
    let (tty, stdin) = (is("Tty"), is("OpenStdin") && !args.no_stdin);
    attaching::check_terminal(cx.streams(), stdin, tty)?;
    let target = Target {
        id: container["Id"]
            .as_str()
            .unwrap_or(&args.container)
            .to_owned(),
        tty,
        stdin,
        detach_keys,
        sig_proxy: args.sig_proxy,
        condition: WaitCondition::NotRunning,
    };
    if tty && let Some(size) = cx.streams().out.as_fd().and_then(terminal::size) {
        // A program draws its screen anew when the size changes, so that whoever attaches sees something. It is set
        // right again by the session.
        let taller = size.rows.saturating_add(1);
        if let Err(error) = client.resize_container(&target.id, taller, size.columns) {
            log::debug!("cannot resize the container's terminal: {error}");
        }
    }
    session::run(cx, &client, target, |_| Ok(()))
}

fn check_state(state: &Value) -> anyhow::Result<()> {
    let is = |field: &str| state[field].as_bool().unwrap_or_default();
    if !is("Running") {
        return Err(errors::bare(
            "You cannot attach to a stopped container, start it first",
        ));
    }
    if is("Paused") {
        return Err(errors::bare(
            "You cannot attach to a paused container, unpause it first",
        ));
    }
    if is("Restarting") {
        return Err(errors::bare(
            "You cannot attach to a restarting container, wait until it is running",
        ));
    }
    Ok(())
}
