//! All containers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file::{self, Durability};
use super::names::{self, Names};
use super::{Exec, Record, State, check_name};
use crate::layout::make_directory;
use crate::{Error, Layout, Result};

/// The containers below one root.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a> {
    layout: &'a Layout,
}

impl<'a> Store<'a> {
    /// The containers of that layout.
    pub fn new(layout: &'a Layout) -> Store<'a> {
        Store { layout }
    }

    /// Makes the directory of a container that is going to be made, before anything else is made for it: should its maker be
    /// killed, that tells.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be made.
    pub fn begin(&self, id: &str) -> Result<()> {
        make_directory(&self.unfinished(id))
    }

    /// Takes that back.
    pub fn abandon(&self, id: &str) {
        // Left, it is removed by a later command.
        let _ = fs::remove_dir_all(self.unfinished(id));
    }

    fn unfinished(&self, id: &str) -> PathBuf {
        self.layout.containers().join(format!(".{id}"))
    }

    /// Makes a container's directory and gives it its name: it exists then, as `created`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if the name is taken, and
    /// [`ErrorKind::System`](crate::ErrorKind::System) if a file cannot be written; nothing is left behind then.
    pub fn create(&self, record: &Record) -> Result<()> {
        check_name(&record.name)?;
        let id = &record.id;
        let unfinished = self.unfinished(id);
        make_directory(&unfinished)?;
        let made = self.fill(&unfinished, record).and_then(|()| {
            let names = Names::lock(self.layout)?;
            names.take(&record.name, id)?;
            let directory = self.layout.container(id);
            fs::rename(&unfinished, &directory).map_err(|error| {
                // The first failure is the one to tell.
                let _ = names.release(&record.name, id);
                Error::io(format_args!("rename to {}", directory.display()), error)
            })
        });
        if made.is_err() {
            let _ = fs::remove_dir_all(&unfinished);
        }
        made
    }

    fn fill(&self, directory: &Path, record: &Record) -> Result<()> {
        file::write(
            &directory.join("state.json"),
            &State::default(),
            Durability::Lazy,
        )?;
        // What is removed at its end is not waited for: a machine that loses power ends it, too.
        let durability = match record.auto_remove() {
            true => Durability::Lazy,
            false => Durability::Durable,
        };
        file::write(&directory.join("config.json"), record, durability)
    }

    /// The ids of all containers, in no order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the directory cannot be read.
    pub fn ids(&self) -> Result<Vec<String>> {
        let directory = self.layout.containers();
        let failed =
            |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            match name.into_string() {
                Ok(name) if is_id(&name) => ids.push(name),
                _ => {}
            }
        }
        Ok(ids)
    }

