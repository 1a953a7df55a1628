//! Names of images: `refs/REGISTRY/PATH/:TAG` and `…/@sha256:DIGEST`, each a file with the id of an image.
//!
//! No component of a repository begins with `:` or `@`, so a repository and its tags share a directory, and one is a
//! directory of another without mistakes.

use std::fs;
use std::path::{Path, PathBuf};

use image_reference::{Image as Parsed, Reference};

use super::collect::hidden;
use super::digest::Digest;
use super::file::{self, Durability};
use crate::{Error, Result};

/// More than the id takes.
const LIMIT: u64 = 4096;
/// Deeper than a path of 255 characters can go.
const DEEPEST: usize = 200;

/// The names below one directory.
#[derive(Clone, Debug)]
pub(super) struct Names {
    directory: PathBuf,
}

/// A name and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// With a tag or with a digest.
    pub(super) reference: Reference,
    /// The image.
    pub(super) id: Digest,
}

impl Names {
    /// The names in this directory, which need not exist.
    pub(super) fn new(directory: PathBuf) -> Names {
        Names { directory }
    }

    /// The image of that name; one with a digest is looked up by that alone.
    pub(super) fn get(&self, reference: &Reference) -> Result<Option<Digest>> {
        read(&self.path(reference)?)
    }

    /// Gives the name to that image, whichever had it before.
    pub(super) fn set(
        &self,
        reference: &Reference,
        id: &Digest,
        durability: Durability,
    ) -> Result<()> {
        let content = format!("{id}\n");
        file::write(&self.path(reference)?, content.as_bytes(), durability)
    }

    /// Removes the name; says whether there was one.
    pub(super) fn remove(&self, reference: &Reference) -> Result<bool> {
        let path = self.path(reference)?;
        let removed = file::remove(&path)?;
        // The directories above go as far as they are empty, which a directory says by itself.
        for above in path.ancestors().skip(1) {
            if above == self.directory || fs::remove_dir(above).is_err() {
                break;
            }
        }
        Ok(removed)
    }

    /// All names, in alphabetical order.
    pub(super) fn all(&self) -> Result<Vec<Name>> {
        let mut names = Vec::new();
        self.collect(&self.directory, "", 0, &mut names)?;
        Ok(names)
    }

    /// All names of that image.
    pub(super) fn of(&self, id: &Digest) -> Result<Vec<Reference>> {
        let all = self.all()?;
        Ok(all
            .into_iter()
            .filter(|name| name.id == *id)
            .map(|name| name.reference)
            .collect())
    }

    /// Files in all directories that were not finished.
    pub(super) fn unfinished(&self, found: &mut Vec<PathBuf>) -> Result<()> {
        unfinished(&self.directory, 0, found)
    }

    fn collect(
        &self,
        directory: &Path,
        repository: &str,
        depth: usize,
        names: &mut Vec<Name>,
    ) -> Result<()> {
        if depth > DEEPEST {
            return Ok(());
        }
        for entry in file::names(directory)? {
            let path = directory.join(&entry);
            if !entry.starts_with([':', '@']) {
                let below = match repository {
                    "" => entry,
                    above => format!("{above}/{entry}"),
                };
                self.collect(&path, &below, depth + 1, names)?;
                continue;
            }
            // A name may go while this looks, and what is none, a person put there.
            let parsed = Parsed::parse(&format!("{repository}{entry}"));
            if let (Ok(Parsed::Named(reference)), Some(id)) = (parsed, read(&path)?) {
                names.push(Name { reference, id });
            }
        }
        Ok(())
    }

    fn path(&self, reference: &Reference) -> Result<PathBuf> {
        let repository = reference.repository();
        let mut path = self.directory.clone();
        for component in repository.split('/') {
            // The grammar of references has none of these; a path must not depend on that.
            if component.is_empty() || component.starts_with(['.', ':', '@']) {
                return Err(Error::invalid("invalid reference format"));
            }
            path.push(component);
        }
        path.push(match (reference.digest(), reference.tag()) {
            // It is written out of its parts, so that it is a digest.
            (Some(digest), _) => format!("@{}", digest.parse::<Digest>()?),
            (None, Some(tag)) => format!(":{tag}"),
            (None, None) => return Err(Error::invalid("invalid reference format")),
        });
        Ok(path)
    }
}

fn unfinished(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<()> {
    hidden(directory, found)?;
    for entry in file::names(directory)? {
        if depth < DEEPEST && !entry.starts_with([':', '@']) {
            unfinished(&directory.join(entry), depth + 1, found)?;
        }
    }
    Ok(())
}

/// What a name's file names. A torn one names nothing, so that the image is pulled again.
fn read(path: &Path) -> Result<Option<Digest>> {
    let content = file::read(path, LIMIT)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&content).trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        match Parsed::parse(text) {
            Ok(Parsed::Named(reference)) => reference,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn names_are_kept_listed_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let names = Names::new(directory.path().join("refs"));
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let digested = format!("a/b@{two}");
        let all = ["a/b/c:d", "a/b:c", &digested, "[::1]:5000/x", "busybox"];
        assert!(names.all().expect("names").is_empty());
        for text in all {
            names
                .set(&reference(text), &one, Durability::Lazy)
                .expect("a name");
        }
        names
            .set(&reference("a/b:c"), &two, Durability::Durable)
            .expect("a name");
        let listed: Vec<String> = names
            .all()
            .expect("names")
            .iter()
            .map(|name| name.reference.familiar())
            .collect();
        let expected = [
            "[::1]:5000/x:latest",
            "a/b:c",
            &digested,
            "a/b/c:d",
            "busybox:latest",
        ];
        assert_eq!(listed, expected);
        assert_eq!(
            names.get(&reference("a/b:c")).expect("a name"),
            Some(two.clone())
        );
        assert_eq!(names.get(&reference("a/b:x")).expect("no name"), None);
        assert_eq!(names.of(&two).expect("names"), [reference("a/b:c")]);

        for text in all {
            assert!(names.remove(&reference(text)).expect("a name"), "{text}");
            assert!(!names.remove(&reference(text)).expect("no name"), "{text}");
        }
        let left = fs::read_dir(directory.path().join("refs")).expect("the directory");
        assert_eq!(left.count(), 0, "directories go with their last name");
    }

    #[test]
    fn a_torn_name_is_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let names = Names::new(directory.path().to_owned());
        names
            .set(&reference("x"), &Digest::of(b""), Durability::Lazy)
            .expect("a name");
        let path = directory.path().join("docker.io/library/x/:latest");
        for content in ["", "sha256:12", "../../etc"] {
            fs::write(&path, content).expect("a file");
            assert_eq!(names.get(&reference("x")).expect("no name"), None);
            assert!(names.all().expect("names").is_empty());
        }
    }
}
