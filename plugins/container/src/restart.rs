//! `restart`: restart containers. Engine API `POST /containers/{id}/restart`.

use crate::stop::Ending;
use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::Client;

#[derive(Args)]
struct Restart {
    #[command(flatten)]
    ending: Ending,
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Restart one or more containers
///
/// Prints the name of each restarted container.
#[command("restart", alias = "container restart", category = "Containers")]
fn restart(
    cx: &mut Context,
    Docker(args): Docker<Restart>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let options = args.ending.into();
    byname::for_each_operand(cx, args.containers, |cx, container| {
        client
            .restart_container(&container, &options)
            .map_err(errors::bare)?;
        Ok(cx.out().write_text(&format!("{container}\n"))?)
    })
}