    /// The id of the container that is meant by a full id, a name, or the beginning of one id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for none, and
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a beginning of several.
    pub fn find(&self, reference: &str) -> Result<String> {
        if is_id(reference) && self.layout.container(reference).is_dir() {
            return Ok(reference.to_owned());
        }
        let name = reference.strip_prefix('/').unwrap_or(reference);
        if let Some(id) = names::find(self.layout, name)?
            && self.layout.container(&id).is_dir()
        {
            return Ok(id);
        }
        let mut found = None;
        if !reference.is_empty() && reference.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            for id in self.ids()? {
                if id.starts_with(reference) && found.replace(id).is_some() {
                    return Err(Error::invalid(format!(
                        "multiple IDs found with provided prefix: {reference}"
                    )));
                }
            }
        }
        found.ok_or_else(|| Error::not_found(format!("No such container: {reference}")))
    }

    /// What was asked for, by full id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container, and
    /// [`ErrorKind::System`](crate::ErrorKind::System) if its file cannot be read or is damaged.
    pub fn record(&self, id: &str) -> Result<Record> {
        file::read(&self.layout.container(id).join("config.json"))?
            .ok_or_else(|| Error::not_found(format!("No such container: {id}")))
    }

    /// Whether there is a file of what was asked for, readable or not.
    pub(crate) fn has_record(&self, id: &str) -> bool {
        self.layout.container(id).join("config.json").exists()
    }

    /// How it is said to be, by full id. If its monitor was killed that is not how it is: see
    /// [`monitor::observe`](crate::monitor::observe).
    ///
    /// # Errors
    ///
    /// As [`record`](Store::record).
    pub fn state(&self, id: &str) -> Result<State> {
        file::read(&self.layout.container(id).join("state.json"))?
            .ok_or_else(|| Error::not_found(format!("No such container: {id}")))
    }

    /// How a container was when it was removed, if what is left of it was not deleted yet: its monitor was killed before.
    pub(crate) fn last_state(&self, id: &str) -> Option<State> {
        let removed = self.layout.containers().join(format!(".{id}"));
        file::read(&removed.join("state.json")).ok().flatten()
    }

    /// Gives the container another name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a name that cannot be one or that it has
    /// already, and [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) for one that is taken.
    pub fn rename(&self, id: &str, name: &str) -> Result<()> {
        if name.is_empty() || name == "/" {
            return Err(Error::invalid("Neither old nor new names may be empty"));
        }
        let name = check_name(name)?;
        // The lock of the names is that of the file, too: only a name ever changes in it.
        let names = Names::lock(self.layout)?;
        let mut record = self.record(id)?;
        if record.name == name {
            return Err(Error::invalid(
                "Renaming a container with the same name as its current name",
            ));
        }
        names.take(name, id)?;
        let old = std::mem::replace(&mut record.name, name.to_owned());
        let path = self.layout.container(id).join("config.json");
        if let Err(error) = file::write(&path, &record, Durability::Durable) {
            let _ = names.release(name, id);
            return Err(error);
        }
        names.release(&old, id)
    }

    /// Takes a container's name and directory out of sight: it exists no more, and what it wrote is left to be deleted. Only
    /// who holds its lock, and has taken away everything else of it, may do that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be renamed; it is a container still then.
    pub fn remove(&self, id: &str) -> Result<Removed> {
        let directory = self.layout.container(id);
        let removed = Removed(self.unfinished(id));
        let names = Names::lock(self.layout)?;
        // A damaged file names nobody; its link dangles then and is taken over by the next who wants it.
        let name = self.record(id).map(|record| record.name);
        fs::rename(&directory, &removed.0)
            .map_err(|error| Error::io(format_args!("remove {}", directory.display()), error))?;
        if let Ok(name) = name {
            names.release(&name, id)?;
        }
        Ok(removed)
    }

    /// Records a process that is going to join the container.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the file cannot be written.
    pub fn create_exec(&self, exec: &Exec) -> Result<()> {
        let directory = self.layout.exec(&exec.container);
        make_directory(&directory)?;
        file::write(
            &directory.join(format!("{}.json", exec.id)),
            exec,
            Durability::Lazy,
        )
    }

    /// A joining process, by its full id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if no container has it.
    pub fn exec(&self, id: &str) -> Result<Exec> {
        let missing = || Error::not_found(format!("No such exec instance: {id}"));
        if !is_id(id) {
            return Err(missing());
        }
        for container in self.ids()? {
            if let Some(exec) = self.exec_of(&container, id)? {
                return Ok(exec);
            }
        }
        Err(missing())
    }

    /// A joining process of that container.
    pub(crate) fn exec_of(&self, container: &str, id: &str) -> Result<Option<Exec>> {
        let directory = self.layout.exec(container);
        file::read(&directory.join(format!("{id}.json")))
    }

    /// Forgets a joining process that has ended.
    pub(crate) fn remove_exec(&self, container: &str, id: &str) -> Result<()> {
        let directory = self.layout.exec(container);
        let path = directory.join(format!("{id}.json"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format_args!("remove {}", path.display()), error))
            }
            _ => Ok(()),
        }
    }

    /// The ids of the container's joining processes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the directory cannot be read.
    pub fn exec_ids(&self, container: &str) -> Result<Vec<String>> {
        let directory = self.layout.exec(container);
        let failed =
            |error: io::Error| Error::io(format_args!("read {}", directory.display()), error);
        let mut ids = Vec::new();
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            // It is made with the first of them.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ids),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
                && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
            {
                ids.push(stem.to_owned());
            }
        }
        Ok(ids)
    }
}

/// What is left of a container that was removed.
#[must_use = "it takes room until it is deleted"]
#[derive(Debug)]
pub struct Removed(PathBuf);

impl Removed {
    /// Deletes it. What it wrote may be much, so this may take long.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if something cannot be deleted.
    pub fn delete(self) -> Result<()> {
        fs::remove_dir_all(&self.0)
            .map_err(|error| Error::io(format_args!("remove {}", self.0.display()), error))
    }
}

