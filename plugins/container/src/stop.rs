//! `stop`: stop running containers. Engine API `POST /containers/{id}/stop`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, StopOptions};

/// How a container is ended, by `stop` and by `restart`.
#[derive(Args)]
pub(crate) struct Ending {
    /// Signal to send first [default: the container's stop signal, SIGTERM if it has none]
    #[arg(short, long, value_name = "SIGNAL")]
    signal: Option<String>,
    /// Seconds to wait before killing the container; -1 waits forever [default: the container's stop timeout, 10 if it
    /// has none]
    #[arg(short, long, visible_alias = "time", value_name = "SECONDS")]
    timeout: Option<i64>,
}

impl From<Ending> for StopOptions {
    fn from(ending: Ending) -> StopOptions {
        StopOptions {
            signal: ending.signal,
            timeout: ending.timeout,
        }
    }
}

#[derive(Args)]
struct Stop {
    #[command(flatten)]
    ending: Ending,
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Stop one or more running containers
///
/// Prints the name of each stopped container.
#[command("stop", alias = "container stop", category = "Containers")]
fn stop(
    cx: &mut Context,
    Docker(args): Docker<Stop>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let options = args.ending.into();
    byname::for_each_operand(cx, args.containers, |cx, container| {
        client
            .stop_container(&container, &options)
            .map_err(errors::bare)?;
        Ok(cx.out().write_text(&format!("{container}\n"))?)
    })
}
