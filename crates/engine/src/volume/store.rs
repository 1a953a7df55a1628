//! All volumes of an engine.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::options::{self, Bound};
use super::uses::Uses;
use super::{fill, name};
use crate::image::lock::Lock;
use crate::layout::make_directory;
use crate::network::random;
use crate::spec::{MountKind, MountPoint};
use crate::state::Moment;
use crate::state::file::{self, Durability};
use crate::{Error, Layout, Result};

/// The label of volumes that nobody named.
const ANONYMOUS: &str = "com.docker.volume.anonymous";

/// The volume itself, in its directory.
const DATA: &str = "_data";

/// What is known about a volume, in its directory.
const FILE: &str = "volume.json";

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created: Moment,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What was asked of its driver.
    pub options: BTreeMap<String, String>,
    /// What is wrong with its file, which says the rest: nothing of that is known then but the name.
    #[serde(skip)]
    pub damage: Option<String>,
}

impl Volume {
    /// Whether nobody named it.
    pub fn is_anonymous(&self) -> bool {
        self.labels.contains_key(ANONYMOUS)
    }

    fn bound(&self) -> Result<Option<Bound>> {
        let options: HashMap<String, String> = self.options.clone().into_iter().collect();
        options::bound(&options)
    }
}

/// A volume to be made.
#[derive(Clone, Debug, Default)]
pub struct NewVolume {
    /// Its name; an empty one is made up.
    pub name: String,
    /// Its driver; empty for `local`.
    pub driver: String,
    /// What is asked of the driver.
    pub options: HashMap<String, String>,
    /// Its labels.
    pub labels: HashMap<String, String>,
}

/// Which volumes are meant, for lists and for [`Store::prune`].
#[derive(Clone, Copy)]
pub struct Wanted<'a>(pub &'a dyn Fn(&Volume, &[String]) -> bool);

/// The volumes below one root.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a> {
    layout: &'a Layout,
}

impl<'a> Store<'a> {
    /// The volumes of that layout.
    pub fn new(layout: &'a Layout) -> Store<'a> {
        Store { layout }
    }

    /// The directory that a volume of that name shows, as `inspect` has it.
    pub fn mountpoint(&self, name: &str) -> PathBuf {
        self.directory(name).join(DATA)
    }

    /// Makes a volume. One of that name that is there already stays as it is, whatever its labels.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a name or an option that cannot be one,
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for another driver and what this engine's does not
    /// do, and [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written.
    pub fn create(&self, new: &NewVolume) -> Result<Volume> {
        let _lock = self.lock()?;
        self.make(new, None)
    }

    /// The volume of that name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    pub fn get(&self, name: &str) -> Result<Volume> {
        self.find(name)?
            .ok_or_else(|| Error::not_found(format!("get {name}: no such volume")))
    }

    /// Those of all volumes that are wanted, by name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be read.
    pub fn list(&self, wanted: Wanted<'_>) -> Result<Vec<Volume>> {
        let mut list = Vec::new();
        for name in self.names()? {
            // One that is half made is none yet, and one that is damaged is no reason to show none, nor to hide it.
            match self.find(&name) {
                Ok(Some(volume)) => {
                    if wanted.0(&volume, &self.users(&name)?) {
                        list.push(volume);
                    }
                }
                Ok(None) => {}
                Err(error) => {
                    let damaged = self.damaged(&name, &error);
                    if wanted.0(&damaged, &self.users(&name).unwrap_or_default()) {
                        list.push(damaged);
                    }
                }
            }
        }
        Ok(list)
    }

    /// The ids of the containers that use a volume.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if they cannot be read.
    pub fn users(&self, name: &str) -> Result<Vec<String>> {
        Uses::of(self.layout, &self.directory(name)).list()
    }

    /// Removes a volume with all that is in it. With `force` one that is not there is no error.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none,
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if a container uses it, and
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be removed.
    pub fn remove(&self, name: &str, force: bool) -> Result<()> {
        let _lock = self.lock()?;
        match self.get(name) {
            Ok(_) => {}
            Err(error) if force && error.kind() == crate::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.kind() == crate::ErrorKind::NotFound => return Err(error),
            // It is there, and who names it wants it gone.
            Err(error) => log::warn!("{error}"),
        }
        let users = self.users(name)?;
        if !users.is_empty() {
            return Err(Error::conflict(format!(
                "remove {name}: volume is in use - [{}]",
                users.join(", ")
            )));
        }
        self.delete(name)
    }

    /// Removes those that are wanted and that no container uses. Returns their names and the bytes that they took.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if one cannot be removed.
    pub fn prune(&self, wanted: Wanted<'_>) -> Result<(Vec<String>, u64)> {
        let _lock = self.lock()?;
        let mut names = Vec::new();
        let mut bytes = 0;
        for volume in self.list(Wanted(&|volume, users| {
            // Without its file nobody knows whether anybody named it.
            volume.damage.is_none() && users.is_empty() && wanted.0(volume, users)
        }))? {
            bytes += crate::disk_usage(&self.mountpoint(&volume.name))?;
            self.delete(&volume.name)?;
            names.push(volume.name);
        }
        Ok((names, bytes))
    }

