//! All images of one engine.

use std::path::PathBuf;
use std::sync::Arc;

use image_reference::Image as Parsed;

use super::config::Config;
use super::digest::{Digest, chain};
use super::file::{self, Durability};
use super::layer::Layers;
use super::lock::Lock;
use super::names::Names;
use super::platform::Platform;
use crate::spec::ImageDefaults;
use crate::{Error, Layout, Result};

/// The longest configuration that is read. Docker's engine takes no longer manifest either.
pub(super) const LONGEST_CONFIG: u64 = 4 << 20;

/// The images of one engine: on disk, shared by all processes of the user, with nothing kept in memory.
#[derive(Clone, Debug)]
pub struct Store {
    layout: Layout,
    pub(super) blobs: PathBuf,
    pub(super) images: PathBuf,
    pub(super) names: Names,
    pub(super) layers: Layers,
}

/// An image that is here. While this value lives, nobody removes its layers, so whoever makes a container keeps it until
/// the container's own files name them.
#[derive(Clone, Debug)]
pub struct Image {
    id: Digest,
    config: Config,
    layers: Vec<Layer>,
    #[expect(dead_code, reason = "it is held, and that is all")]
    pin: Option<Arc<Lock>>,
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name: the digest of itself and all below it.
    pub chain: Digest,
    /// The directory of its files, with overlayfs's marks for what it hides.
    pub directory: PathBuf,
    /// How many bytes its files have.
    pub size: u64,
}

impl Store {
    /// The images below that layout, none of whose directories need exist.
    pub fn new(layout: &Layout) -> Store {
        Store {
            layout: layout.clone(),
            blobs: layout.blobs().join("sha256"),
            images: layout.images(),
            names: Names::new(layout.refs()),
            layers: Layers::new(layout.layers()),
        }
    }

    /// Finds an image by what a person writes: a name, a name with a digest, an id or its beginning.
    ///
    /// `platform` is what the image must be for, or run on too; none for whatever there is.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none, or none for the platform, in Docker's words
    /// by which clients know to pull; [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what cannot
    /// be a name or a platform.
    pub fn resolve(&self, name: &str, platform: Option<&str>) -> Result<Image> {
        let wanted = platform
            .filter(|platform| !platform.is_empty())
            .map(Platform::parse)
            .transpose()?;
        let pin = self.pin()?;
        let image = match self.find(name)? {
            Some(id) => self.image(&id, &pin)?,
            None => None,
        };
        let Some(image) = image else {
            return Err(Error::not_found(format!(
                "No such image: {}",
                complete_name(name)
            )));
        };
        if let Some(wanted) = wanted
            && wanted.rank(&image.config.platform()).is_none()
        {
            return Err(Error::not_found(format!(
                "image with reference {name} was found but its platform ({}) does not match the specified platform \
                 ({wanted})",
                image.config.platform()
            )));
        }
        Ok(image)
    }

    /// Whether the image of that id is what the name stands for.
    pub(crate) fn is_name_of(&self, name: &str, id: &str) -> bool {
        matches!(self.find(name), Ok(Some(found)) if found.to_string() == id)
    }

    /// How many images there are.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be read.
    pub(crate) fn count(&self) -> Result<usize> {
        Ok(self.ids()?.len())
    }

    /// The id that a person means.
    pub(super) fn find(&self, name: &str) -> Result<Option<Digest>> {
        if let Ok(id) = name.parse::<Digest>() {
            return Ok(Some(id));
        }
        let parsed = Parsed::parse(name).map_err(|error| Error::invalid(error.to_string()))?;
        let reference = match parsed {
            Parsed::Id(hex) => return Ok(Digest::from_hex(&hex)),
            Parsed::Named(reference) => reference,
        };
        // A digest of another kind is none that an image has here.
        let has_other_digest = reference
            .digest()
            .is_some_and(|digest| digest.parse::<Digest>().is_err());
        if has_other_digest {
            return Ok(None);
        }
        match self.names.get(&reference)? {
            Some(id) => Ok(Some(id)),
            None => self.find_by_prefix(name),
        }
    }

