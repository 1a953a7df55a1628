//! Options that only engines on Windows support.

use clap::Args;

use crate::values::{byte_size, integer};

/// Options for engines on Windows.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Windows engines")]
pub(crate) struct WindowsOptions {
    /// Number of CPUs
    #[arg(long, value_name = "NUMBER", value_parser = integer::parse)]
    pub(crate) cpu_count: Option<i64>,
    /// Share of the CPUs
    #[arg(long, value_name = "PERCENT", value_parser = integer::parse)]
    pub(crate) cpu_percent: Option<i64>,
    /// Limit of the system drive, in bytes a second
    #[arg(long, value_name = "SIZE", value_parser = byte_size::parse)]
    pub(crate) io_maxbandwidth: Option<i64>,
    /// Limit of the system drive, in operations a second
    #[arg(long, value_name = "NUMBER", value_parser = integer::parse_unsigned)]
    pub(crate) io_maxiops: Option<i64>,
    /// Isolation technology: default, process or hyperv
    #[arg(long, value_name = "MODE")]
    pub(crate) isolation: Option<String>,
}
