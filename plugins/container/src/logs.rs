//! `logs`: print a container's log. Engine API `GET /containers/{id}/logs`.

use std::time::SystemTime;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, LogsOptions};

#[derive(Args)]
struct Logs {
    /// Follow the output until the container ends
    #[arg(short, long)]
    follow: bool,
    /// Show only lines written since this time: 2024-05-01T10:00:00Z, seconds since 1970, or how long ago, such as 10m
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Show only lines written up to this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Show only the last LINES lines: a number, or all
    #[arg(short = 'n', long, value_name = "LINES", default_value = "all")]
    tail: String,
    /// Show the time of each line
    #[arg(short, long)]
    timestamps: bool,
    /// Show the extra attributes that the log driver keeps
    #[arg(long)]
    details: bool,
    /// Container, by name or ID
    container: String,
}

/// Fetch the logs of a container
///
/// Prints the container's standard output to standard output, and its standard error to standard error.
#[command("logs", alias = "container logs", category = "Containers")]
fn logs(
    cx: &mut Context,
    Docker(args): Docker<Logs>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let now = SystemTime::now();
    let moment = |option: &str, text: Option<String>| {
        let invalid = |error| errors::bare(format_args!("invalid value for \"{option}\": {error}"));
        text.map(|text| listing::moment(&text, now).map_err(invalid))
            .transpose()
    };
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        follow: args.follow,
        since: moment("since", args.since)?,
        until: moment("until", args.until)?,
        timestamps: args.timestamps,
        tail: Some(args.tail),
        details: args.details,
    };
    let container = client
        .describe_container(&args.container, false)
        .map_err(errors::bare)?;
    let tty = container["Config"]["Tty"].as_bool().unwrap_or_default();
    // By its identifier: another container may get the name meanwhile.
    let id = container["Id"].as_str().unwrap_or(&args.container);
    let logs = client.container_logs(id, &options).map_err(errors::bare)?;
    attach::pass_output(logs, tty, cx.streams()).map_err(errors::session)?;
    Ok(ExitStatus::Success)
}
