//! `volume rm`: remove volumes. Engine API `DELETE /volumes/{name}`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::Client;

#[derive(Args)]
struct Rm {
    /// Ignore missing volumes
    #[arg(short, long)]
    force: bool,
    /// Volumes, by name
    #[arg(required = true, value_name = "VOLUME")]
    volumes: Vec<String>,
}

/// Remove one or more volumes, and what is in them
///
/// Prints the name of each volume that was removed. One that a container uses stays.
#[command("volume rm", hidden_alias = "volume remove", category = "Volumes")]
fn rm(
    cx: &mut Context,
    Docker(args): Docker<Rm>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    byname::for_each_operand(cx, args.volumes, |cx, volume| {
        client
            .remove_volume(&volume, args.force)
            .map_err(errors::bare)?;
        Ok(cx.out().write_text(&format!("{volume}\n"))?)
    })
}
