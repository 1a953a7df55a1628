//! The options that come before a command's name.

use std::path::PathBuf;

use byname::Context;
use clap::Args;

use crate::logging;

// Of an option given twice the last counts, as in Docker; only `-H` refuses that.
#[derive(Args, Debug)]
pub(crate) struct Globals {
    /// Location of client config files [default: ~/.docker] [env: DOCKER_CONFIG]
    #[arg(long, value_name = "DIR", overrides_with = "config")]
    pub(crate) config: Option<PathBuf>,

    /// Enable debug mode: print each command's method name and each request
    #[arg(short = 'D', long, overrides_with = "debug")]
    debug: bool,

    /// Engine to connect to [default: unix:///var/run/docker.sock] [env: DOCKER_HOST]
    #[arg(short = 'H', long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,

    /// Set the logging level: debug, info, warn, error or fatal
    #[arg(
        short,
        long,
        value_name = "LEVEL",
        default_value = "info",
        overrides_with = "log_level"
    )]
    log_level: String,
}

/// Acts on the options before any command is looked up, so that the look-up is logged.
pub(crate) fn apply(globals: &Globals, _: &mut Context) -> anyhow::Result<()> {
    let level = logging::level(&globals.log_level)?;
    logging::start(if globals.debug {
        log::LevelFilter::Debug
    } else {
        level
    });
    // Refused here and not where the host is used, so that it is refused for every command.
    anyhow::ensure!(globals.hosts.len() < 2, "specify only one -H");
    Ok(())
}
