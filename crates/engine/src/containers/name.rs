//! Names that are made up for containers that are given none.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::{Error, Result};

const ADJECTIVES: [&str; 64] = [
    "able", "amber", "apt", "bold", "brave", "bright", "brisk", "calm", "candid", "cheery",
    "civil", "clear", "clever", "cosy", "crisp", "curious", "daring", "deft", "eager", "early",
    "exact", "fair", "fleet", "fond", "frank", "fresh", "gentle", "glad", "golden", "grand",
    "happy", "hardy", "honest", "humble", "ideal", "jolly", "keen", "kind", "lively", "lucid",
    "merry", "mild", "modest", "neat", "noble", "patient", "placid", "plucky", "polite", "proud",
    "quick", "quiet", "ready", "serene", "sharp", "silent", "sober", "steady", "sunny", "swift",
    "tidy", "trusty", "vivid", "witty",
];

const NOUNS: [&str; 64] = [
    "acorn", "anchor", "apple", "badger", "barge", "beacon", "birch", "bison", "bridge", "brook",
    "canyon", "cedar", "cloud", "clover", "comet", "coral", "crane", "creek", "dune", "eagle",
    "ember", "falcon", "fern", "finch", "fjord", "forest", "fox", "glacier", "grove", "harbor",
    "hazel", "heron", "hill", "island", "kettle", "lagoon", "lantern", "lark", "maple", "marsh",
    "meadow", "mill", "orchid", "otter", "owl", "pebble", "pine", "pond", "quarry", "raven",
    "reef", "ridge", "river", "robin", "sail", "sparrow", "spruce", "summit", "thistle", "tulip",
    "valley", "walrus", "willow", "wren",
];

/// A name that nobody may have yet; from the third try on it has a number, for there are only so many words.
pub(super) fn made_up(attempt: usize) -> Result<String> {
    let [adjective, noun, high, low] = random::<4>()?;
    let word = |list: &'static [&'static str; 64], byte: u8| list[usize::from(byte) % list.len()];
    let name = format!("{}_{}", word(&ADJECTIVES, adjective), word(&NOUNS, noun));
    Ok(match attempt {
        0..2 => name,
        _ => format!("{name}{}", u16::from_le_bytes([high, low])),
    })
}

/// The id of a new container or joining process: 64 hexadecimal digits.
///
/// Ids that are all decimal digits at their beginning are taken by some tools for numbers.
pub(crate) fn new_id() -> Result<String> {
    loop {
        let id: String = random::<32>()?
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if id[..12].bytes().any(|digit| !digit.is_ascii_digit()) {
            return Ok(id);
        }
    }
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    // So few come whole or not at all.
    let count = getrandom(&mut bytes, GetRandomFlags::empty())
        .map_err(|error| Error::io("read random bytes", error))?;
    if count < LENGTH {
        return Err(Error::system("the system gave too few random bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::check_name;

    #[test]
    fn made_up_names_are_names() {
        for adjective in ADJECTIVES {
            for noun in NOUNS {
                let name = format!("{adjective}_{noun}");
                assert_eq!(check_name(&name).expect("a name"), name);
            }
        }
        for attempt in 0..5 {
            let name = made_up(attempt).expect("a name");
            check_name(&name).expect("a name");
        }
        let numbered = made_up(4).expect("a name");
        assert!(numbered.ends_with(|last: char| last.is_ascii_digit()));
    }

    #[test]
    fn ids_are_64_digits() {
        let id = new_id().expect("an id");
        assert_eq!(id.len(), 64);
        assert!(id.bytes().all(|digit| digit.is_ascii_hexdigit()));
        assert_ne!(id, new_id().expect("an id"));
    }
}
