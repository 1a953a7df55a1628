//! Removing names of images, and images.
//!
//! What is a name, what is an image, what has to be forced and what cannot be is as in Docker's engine, whose words the
//! errors have.

use bollard_stubs::models::{ImageDeleteResponseItem, ImagePruneResponse};
use image_reference::{Image as Parsed, Reference};

use super::digest::{Digest, chain};
use super::file;
use super::list::signed;
use super::store::{Store, complete_name};
use super::users::{self, User};
use crate::api::Filters;
use crate::{Error, Result};

impl Store {
    /// Removes a name, and with its last name the image; or all names of an image and the image, if it is named by its
    /// id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such image, and
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it is in use or has several names.
    pub(crate) fn remove(&self, name: &str, force: bool) -> Result<Vec<ImageDeleteResponseItem>> {
        let missing = || Error::not_found(format!("No such image: {}", complete_name(name)));
        let id = self.find(name)?.ok_or_else(missing)?;
        let mut names = self.names.of(&id)?;
        // An image that is not whole any more can still be removed.
        if names.is_empty() && !self.image_path(&id).exists() {
            return Err(missing());
        }
        let users: Vec<User> = users::all(self.layout())?
            .known
            .into_iter()
            .filter(|user| user.image == id.to_string())
            .collect();
        let mut removed = Vec::new();
        let by_name = match Parsed::parse(name) {
            Ok(Parsed::Named(reference)) if names.contains(&reference) => Some(reference),
            // A digest is looked up without its tag.
            Ok(Parsed::Named(reference)) if reference.digest().is_some() => names
                .iter()
                .find(|other| is_same_digest(other, &reference))
                .cloned(),
            _ => None,
        };
        match &by_name {
            Some(reference) => {
                if let Some(user) = users.first()
                    && !force
                    && is_single(&names)
                {
                    return Err(Error::conflict(format!(
                        "conflict: unable to remove repository reference \"{name}\" (must force) - container {} is using \
                         its referenced image {}",
                        short(&user.container),
                        id.short()
                    )));
                }
                self.untag(reference, &mut names, &mut removed)?;
                // Digests of a repository that has no tag left go with the last one.
                if reference.digest().is_none() {
                    let repository = reference.repository();
                    let of_it = |other: &Reference| other.repository() == repository;
                    if !names
                        .iter()
                        .any(|other| of_it(other) && other.digest().is_none())
                    {
                        for digest in names.clone().iter().filter(|other| of_it(other)) {
                            self.untag(digest, &mut names, &mut removed)?;
                        }
                    }
                }
                if !names.is_empty() {
                    return Ok(removed);
                }
            }
            None if is_single(&names) => {
                conflict(&id, &users, &[], force)?;
                for reference in names.clone() {
                    self.untag(&reference, &mut names, &mut removed)?;
                }
            }
            None => {}
        }
        match conflict(&id, &users, &names, force) {
            // The name is gone, as was asked; the image stays for those who use it.
            Err(_) if by_name.is_some() => return Ok(removed),
            checked => checked?,
        }
        for reference in names.clone() {
            self.untag(&reference, &mut names, &mut removed)?;
        }
        self.delete(&id, &mut removed)?;
        Ok(removed)
    }

    /// Removes images that no container uses: those without a name, or with `dangling=false` all.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a filter that there is not.
    pub(crate) fn prune(&self, filters: &Filters) -> Result<ImagePruneResponse> {
        filters.check(&["dangling", "label", "label!", "until"])?;
        let all = filters.flag("dangling")? == Some(false);
        let users = users::all(self.layout())?.known;
        let before = self.layer_bytes()?;
        let mut removed = Vec::new();
        for summary in self.summaries(&filters.without("dangling"), |_| (0, 0))? {
            let is_used = users.iter().any(|user| user.image == summary.id);
            if is_used || !(all || summary.repo_tags.is_empty()) {
                continue;
            }
            let id: Digest = summary.id.parse()?;
            let mut names = self.names.of(&id)?;
            for reference in names.clone() {
                self.untag(&reference, &mut names, &mut removed)?;
            }
            self.delete(&id, &mut removed)?;
        }
        // What pulls left that failed, too.
        self.collect()?;
        Ok(ImagePruneResponse {
            images_deleted: Some(removed),
            space_reclaimed: Some(signed(before.saturating_sub(self.layer_bytes()?))),
        })
    }

    fn untag(
        &self,
        reference: &Reference,
        names: &mut Vec<Reference>,
        removed: &mut Vec<ImageDeleteResponseItem>,
    ) -> Result<()> {
        self.names.remove(reference)?;
        names.retain(|other| other != reference);
        removed.push(ImageDeleteResponseItem {
            untagged: Some(reference.familiar()),
            deleted: None,
        });
        Ok(())
    }

    /// Removes an image that has no name any more, and what nobody else needs of it.
    fn delete(&self, id: &Digest, removed: &mut Vec<ImageDeleteResponseItem>) -> Result<()> {
        let layers = match self.unpinned_image(id)? {
            Some(image) => chain(&image.config().rootfs.diff_ids),
            None => Vec::new(),
        };
        file::remove(&self.image_path(id))?;
        let deleted = |digest: &Digest| ImageDeleteResponseItem {
            untagged: None,
            deleted: Some(digest.to_string()),
        };
        removed.push(deleted(id));
        if let Some(collected) = self.collect()? {
            let gone = layers
                .iter()
                .rev()
                .filter(|layer| collected.layers.contains(layer));
            removed.extend(gone.map(deleted));
        }
        Ok(())
    }

    fn layer_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for layer in self.layers.all()? {
            bytes += self.layers.get(&layer)?.map_or(0, |facts| facts.size);
        }
        Ok(bytes)
    }
}

/// What is in the way of removing an image: what runs always is, and the rest unless it is forced.
fn conflict(id: &Digest, users: &[User], names: &[Reference], force: bool) -> Result<()> {
    let because = |how: &str, what: String| {
        Err(Error::conflict(format!(
            "conflict: unable to delete {} ({how}) - {what}",
            id.short()
        )))
    };
    if let Some(user) = users.iter().find(|user| user.runs) {
        let what = format!(
            "image is being used by running container {}",
            short(&user.container)
        );
        return because("cannot be forced", what);
    }
    if force {
        return Ok(());
    }
    if !names.is_empty() {
        return because(
            "must be forced",
            "image is referenced in multiple repositories".to_owned(),
        );
    }
    match users.first() {
        Some(user) => {
            let what = format!(
                "image is being used by stopped container {}",
                short(&user.container)
            );
            because("must be forced", what)
        }
        None => Ok(()),
    }
}

/// Whether an image has one tag, or digests of one repository alone.
fn is_single(names: &[Reference]) -> bool {
    let mut tags = names.iter().filter(|name| name.digest().is_none());
    let (first, second) = (tags.next(), tags.next());
    let Some(one) = first.or(names.first()) else {
        return false;
    };
    let repository = one.repository();
    second.is_none() && names.iter().all(|name| name.repository() == repository)
}

fn is_same_digest(one: &Reference, other: &Reference) -> bool {
    (one.repository(), one.digest()) == (other.repository(), other.digest())
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
