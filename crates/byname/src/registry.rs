//! The commands of a program, and which of them the words of a command line name.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;
use std::sync::OnceLock;

use crate::command::{Alias, Command};
use crate::index::{Index, Named};
use crate::resolution::{Resolution, Resolved, Unresolved};
use crate::words::{self, Name};

/// The commands of a program, found by method name.
///
/// [`Registry::linked`] is the only function that reads what was registered before `main`; everything else works with
/// commands from anywhere.
pub struct Registry {
    commands: Index<&'static Command>,
    aliases: Index<Entry>,
    /// Aliases that their command declares twice, or that are its own name in another spelling.
    repeated: Vec<Shadowed>,
    sorted: OnceLock<Box<[&'static Command]>>,
}

/// An alias and the command that it is one of.
#[derive(Debug, Clone, Copy)]
struct Entry {
    alias: &'static Alias,
    command: &'static Command,
}

impl Named for &'static Command {
    fn key(&self) -> &Name {
        &self.name
    }
}

impl Named for Entry {
    fn key(&self) -> &Name {
        &self.alias.name
    }
}

/// An alias that its words do not reach.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Shadowed {
    /// The alias.
    pub alias: &'static Alias,
    /// The command that declares it.
    pub command: &'static Command,
    /// The command that its words reach.
    pub by: &'static Command,
}

impl fmt::Display for Shadowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shadowed { alias, command, by } = self;
        let (alias, origin, by_origin) = (alias.name(), command.origin(), by.origin());
        write!(
            f,
            "alias '{alias}' of '{}' ({origin}) is shadowed by '{}' ({by_origin})",
            command.name(),
            by.name()
        )
    }
}

impl Registry {
    /// The commands that were registered with [`#[command]`](macro@crate::command) or [`register!`](crate::register) in the
    /// crates that are linked into this program.
    ///
    /// A crate that is only listed in `Cargo.toml` is not linked: `use its_name as _;` links it.
    ///
    /// # Errors
    /// Two commands, or aliases of two commands, with the same method name.
    pub fn linked() -> Result<Registry, RegistryError> {
        Registry::from_commands(inventory::iter::<Command>)
    }

    /// A registry of these commands, in any order.
    ///
    /// # Errors
    /// As [`Registry::linked`].
    ///
    /// ```
    /// use byname::{Command, ExitStatus, Registry};
    ///
    /// static RUN: Command = Command::new("run", "Run it", |_| Ok(ExitStatus::Success), byname::origin!());
    /// static R_UN: Command = Command::new("r-un", "Run it too", |_| Ok(ExitStatus::Success), byname::origin!());
    ///
    /// assert_eq!(Registry::from_commands([&RUN])?.commands().len(), 1);
    /// assert!(Registry::from_commands([&RUN, &RUN]).is_err());
    /// // `CmdRUn` is not `CmdRun`:
    /// assert!(Registry::from_commands([&RUN, &R_UN]).is_ok());
    /// # Ok::<(), byname::RegistryError>(())
    /// ```
    pub fn from_commands<I>(commands: I) -> Result<Registry, RegistryError>
    where
        I: IntoIterator<Item = &'static Command>,
    {
        let mut registry = Registry {
            commands: Index::new(),
            aliases: Index::new(),
            repeated: Vec::new(),
            sorted: OnceLock::new(),
        };
        let mut duplicates = Vec::new();
        for command in commands {
            if let Err((known, command)) = registry.commands.insert(command) {
                duplicates.push(Duplicate::new(
                    (known.name(), known),
                    (command.name(), command),
                ));
                continue;
            }
            for alias in command.get_aliases() {
                match registry.aliases.insert(Entry { alias, command }) {
                    Ok(()) => {}
                    Err((known, _)) if std::ptr::eq(known.command, command) => {
                        registry.repeated.push(Shadowed {
                            alias,
                            command,
                            by: command,
                        });
                    }
                    Err((known, entry)) => duplicates.push(Duplicate::new(
                        (known.alias.name(), known.command),
                        (entry.alias.name(), entry.command),
                    )),
                }
            }
        }
        if duplicates.is_empty() {
            return Ok(registry);
        }
        // Registration has no order, and a report should have one.
        duplicates.sort();
        Err(RegistryError { duplicates })
    }

    /// All commands, sorted by name, the hidden ones too.
    pub fn commands(&self) -> &[&'static Command] {
        self.sorted.get_or_init(|| {
            let mut sorted = self.commands.entries().to_vec();
            sorted.sort_by_key(|command| command.name());
            sorted.into_boxed_slice()
        })
    }

    /// The aliases that cannot be reached, because a command's name comes before any alias.
    pub fn shadowed(&self) -> Vec<Shadowed> {
        let unreached = self
            .aliases
            .entries()
            .iter()
            .filter_map(|&Entry { alias, command }| {
                let words: Vec<OsString> = alias.name().split(' ').map(OsString::from).collect();
                match self.find(&words) {
                    Some(found) if found.alias.is_some_and(|found| std::ptr::eq(found, alias)) => {
                        None
                    }
                    found => found.map(|found| Shadowed {
                        alias,
                        command,
                        by: found.command,
                    }),
                }
            });
        let mut shadowed: Vec<Shadowed> = unreached.chain(self.repeated.iter().copied()).collect();
        shadowed.sort_by_key(|shadowed| (shadowed.alias.name(), shadowed.command.name()));
        shadowed
    }

