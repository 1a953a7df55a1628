//! Unpacked layers: `layers/CHAIN/diff`, shared by all images that have the same layers up to there.
//!
//! A layer comes to its name by a rename when it is complete. Its files are on the disk some time later; until then it
//! counts only for as long as the machine runs that it was unpacked on: a power loss might have taken some of them.

use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rustix::fs::syncfs;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::file;
use super::lock::Lock;
use super::unpack::{Unpacked, adopt};
use crate::layout::make_directory;
use crate::state::life;
use crate::{Error, Result};

const LIMIT: u64 = 64 << 10;
/// How long to look away from a layer that somebody else makes.
pub(super) const GLANCE: Duration = Duration::from_millis(20);

/// All layers.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    directory: PathBuf,
    /// Nothing where the machine does not say.
    boot: Option<String>,
}

/// What is known of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The digest of its archive before compression.
    pub(super) diff_id: Digest,
    /// How many bytes its files have.
    pub(super) size: u64,
    /// The boot that it was unpacked in.
    pub(super) boot: String,
}

impl Facts {
    /// Whether the layer was unpacked in that boot.
    fn is_of(&self, boot: Option<&str>) -> bool {
        boot == Some(&self.boot)
    }
}

impl Layers {
    /// The layers in this directory, which need not exist.
    pub(super) fn new(directory: PathBuf) -> Layers {
        Layers {
            directory,
            boot: life::boot().ok(),
        }
    }

    /// The directory of all.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directory with the files of that layer.
    pub(super) fn files(&self, chain: &Digest) -> PathBuf {
        self.home(chain).join("diff")
    }

    /// What is known of that layer, if it is here and complete.
    pub(super) fn get(&self, chain: &Digest) -> Result<Option<Facts>> {
        let home = self.home(chain);
        let Some(facts) = facts(&home)? else {
            return Ok(None);
        };
        let is_whole = facts.is_of(self.boot.as_deref()) || is_synced(&home)?;
        Ok(is_whole.then_some(facts))
    }

    /// Starts to make a layer, if it is not here and nobody else makes it now.
    pub(super) fn make(&self, chain: &Digest) -> Result<Making> {
        let lock = self.directory.join(format!(".lock-{}", chain.hex()));
        let Some(lock) = Lock::try_exclusive(&lock)? else {
            return Ok(Making::Elsewhere);
        };
        if self.get(chain)?.is_some() {
            lock.remove();
            return Ok(Making::Done);
        }
        let unfinished = self.directory.join(format!(".new-{}", chain.hex()));
        // First, so that nothing is left of one that cannot even be begun.
        let layer = NewLayer {
            layers: self.clone(),
            chain: chain.clone(),
            unfinished: Some(unfinished.clone()),
            lock: Some(lock),
        };
        // Whoever holds the lock is alone with these: what is left of a try that was killed, or of a power loss.
        remove_tree(&unfinished)?;
        remove_tree(&self.home(chain))?;
        make_home(&unfinished)?;
        Ok(Making::Ours(layer))
    }

    /// The same, after whoever makes it now is done or gone.
    pub(super) fn make_or_wait(&self, chain: &Digest) -> Result<Making> {
        loop {
            match self.make(chain)? {
                Making::Elsewhere => thread::sleep(GLANCE),
                making => return Ok(making),
            }
        }
    }

    /// Starts to make a layer whose name is not known before it is there.
    pub(super) fn make_nameless(&self) -> Result<Nameless> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!(".import-{}-{count}", std::process::id());
        let nameless = Nameless {
            home: self.directory.join(name),
        };
        remove_tree(&nameless.home)?;
        make_home(&nameless.home)?;
        Ok(nameless)
    }

    /// Gives such a layer, with no other below it, its name.
    pub(super) fn finish_nameless(
        &self,
        nameless: Nameless,
        diff_id: &Digest,
        unpacked: &Unpacked,
    ) -> Result<()> {
        let Making::Ours(layer) = self.make_or_wait(diff_id)? else {
            return Ok(());
        };
        if let Some(unfinished) = &layer.unfinished {
            remove_tree(unfinished)?;
            fs::rename(&nameless.home, unfinished).map_err(|error| {
                Error::io(format_args!("rename to {}", unfinished.display()), error)
            })?;
        }
        layer.finish(diff_id, unpacked, &[]).map(|_| ())
    }

    /// Waits until all files of all layers are on the disk, and has the layers count after a power loss, too.
    pub(super) fn sync(&self) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::io(format_args!("sync {}", self.directory.display()), error)
        };
        let mut unsynced = Vec::new();
        for chain in self.all()? {
            // What an earlier boot left unsynced may have lost something, and is not to be marked.
            if self.get(&chain)?.is_some() && !is_synced(&self.home(&chain))? {
                unsynced.push(self.home(&chain));
            }
        }
        if unsynced.is_empty() {
            return Ok(());
        }
        let directory = File::open(&self.directory).map_err(failed)?;
        syncfs(&directory).map_err(|error| failed(error.into()))?;
        for home in unsynced {
            let mark = home.join("synced");
            match File::create(&mark) {
                Ok(_) => {}
                // It was removed meanwhile.
                Err(error) if file::is_missing(&error) => {}
                Err(error) => {
                    return Err(Error::io(format_args!("mark {}", mark.display()), error));
                }
            }
        }
        Ok(())
    }

    /// All layers, with those of which only a part is here.
    pub(super) fn all(&self) -> Result<Vec<Digest>> {
        let names = file::names(&self.directory)?;
        Ok(names
            .iter()
            .filter_map(|name| Digest::from_hex(name))
            .collect())
    }

    /// Removes a layer. It is gone at once for everybody who looks for it.
    pub(super) fn remove(&self, chain: &Digest) -> Result<()> {
        let going = self.directory.join(format!(".old-{}", chain.hex()));
        remove_tree(&going)?;
        match fs::rename(self.home(chain), &going) {
            Ok(()) => remove_tree(&going),
            Err(error) if file::is_missing(&error) => Ok(()),
            Err(error) => Err(Error::io(
                format_args!("rename {}", self.home(chain).display()),
                error,
            )),
        }
    }

    fn home(&self, chain: &Digest) -> PathBuf {
        self.directory.join(chain.hex())
    }
}

