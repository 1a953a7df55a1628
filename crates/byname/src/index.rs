//! A table from method names to entries, built at every start of a program and therefore cheap to build.

use crate::words::{self, Name};

/// What an [`Index`] holds: something with a name.
pub(crate) trait Named {
    fn key(&self) -> &Name;
}

/// An open-addressed hash table. The hashes are made at compile time, so building it hashes nothing and copies no name;
/// a `HashMap` could use such hashes too, but not tell two names of one hash apart without their strings.
pub(crate) struct Index<T> {
    entries: Vec<T>,
    /// Positions in `entries`, [`FREE`] where there is none; the length is a power of two.
    slots: Vec<u32>,
    /// The words of the longest name.
    longest: usize,
}

const FREE: u32 = u32::MAX;

impl<T: Named> Index<T> {
    pub(crate) fn new() -> Index<T> {
        Index {
            entries: Vec::new(),
            slots: Vec::new(),
            longest: 0,
        }
    }

    pub(crate) fn entries(&self) -> &[T] {
        &self.entries
    }

    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Adds an entry, unless one with the same method name is there already: then that one comes back beside it.
    pub(crate) fn insert(&mut self, entry: T) -> Result<(), (&T, T)> {
        if (self.entries.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let name = *entry.key();
        // Another spelling of what is there may have more words.
        self.longest = self.longest.max(name.words);
        let slot = self.slot(name.hash, |known| known.same_method(&name));
        match self.slots[slot] {
            FREE => {
                self.slots[slot] =
                    u32::try_from(self.entries.len()).expect("fewer than four billion commands");
                self.entries.push(entry);
                Ok(())
            }
            taken => Err((&self.entries[taken as usize], entry)),
        }
    }

    /// The entry with this method name.
    pub(crate) fn get(&self, method_name: &str) -> Option<&T> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slot(words::hash(method_name), |known| {
            known.has_method_name(method_name)
        });
        match self.slots[slot] {
            FREE => None,
            taken => Some(&self.entries[taken as usize]),
        }
    }

    /// The slot of the entry that is meant, or the free one where it would be.
    fn slot(&self, hash: u64, is_meant: impl Fn(&Name) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        // The table is never more than half full, so the search ends. The upper bits of FNV are the better mixed.
        let mut slot = (hash ^ (hash >> 32)) as usize & mask;
        loop {
            let taken = self.slots[slot];
            if taken == FREE {
                return slot;
            }
            let known = self.entries[taken as usize].key();
            if known.hash == hash && is_meant(known) {
                return slot;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        self.slots = vec![FREE; (self.slots.len() * 2).max(64)];
        for at in 0..self.entries.len() {
            // No two entries are equal, so each gets a free slot.
            let slot = self.slot(self.entries[at].key().hash, |_| false);
            self.slots[slot] = at as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Entry(Name);

    impl Named for Entry {
        fn key(&self) -> &Name {
            &self.0
        }
    }

    #[test]
    fn two_names_of_one_hash_are_two_entries() {
        let mut index = Index::new();
        let one = Name::declare("one");
        let two = Name {
            hash: one.hash,
            ..Name::declare("two")
        };
        assert!(index.insert(Entry(one)).is_ok());
        assert!(index.insert(Entry(two)).is_ok());
        assert_eq!(index.entries().len(), 2);
        assert!(index.insert(Entry(two)).is_err());
        assert_eq!(index.get("CmdOne").unwrap().0.text, "one");
    }

    #[test]
    fn it_grows() {
        let names: Vec<Name> = (0..1_000)
            .map(|n| Name::declare(Box::leak(format!("c{n}").into_boxed_str())))
            .collect();
        let mut index = Index::new();
        assert!(index.get("CmdC1").is_none());
        for name in &names {
            assert!(index.insert(Entry(*name)).is_ok());
        }
        for n in 0..1_000 {
            assert_eq!(
                index.get(&format!("CmdC{n}")).unwrap().0.text,
                format!("c{n}")
            );
        }
        assert!(index.get("CmdC1000").is_none());
    }
}
