//! `start`: start containers. Engine API `POST /containers/{id}/start`.

use crate::session::{self, Target};
use byname::{Context, ExitStatus, MaybeState, State, command};
use clap::Args;
use docker_cli::{Docker, attaching, errors};
use engine_client::{Client, ConfigFile, WaitCondition};

#[derive(Args)]
struct Start {
    /// Attach standard output and error, and forward signals
    #[arg(short, long)]
    attach: bool,
    /// Attach the container's standard input
    #[arg(short, long)]
    interactive: bool,
    /// Keys that detach from a container with a terminal [default: ctrl-p,ctrl-q]
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Containers, by name or ID
    #[arg(required = true, value_name = "CONTAINER")]
    containers: Vec<String>,
}

/// Start one or more stopped containers
///
/// Prints the name of each started container; with --attach or --interactive the status is the container's.
#[command("start", alias = "container start", category = "Containers")]
fn start(
    cx: &mut Context,
    Docker(args): Docker<Start>,
    client: State<Client>,
    configuration: MaybeState<ConfigFile>,
) -> anyhow::Result<ExitStatus> {
    if !args.attach && !args.interactive {
        return byname::for_each_operand(cx, args.containers, |cx, container| {
            client.start_container(&container).map_err(errors::bare)?;
            Ok(cx.out().write_text(&format!("{container}\n"))?)
        });
    }
    let [container] = args.containers.as_slice() else {
        return Err(errors::bare(
            "you cannot start and attach multiple containers at once",
        ));
    };
    let detach_keys = attaching::detach_keys(args.detach_keys.as_deref(), configuration.get())
        .map_err(errors::bare)?;
    let description = client
        .describe_container(container, false)
        .map_err(errors::bare)?;
    let is = |part: &str, field: &str| description[part][field].as_bool().unwrap_or_default();
    let tty = is("Config", "Tty");
    let stdin = args.interactive && is("Config", "OpenStdin");
    attaching::check_terminal(cx.streams(), stdin, tty)?;
    let id = description["Id"].as_str().unwrap_or(container).to_owned();
    let target = Target {
        id: id.clone(),
        tty,
        stdin,
        detach_keys,
        sig_proxy: true,
        condition: if is("HostConfig", "AutoRemove") {
            WaitCondition::Removed
        } else {
            WaitCondition::NextExit
        },
    };
    let starter = Client::clone(&client);
    session::run(cx, &client, target, move |events| {
        let started = events.perform(|| starter.start_container(&id));
        started.ok_or_else(errors::forced)?.map_err(errors::bare)
    })
}
