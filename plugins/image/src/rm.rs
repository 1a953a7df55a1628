//! `rmi`: remove images. Engine API `DELETE /images/{name}`.

use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, RemoveImage};

#[derive(Args)]
struct Rm {
    /// Remove an image even if it has several names or a stopped container uses it
    #[arg(short, long)]
    force: bool,
    /// Keep untagged parent images
    #[arg(long)]
    no_prune: bool,
    /// Images, by name or ID
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// Remove one or more images
///
/// Prints what was removed: names, and images without any left.
#[command(
    "rmi",
    alias = "image rm",
    hidden_alias = "image remove",
    category = "Images"
)]
fn rm(
    cx: &mut Context,
    Docker(args): Docker<Rm>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let options = RemoveImage {
        force: args.force,
        no_prune: args.no_prune,
    };
    byname::for_each_operand(cx, args.images, |cx, image| {
        let removed = match client.remove_image(&image, options) {
            Err(error) if args.force && error.status() == Some(404) => {
                return Ok(writeln!(
                    cx.err(),
                    "{}",
                    terminal::printable_lines(&error.to_string())
                )?);
            }
            removed => removed.map_err(errors::bare)?,
        };
        for item in removed {
            if let Some(name) = item.untagged {
                cx.out().write_text(&format!("Untagged: {name}\n"))?;
            }
            if let Some(id) = item.deleted {
                cx.out().write_text(&format!("Deleted: {id}\n"))?;
            }
        }
        Ok(())
    })
}
