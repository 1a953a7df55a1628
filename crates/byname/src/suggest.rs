//! The names that are nearest to one that nothing has.

use std::ffi::OsString;

use crate::registry::Registry;
use crate::resolution::Unresolved;
use crate::words;

/// How many names are shown at most.
const MOST: usize = 5;

/// A word longer than this is no misspelling, and comparing takes time that grows with its length.
const LONGEST: usize = 64;

/// The nearest names to what could not be resolved, nearest first. Inside a group these are the group's.
pub(crate) fn nearest(
    registry: &Registry,
    unresolved: &Unresolved,
    args: &[OsString],
) -> Vec<String> {
    let Unresolved::Unknown { group, word } = unresolved else {
        return Vec::new();
    };
    let typed = word.to_string_lossy().to_lowercase();
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut offer = |typed: &str, name: &str| {
        if let Some(distance) = distance(typed, name) {
            found.push((distance, name.to_owned()));
        }
    };

    match group {
        Some(group) => {
            let typed = format!("{group} {typed}");
            for (name, _) in registry.visible_names() {
                if name
                    .strip_prefix(group.as_str())
                    .is_some_and(|rest| rest.starts_with(' '))
                {
                    offer(&typed, name);
                }
            }
        }
        None => {
            // `contaner run` is near to `container run`, and `grops` to the group `groups`.
            let leading = words::leading(args, registry.longest());
            for (name, _) in registry.visible_names() {
                let length = name.split(' ').count();
                offer(&typed, name.split(' ').next().unwrap_or(name));
                if let Some(leading) = leading.get(..length.max(2)) {
                    offer(&leading.join(" ").to_lowercase(), name);
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found.truncate(MOST);
    found.into_iter().map(|(_, name)| name).collect()
}

/// The number of edits from one name to the other, if they are few enough for a misspelling.
fn distance(typed: &str, name: &str) -> Option<usize> {
    if typed.is_empty() || typed.len() > LONGEST {
        return None;
    }
    let distance = strsim::damerau_levenshtein(typed, name);
    let allowed = (name.chars().count().max(typed.chars().count()) / 3).max(1);
    // Something of the name must be left: `a` is no misspelling of `b`.
    (distance <= allowed && distance < name.chars().count()).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_is_near_and_another_word_is_not() {
        assert_eq!(distance("rnu", "run"), Some(1));
        assert_eq!(distance("crate", "create"), Some(1));
        assert_eq!(distance("frobnicate", "run"), None);
        assert_eq!(distance("a", "b"), None);
        assert_eq!(distance("", "ps"), None);
        assert_eq!(distance(&"x".repeat(100_000), "run"), None);
    }
}