    /// What these words name; the first of them is the first word of the name.
    ///
    /// Commands come before aliases, and among each the longest name wins. A word that is none, such as `-x`, ends the
    /// name. Case does not matter.
    pub fn resolve(&self, args: &[OsString]) -> Resolution {
        match self.find(args) {
            Some(found) => Resolution::Command(found),
            None => Resolution::Unresolved(self.unresolved(args)),
        }
    }

    /// Why no command was found for these words.
    fn unresolved(&self, args: &[OsString]) -> Unresolved {
        let Some(first) = args.first() else {
            return Unresolved::NoWords;
        };
        let leading = words::leading(args, self.longest());
        for length in (1..=leading.len()).rev() {
            let Some(group) = self.group_of(&leading[..length]) else {
                continue;
            };
            return match args.get(length) {
                Some(word) if word != "--help" && word != "-h" => Unresolved::Unknown {
                    group: Some(group.to_owned()),
                    word: word.clone(),
                },
                _ => Unresolved::Group {
                    group: group.to_owned(),
                },
            };
        }
        Unresolved::Unknown {
            group: None,
            word: first.clone(),
        }
    }

    /// The group that these words name: one that is spelled just so goes before one that hyphens reach.
    fn group_of(&self, words: &[&str]) -> Option<&'static str> {
        let exact = words.join(" ").to_ascii_lowercase();
        let mut groups = self
            .visible_names()
            .filter_map(|(name, _)| words::proven_group(name, words));
        let first = groups.next()?;
        Some(if first == exact {
            first
        } else {
            groups.find(|group| *group == exact).unwrap_or(first)
        })
    }

    fn find(&self, args: &[OsString]) -> Option<Resolved> {
        let longest = self.commands.longest().max(self.aliases.longest());
        let words = words::leading(args, longest);
        // Built once: both sources look for the same names.
        let names: Vec<(usize, String)> = (1..=words.len())
            .rev()
            .map(|length| (length, words::method_name(&words[..length])))
            .collect();

        let command = names.iter().find_map(|(length, method_name)| {
            let command = *self.commands.get(method_name)?;
            let spelled = words::proves(command.name(), &words[..*length]);
            spelled.then_some(Resolved {
                command,
                alias: None,
                words: *length,
            })
        });
        command.or_else(|| {
            names.iter().find_map(|(length, method_name)| {
                // A command may have aliases of one method name, as `a-b` and `a b`, of which one is listed here.
                let Entry { command, .. } = *self.aliases.get(method_name)?;
                let mut aliases = command.get_aliases().iter();
                let alias = aliases.find(|alias| words::proves(alias.name(), &words[..*length]))?;
                Some(Resolved {
                    command,
                    alias: Some(alias),
                    words: *length,
                })
            })
        })
    }

    /// Every name that help may show, with its command: sorted names of commands, then of their aliases.
    pub(crate) fn visible_names(&self) -> impl Iterator<Item = (&'static str, &'static Command)> {
        let visible = || {
            self.commands()
                .iter()
                .filter(|command| !command.is_hidden())
        };
        let names = visible().map(|command| (command.name(), *command));
        names.chain(visible().flat_map(|&command| {
            command
                .visible_aliases()
                .map(move |alias| (alias.name(), command))
        }))
    }

    /// The words of the longest name.
    pub(crate) fn longest(&self) -> usize {
        self.commands.longest().max(self.aliases.longest())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("commands", &self.commands())
            .finish_non_exhaustive()
    }
}

/// Names that two commands claim.
#[derive(Debug, Clone)]
pub struct RegistryError {
    duplicates: Vec<Duplicate>,
}

/// Two names with one method name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Duplicate {
    first: (&'static str, &'static str, crate::command::Origin),
    second: (&'static str, &'static str, crate::command::Origin),
}

type Claim = (&'static str, &'static Command);

impl Duplicate {
    fn new(one: Claim, other: Claim) -> Duplicate {
        let [first, second] =
            [one, other].map(|(name, command)| (name, command.name(), command.origin()));
        if second < first {
            Duplicate {
                first: second,
                second: first,
            }
        } else {
            Duplicate { first, second }
        }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, Duplicate { first, second }) in self.duplicates.iter().enumerate() {
            if nth > 0 {
                f.write_str("; ")?;
            }
            f.write_str("duplicate command name: ")?;
            write_claim(f, first)?;
            f.write_str(" and ")?;
            write_claim(f, second)?;
        }
        Ok(())
    }
}

fn write_claim(
    f: &mut fmt::Formatter<'_>,
    (name, command, origin): &(&str, &str, crate::command::Origin),
) -> fmt::Result {
    match name == command {
        true => write!(f, "'{name}' ({origin})"),
        false => write!(f, "alias '{name}' of '{command}' ({origin})"),
    }
}

impl Error for RegistryError {}
