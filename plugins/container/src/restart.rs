//! `restart`: restart containers. Engine API `POST /containers/{id}/restart`.

use byname::{Context, ExitStatus, command};
use clap::Args;
use engine_client::Client;

use crate::errors;
use crate::stop::Ending;

#[derive(Args)]
#[command(args_override_self = true, mut_args = flags::docker)]
struct Restart {
    #[command(flatten)]
    ending: Ending,
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Restart one or more containers
///
/// Prints the name of each container once it runs again.
#[command("restart", alias = "container restart", category = "Containers", parse_error = flags::parse_error)]
fn restart(cx: &mut Context, args: Restart) -> anyhow::Result<ExitStatus> {
    let client = cx.state::<Client>()?;
    let options = args.ending.into();
    byname::each(cx, args.containers, |cx, container| {
        client
            .restart_container(&container, &options)
            .map_err(errors::bare)?;
        Ok(cx.out().write_text(&format!("{container}\n"))?)
    })
}
