//! `#[arg(env)]` from the environment of a dispatch.
//!
//! clap reads such variables from the process, when it builds the parser. That is right where a dispatch has the
//! process's environment, and there it is left to clap. Elsewhere the variables' values become words: the arguments that
//! the words do not have already are put among them as `--long=value`, so that they are checked, conflict and are required
//! as if they had been typed.

use std::ffi::{OsStr, OsString};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::environment::Environment;

/// The parser without its variables, and the words with their values among them; the parser as it is and no words where
/// there is nothing to do.
pub(crate) fn given(
    parser: Command,
    words: &[OsString],
    environment: &Environment,
) -> (Command, Option<Vec<OsString>>) {
    if environment.is_process() || !has_variables(&parser) {
        return (parser, None);
    }
    let cleared = cleared(parser.clone());
    // What the words have. Help that is asked for, and nothing else, is an error here too, and then no value matters.
    let probe = cleared.clone().ignore_errors(true);
    let Ok(matches) = probe.try_get_matches_from(words) else {
        return (cleared, Some(words.to_vec()));
    };
    let mut more = More::default();
    let filled = fill(&parser, cleared, &matches, environment, true, &mut more);
    (filled, Some(more.among(words)))
}

/// The parser as its help shows it: with the values of this environment behind the names of the variables, as clap shows
/// those of the process.
pub(crate) fn described(parser: Command, environment: &Environment) -> Command {
    if environment.is_process() || !has_variables(&parser) {
        return parser;
    }
    let parser = parser.mut_args(|arg| describe(arg, environment));
    parser.mut_subcommands(|command| described(command, environment))
}

fn describe(arg: Arg, environment: &Environment) -> Arg {
    let Some(name) = arg.get_env().map(OsStr::to_owned) else {
        return arg;
    };
    let arg = clear(arg);
    if arg.is_hide_env_set() {
        return arg;
    }
    let value = match value(&name, environment) {
        _ if arg.is_hide_env_values_set() => String::new(),
        value => format!("={}", value.unwrap_or_default().to_string_lossy()),
    };
    let note = format!("[env: {}{value}]", name.to_string_lossy());
    let text = match arg.get_help() {
        Some(help) => format!("{} {note}", help.ansi()),
        None => note,
    };
    arg.help(text)
}

/// Words that stand for variables.
#[derive(Default)]
struct More {
    /// Options of the command itself: before all words.
    before: Vec<OsString>,
    /// Options of the subcommand that was chosen: behind its words, but before `--`.
    options: Vec<OsString>,
    /// Operands: behind all words.
    operands: Vec<OsString>,
}

impl More {
    fn among(self, words: &[OsString]) -> Vec<OsString> {
        let end = words.iter().position(|word| word == "--");
        let (words, ended) = words.split_at(end.unwrap_or(words.len()));
        let mut all = self.before;
        all.extend_from_slice(words);
        all.extend(self.options);
        all.extend_from_slice(ended);
        if !self.operands.is_empty() && ended.is_empty() {
            all.push("--".into());
        }
        all.extend(self.operands);
        all
    }
}

/// Collects the words for one command and for the subcommand that was chosen of it. `cleared` is `parser` without its
/// variables; it comes back so changed that it takes the words.
fn fill(
    parser: &Command,
    cleared: Command,
    matches: &ArgMatches,
    environment: &Environment,
    is_top: bool,
    more: &mut More,
) -> Command {
    let is_typed =
        |arg: &Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let mut filled = cleared;
    for arg in parser.get_arguments().filter(|arg| !is_typed(arg)) {
        let Some(value) = arg.get_env().and_then(|name| value(name, environment)) else {
            continue;
        };
        let Some(word) = option(arg, &value) else {
            // An operand has its place by its number, so those before it are there, or this one cannot be.
            let is_next = parser
                .get_positionals()
                .take_while(|other| other.get_id() != arg.get_id())
                .all(is_typed);
            if is_next && more.operands.is_empty() {
                more.operands.push(value);
            }
            continue;
        };
        filled = filled.mut_arg(arg.get_id(), valued);
        match is_top {
            true => more.before.push(word),
            false => more.options.push(word),
        }
    }
    let chosen = matches
        .subcommand()
        .and_then(|(name, matches)| Some((parser.find_subcommand(name)?, matches)));
    match chosen {
        Some((command, matches)) => filled.mut_subcommand(command.get_name(), |cleared| {
            fill(command, cleared, matches, environment, false, more)
        }),
        None => filled,
    }
}

/// The option with its value as one word; `None` for an operand.
fn option(arg: &Arg, value: &OsStr) -> Option<OsString> {
    let mut word = match (arg.get_long(), arg.get_short()) {
        (Some(long), _) => OsString::from(format!("--{long}=")),
        (None, Some(short)) => OsString::from(format!("-{short}=")),
        (None, None) => return None,
    };
    word.push(value);
    Some(word)
}

/// An option that takes the value of a variable, and exactly one: a flag's is `true` or `false`, as clap has it.
fn valued(arg: Arg) -> Arg {
    match arg.get_action() {
        ArgAction::SetTrue | ArgAction::SetFalse | ArgAction::Count => {
            arg.action(ArgAction::Set).num_args(1)
        }
        _ if arg
            .get_num_args()
            .is_some_and(|range| range.min_values() > 1) =>
        {
            arg.num_args(1)
        }
        _ => arg,
    }
}

fn value(name: &OsStr, environment: &Environment) -> Option<OsString> {
    environment.get(name.to_str()?)
}

fn has_variables(parser: &Command) -> bool {
    parser.get_arguments().any(|arg| arg.get_env().is_some())
        || parser.get_subcommands().any(has_variables)
}

fn cleared(parser: Command) -> Command {
    parser.mut_args(clear).mut_subcommands(cleared)
}

fn clear(arg: Arg) -> Arg {
    arg.env(None::<&'static str>)
}
