//! `volume inspect`: all that the engine knows of volumes. Engine API `GET /volumes/{name}`.

use std::io::Write;

use byname::{Context, ExitStatus, command};
use clap::Args;
use engine_client::Client;
use listing::Inspection;

use crate::errors;

#[derive(Args)]
#[command(args_override_self = true, mut_args = flags::docker)]
struct Inspect {
    /// Format the output: json, or a template such as '{{.Mountpoint}}' [default: one JSON array]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Volumes, by name
    #[arg(required = true, value_name = "VOLUME")]
    volumes: Vec<String>,
}

/// Display detailed information on one or more volumes
#[command("volume inspect", category = "Volumes", parse_error = flags::parse_error)]
fn inspect(cx: &mut Context, args: Inspect) -> anyhow::Result<ExitStatus> {
    let inspection = Inspection::parse(args.format.as_deref()).map_err(errors::usage)?;
    let client = cx.state::<Client>()?;
    let mut found = Vec::new();
    let status = byname::each(cx, args.volumes, |_, volume| {
        found.push(client.describe_volume(&volume).map_err(errors::bare)?);
        Ok(())
    })?;
    let text = inspection.render(&found).map_err(errors::bare)?;
    cx.out().write_all(text.as_bytes())?;
    Ok(status)
}
