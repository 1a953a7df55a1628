//! Where Docker's flag syntax differs from clap's, for all options at once.

use std::any::TypeId;

use clap::{Arg, ArgAction};

use crate::boolean;

/// Gives an option Docker's syntax: a boolean may have a value, but only behind an equals sign (`--rm=false`, `-it=0`),
/// and every other option takes the next word whatever it looks like (`--memory-swap -1`).
///
/// A command takes its words as [`Docker<T>`](crate::Docker), which gives it to all options. Global options have it by the
/// attribute of their struct: `#[command(args_override_self = true, mut_args = docker_cli::docker)]`. A field of type `bool` is
/// false by default; one that is optional tells whether it was given.
pub fn docker(arg: Arg) -> Arg {
    if arg.is_positional() || matches!(arg.get_action(), ArgAction::Help) {
        return arg;
    }
    if arg.get_value_parser().type_id() != TypeId::of::<bool>() {
        return arg.allow_hyphen_values(true);
    }
    // A plain `bool` field is a flag that clap would set to true; one that is optional has no default.
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    let arg = arg
        .action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .value_parser(boolean::parse)
        // In the help it looks like the flag that it nearly always is.
        .value_name("")
        .hide_default_value(true);
    if is_flag {
        arg.default_value("false")
    } else {
        arg
    }
}
