//! Global options: those before the command's name.

use std::path::PathBuf;

use byname::{Context, ExitStatus};
use clap::Args;
use docker_cli::errors;

use crate::logging;

// Of an option given twice the last counts, as in Docker; only `-H` refuses that.
#[derive(Args, Debug, Default)]
#[command(args_override_self = true, mut_args = docker_cli::docker)]
pub(crate) struct GlobalOptions {
    /// Location of client config files [default: ~/.docker] [env: DOCKER_CONFIG]
    #[arg(long, value_name = "DIR")]
    pub(crate) config: Option<PathBuf>,

    /// Name of the context with the engine to connect to [env: DOCKER_CONTEXT]
    #[arg(short, long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Enable debug mode: print each command's method name and each request
    #[arg(short = 'D', long)]
    debug: bool,

    /// Engine to connect to [default: unix:///var/run/docker.sock] [env: DOCKER_HOST]
    #[arg(short = 'H', long = "host", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,

    /// Set the logging level: debug, info, warn, error or fatal
    #[arg(short, long, value_name = "LEVEL", default_value = "info")]
    log_level: String,

    /// Use TLS; implied by --tlsverify [env: DOCKER_TLS]
    #[arg(long)]
    pub(crate) tls: Option<bool>,

    /// Trust certificates of engines that are signed by this authority alone [default: ~/.docker/ca.pem]
    #[arg(long, value_name = "FILE")]
    pub(crate) tlscacert: Option<PathBuf>,

    /// Certificate to show to the engine [default: ~/.docker/cert.pem]
    #[arg(long, value_name = "FILE")]
    pub(crate) tlscert: Option<PathBuf>,

    /// Key of that certificate [default: ~/.docker/key.pem]
    #[arg(long, value_name = "FILE")]
    pub(crate) tlskey: Option<PathBuf>,

    /// Use TLS and verify the engine [env: DOCKER_TLS_VERIFY]
    #[arg(long)]
    pub(crate) tlsverify: Option<bool>,
}

/// Acts on the options before any command is looked up, so that the look-up is logged.
pub(crate) fn apply(globals: &GlobalOptions, _: &mut Context) -> anyhow::Result<()> {
    let level = logging::level(&globals.log_level)?;
    logging::start(if globals.debug {
        log::LevelFilter::Debug
    } else {
        level
    });
    // Refused here and not where the host is used, so that it is refused for every command.
    if globals.hosts.len() > 1 {
        return Err(errors::bare("specify only one -H"));
    }
    if !globals.hosts.is_empty()
        && globals
            .context
            .as_ref()
            .is_some_and(|name| !name.is_empty())
    {
        let text = "conflicting options: cannot specify both --host and --context";
        return Err(errors::bare(text));
    }
    Ok(())
}

/// Words an error of the parser as Docker does, with its status.
pub(crate) fn refused(error: clap::Error, cx: &Context) -> anyhow::Error {
    let program = cx.program();
    let message = docker_cli::flag_message(&error, &byname::parser::<GlobalOptions>(), cx.args());
    let text = format!(
        "{message}\n\nUsage:  {program} [OPTIONS] COMMAND [ARG...]\n\nRun '{program} --help' for more information"
    );
    errors::with_status(ExitStatus::Code(125), text)
}
