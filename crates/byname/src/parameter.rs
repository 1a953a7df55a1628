//! What a command's parameters read and need: const data of its descriptor.

use std::any::{TypeId, type_name};
use std::fmt;

/// How a parameter reads the words behind the command's name.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum WordParser {
    /// It takes them as they were typed, `--help` among them.
    Raw,
    /// It has them parsed by clap. The function builds the parser; it is called only to run or to describe the command.
    #[cfg(feature = "clap")]
    Clap(fn() -> clap::Command),
}

impl fmt::Debug for WordParser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WordParser::Raw => "Raw",
            #[cfg(feature = "clap")]
            WordParser::Clap(_) => "Clap",
        })
    }
}

/// Something that a command needs of its host, found by type.
#[derive(Clone, Copy)]
pub struct Need {
    kind: Kind,
    type_id: TypeId,
    type_name: fn() -> &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    State,
    Globals,
}

impl Need {
    /// State of type `T`, as [`State<T>`](crate::State) takes it.
    pub const fn state<T: 'static>() -> Need {
        Need::of::<T>(Kind::State)
    }

    /// Global options of type `T`, as [`Globals<T>`](crate::Globals) takes them.
    pub const fn globals<T: 'static>() -> Need {
        Need::of::<T>(Kind::Globals)
    }

    const fn of<T: 'static>(kind: Kind) -> Need {
        Need {
            kind,
            type_id: TypeId::of::<T>(),
            type_name: type_name::<T>,
        }
    }

    /// The type that is needed. (Not `type_id`, which every type has from [`Any`](std::any::Any).)
    pub const fn id(&self) -> TypeId {
        self.type_id
    }

    /// What is said of a host that does not provide it, to somebody who can change the host. `command` is the command's
    /// name; empty where no command runs.
    pub(crate) fn missing(&self, command: &str) -> String {
        let remedy = match self.kind {
            Kind::State => "add .state(...)".to_owned(),
            Kind::Globals => format!("add .globals::<{}>(...)", short_name((self.type_name)())),
        };
        let who = match command {
            "" => "a command".to_owned(),
            name => format!("'{name}'"),
        };
        format!("{who} needs {self}, which this host does not provide: {remedy}")
    }
}

/// `State<Client>`
impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = short_name((self.type_name)());
        match self.kind {
            Kind::State => write!(f, "State<{name}>"),
            Kind::Globals => write!(f, "Globals<{name}>"),
        }
    }
}

impl fmt::Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Need({self})")
    }
}

/// One parameter of a command behind its context: how it reads words, if it does, and what it needs.
///
/// `Parameter::of::<T>()` makes one of a type that is [`FromContext`](crate::FromContext).
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    pub(crate) parser: Option<WordParser>,
    pub(crate) needs: &'static [Need],
}

/// A type's name without the paths of its modules: `Option<Client>`.
fn short_name(name: &str) -> String {
    let mut short = String::new();
    for part in name.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        short.push_str(part.rsplit("::").next().unwrap_or(part));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_keep_their_parameters() {
        let short = |need: Need| need.to_string();
        assert_eq!(
            short(Need::state::<Vec<std::ffi::OsString>>()),
            "State<Vec<OsString>>"
        );
        assert_eq!(
            short(Need::globals::<(u8, Box<Parameter>)>()),
            "Globals<(u8, Box<Parameter>)>"
        );
    }

    #[test]
    fn what_is_missing_is_said_with_what_to_add() {
        assert_eq!(
            Need::state::<Parameter>().missing("kill"),
            "'kill' needs State<Parameter>, which this host does not provide: add .state(...)"
        );
        assert_eq!(
            Need::globals::<Parameter>().missing("kill"),
            "'kill' needs Globals<Parameter>, which this host does not provide: add .globals::<Parameter>(...)"
        );
    }
}
