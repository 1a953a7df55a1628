//! Loading: images out of an archive that `docker save` made, or of a directory in OCI's layout.
//!
//! An archive may say at its end what is at its beginning, so it is put on the disk first, by the unpacker of layers: the
//! archive is no more to be trusted than they are.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use image_reference::{Image as Parsed, Reference};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use serde::Deserialize;

use super::config::Config;
use super::digest::{Digest, chain};
use super::file::Durability;
use super::layer::{Making, NewLayer, remove_tree};
use super::lock::Lock;
use super::message::Message;
use super::names::{check_repository, check_tag};
use super::platform::Platform;
use super::receive::{Expected, receive};
use super::registry::manifest::{self, Blob, Document, choose};
use super::store::{LONGEST_CONFIG, Store};
use super::{sync, unpack};
use crate::layout::make_directory;
use crate::{Error, Result, json};

/// The longest list of images that is read.
const LONGEST_LIST: u64 = 16 << 20;
/// The most images of one archive.
const MOST_IMAGES: usize = 1000;

/// An archive that is on the disk, until this is dropped.
#[derive(Debug)]
pub(crate) struct Archive {
    store: Store,
    path: PathBuf,
    root: OwnedFd,
    _pin: Arc<Lock>,
}

/// An image of an archive.
struct Saved {
    /// The file of its configuration.
    config: String,
    /// What the bytes of that file have to hash to, where a manifest says so.
    id: Option<Digest>,
    layers: Vec<SavedLayer>,
    names: Vec<Claim>,
}

/// What an archive calls one of its images.
enum Claim {
    Tag(Reference),
    /// A name with a digest, which is the manifest's own.
    Digest(Reference, Digest),
}

struct SavedLayer {
    path: String,
    blob: Option<Blob>,
}

/// An entry of Docker's `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// OCI's `index.json`, as far as `manifest::parse` does not read it.
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "mediaType", default)]
    media_type: String,
    digest: Digest,
    #[serde(default)]
    annotations: std::collections::HashMap<String, String>,
}

impl Store {
    /// Puts an archive on the disk. Compressed ones are decompressed.
    ///
    /// # Errors
    ///
    /// Those of the reader, and [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is none.
    pub(crate) fn receive_archive(&self, archive: impl Read) -> Result<Archive> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let pin = self.pin()?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = self
            .images
            .join(format!(".load-{}-{count}", std::process::id()));
        remove_tree(&path)?;
        make_directory(&path)?;
        let archive_on_disk = Archive {
            store: self.clone(),
            root: File::open(&path)
                .map(OwnedFd::from)
                .map_err(|error| Error::io(format_args!("open {}", path.display()), error))?,
            path,
            _pin: pin,
        };
        let options = unpack::Options {
            // They are read by us and nobody else.
            rights: unpack::Rights::Own,
            ..unpack::Options::default()
        };
        receive(
            archive,
            archive_on_disk.root.as_fd(),
            Expected::default(),
            options,
            &|_| Ok(()),
        )?;
        Ok(archive_on_disk)
    }
}

impl Archive {
    /// Makes its images, those for the platform if there is one, and tells about them; how far it is as well, unless it
    /// is to be quiet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is not what it says. The images before
    /// the one with the error are loaded.
    pub(crate) fn load(
        self,
        platform: Option<&str>,
        quiet: bool,
        tell: &mut dyn FnMut(Message),
    ) -> Result<()> {
        let wanted = platform.map(Platform::parse).transpose()?;
        let images = match self.docker_images()? {
            Some(images) => images,
            None => self.oci_images(wanted.as_ref())?,
        };
        if images.len() > MOST_IMAGES {
            return Err(Error::invalid(format!(
                "the archive has more than {MOST_IMAGES} images"
            )));
        }
        let mut loaded = 0;
        for image in &images {
            loaded += usize::from(self.load_one(image, wanted.as_ref(), quiet, tell)?);
        }
        if let Some(wanted) = wanted.filter(|_| loaded == 0) {
            return Err(Error::not_found(format!(
                "the archive has no image for the platform {wanted}"
            )));
        }
        sync::begin(&self.store.layers)
    }

