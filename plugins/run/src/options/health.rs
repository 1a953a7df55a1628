//! Options for health checks.

use clap::Args;

use crate::values::{duration, integer};

/// Options about health checks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Health")]
pub(crate) struct HealthOptions {
    /// Command that checks the container's health
    #[arg(long, value_name = "COMMAND")]
    pub(crate) health_cmd: Option<String>,
    /// Time between two checks, such as 1m30s
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) health_interval: Option<i64>,
    /// Failures in a row that make it unhealthy
    #[arg(long, value_name = "NUMBER", value_parser = integer::parse)]
    pub(crate) health_retries: Option<i64>,
    /// Time between two checks while it starts
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) health_start_interval: Option<i64>,
    /// Time to start in, during which failures do not count
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) health_start_period: Option<i64>,
    /// Time that one check may take
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) health_timeout: Option<i64>,
    /// Disable health checks, the image's too
    #[arg(long)]
    pub(crate) no_healthcheck: bool,
}
