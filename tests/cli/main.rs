//! The program itself, without any engine: help, version, global options, unknown commands.

mod configuration;
mod connections;
mod endless_inputs;
mod endpoint;
mod engine;
mod engine_configuration;
mod global_options;
mod help;
mod hostile_texts;
mod ordinary_user;

use harness::Program;

/// The binary, in a directory and an environment of its own.
fn tool() -> Program {
    Program::new(env!("CARGO_BIN_EXE_tool"))
}