    /// Says whether it was for the platform.
    fn load_one(
        &self,
        image: &Saved,
        wanted: Option<&Platform>,
        quiet: bool,
        tell: &mut dyn FnMut(Message),
    ) -> Result<bool> {
        let bytes = self.read(&image.config, LONGEST_CONFIG)?;
        if let Some(id) = image.id.as_ref().filter(|id| **id != Digest::of(&bytes)) {
            return Err(Error::invalid(format!(
                "image config verification failed for digest {id}"
            )));
        }
        let config = Config::parse(&bytes)?;
        if wanted.is_some_and(|wanted| wanted.rank(&config.platform()).is_none()) {
            return Ok(false);
        }
        let diff_ids = &config.rootfs.diff_ids;
        if diff_ids.len() != image.layers.len() {
            return Err(Error::invalid(format!(
                "invalid manifest, layers length mismatch: expected {}, got {}",
                image.layers.len(),
                diff_ids.len()
            )));
        }
        let chain = chain(diff_ids);
        for (number, saved) in image.layers.iter().enumerate() {
            let layer = match self.make(&chain[number])? {
                Some(layer) => layer,
                None => continue,
            };
            let file = self.open(&saved.path)?;
            let size = file
                .metadata()
                .map_err(|error| failed(&saved.path, error))?
                .len();
            let diff_id = &diff_ids[number];
            let expected = Expected {
                blob: saved.blob.as_ref().map(|blob| (&blob.digest, blob.size)),
                diff_id: Some(diff_id),
            };
            let options = unpack::Options::default();
            let received = receive(file, layer.files()?.as_fd(), expected, options, &|_| Ok(()))?;
            if !quiet {
                tell(Message::progress(
                    diff_id.short(),
                    "Loading layer",
                    size,
                    size,
                ));
            }
            layer.finish(&received.diff_id, &received.unpacked, &chain[..number])?;
        }
        let id = self.store.add(&bytes, Durability::Lazy)?;
        let names = &self.store.names;
        for claim in &image.names {
            let name = match claim {
                Claim::Tag(name) => {
                    let before = names.get(name)?.filter(|before| *before != id);
                    if let Some(before) = before {
                        tell(Message::stream(format!(
                            "The image {} already exists, renaming the old one with ID {before} to empty string\n",
                            name.familiar()
                        )));
                    }
                    names.set_tag(name, &id, Durability::Lazy)?;
                    name.clone()
                }
                Claim::Digest(name, digest) => {
                    names.set_digest(name, digest, &id, Durability::Lazy)?
                }
            };
            tell(Message::stream(format!(
                "Loaded image: {}\n",
                name.familiar()
            )));
        }
        if image.names.is_empty() {
            tell(Message::stream(format!("Loaded image ID: {id}\n")));
        }
        Ok(true)
    }

    /// The layer that is to be made, unless it is here.
    fn make(&self, chain: &Digest) -> Result<Option<NewLayer>> {
        self.store
            .layers
            .make_or_wait(chain)
            .map(|making| match making {
                Making::Ours(layer) => Some(layer),
                _ => None,
            })
    }

    /// The images of `docker save`, if it is one of those archives.
    fn docker_images(&self) -> Result<Option<Vec<Saved>>> {
        let Some(text) = self.read_if_there("manifest.json", LONGEST_LIST)? else {
            return Ok(None);
        };
        let listed: Vec<Listed> = json::from_slice(&text)
            .map_err(|error| Error::invalid(format!("invalid manifest.json: {error}")))?;
        let saved = listed.into_iter().map(|listed| {
            let names = listed.repo_tags.unwrap_or_default();
            Ok(Saved {
                config: listed.config,
                id: None,
                layers: listed
                    .layers
                    .unwrap_or_default()
                    .into_iter()
                    .map(|path| SavedLayer { path, blob: None })
                    .collect(),
                names: names
                    .iter()
                    .map(|name| {
                        let name = reference(name)?;
                        check_tag(&name)?;
                        Ok(Claim::Tag(name))
                    })
                    .collect::<Result<_>>()?,
            })
        });
        saved.collect::<Result<_>>().map(Some)
    }

