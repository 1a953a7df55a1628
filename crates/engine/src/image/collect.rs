//! Removing what no image and no container needs any more.
//!
//! It is found by looking at all of them: nothing is counted, so no count can be wrong. Whoever adds images or makes
//! containers holds the lock that this wants for itself; then nothing is removed now, and a mark has it done by the next
//! who can.

use std::collections::HashSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use image_reference::Reference;

use super::digest::{Digest, chain};
use super::file::{self, Durability};
use super::layer::remove_tree;
use super::lock::Lock;
use super::store::Store;
use super::users;
use crate::{Error, Result};

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Collected {
    /// The layers.
    pub(super) layers: Vec<Digest>,
}

/// Something that nobody needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Garbage {
    /// A layer.
    Layer(Digest),
    /// An image of which not all is here.
    Image(Digest),
    /// A name of an image that is not here.
    Name(Reference),
    /// The configuration of an image that is not here.
    Blob(Digest),
    /// What was begun and never finished.
    Unfinished(PathBuf),
}

/// All of it, which stays what it is as long as this is there: nobody adds anything.
#[derive(Debug)]
pub(crate) struct Collection {
    store: Store,
    garbage: Vec<Garbage>,
    _lock: Lock,
}

impl Store {
    /// Removes all that is not needed; nothing if somebody adds something just now.
    pub(super) fn collect(&self) -> Result<Option<Collected>> {
        let Some(collection) = self.garbage()? else {
            file::write(&self.mark_path(), b"", Durability::Lazy)?;
            return Ok(None);
        };
        let mut collected = Collected::default();
        for garbage in collection.garbage() {
            collection.remove(garbage)?;
            if let Garbage::Layer(layer) = garbage {
                collected.layers.push(layer.clone());
            }
        }
        file::remove(&self.mark_path())?;
        Ok(Some(collected))
    }

    /// Removes what was begun and never finished, if there is some and nobody adds anything. Layers that are complete stay:
    /// they may be of the very image that is wanted again.
    pub(super) fn collect_unfinished(&self) -> Result<()> {
        let mut found = Vec::new();
        hidden(self.layers.directory(), &mut found)?;
        if found.is_empty() {
            return Ok(());
        }
        let Some(collection) = self.garbage()? else {
            return Ok(());
        };
        let unfinished = collection.garbage().iter();
        unfinished
            .filter(|garbage| matches!(garbage, Garbage::Unfinished(_)))
            .try_for_each(|garbage| collection.remove(garbage))
    }

    /// Does what another process could not do when it was time.
    pub(super) fn collect_if_marked(&self) -> Result<()> {
        if self.mark_path().exists() {
            self.collect()?;
        }
        Ok(())
    }

    /// What nobody needs; nothing if somebody adds something just now, or nobody knows what a container needs.
    pub(crate) fn garbage(&self) -> Result<Option<Collection>> {
        let Some(lock) = Lock::try_exclusive(&self.lock_path())? else {
            return Ok(None);
        };
        let mut whole = HashSet::new();
        let mut needed = HashSet::new();
        let mut garbage = Vec::new();
        for id in self.ids()? {
            match self.unpinned_image(&id)? {
                Some(image) => {
                    needed.extend(chain(&image.config().rootfs.diff_ids));
                    whole.insert(id);
                }
                None => garbage.push(Garbage::Image(id)),
            }
        }
        let users = users::all(self.layout())?;
        if users.are_more {
            return Ok(None);
        }
        needed.extend(users.known.into_iter().flat_map(|user| user.layers));
        let names = self.names.all()?.into_iter();
        garbage.extend(
            names
                .filter(|name| !whole.contains(&name.id))
                .map(|name| Garbage::Name(name.reference)),
        );
        let blobs = self.blob_digests()?.into_iter();
        garbage.extend(
            blobs
                .filter(|blob| !whole.contains(blob))
                .map(Garbage::Blob),
        );
        let layers = self.layers.all()?.into_iter();
        garbage.extend(
            layers
                .filter(|layer| !needed.contains(layer))
                .map(Garbage::Layer),
        );
        garbage.extend(self.unfinished()?.into_iter().map(Garbage::Unfinished));
        Ok(Some(Collection {
            store: self.clone(),
            garbage,
            _lock: lock,
        }))
    }

    /// What was begun and never finished, as long as nobody adds anything.
    fn unfinished(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for directory in [self.layers.directory(), &self.blobs, &self.images] {
            hidden(directory, &mut found)?;
        }
        self.names.unfinished(&mut found)?;
        let (lock, mark) = (self.lock_path(), self.mark_path());
        found.retain(|path| *path != lock && *path != mark);
        Ok(found)
    }
}

