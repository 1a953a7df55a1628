//! `pull`: pull an image from a registry. Engine API `POST /images/create`.

use std::io::Write;

use byname::{Context, ExitStatus, MaybeState, State, command};
use clap::Args;
use docker_cli::pull::{self, Bars};
use docker_cli::{Docker, errors, platform};
use engine_client::{Client, CredentialStore};
use image_reference::Image;

#[derive(Args)]
struct Pull {
    /// Pull all images of the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Platform to choose, if the image has several: OS[/ARCH[/VARIANT]] [env: DOCKER_DEFAULT_PLATFORM]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Print only the image's full name
    #[arg(short, long)]
    quiet: bool,
    /// Image to pull; without a tag or a digest it is the one with the tag latest
    #[arg(value_name = "NAME[:TAG|@DIGEST]")]
    name: String,
}

/// Download an image from a registry
#[command("pull", alias = "image pull", category = "Images")]
fn pull(
    cx: &mut Context,
    Docker(args): Docker<Pull>,
    client: State<Client>,
    credentials: MaybeState<CredentialStore>,
) -> anyhow::Result<ExitStatus> {
    let reference = match Image::parse(&args.name).map_err(errors::bare)? {
        Image::Named(reference) => reference,
        Image::Id(_) => {
            return Err(errors::bare(
                "an image cannot be pulled by its ID; give its name, with a digest behind @ if it must be this one",
            ));
        }
    };
    // What is completed is what differs from the name as it was given.
    let has_version = args.name.contains('@')
        || args
            .name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains(':'));
    if args.all_tags && has_version {
        return Err(errors::bare(
            "tag can't be used with --all-tags/-a; leave one of them out",
        ));
    }
    let platform = platform::chosen(args.platform.as_deref(), cx.environment());
    let platform = platform.map_err(errors::bare)?;
    let request = pull::request(&reference, platform, credentials.get());
    let mut request = request.map_err(errors::bare)?;
    if args.all_tags {
        request.tag = None;
    } else if !has_version && !args.quiet {
        writeln!(cx.out(), "Using default tag: {}", reference.version())?;
    }
    let mut bars = (!args.quiet).then(|| Bars::new(cx.streams().out.clone()));
    for line in client.create_image(&request).map_err(errors::bare)? {
        let line = line.map_err(errors::bare)?;
        if let Some(bars) = &mut bars {
            bars.show(&line);
        }
    }
    let repository = reference.repository();
    if args.all_tags {
        writeln!(cx.out(), "{repository}")?;
    } else {
        let separator = if args.name.contains('@') { '@' } else { ':' };
        writeln!(cx.out(), "{repository}{separator}{}", reference.version())?;
    }
    Ok(ExitStatus::Success)
}