    /// The one image whose id begins like that; several are as good as none.
    fn find_by_prefix(&self, name: &str) -> Result<Option<Digest>> {
        let prefix = name.strip_prefix("sha256:").unwrap_or(name);
        if !prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let mut found = self
            .ids()?
            .into_iter()
            .filter(|id| id.hex().starts_with(prefix));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(Some(id)),
            _ => Ok(None),
        }
    }

    /// The ids of all images.
    pub(super) fn ids(&self) -> Result<Vec<Digest>> {
        let names = file::names(&self.images)?;
        Ok(names
            .iter()
            .filter_map(|name| Digest::from_hex(name))
            .collect())
    }

    /// Keeps images and layers from being removed.
    pub(super) fn pin(&self) -> Result<Arc<Lock>> {
        Lock::shared(&self.lock_path()).map(Arc::new)
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        self.images.join(".lock")
    }

    /// The file that says that there is something to collect.
    pub(super) fn mark_path(&self) -> PathBuf {
        self.images.join(".collect")
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The image of that id, if all of it is here. One that a fault took a part of is none: it is pulled again.
    pub(super) fn image(&self, id: &Digest, pin: &Arc<Lock>) -> Result<Option<Image>> {
        let image = self.unpinned_image(id)?;
        Ok(image.map(|image| Image {
            pin: Some(Arc::clone(pin)),
            ..image
        }))
    }

    /// The same, without keeping it here.
    pub(super) fn unpinned_image(&self, id: &Digest) -> Result<Option<Image>> {
        if !self.image_path(id).exists() {
            return Ok(None);
        }
        let Some(bytes) = file::read(&self.blob(id), LONGEST_CONFIG)? else {
            return Ok(None);
        };
        if Digest::of(&bytes) != *id {
            return Ok(None);
        }
        // Its bytes are whole, but they say nothing to this version: it is as good as one that lost a part.
        let Ok(config) = Config::parse(&bytes) else {
            return Ok(None);
        };
        let mut layers = Vec::new();
        for chain in chain(&config.rootfs.diff_ids) {
            let Some(facts) = self.layers.get(&chain)? else {
                return Ok(None);
            };
            layers.push(Layer {
                directory: self.layers.files(&chain),
                chain,
                size: facts.size,
            });
        }
        Ok(Some(Image {
            id: id.clone(),
            config,
            layers,
            pin: None,
        }))
    }

    /// Adds the image of a configuration, whose layers are all here.
    pub(super) fn add(&self, config: &[u8], durability: Durability) -> Result<Digest> {
        let id = Digest::of(config);
        file::write(&self.blob(&id), config, durability)?;
        file::write(&self.image_path(&id), b"{}\n", durability)?;
        Ok(id)
    }

    /// The file that says that there is an image.
    pub(super) fn image_path(&self, id: &Digest) -> PathBuf {
        self.images.join(id.hex())
    }

    /// The digests of all blobs.
    pub(super) fn blob_digests(&self) -> Result<Vec<Digest>> {
        let names = file::names(&self.blobs)?;
        Ok(names
            .iter()
            .filter_map(|name| Digest::from_hex(name))
            .collect())
    }

    pub(super) fn blob(&self, digest: &Digest) -> PathBuf {
        self.blobs.join(digest.hex())
    }
}

impl Image {
    /// The id: the digest of the configuration.
    pub fn id(&self) -> &Digest {
        &self.id
    }

    /// What it says about itself.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its layers, the lowest first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// How many bytes the files of all its layers have.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// What containers of it have unless told otherwise.
    pub fn defaults(&self) -> ImageDefaults {
        self.config.defaults()
    }
}

/// The name as Docker's messages have it: with the tag that it stands for.
pub(super) fn complete_name(name: &str) -> String {
    match Parsed::parse(name) {
        Ok(Parsed::Named(reference)) if !name.starts_with("sha256:") => reference.familiar(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_here_is_said_so_in_the_words_that_clients_know() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path()).expect("a layout");
        let store = Store::new(&layout);
        let id = format!("sha256:{}", "a".repeat(64));
        for (name, text) in [
            ("busybox", "No such image: busybox:latest"),
            ("docker.io/library/busybox:1", "No such image: busybox:1"),
            (
                "localhost:5000/a/b",
                "No such image: localhost:5000/a/b:latest",
            ),
            ("abc123", "No such image: abc123:latest"),
            (&id, &format!("No such image: {id}")),
            (
                &"a".repeat(64),
                &format!("No such image: {}", "a".repeat(64)),
            ),
        ] {
            let error = store.resolve(name, None).expect_err(name);
            assert_eq!((error.status(), error.to_string().as_str()), (404, text));
        }
        for (name, platform) in [("UPPER", None), ("a b", None), ("busybox", Some("a/b/c/d"))] {
            let error = store.resolve(name, platform).expect_err(name);
            assert_eq!(error.status(), 400, "{error}");
        }
    }
}
