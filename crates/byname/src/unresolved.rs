//! Words that name no command, and what the dispatcher answers to them.

use std::ffi::{OsStr, OsString};
use std::io::Write;

use anyhow::Context as _;

use crate::color::Styles;
use crate::context::Context;
use crate::help;
use crate::registry::Registry;
use crate::status::ExitStatus;
use crate::suggest;
use crate::words;

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
    /// What words are that [`Registry::resolve`] found no command for.
    pub(crate) fn of(registry: &Registry, args: &[OsString]) -> Unresolved {
        let Some(first) = args.first() else {
            return Unresolved::NoWords;
        };
        let leading = words::leading(args, registry.longest());
        for length in (1..=leading.len()).rev() {
            let Some(group) = group_of(registry, &leading[..length]) else {
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

    /// The name that is unknown, as an error shows it: what cannot be read safely is quoted and escaped.
    pub fn name(&self) -> String {
        match self {
            Unresolved::NoWords => String::new(),
            Unresolved::Group { group } => group.clone(),
            Unresolved::Unknown { group: None, word } => shown(word),
            Unresolved::Unknown {
                group: Some(group),
                word,
            } => format!("{group} {}", shown(word)),
        }
    }

    /// Answers as a dispatcher without a fallback does: help for no words, the group's commands for a group, and for an
    /// unknown name an error with the nearest names, then help, both on standard error.
    ///
    /// # Errors
    /// Writing failed, or `cx` is not in a dispatch.
    pub fn answer(&self, cx: &mut Context) -> anyhow::Result<ExitStatus> {
        let dispatcher = cx
            .dispatcher()
            .context("no dispatch runs in this context")?
            .clone();
        let group = match self {
            Unresolved::NoWords => None,
            Unresolved::Group { group } => Some(group.as_str()),
            Unresolved::Unknown { group, .. } => {
                let mut text = self.error(cx, dispatcher.registry()?);
                text.push_str(&help::overview(
                    &dispatcher,
                    group.as_deref(),
                    &cx.streams().err,
                    cx.environment(),
                )?);
                cx.err().write_all(text.as_bytes())?;
                return Ok(ExitStatus::Usage);
            }
        };
        let text = help::overview(&dispatcher, group, &cx.streams().out, cx.environment())?;
        cx.out().write_all(text.as_bytes())?;
        Ok(ExitStatus::Success)
    }

    /// The error and the nearest names, with an empty line behind each.
    fn error(&self, cx: &Context, registry: &Registry) -> String {
        let styles = Styles::of(&cx.streams().err, cx.environment());
        let mut text = format!(
            "{} Command not found: {}\n\n",
            styles.error("Error:"),
            self.name()
        );
        let nearest = suggest::nearest(registry, self, cx.args());
        if !nearest.is_empty() {
            text.push_str("Did you mean:\n");
            for name in nearest {
                text.push_str(&format!("  {}\n", styles.literal(&name)));
            }
            text.push('\n');
        }
        text
    }
}

/// The group that these words name: one that is spelled just so goes before one that hyphens reach.
fn group_of(registry: &Registry, words: &[&str]) -> Option<&'static str> {
    let exact = words.join(" ").to_ascii_lowercase();
    let mut groups = registry
        .visible_names()
        .filter_map(|(name, _)| words::proven_group(name, words));
    let first = groups.next()?;
    Some(if first == exact {
        first
    } else {
        groups.find(|group| *group == exact).unwrap_or(first)
    })
}

/// A word as an error shows it: plain if nothing about it can mislead, else quoted and escaped.
pub(crate) fn shown(word: &OsStr) -> String {
    let quoted = format!("{word:?}");
    match word.to_str() {
        Some(plain)
            if !plain.is_empty()
                && !plain.contains(' ')
                && quoted[1..quoted.len() - 1] == *plain =>
        {
            plain.to_owned()
        }
        _ => quoted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted() {
        let cases = [
            ("run", "run"),
            ("naïve", "naïve"),
            ("../run", "../run"),
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("run\u{200b}", r#""run\u{200b}""#),
            ("\x1b[31m", r#""\u{1b}[31m""#),
            ("a\"b", r#""a\"b""#),
        ];
        for (word, expected) in cases {
            assert_eq!(shown(OsStr::new(word)), expected);
        }
    }
}
