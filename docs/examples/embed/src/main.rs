//! `fleet`: a clap program with a `main` of its own that takes in the commands of linked crates.
//!
//! Its own subcommand stays clap's. Every other word is looked up in the registry, the program's global options reach
//! the commands found there, and its help lists them.

use std::ffi::OsString;
use std::process::ExitCode;

use byname::{Context, Dispatcher};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use engine_client::{Client, ClientOptions, Endpoint};
use {groups as _, tool_run as _};

/// Look after a fleet of machines
#[derive(Parser)]
#[command(name = "fleet")]
struct Fleet {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Own,
}

/// The program's global options, as it had them before.
#[derive(Args, Clone)]
struct Globals {
    /// Engine to talk to
    #[arg(long, global = true, default_value = "unix:///var/run/docker.sock")]
    engine: String,
}

/// The program's own subcommands, and the door to the registry's.
#[derive(Subcommand)]
enum Own {
    /// Print the engine in use
    Status,
    #[command(external_subcommand)]
    Registered(Vec<OsString>),
}

fn main() -> ExitCode {
    let registered = registered();
    let matches = Fleet::command()
        .after_help(registered.command_list(80))
        .get_matches();
    let fleet = Fleet::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match fleet.command {
        Own::Status => {
            println!("engine: {}", fleet.globals.engine);
            ExitCode::SUCCESS
        }
        Own::Registered(words) => {
            let mut cx = Context::process();
            cx.set_globals(fleet.globals);
            registered.dispatch(words, &mut cx).into()
        }
    }
}

/// The commands of the linked crates, with what they need: `run` takes the engine's client as a parameter.
fn registered() -> Dispatcher {
    Dispatcher::builder("fleet")
        .state(connect)
        // `main` sets them before every dispatch.
        .given::<Globals>()
        .build()
}

/// The engine's client; built when a command that takes one runs.
fn connect(cx: &Context) -> anyhow::Result<Client> {
    let globals = cx
        .globals::<Globals>()
        .expect("main sets them before every dispatch");
    let endpoint: Endpoint = globals.engine.parse()?;
    Ok(Client::new(endpoint, ClientOptions::default()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_host_has_all_that_its_commands_need() {
        byname::testing::assert_host(&super::registered());
    }
}
