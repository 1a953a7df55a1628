//! `tool`: the command-line tool built on byname.
//!
//! This crate says what the program is: its name, its global options, which engine its commands talk to, and which
//! command crates are linked. The only commands that it holds itself are those for the engine inside of it, and nothing
//! depends on it.

#![forbid(unsafe_code)]

mod choice;
mod client;
mod commands;
mod config;
mod credentials;
mod custom_headers;
mod globals;
mod logging;

use std::process::ExitCode;

use byname::Dispatcher;

// The commands. Linking a crate registers what it has; this list is the only one there is.
use tool_container as _;
use tool_image as _;
use tool_run as _;
use tool_system as _;
use tool_volume as _;

fn main() -> ExitCode {
    reexec::init();
    dispatcher().main()
}

fn dispatcher() -> Dispatcher {
    Dispatcher::builder("tool")
        .version(concat!("tool version ", env!("CARGO_PKG_VERSION")))
        .about("Run containers on a Docker Engine or on the embedded engine")
        .globals(globals::apply)
        .globals_error(globals::refused)
        .state(config::read)
        .state(credentials::store)
        .state(client::choose)
        .state(client::client)
        .build()
}

#[cfg(test)]
mod tests {
    use byname::testing;

    use super::*;

    #[test]
    fn the_commands_are_sound_and_have_all_that_they_need() {
        testing::assert_registry();
        testing::assert_host(&dispatcher());
    }
}