    /// The images of a directory in OCI's layout.
    fn oci_images(&self, wanted: Option<&Platform>) -> Result<Vec<Saved>> {
        let Some(text) = self.read_if_there("index.json", LONGEST_LIST)? else {
            return Err(Error::invalid(
                "the archive is neither of docker save nor in OCI's layout: it has no manifest.json and no index.json",
            ));
        };
        let index: Index = json::from_slice(&text)
            .map_err(|error| Error::invalid(format!("invalid index.json: {error}")))?;
        let platform = match wanted {
            Some(platform) => platform.clone(),
            None => Platform::own()?,
        };
        let mut images = Vec::new();
        for entry in &index.manifests {
            let mut document = self.document(&entry.media_type, &entry.digest)?;
            if let Document::Index(offers) = &document {
                document = self.document("", &choose(offers, &platform)?.digest)?;
            }
            let Document::Image(image) = document else {
                return Err(Error::invalid(
                    "invalid index.json: an index has another index as an image",
                ));
            };
            let names = [
                "io.containerd.image.name",
                "org.opencontainers.image.ref.name",
            ];
            let name = names
                .iter()
                .filter_map(|name| entry.annotations.get(*name))
                // A tag alone does not say of what.
                .find(|name| name.contains(['/', ':']));
            images.push(Saved {
                config: blob_path(&image.config.digest),
                id: Some(image.config.digest),
                layers: image
                    .layers
                    .into_iter()
                    .map(|blob| SavedLayer {
                        path: blob_path(&blob.digest),
                        blob: Some(blob),
                    })
                    .collect(),
                names: name
                    .iter()
                    .map(|name| claim(name, &entry.digest))
                    .collect::<Result<_>>()?,
            });
        }
        Ok(images)
    }

    fn document(&self, media_type: &str, digest: &Digest) -> Result<Document> {
        let bytes = self.read(&blob_path(digest), LONGEST_CONFIG)?;
        if Digest::of(&bytes) != *digest {
            return Err(Error::invalid(format!(
                "manifest verification failed for digest {digest}"
            )));
        }
        manifest::parse(media_type, &bytes)
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>> {
        self.read_if_there(path, limit)?
            .ok_or_else(|| Error::invalid(format!("the archive has no {path:?}")))
    }

    fn read_if_there(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(file) = open_in(self.root.as_fd(), path)? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        file.take(limit + 1)
            .read_to_end(&mut content)
            .map_err(|error| failed(path, error))?;
        if content.len() as u64 > limit {
            return Err(Error::invalid(format!(
                "{path:?} of the archive is longer than {limit} bytes"
            )));
        }
        Ok(Some(content))
    }

    fn open(&self, path: &str) -> Result<File> {
        open_in(self.root.as_fd(), path)?
            .ok_or_else(|| Error::invalid(format!("the archive has no {path:?}")))
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        // What stays of it goes when somebody collects.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Opens a regular file of the archive. Links in it, of which old archives have some, stay within it.
fn open_in(root: BorrowedFd<'_>, path: &str) -> Result<Option<File>> {
    let opened = openat2(
        root,
        path,
        OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    );
    let file = match opened {
        Ok(file) => file,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::INVAL | Errno::NAMETOOLONG) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(path, error.into())),
    };
    let stat = fstat(&file).map_err(|error| failed(path, error.into()))?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    Ok(is_file.then(|| File::from(file)))
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn reference(name: &str) -> Result<Reference> {
    match Parsed::parse(name) {
        Ok(Parsed::Named(reference)) => Ok(reference),
        _ => Err(Error::invalid(format!("invalid tag {name:?}"))),
    }
}

/// The name that an index gives to the manifest of that digest, which was looked at.
fn claim(name: &str, digest: &Digest) -> Result<Claim> {
    let reference = reference(name)?;
    match reference.digest() {
        None => {
            check_tag(&reference)?;
            Ok(Claim::Tag(reference))
        }
        Some(claimed) if claimed == digest.to_string() => {
            check_repository(&reference)?;
            Ok(Claim::Digest(reference, digest.clone()))
        }
        Some(_) => Err(Error::invalid(format!(
            "invalid name {name:?} in index.json: the manifest's digest is {digest}"
        ))),
    }
}

fn failed(path: &str, error: std::io::Error) -> Error {
    Error::io(format_args!("read {path} of the archive"), error)
}

/// The body of this module's fuzz target: whatever an archive holds, its images are loaded or it is refused, nothing changes
/// beside the store, and nothing of the archive stays.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("load-{}-{count}", std::process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    fs::write(directory.join("beside"), "untouched").expect("a file");
    let layout = crate::Layout::from_parts(directory.join("root"), directory.join("run"));
    layout.create().expect("directories");
    let store = Store::new(&layout);
    if let Ok(archive) = store.receive_archive(data) {
        let path = archive.path.clone();
        if let Err(error) = archive.load(None, true, &mut |_| {}) {
            assert!(error.status() < 500, "{error}");
        }
        assert!(!path.exists());
    }
    let beside = fs::read_to_string(directory.join("beside")).expect("it is there");
    assert_eq!(beside, "untouched");
    assert_eq!(fs::read_dir(&directory).expect("a list").count(), 3);
    fs::remove_dir_all(&directory).expect("it goes");
}