/// What came of starting to make a layer.
pub(super) enum Making {
    /// It is here already.
    Done,
    /// Somebody else makes it now.
    Elsewhere,
    /// It is ours to make.
    Ours(NewLayer),
}

/// A layer that is being made. It is removed again unless it is finished.
pub(super) struct NewLayer {
    layers: Layers,
    chain: Digest,
    unfinished: Option<PathBuf>,
    lock: Option<Lock>,
}

/// A layer that is being made without a name. It is removed again unless it gets one.
pub(super) struct Nameless {
    home: PathBuf,
}

impl Nameless {
    /// The empty directory for its files.
    pub(super) fn files(&self) -> Result<OwnedFd> {
        open_directory(&self.home.join("diff"))
    }
}

impl Drop for Nameless {
    fn drop(&mut self) {
        // What stays of it goes when somebody collects.
        let _ = remove_tree(&self.home);
    }
}

impl NewLayer {
    /// The empty directory for its files.
    pub(super) fn files(&self) -> Result<OwnedFd> {
        let unfinished = self.unfinished.as_deref().unwrap_or(Path::new(""));
        open_directory(&unfinished.join("diff"))
    }

    /// Gives the layer its name: it counts from now on. `below` are the layers below, the lowest first.
    pub(super) fn finish(
        mut self,
        diff_id: &Digest,
        unpacked: &Unpacked,
        below: &[Digest],
    ) -> Result<Facts> {
        if !unpacked.implied.is_empty() {
            let below = below
                .iter()
                .rev()
                .map(|chain| open_directory(&self.layers.files(chain)))
                .collect::<Result<Vec<_>>>()?;
            adopt(self.files()?.as_fd(), &unpacked.implied, &below)?;
        }
        let facts = Facts {
            diff_id: diff_id.clone(),
            size: unpacked.size,
            boot: self.layers.boot.clone().unwrap_or_default(),
        };
        let Some(unfinished) = self.unfinished.take() else {
            return Ok(facts);
        };
        let written = write_facts(&unfinished, &facts).and_then(|()| {
            let home = self.layers.home(&self.chain);
            fs::rename(&unfinished, &home)
                .map_err(|error| Error::io(format_args!("rename to {}", home.display()), error))
        });
        if let Err(error) = written {
            self.unfinished = Some(unfinished);
            return Err(error);
        }
        Ok(facts)
    }
}

impl Drop for NewLayer {
    fn drop(&mut self) {
        if let Some(unfinished) = &self.unfinished {
            // What stays of it is removed by whoever makes the layer next.
            let _ = remove_tree(unfinished);
        }
        if let Some(lock) = self.lock.take() {
            lock.remove();
        }
    }
}

fn make_home(home: &Path) -> Result<()> {
    let files = home.join("diff");
    let failed =
        |error: std::io::Error| Error::io(format_args!("mkdir {}", files.display()), error);
    make_directory(home)?;
    fs::DirBuilder::new()
        .mode(0o755)
        .create(&files)
        .map_err(failed)?;
    // The mask of this process may have taken some away.
    fs::set_permissions(&files, fs::Permissions::from_mode(0o755)).map_err(failed)
}

fn write_facts(directory: &Path, facts: &Facts) -> Result<()> {
    let path = directory.join("layer.json");
    let content = serde_json::to_vec(facts)
        .map_err(|error| Error::system(format!("write {}: {error}", path.display())))?;
    fs::write(&path, content)
        .map_err(|error| Error::io(format_args!("write {}", path.display()), error))
}

fn open_directory(path: &Path) -> Result<OwnedFd> {
    File::open(path)
        .map(OwnedFd::from)
        .map_err(|error| Error::io(format_args!("open {}", path.display()), error))
}

