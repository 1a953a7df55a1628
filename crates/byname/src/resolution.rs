//! What the words of a command line turned out to name: a command, a group, or nothing.

use std::ffi::OsString;

use crate::command::{Alias, Command};
use crate::words;

/// What the words of a command line name.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Resolution {
    /// A command.
    Command(Resolved),
    /// No command: no words, a group, or a name that nothing has.
    Unresolved(Unresolved),
}

/// A command that was found.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Resolved {
    /// The command.
    pub command: &'static Command,
    /// The alias that was typed; `None` if it was the command's name.
    pub alias: Option<&'static Alias>,
    /// How many of the words are the name; the others are the command's arguments.
    pub words: usize,
}

impl Resolved {
    /// The name or alias that was typed, as it was declared.
    pub fn name(&self) -> &'static str {
        self.alias.map_or(self.command.name(), Alias::name)
    }
}

/// Why the words name no command.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unresolved {
    /// There are no words.
    NoWords,
    /// Only the words of a group, such as `groups` where there is a `groups create`; or these and `--help`.
    #[non_exhaustive]
    Group {
        /// The group's words, as they were declared.
        group: String,
    },
    /// A name that nothing has.
    #[non_exhaustive]
    Unknown {
        /// The group that the words before it name, as it was declared.
        group: Option<String>,
        /// The word that is unknown, as it was typed: it can be empty, and need not be UTF-8.
        word: OsString,
    },
}

impl Unresolved {
    /// The name that is unknown, as an error shows it: what cannot be read safely is quoted and escaped.
    pub fn name(&self) -> String {
        match self {
            Unresolved::NoWords => String::new(),
            Unresolved::Group { group } => group.clone(),
            Unresolved::Unknown { group: None, word } => words::shown(word),
            Unresolved::Unknown {
                group: Some(group),
                word,
            } => format!("{group} {}", words::shown(word)),
        }
    }
}
