//! The resolver against a plain model of the rules, which tries every name on every number of words.

use std::ffi::OsString;

use byname::{Alias, Command, ExitStatus, Registry, Resolution};
use heck::ToUpperCamelCase;
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Declared {
    name: String,
    aliases: Vec<String>,
}

/// A legal word: letters or digits, with hyphens between them.
fn is_legal(word: &str) -> bool {
    !word.is_empty()
        && word
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// Whether the words spell the name: it falls into that many pieces at its spaces, and each piece, its other spaces
/// written as hyphens, is one of the words.
fn spells(name: &str, words: &[String]) -> bool {
    let parts: Vec<&str> = name.split(' ').collect();
    pieces(&parts, words)
}

fn pieces(parts: &[&str], words: &[String]) -> bool {
    let Some((word, others)) = words.split_first() else {
        return parts.is_empty();
    };
    (1..=parts.len()).any(|n| parts[..n].join("-") == *word && pieces(&parts[n..], others))
}

/// The declared command and the number of words, by trying all.
fn model<'d>(declared: &'d [Declared], args: &[String]) -> Option<(&'d str, usize)> {
    let words: Vec<String> = args
        .iter()
        .take_while(|arg| is_legal(arg))
        .map(|arg| arg.to_lowercase())
        .collect();
    for of_aliases in [false, true] {
        for length in (1..=words.len()).rev() {
            for command in declared {
                let names = if of_aliases {
                    command.aliases.clone()
                } else {
                    vec![command.name.clone()]
                };
                if names.iter().any(|name| spells(name, &words[..length])) {
                    return Some((&command.name, length));
                }
            }
        }
    }
    None
}

/// Whether two commands, or aliases of two commands, have one method name.
fn has_duplicates(declared: &[Declared]) -> bool {
    let method = |name: &String| name.to_upper_camel_case();
    let pairs =
        || (0..declared.len()).flat_map(|a| (0..a).map(move |b| (&declared[a], &declared[b])));
    pairs().any(|(a, b)| method(&a.name) == method(&b.name))
        || pairs().any(|(a, b)| {
            a.aliases
                .iter()
                .any(|one| b.aliases.iter().any(|other| method(one) == method(other)))
        })
}

fn registry(declared: &[Declared]) -> Result<Registry, byname::RegistryError> {
    let leak = |text: &String| -> &'static str { String::leak(text.clone()) };
    Registry::from_commands(declared.iter().map(|command| {
        let aliases: Vec<Alias> = command
            .aliases
            .iter()
            .map(|alias| Alias::visible(leak(alias)))
            .collect();
        let handler = |_: &mut byname::Context| Ok(ExitStatus::Success);
        let made = Command::new(leak(&command.name), "Do it", handler, byname::origin!())
            .aliases(aliases.leak());
        &*Box::leak(Box::new(made))
    }))
}

/// Few letters, so that names collide.
fn name() -> impl Strategy<Value = String> {
    prop::collection::vec("[ab1]{1,2}(-[ab1]{1,2}){0,2}", 1..4).prop_map(|words| words.join(" "))
}

fn declared() -> impl Strategy<Value = Vec<Declared>> {
    let command = (name(), prop::collection::vec(name(), 0..3))
        .prop_map(|(name, aliases)| Declared { name, aliases });
    prop::collection::vec(command, 0..6)
}

/// Words that are near to names, and some that are none.
fn args() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![8 => "[abAB1]{1,2}(-[abAB1]{1,2}){0,3}", 1 => "[ab1. -]{0,3}", 1 => any::<String>()];
    prop::collection::vec(word, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_resolves_as_the_model_does(declared in declared(), mut args in args(), pick in any::<prop::sample::Index>()) {
        // Half of the time the words begin with a name that is there.
        if !declared.is_empty() && pick.index(2) == 0 {
            let command = &declared[pick.index(declared.len())];
            let name = command.aliases.first().unwrap_or(&command.name);
            args.splice(..0, name.split(' ').map(str::to_owned));
        }
        match registry(&declared) {
            Err(_) => prop_assert!(has_duplicates(&declared)),
            Ok(registry) => {
                prop_assert!(!has_duplicates(&declared));
                let words: Vec<OsString> = args.iter().map(OsString::from).collect();
                let found = match registry.resolve(&words) {
                    Resolution::Command(found) => Some((found.command.name(), found.words)),
                    _ => None,
                };
                prop_assert_eq!(found, model(&declared, &args));
                let mut names: Vec<&str> = declared.iter().map(|command| command.name.as_str()).collect();
                names.sort_unstable();
                let listed: Vec<&str> = registry.commands().iter().map(|command| command.name()).collect();
                prop_assert_eq!(listed, names);
            }
        }
    }

    #[test]
    fn the_method_name_is_hecks(name in name()) {
        let command = &registry(&[Declared { name: name.clone(), aliases: Vec::new() }]).unwrap();
        prop_assert_eq!(command.commands()[0].method_name(), format!("Cmd{}", name.to_upper_camel_case()));
    }
}

/// Aliases of one command may have one method name: each is reached as it is written.
#[test]
fn every_spelling_of_an_alias_is_reached() {
    for aliases in [["1-1", "11"], ["11", "1-1"], ["a-b", "a b"], ["a b", "a-b"]] {
        let aliases = aliases.map(str::to_owned).to_vec();
        let declared = [Declared {
            name: "c".to_owned(),
            aliases: aliases.clone(),
        }];
        let registry = registry(&declared).expect("a registry");
        for alias in &aliases {
            let words: Vec<OsString> = alias.split(' ').map(OsString::from).collect();
            let Resolution::Command(found) = registry.resolve(&words) else {
                panic!("{alias} is not reached");
            };
            assert_eq!((found.command.name(), found.words), ("c", words.len()));
        }
    }
}
