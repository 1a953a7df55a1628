//! `rename`: rename a container. Engine API `POST /containers/{id}/rename`.

use byname::{Context, ExitStatus, command};
use clap::Args;
use engine_client::Client;

use crate::errors;

#[derive(Args)]
#[command(args_override_self = true, mut_args = flags::docker)]
struct Rename {
    /// Container, by name or ID
    container: String,
    /// Its new name
    new_name: String,
}

/// Rename a container
#[command("rename", alias = "container rename", category = "Containers", parse_error = flags::parse_error)]
fn rename(cx: &mut Context, args: Rename) -> anyhow::Result<ExitStatus> {
    if args.container.trim().is_empty() || args.new_name.trim().is_empty() {
        return Err(errors::bare(
            "neither the old nor the new name may be empty",
        ));
    }
    cx.state::<Client>()?
        .rename_container(&args.container, args.new_name.trim())
        .map_err(errors::bare)?;
    Ok(ExitStatus::Success)
}
