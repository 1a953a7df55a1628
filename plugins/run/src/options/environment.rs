//! Options for the environment of the container's process.

use clap::Args;
use docker_cli::environment;

/// Options about environment variables.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Environment")]
pub(crate) struct EnvironmentOptions {
    /// Set a variable; without a value, copy it from the environment
    #[arg(short, long, value_name = "NAME[=VALUE]", value_parser = environment::parse)]
    pub(crate) env: Vec<String>,
    /// Read variables from a file, one NAME=VALUE a line
    #[arg(long = "env-file", value_name = "FILE")]
    pub(crate) env_files: Vec<String>,
}
