//! Removing what no image and no container needs any more.
//!
//! It is found by looking at all of them: nothing is counted, so no count can be wrong. Whoever adds images or makes
//! containers holds the lock that this wants for itself; then nothing is removed now, and a mark has it done by the next
//! who can.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::digest::{Digest, chain};
use super::file::{self, Durability};
use super::layer::remove_tree;
use super::lock::Lock;
use super::store::{Image, Store};
use super::users;
use crate::{Error, Result};

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    /// The layers.
    pub(super) layers: Vec<Digest>,
    /// How many bytes their files had.
    pub(super) bytes: u64,
}

impl Store {
    /// Removes all that is not needed; nothing if somebody adds something just now.
    pub(super) fn collect(&self) -> Result<Option<Collected>> {
        let Some(lock) = Lock::try_exclusive(&self.lock_path())? else {
            file::write(&self.mark_path(), b"", Durability::Lazy)?;
            return Ok(None);
        };
        let images = self.whole_images(&lock)?;
        let users = users::all(self.layout())?;
        let needed: HashSet<&Digest> = images
            .iter()
            .flat_map(|(_, layers)| layers)
            .chain(users.iter().flat_map(|user| &user.layers))
            .collect();
        let mut collected = Collected::default();
        for layer in self.layers.all()? {
            if needed.contains(&layer) {
                continue;
            }
            let size = self.layers.get(&layer)?.map_or(0, |facts| facts.size);
            self.layers.remove(&layer)?;
            collected.bytes += size;
            collected.layers.push(layer);
        }
        let ids: HashSet<&Digest> = images.iter().map(|(id, _)| id).collect();
        for id in self.ids()?.iter().filter(|id| !ids.contains(id)) {
            file::remove(&self.image_path(id))?;
        }
        for name in self
            .names
            .all()?
            .iter()
            .filter(|name| !ids.contains(&name.id))
        {
            self.names.remove(&name.reference)?;
        }
        for blob in self
            .blob_digests()?
            .iter()
            .filter(|blob| !ids.contains(blob))
        {
            file::remove(&self.blob(blob))?;
        }
        for path in self.unfinished()? {
            remove(&path)?;
        }
        file::remove(&self.mark_path())?;
        Ok(Some(collected))
    }

    /// Does what another process could not do when it was time.
    pub(super) fn collect_if_marked(&self) -> Result<()> {
        if self.mark_path().exists() {
            self.collect()?;
        }
        Ok(())
    }

    /// What was begun and never finished, as long as nobody adds anything.
    pub(super) fn unfinished(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for directory in [self.layers.directory(), &self.blobs, &self.images] {
            hidden(directory, &mut found)?;
        }
        self.names.unfinished(&mut found)?;
        let (lock, mark) = (self.lock_path(), self.mark_path());
        found.retain(|path| *path != lock && *path != mark);
        Ok(found)
    }

    /// The images that are here with all that belongs to them, and their layers.
    fn whole_images(&self, _lock: &Lock) -> Result<Vec<(Digest, Vec<Digest>)>> {
        let mut whole = Vec::new();
        for id in self.ids()? {
            // An image that cannot be read is no reason to keep it; one that the disk does not give is.
            if let Some(image) = self.unpinned_image(&id)? {
                whole.push((id, chain(&Image::config(&image).rootfs.diff_ids)));
            }
        }
        Ok(whole)
    }
}

/// The entries of a directory that begin with a dot: nothing does that is finished.
pub(super) fn hidden(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let failed =
        |error: std::io::Error| Error::io(format_args!("read {}", directory.display()), error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if file::is_missing(&error) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            found.push(entry.path());
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => remove_tree(path),
        _ => file::remove(path).map(|_| ()),
    }
}
