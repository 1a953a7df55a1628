//! Options for the image and its substitute, `--rootfs`.

use clap::Args;

/// Options about the image.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Image")]
pub(crate) struct ImageOptions {
    /// Run a directory instead of an image: the first operand names it; with :O behind it, what is written is thrown away
    #[arg(long)]
    pub(crate) rootfs: bool,
    /// When to pull the image: always, missing or never [default: missing]
    #[arg(long, value_name = "WHEN")]
    pub(crate) pull: Option<String>,
    /// Suppress pull output
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Platform of the image, OS[/ARCH[/VARIANT]] [env: DOCKER_DEFAULT_PLATFORM]
    #[arg(long)]
    pub(crate) platform: Option<String>,
    /// Skip the verification of the image; it is never verified
    #[arg(long, hide = true)]
    pub(crate) disable_content_trust: Option<bool>,
}
