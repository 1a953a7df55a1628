//! Giving an image a name.

use image_reference::{Image as Parsed, Reference};

use super::file::Durability;
use super::names::check_tag;
use super::store::Store;
use crate::{Error, Result};

impl Store {
    /// Gives an image one more name, whichever image had it before.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such image, and
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what cannot be a name of an image here.
    pub(crate) fn tag(&self, image: &str, repository: &str, tag: Option<&str>) -> Result<()> {
        let image = self.resolve(image, None)?;
        let reference = new_name(repository, tag)?;
        self.names
            .set_tag(&reference, image.id(), Durability::Durable)
    }
}

/// The name that a repository and a tag make, where the repository may have a tag already.
pub(super) fn new_name(repository: &str, tag: Option<&str>) -> Result<Reference> {
    let parse = |text: &str| match Parsed::parse(text) {
        Ok(Parsed::Named(reference)) => Ok(reference),
        Ok(Parsed::Id(_)) => Err(Error::invalid(
            "invalid reference format: a repository cannot be called like an ID",
        )),
        Err(error) => Err(Error::invalid(error.to_string())),
    };
    let reference = parse(repository)?;
    check_tag(&reference)?;
    match tag {
        None | Some("") => Ok(reference),
        Some(tag) => parse(&format!("{}:{tag}", reference.repository())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_made_of_two_parts() {
        for (repository, tag, expected) in [
            ("busybox", None, "busybox:latest"),
            ("busybox", Some(""), "busybox:latest"),
            ("busybox", Some("1"), "busybox:1"),
            ("a/b:2", None, "a/b:2"),
            ("a/b:2", Some("1"), "a/b:1"),
            ("docker.io/library/x", Some("1"), "x:1"),
        ] {
            let name = new_name(repository, tag).expect(repository);
            assert_eq!(name.familiar(), expected);
        }
        let digest = format!("x@sha256:{}", "a".repeat(64));
        let id = "a".repeat(64);
        for (repository, tag) in [
            ("UPPER", None),
            ("x", Some("a b")),
            ("x", Some("a@sha256:0")),
            ("", None),
            ("sha256", Some("0123")),
            (digest.as_str(), None),
            (id.as_str(), None),
        ] {
            let error = new_name(repository, tag).expect_err(repository);
            assert_eq!(error.status(), 400);
        }
    }
}
