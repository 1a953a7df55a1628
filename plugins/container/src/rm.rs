//! `rm`: remove containers. Engine API `DELETE /containers/{id}`.

use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, RemoveOptions};

#[derive(Args)]
struct Rm {
    /// Remove running containers too (with SIGKILL), and ignore missing ones
    #[arg(short, long)]
    force: bool,
    /// Remove the containers' anonymous volumes too
    #[arg(short, long)]
    volumes: bool,
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Remove one or more containers
///
/// Prints the name of each removed container.
#[command(
    "rm",
    alias = "container rm",
    hidden_alias = "container remove",
    category = "Containers"
)]
fn rm(
    cx: &mut Context,
    Docker(args): Docker<Rm>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let options = RemoveOptions {
        force: args.force,
        volumes: args.volumes,
    };
    byname::for_each_operand(cx, args.containers, |cx, container| {
        let name = container.trim_start_matches('/');
        match client.remove_container(name, &options) {
            Ok(()) => cx.out().write_text(&format!("{container}\n"))?,
            Err(error) if args.force && error.status() == Some(404) => writeln!(
                cx.err(),
                "{}",
                terminal::printable_lines(&error.to_string())
            )?,
            Err(error) => return Err(errors::bare(error)),
        }
        Ok(())
    })
}