impl Collection {
    /// All of it.
    pub(crate) fn garbage(&self) -> &[Garbage] {
        &self.garbage
    }

    /// Removes one thing.
    pub(crate) fn remove(&self, garbage: &Garbage) -> Result<()> {
        let store = &self.store;
        match garbage {
            Garbage::Layer(layer) => store.layers.remove(layer),
            Garbage::Image(id) => file::remove(&store.image_path(id)).map(|_| ()),
            Garbage::Name(name) => store.names.remove(name).map(|_| ()),
            Garbage::Blob(blob) => file::remove(&store.blob(blob)).map(|_| ()),
            Garbage::Unfinished(path) => match fs::symlink_metadata(path) {
                Ok(found) if found.is_dir() => remove_tree(path),
                _ => file::remove(path).map(|_| ()),
            },
        }
    }
}

impl Garbage {
    /// What is wrong with it, as the end of a sentence.
    pub(crate) fn problem(&self) -> &'static str {
        match self {
            Garbage::Layer(_) => "no image and no container needs this layer",
            Garbage::Image(_) => "a part of this image is missing",
            Garbage::Name(_) => "there is no such image any more",
            Garbage::Blob(_) => "no image has this configuration",
            Garbage::Unfinished(_) => "it was begun, and nobody goes on",
        }
    }
}

impl fmt::Display for Garbage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Garbage::Layer(digest) | Garbage::Image(digest) | Garbage::Blob(digest) => {
                digest.fmt(f)
            }
            Garbage::Name(name) => f.write_str(&name.familiar()),
            Garbage::Unfinished(path) => path.display().fmt(f),
        }
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

#[cfg(test)]
mod tests {
    use image_reference::Image as Parsed;

    use super::*;
    use crate::Layout;
    use crate::image::layer::Making;
    use crate::image::unpack::Unpacked;

    #[test]
    fn what_faults_leave_is_found_and_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path()).expect("a layout");
        let store = Store::new(&layout);
        assert!(
            store
                .garbage()
                .expect("an answer")
                .expect("it is free")
                .garbage()
                .is_empty()
        );
        let reference = |name: &str| match Parsed::parse(name) {
            Ok(Parsed::Named(reference)) => reference,
            other => panic!("{other:?}"),
        };
        let layer = Digest::of(b"layer");
        let Making::Ours(new) = store.layers.make(&layer).expect("an answer") else {
            panic!("it is not here");
        };
        new.finish(&layer, &Unpacked::default(), &[])
            .expect("a layer");
        let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["{layer}"]}}}}"#);
        let id = store
            .add(config.as_bytes(), Durability::Lazy)
            .expect("an image");
        store
            .names
            .set_tag(&reference("whole"), &id, Durability::Lazy)
            .expect("a name");
        // An image without its layer, a name of nothing, and what a killed pull leaves.
        let config = format!(
            r#"{{"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            Digest::of(b"x")
        );
        let torn = store
            .add(config.as_bytes(), Durability::Lazy)
            .expect("an image");
        store
            .names
            .set_tag(&reference("torn"), &torn, Durability::Lazy)
            .expect("a name");
        let unfinished = store.layers.directory().join(".new-x");
        fs::create_dir_all(unfinished.join("diff")).expect("a directory");
        let temporary = layout.refs().join("docker.io/library/.tmp-1");
        fs::write(&temporary, "half").expect("a file");

        let pin = store.pin().expect("a lock");
        assert!(
            store.garbage().expect("an answer").is_none(),
            "somebody adds something"
        );
        assert_eq!(store.collect().expect("an answer"), None);
        drop(pin);
        let collection = store.garbage().expect("an answer").expect("it is free");
        let expected = [
            Garbage::Image(torn.clone()),
            Garbage::Name(reference("torn")),
            Garbage::Blob(torn),
            Garbage::Unfinished(unfinished.clone()),
            Garbage::Unfinished(temporary.clone()),
        ];
        assert_eq!(collection.garbage(), expected);
        drop(collection);
        store.collect_if_marked().expect("collected");
        assert!(!unfinished.exists() && !temporary.exists());
        assert!(
            store
                .garbage()
                .expect("an answer")
                .expect("it is free")
                .garbage()
                .is_empty()
        );
        assert!(store.resolve("whole", None).is_ok());
        assert!(!store.mark_path().exists());

        store.names.remove(&reference("whole")).expect("removed");
        file::remove(&store.image_path(&id)).expect("removed");
        let collected = store.collect().expect("an answer").expect("it is free");
        assert_eq!(collected.layers, [layer]);
    }
}