/// Removes a directory with all that is in it, if it is there. Links in it are not followed.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    let removed = match fs::remove_dir_all(path) {
        // Only root removes what is in a directory that its owner may not write to.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            open_up(path).and_then(|()| fs::remove_dir_all(path))
        }
        removed => removed,
    };
    match removed {
        Err(error) if !file::is_missing(&error) => {
            Err(Error::io(format_args!("remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// Lets the owner of a directory into it and all below it.
fn open_up(directory: &Path) -> std::io::Result<()> {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        // This is the kind of the entry itself: a link to a directory is none.
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

/// Whether all of a layer is still here, given the directory of its files: another boot may have lost some of it.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be looked at.
pub(crate) fn is_whole(files: &Path) -> Result<bool> {
    let Some(home) = files.parent() else {
        return Ok(false);
    };
    let is_new = |facts: Facts| facts.is_of(life::boot().ok().as_deref());
    Ok(is_synced(home)? || facts(home)?.is_some_and(is_new))
}

/// What was noted of the layer in that directory, if it was completed once.
fn facts(home: &Path) -> Result<Option<Facts>> {
    let content = file::read(&home.join("layer.json"), LIMIT)?;
    Ok(content.and_then(|content| serde_json::from_slice(&content).ok()))
}

fn is_synced(home: &Path) -> Result<bool> {
    let mark = home.join("synced");
    mark.try_exists()
        .map_err(|error| Error::io(format_args!("stat {}", mark.display()), error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_layer(layers: &Layers, chain: &Digest) -> NewLayer {
        match layers.make(chain).expect("an answer") {
            Making::Ours(layer) => layer,
            Making::Done => panic!("it is here"),
            Making::Elsewhere => panic!("somebody else makes it"),
        }
    }

    fn write(layer: &NewLayer, name: &str) {
        let path = layer
            .unfinished
            .as_ref()
            .expect("a directory")
            .join("diff")
            .join(name);
        fs::write(path, "content").expect("a file");
    }

    #[test]
    fn a_layer_is_there_when_it_is_finished_and_not_before() {
        let directory = tempfile::tempdir().expect("a directory");
        let layers = Layers::new(directory.path().join("layers"));
        let chain = Digest::of(b"chain");
        let new = new_layer(&layers, &chain);
        write(&new, "file");
        assert_eq!(layers.get(&chain).expect("an answer"), None);
        assert!(matches!(layers.make(&chain), Ok(Making::Elsewhere)));
        // One that is given up leaves nothing.
        drop(new);
        assert!(
            file::names(directory.path().join("layers").as_path())
                .expect("names")
                .is_empty()
        );
        assert_eq!(
            fs::read_dir(directory.path().join("layers"))
                .expect("a list")
                .count(),
            0
        );

        let new = new_layer(&layers, &chain);
        write(&new, "file");
        let unpacked = Unpacked {
            size: 7,
            ..Unpacked::default()
        };
        let facts = new.finish(&chain, &unpacked, &[]).expect("a layer");
        assert_eq!(facts.size, 7);
        assert_eq!(layers.get(&chain).expect("an answer"), Some(facts));
        assert!(layers.files(&chain).join("file").exists());
        assert!(matches!(layers.make(&chain), Ok(Making::Done)));
        assert_eq!(layers.all().expect("a list"), vec![chain.clone()]);
        layers.remove(&chain).expect("removed");
        assert_eq!(layers.get(&chain).expect("an answer"), None);
        assert_eq!(
            fs::read_dir(directory.path().join("layers"))
                .expect("a list")
                .count(),
            0
        );
    }

    #[test]
    fn what_a_killed_try_left_is_not_used() {
        let directory = tempfile::tempdir().expect("a directory");
        let layers = Layers::new(directory.path().to_owned());
        let chain = Digest::of(b"chain");
        let left = directory.path().join(format!(".new-{}", chain.hex()));
        fs::create_dir_all(left.join("diff/half")).expect("a directory");
        let new = new_layer(&layers, &chain);
        new.finish(&chain, &Unpacked::default(), &[])
            .expect("a layer");
        assert!(layers.files(&chain).is_dir());
        assert!(!layers.files(&chain).join("half").exists());
    }

    #[test]
    fn after_a_power_loss_a_layer_counts_only_if_it_was_on_the_disk() {
        let directory = tempfile::tempdir().expect("a directory");
        let before = Layers {
            directory: directory.path().to_owned(),
            boot: Some("yesterday".to_owned()),
        };
        let (first, second) = (Digest::of(b"1"), Digest::of(b"2"));
        for chain in [&first, &second] {
            // The first is synced before the second is made.
            before.sync().expect("synced");
            new_layer(&before, chain)
                .finish(chain, &Unpacked::default(), &[])
                .expect("a layer");
        }
        let after = Layers::new(directory.path().to_owned());
        for (chain, expected) in [(&first, true), (&second, false)] {
            let facts = after.get(chain).expect("an answer");
            assert_eq!(facts.is_some(), expected);
            assert_eq!(is_whole(&after.files(chain)).expect("an answer"), expected);
        }
        fs::write(after.files(&second).join("torn"), "").expect("a file");
        new_layer(&after, &second)
            .finish(&second, &Unpacked::default(), &[])
            .expect("a layer");
        assert!(after.get(&second).expect("an answer").is_some());
        assert!(!after.files(&second).join("torn").exists());
    }
}
