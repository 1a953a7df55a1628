//! `rename`: rename a container. Engine API `POST /containers/{id}/rename`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::Client;

#[derive(Args)]
struct Rename {
    /// Container, by name or ID
    container: String,
    /// Its new name
    new_name: String,
}

/// Rename a container
#[command("rename", alias = "container rename", category = "Containers")]
fn rename(
    _: &mut Context,
    Docker(args): Docker<Rename>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let name = args.new_name.trim();
    if args.new_name.is_empty() {
        return Err(errors::bare("new name cannot be blank"));
    }
    if args.container.trim().is_empty() {
        return Err(failed("invalid container name or ID: value is empty"));
    }
    // A slash is how the API begins each name, and alone is none.
    if matches!(name, "" | "/") {
        return Err(failed("new name cannot be blank"));
    }
    client
        .rename_container(args.container.trim(), name)
        .map_err(failed)?;
    Ok(ExitStatus::Success)
}

fn failed(why: impl std::fmt::Display) -> anyhow::Error {
    errors::bare(format_args!("failed to rename container: {why}"))
}
