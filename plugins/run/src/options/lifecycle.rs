//! Options for the container's lifecycle: name, restart, removal.

use clap::Args;

/// Options about the container as a whole.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Container")]
pub(crate) struct LifecycleOptions {
    /// Run the container in the background and print its ID
    #[arg(short, long)]
    pub(crate) detach: bool,
    /// Remove the container and its anonymous volumes when it exits
    #[arg(long)]
    pub(crate) rm: bool,
    /// Name of the container; the engine makes one up by default
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Write the container's ID to this file, which must not exist
    #[arg(long, value_name = "FILE")]
    pub(crate) cidfile: Option<String>,
    /// Set a label
    #[arg(short, long = "label", value_name = "NAME[=VALUE]", value_parser = crate::values::label::parse)]
    pub(crate) labels: Vec<String>,
    /// Read labels from a file, one NAME=VALUE a line
    #[arg(long = "label-file", value_name = "FILE")]
    pub(crate) label_files: Vec<String>,
    /// Add an annotation, which the runtime is told
    #[arg(long = "annotation", value_name = "NAME[=VALUE]")]
    pub(crate) annotations: Vec<String>,
    /// When to restart it: no, on-failure[:MAX-RETRIES], always or unless-stopped [default: no]
    #[arg(long, value_name = "POLICY")]
    pub(crate) restart: Option<String>,
    /// Signal that stops it; the image's or SIGTERM by default
    #[arg(long, value_name = "SIGNAL")]
    pub(crate) stop_signal: Option<String>,
    /// Seconds to wait for its end before it is killed
    #[arg(long, value_name = "SECONDS", value_parser = crate::values::integer::parse)]
    pub(crate) stop_timeout: Option<i64>,
    /// Runtime that the engine uses for it
    #[arg(long)]
    pub(crate) runtime: Option<String>,
}