    /// Finds or makes the volumes of a container that is about to be made, and sets the names and sources of their mount
    /// points. Returns the names of those that were made up.
    ///
    /// # Errors
    ///
    /// Those of [`create`](Store::create). Nothing that was made for the container is left then.
    pub fn take(&self, container: &str, points: &mut [MountPoint]) -> Result<Vec<String>> {
        let mut made_up = Vec::new();
        let taken = self.try_take(container, points, &mut made_up);
        if taken.is_err() {
            // The first failure is the one to tell.
            let _ = self.release(container, points, &made_up);
        }
        taken.map(|()| made_up)
    }

    fn try_take(
        &self,
        container: &str,
        points: &mut [MountPoint],
        made_up: &mut Vec<String>,
    ) -> Result<()> {
        if !points.iter().any(|point| point.kind == MountKind::Volume) {
            return Ok(());
        }
        let _lock = self.lock()?;
        for point in points {
            if point.kind != MountKind::Volume {
                continue;
            }
            options::check_driver(&point.driver)?;
            let wanted = NewVolume {
                name: point.name.clone(),
                driver: point.driver.clone(),
                options: point.driver_options.clone(),
                labels: point.labels.clone(),
            };
            let volume = self.make(&wanted, Some(container))?;
            if point.name.is_empty() {
                point.name.clone_from(&volume.name);
                made_up.push(volume.name.clone());
            }
            point.source = self.mountpoint(&volume.name);
            if volume.bound()?.is_some_and(|bound| bound.read_only) {
                point.read_only = true;
            }
        }
        Ok(())
    }

    /// Opens what a container mounts for one of its volumes: the volume, the directory that it stands for, or what a
    /// subpath of it leads to. It is to be mounted by this descriptor, for whoever writes to the volume can change what a
    /// path means.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the volume is not there,
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if the subpath is not, or leads out of the
    /// volume, and [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be opened.
    pub fn open(&self, point: &MountPoint) -> Result<OwnedFd> {
        let directory = self.source(&point.name)?;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let volume =
            open(&directory, flags | OFlags::DIRECTORY, Mode::empty()).map_err(|error| {
                Error::io(
                    format_args!("failed to mount local volume: open {}", directory.display()),
                    error,
                )
            })?;
        if point.subpath.is_empty() {
            return Ok(volume);
        }
        let refused = |error: Errno| {
            Error::invalid(format!(
                "cannot access path {} of volume {}: {}",
                point.subpath,
                point.name,
                crate::error::os_text(&error.into())
            ))
        };
        loop {
            // Links may lead about inside of the volume, as they do with Docker.
            let opened = openat2(
                &volume,
                point.subpath.as_str(),
                flags,
                Mode::empty(),
                ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS,
            );
            match opened {
                Err(Errno::AGAIN | Errno::INTR) => {}
                opened => return opened.map_err(refused),
            }
        }
    }

    /// Fills a volume with what the container's image has in its place, if the volume is empty and this is the
    /// container's first start. `root` is the container's root with nothing mounted in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be copied; the volume is as it was then.
    pub fn fill(&self, container: &str, point: &MountPoint, root: BorrowedFd<'_>) -> Result<()> {
        if point.no_copy || !point.subpath.is_empty() {
            return Ok(());
        }
        let directory = self.directory(&point.name);
        let uses = Uses::of(self.layout, &directory);
        if uses.is_filled(container)? {
            return Ok(());
        }
        // A lock of its own: this may take long, and others wait for this volume only.
        let _lock = Lock::exclusive(&directory.join("lock"))?;
        let data = self.source(&point.name)?;
        fill::fill(&directory, &data, root, &point.destination)?;
        uses.set_filled(container)
    }

    /// Ends the use of its volumes by a container that is being removed, or was not made after all, and removes those of
    /// `remove` that nobody else uses.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if one cannot be removed.
    pub fn release(&self, container: &str, points: &[MountPoint], remove: &[String]) -> Result<()> {
        let volumes = points
            .iter()
            .filter(|point| point.kind == MountKind::Volume && !point.name.is_empty());
        if volumes.clone().next().is_none() && remove.is_empty() {
            return Ok(());
        }
        let _lock = self.lock()?;
        for point in volumes {
            Uses::of(self.layout, &self.directory(&point.name)).remove(container)?;
        }
        for name in remove {
            if self.users(name)?.is_empty() {
                self.delete(name)?;
            }
        }
        Ok(())
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.layout.volumes().join(name)
    }

    /// The directory that a volume is, or stands for.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Store::get).
    pub(crate) fn source(&self, name: &str) -> Result<PathBuf> {
        Ok(match self.get(name)?.bound()? {
            Some(bound) => bound.directory,
            None => self.mountpoint(name),
        })
    }

    fn lock(&self) -> Result<Lock> {
        Lock::exclusive(&self.layout.volumes().join(".lock"))
    }

    fn find(&self, name: &str) -> Result<Option<Volume>> {
        // Anything else would be another path.
        if name::check(name).is_err() {
            return Ok(None);
        }
        file::read(&self.directory(name).join(FILE))
    }

