//! `rmi`: remove images. Engine API `DELETE /images/{name}`.

use std::io::Write;

use byname::{Context, ExitStatus, command};
use clap::Args;
use engine_client::{Client, RemoveImage};

use crate::errors;

#[derive(Args)]
#[command(args_override_self = true, mut_args = flags::docker)]
struct Rm {
    /// Remove an image even if it has several names or a stopped container uses it
    #[arg(short, long)]
    force: bool,
    /// Leave images without a name that only it was built upon
    #[arg(long)]
    no_prune: bool,
    /// Images, by name or ID
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
}

/// Remove one or more images
///
/// Prints what was taken away: names, and the images that have none left.
#[command(
    "rmi",
    alias = "image rm",
    hidden_alias = "image remove",
    category = "Images",
    parse_error = flags::parse_error
)]
fn rm(cx: &mut Context, args: Rm) -> anyhow::Result<ExitStatus> {
    let client = cx.state::<Client>()?;
    let options = RemoveImage {
        force: args.force,
        no_prune: args.no_prune,
    };
    byname::each(cx, args.images, |cx, image| {
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
