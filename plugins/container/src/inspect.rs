//! `container inspect`: describe containers. Engine API `GET /containers/{id}/json`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use docker_types::CONTAINER;
use engine_client::Client;
use listing::Inspection;

#[derive(Args)]
struct Inspect {
    /// Format the output: json, or a template such as '{{.State.Status}}' [default: one JSON array]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show the containers' size on disk too
    #[arg(short, long)]
    size: bool,
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Display detailed information on one or more containers
#[command("container inspect", category = "Containers")]
fn inspect(
    cx: &mut Context,
    Docker(args): Docker<Inspect>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let mut inspection = Inspection::parse(args.format.as_deref()).map_err(errors::template)?;
    let status = byname::for_each_operand(cx, args.containers, |cx, container| {
        let description = client
            .describe_container(&container, args.size)
            .map_err(errors::bare)?;
        let text = inspection
            .add(description, CONTAINER)
            .map_err(errors::bare)?;
        Ok(cx.out().write_text(&text)?)
    })?;
    cx.out().write_text(&inspection.finish())?;
    Ok(status)
}
