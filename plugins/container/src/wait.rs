//! `wait`: wait for containers to end. Engine API `POST /containers/{id}/wait`.

use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, WaitCondition};

#[derive(Args)]
struct Wait {
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Block until one or more containers stop, then print their exit statuses
#[command("wait", alias = "container wait", category = "Containers")]
fn wait(
    cx: &mut Context,
    Docker(args): Docker<Wait>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    byname::for_each_operand(cx, args.containers, |cx, container| {
        let response = client
            .wait_container(&container, WaitCondition::NotRunning)
            .and_then(engine_client::Waiting::status)
            .map_err(errors::bare)?;
        if let Some(message) = response.error.and_then(|error| error.message)
            && !message.is_empty()
        {
            return Err(errors::bare(format!("{container}: {message}")));
        }
        Ok(writeln!(cx.out(), "{}", response.status_code)?)
    })
}