/// Whether that is a full id: what is not may name any file.
fn is_id(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Moment, Recorded, Rootfs, Status};

    struct Root {
        layout: Layout,
        _directory: tempfile::TempDir,
    }

    fn root() -> Root {
        let directory = tempfile::tempdir().expect("a directory");
        let layout =
            Layout::from_parts(directory.path().join("root"), directory.path().join("run"));
        layout.create().expect("a root");
        Root {
            layout,
            _directory: directory,
        }
    }

    fn record(digit: char, name: &str) -> Record {
        Record {
            id: digit.to_string().repeat(64),
            name: name.to_owned(),
            created: Moment::now(),
            body: Default::default(),
            image: String::new(),
            rootfs: Rootfs::Directory("/".into()),
            platform: "linux/amd64".to_owned(),
            mounts: Vec::new(),
            anonymous_volumes: Vec::new(),
        }
    }

    #[test]
    fn a_container_is_found_by_id_name_and_beginning() {
        let root = root();
        let store = Store::new(&root.layout);
        let mut other = record('a', "other");
        other.id.replace_range(63.., "b");
        for record in [record('a', "one"), record('b', "two"), other] {
            store.create(&record).expect("a container");
        }
        let id = "b".repeat(64);
        for reference in [id.as_str(), "two", "/two", "b", "bbbbbbbbbbbb"] {
            assert_eq!(store.find(reference).expect(reference), id);
        }
        let error = store.find("aa").expect_err("two of them");
        assert_eq!(error.status(), 400);
        for reference in ["c", "", "/", "three", "../root", "."] {
            let error = store.find(reference).expect_err(reference);
            assert_eq!(error.status(), 404, "{reference}");
        }
        assert_eq!(store.ids().expect("a list").len(), 3);
        assert_eq!(store.state(&id).expect("a state").status, Status::Created);
    }

    #[test]
    fn a_name_is_one_containers() {
        let root = root();
        let store = Store::new(&root.layout);
        store.create(&record('a', "one")).expect("a container");
        let error = store.create(&record('b', "one")).expect_err("taken");
        assert_eq!(
            error.to_string(),
            format!(
                "Conflict. The container name \"/one\" is already in use by container \"{}\". You have to remove (or rename) that container to be able to reuse that name.",
                "a".repeat(64)
            )
        );
        assert_eq!(store.ids().expect("a list"), ["a".repeat(64)]);
        store.rename(&"a".repeat(64), "/two").expect("renamed");
        store.create(&record('b', "one")).expect("a container");
        let error = store.rename(&"b".repeat(64), "two").expect_err("taken");
        assert_eq!(error.status(), 409);
        assert_eq!(store.record(&"b".repeat(64)).expect("a record").name, "one");
        let removed = store.remove(&"a".repeat(64)).expect("removed");
        assert_eq!(store.ids().expect("a list"), ["b".repeat(64)]);
        removed.delete().expect("deleted");
        store.rename(&"b".repeat(64), "two").expect("renamed");
        assert_eq!(store.find("two").expect("found"), "b".repeat(64));
        assert!(store.find("one").is_err());
    }

    /// What a crash between the two steps of making a container leaves.
    #[test]
    fn a_name_of_nobody_is_free() {
        let root = root();
        let store = Store::new(&root.layout);
        fs::create_dir_all(root.layout.names()).expect("a directory");
        std::os::unix::fs::symlink("f".repeat(64), root.layout.names().join("one"))
            .expect("a link");
        store.create(&record('a', "one")).expect("a container");
        assert_eq!(store.find("one").expect("found"), "a".repeat(64));
    }

    #[test]
    fn a_lock_is_held_once_and_not_by_who_is_too_late() {
        use crate::state::Lock;
        let root = root();
        let store = Store::new(&root.layout);
        let id = "a".repeat(64);
        assert_eq!(
            Lock::try_acquire(&root.layout, &id)
                .expect_err("no container")
                .status(),
            404
        );
        store.create(&record('a', "one")).expect("a container");
        assert!(!Lock::is_held(&root.layout, &id).expect("an answer"));
        let lock = Lock::try_acquire(&root.layout, &id)
            .expect("a lock")
            .expect("free");
        assert!(Lock::is_held(&root.layout, &id).expect("an answer"));
        assert!(
            Lock::try_acquire(&root.layout, &id)
                .expect("an answer")
                .is_none()
        );
        let state = State {
            status: Status::Running,
            ..State::default()
        };
        lock.write_state(&state).expect("written");
        assert_eq!(store.state(&id).expect("a state"), state);
        drop(lock);
        assert!(!Lock::is_held(&root.layout, &id).expect("an answer"));
    }

    #[test]
    fn joining_processes_are_found_by_id_alone() {
        let root = root();
        let store = Store::new(&root.layout);
        store.create(&record('a', "one")).expect("a container");
        let exec = Exec {
            id: "e".repeat(64),
            container: "a".repeat(64),
            config: Default::default(),
            running: false,
            process: Recorded::default(),
            exit_code: None,
        };
        store.create_exec(&exec).expect("written");
        assert_eq!(store.exec(&exec.id).expect("found"), exec);
        assert_eq!(store.exec_ids(&exec.container).expect("a list"), [exec.id]);
        let error = store.exec("../../config").expect_err("no id");
        assert_eq!(error.to_string(), "No such exec instance: ../../config");
    }
}