    /// What stands for a volume whose file cannot be read.
    fn damaged(&self, name: &str, error: &Error) -> Volume {
        let created = fs::metadata(self.directory(name))
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| Moment::try_from(time).ok());
        Volume {
            name: name.to_owned(),
            created: created.unwrap_or_else(Moment::now),
            labels: BTreeMap::new(),
            options: BTreeMap::new(),
            damage: Some(error.to_string()),
        }
    }

    /// Finds or makes a volume, for the use of that container if one is named.
    fn make(&self, new: &NewVolume, container: Option<&str>) -> Result<Volume> {
        options::check_driver(&new.driver)?;
        let mut labels: BTreeMap<String, String> = new.labels.clone().into_iter().collect();
        let name = if new.name.is_empty() {
            labels.insert(ANONYMOUS.to_owned(), String::new());
            random::hex::<32>()?
        } else {
            name::check(&new.name)?;
            new.name.clone()
        };
        if let Some(volume) = self.find(&name)? {
            self.add_use(&name, container)?;
            return Ok(volume);
        }
        options::bound(&new.options)?;
        let volume = Volume {
            name,
            created: Moment::now(),
            labels,
            options: new.options.clone().into_iter().collect(),
            damage: None,
        };
        let directory = self.directory(&volume.name);
        let made = self.write(&directory, &volume, container);
        if made.is_err() {
            // The first failure is the one to tell.
            let _ = fs::remove_dir_all(&directory);
        }
        made.map(|()| volume)
    }

    /// The file comes last: a directory without it is no volume yet, and is made one the next time.
    fn write(&self, directory: &Path, volume: &Volume, container: Option<&str>) -> Result<()> {
        let data = directory.join(DATA);
        make_directory(&data)?;
        // As Docker's: users of the container go in, and the directory above keeps those of the machine out.
        fs::set_permissions(&data, fs::Permissions::from_mode(0o755))
            .map_err(|error| Error::io(format_args!("chmod {}", data.display()), error))?;
        self.add_use(&volume.name, container)?;
        let durability = match volume.is_anonymous() {
            // It is of no use without its container, which is written after it.
            true => Durability::Lazy,
            false => Durability::Durable,
        };
        file::write(&directory.join(FILE), volume, durability)
    }

    fn add_use(&self, name: &str, container: Option<&str>) -> Result<()> {
        match container {
            Some(container) => Uses::of(self.layout, &self.directory(name)).add(container),
            None => Ok(()),
        }
    }

    /// Whether it is a volume without a name and without content, for a container that was never made.
    pub(super) fn is_abandoned(&self, volume: &Volume) -> Result<bool> {
        if !volume.is_anonymous() || volume.bound()?.is_some() {
            return Ok(false);
        }
        let data = self.mountpoint(&volume.name);
        let is_empty = match fs::read_dir(&data) {
            Ok(mut entries) => entries.next().is_none(),
            // It was removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                return Err(Error::io(format_args!("read {}", data.display()), error));
            }
        };
        Ok(is_empty && Uses::of(self.layout, &self.directory(&volume.name)).is_abandoned()?)
    }

    /// Removes such a volume.
    pub(super) fn remove_abandoned(&self, volume: &Volume) -> Result<()> {
        // Who makes a container for it has the lock.
        let _lock = self.lock()?;
        match self.find(&volume.name)? {
            Some(volume) if self.is_abandoned(&volume)? => self.delete(&volume.name),
            _ => Ok(()),
        }
    }

    /// The directory goes out of sight first, so that a volume is there with all of its content or not at all.
    fn delete(&self, name: &str) -> Result<()> {
        let directory = self.directory(name);
        let doomed = self.layout.volumes().join(format!(".removed-{name}"));
        let failed = |error: io::Error| Error::io(format_args!("remove volume {name}"), error);
        remove_all(&doomed).map_err(failed)?;
        match fs::rename(&directory, &doomed) {
            // Whoever was removing it before was killed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
            Ok(()) => remove_all(&doomed).map_err(failed),
        }
    }

    /// Whether nothing says that this directory is a volume.
    pub(super) fn is_nobodys(&self, name: &str) -> bool {
        name.starts_with('.') || !self.directory(name).join(FILE).exists()
    }

    /// Removes what is no volume yet, or no more.
    pub(super) fn remove_unfinished(&self, name: &str) -> Result<()> {
        // Who makes one has the lock while there is no description of it.
        let _lock = self.lock()?;
        if !self.is_nobodys(name) {
            return Ok(());
        }
        remove_all(&self.directory(name))
            .map_err(|error| Error::io(format_args!("remove volume {name}"), error))
    }

    /// The names of directories; what begins with a dot is no volume.
    fn names(&self) -> Result<Vec<String>> {
        let directory = self.layout.volumes();
        let failed =
            |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry.map_err(failed)?.file_name().into_string()
                && name::check(&name).is_ok()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Removes a directory with all that is in it, if it is there. No link is followed.
fn remove_all(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
