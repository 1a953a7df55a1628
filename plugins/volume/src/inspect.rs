//! `volume inspect`: describe volumes. Engine API `GET /volumes/{name}`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use docker_types::VOLUME;
use engine_client::Client;
use listing::Inspection;

#[derive(Args)]
struct Inspect {
    /// Format the output: json, or a template such as '{{.Mountpoint}}' [default: one JSON array]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Volumes, by name
    #[arg(required = true, value_name = "VOLUME")]
    volumes: Vec<String>,
}

/// Display detailed information on one or more volumes
#[command("volume inspect", category = "Volumes")]
fn inspect(
    cx: &mut Context,
    Docker(args): Docker<Inspect>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let mut inspection = Inspection::parse(args.format.as_deref()).map_err(errors::template)?;
    let status = byname::for_each_operand(cx, args.volumes, |cx, volume| {
        let description = client.describe_volume(&volume).map_err(errors::bare)?;
        let text = inspection.add(description, VOLUME).map_err(errors::bare)?;
        Ok(cx.out().write_text(&text)?)
    })?;
    cx.out().write_text(&inspection.finish())?;
    Ok(status)
}
