//! Options for logging.

use clap::Args;

/// Options about logs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Logging")]
pub(crate) struct LoggingOptions {
    /// Driver that keeps the output; the engine's by default
    #[arg(long, value_name = "DRIVER")]
    pub(crate) log_driver: Option<String>,
    /// Option of the driver
    #[arg(long = "log-opt", value_name = "NAME=VALUE")]
    pub(crate) log_options: Vec<String>,
}
