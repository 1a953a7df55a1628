//! `image inspect`: describe images. Engine API `GET /images/{name}/json`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use docker_types::IMAGE;
use engine_client::Client;
use listing::Inspection;

#[derive(Args)]
struct Inspect {
    /// Format the output: json, or a template such as '{{.Config.Env}}' [default: one JSON array]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Images, by name or ID
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// Display detailed information on one or more images
#[command("image inspect", category = "Images")]
fn inspect(
    cx: &mut Context,
    Docker(args): Docker<Inspect>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let mut inspection = Inspection::parse(args.format.as_deref()).map_err(errors::template)?;
    let status = byname::for_each_operand(cx, args.images, |cx, image| {
        let description = client.describe_image(&image).map_err(errors::bare)?;
        let text = inspection.add(description, IMAGE).map_err(errors::bare)?;
        Ok(cx.out().write_text(&text)?)
    })?;
    cx.out().write_text(&inspection.finish())?;
    Ok(status)
}
