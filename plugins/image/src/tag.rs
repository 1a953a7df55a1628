//! `tag`: tag an image. Engine API `POST /images/{name}/tag`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::Client;
use image_reference::Image;

#[derive(Args)]
struct Tag {
    /// Image, by name or ID
    #[arg(value_name = "SOURCE_IMAGE[:TAG]")]
    source: String,
    /// Its new name; another image that has it loses it
    #[arg(value_name = "TARGET_IMAGE[:TAG]")]
    target: String,
}

/// Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE
#[command("tag", alias = "image tag", category = "Images")]
fn tag(
    _: &mut Context,
    Docker(args): Docker<Tag>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let target = &args.target;
    let reason = match Image::parse(target) {
        Ok(Image::Named(reference)) if !target.contains('@') => {
            client
                .tag_image(&args.source, &reference.repository(), reference.version())
                .map_err(errors::bare)?;
            return Ok(ExitStatus::Success);
        }
        Ok(Image::Named(_)) => "refusing to create a tag with a digest reference".to_owned(),
        Ok(Image::Id(_)) => "an ID is no name".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(errors::bare(format!(
        "{target:?} is not a valid repository/tag: {reason}"
    )))
}
