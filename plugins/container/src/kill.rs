//! `kill`: send a signal to running containers. Engine API `POST /containers/{id}/kill`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::Client;

#[derive(Args)]
struct Kill {
    /// Signal to send: a name or a number
    #[arg(short, long, value_name = "SIGNAL", default_value = "KILL")]
    signal: String,
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Kill one or more running containers
///
/// Prints the name of each signaled container.
#[command("kill", alias = "container kill", category = "Containers")]
fn kill(
    cx: &mut Context,
    Docker(args): Docker<Kill>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    byname::for_each_operand(cx, args.containers, |cx, container| {
        client
            .kill_container(&container, Some(&args.signal))
            .map_err(errors::bare)?;
        Ok(cx.out().write_text(&format!("{container}\n"))?)
    })
}
