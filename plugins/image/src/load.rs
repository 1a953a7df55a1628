//! `load`: load images from an archive. Engine API `POST /images/load`.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;
use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::Client;

#[derive(Args)]
struct Load {
    /// File to read instead of standard input
    #[arg(short, long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Suppress progress output
    #[arg(short, long)]
    quiet: bool,
}

/// Load images from an archive, such as 'docker save' makes
#[command("load", alias = "image load", category = "Images")]
fn load(
    cx: &mut Context,
    Docker(args): Docker<Load>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let progress = match &args.input {
        Some(path) => {
            let mut file =
                File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
            if file.metadata().is_ok_and(|found| found.is_dir()) {
                return Err(errors::bare(format!(
                    "{} is a directory, and no archive as docker save makes",
                    path.display()
                )));
            }
            client.load_images(&mut file, args.quiet)
        }
        None if cx.streams().input.is_terminal() => {
            return Err(errors::bare(
                "requested load from stdin, but stdin is empty; give an archive with --input or a pipe",
            ));
        }
        None => client.load_images(cx.input(), args.quiet),
    };
    for line in progress.map_err(errors::bare)? {
        let line = line.map_err(errors::bare)?;
        if let Some(text) = line.stream {
            cx.out().write_text(&text)?;
        }
    }
    Ok(ExitStatus::Success)
}
