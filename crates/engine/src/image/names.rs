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
    ///
    /// # Errors
    ///
    /// Those of [`check_tag`], and [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written.
    pub(super) fn set_tag(
        &self,
        reference: &Reference,
        id: &Digest,
        durability: Durability,
    ) -> Result<()> {
        check_tag(reference)?;
        self.set(reference, id, durability)
    }

    /// Notes that the image is what `digest` names in the repository of `reference`, for which it is returned. The caller
    /// has hashed the manifest itself: who asks for a digest has no other proof of what it gets.
    ///
    /// # Errors
    ///
    /// As of [`Names::set_tag`].
    pub(super) fn set_digest(
        &self,
        reference: &Reference,
        digest: &Digest,
        id: &Digest,
        durability: Durability,
    ) -> Result<Reference> {
        check_repository(reference)?;
        let reference = with_digest(reference, digest)?;
        self.set(&reference, id, durability)?;
        Ok(reference)
    }

    fn set(&self, reference: &Reference, id: &Digest, durability: Durability) -> Result<()> {
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

/// The same repository with a digest instead of what it has.
pub(super) fn with_digest(reference: &Reference, digest: &Digest) -> Result<Reference> {
    match Parsed::parse(&format!("{}@{digest}", reference.repository())) {
        Ok(Parsed::Named(reference)) => Ok(reference),
        _ => Err(Error::system(format!(
            "{digest} does not go with {}",
            reference.repository()
        ))),
    }
}

/// Whether somebody may give an image this name. The words are those of Docker's engine.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a name with a digest, which follows from the
/// image and is nobody's to give, and for a repository that [`check_repository`] rejects.
pub(super) fn check_tag(reference: &Reference) -> Result<()> {
    if reference.digest().is_some() {
        return Err(Error::invalid(
            "refusing to create a tag with a digest reference",
        ));
    }
    check_repository(reference)
}

/// Whether images may be called like that. `sha256:0123` would be a tag, where everybody reads an id.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if not.
pub(super) fn check_repository(reference: &Reference) -> Result<()> {
    match reference.familiar_name().as_str() {
        "sha256" => Err(Error::invalid(
            "refusing to create an ambiguous tag using digest algorithm as name",
        )),
        _ => Ok(()),
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
    fn a_digest_is_noted_and_not_given() {
        let directory = tempfile::tempdir().expect("a directory");
        let names = Names::new(directory.path().to_owned());
        let id = Digest::of(b"");
        let digested = format!("a@{id}");
        let both = format!("a:1@{id}");
        for (text, expected) in [
            (digested.as_str(), "with a digest reference"),
            (&both, "with a digest reference"),
            ("sha256:0123", "using digest algorithm as name"),
            ("docker.io/library/sha256", "using digest algorithm as name"),
        ] {
            let error = names
                .set_tag(&reference(text), &id, Durability::Lazy)
                .expect_err(text);
            assert_eq!(error.status(), 400);
            assert!(error.to_string().ends_with(expected), "{text}: {error}");
        }
        assert!(names.all().expect("names").is_empty());
        for text in ["a/sha256:1", "localhost/sha256:1"] {
            names
                .set_tag(&reference(text), &id, Durability::Lazy)
                .expect(text);
        }
        let noted = names
            .set_digest(&reference("a:1"), &id, &id, Durability::Lazy)
            .expect("a name");
        assert_eq!(noted, reference(&digested));
        assert_eq!(names.get(&reference(&both)).expect("a name"), Some(id));
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
