//! Where the engine keeps what.
//!
//! The root outlives a reboot; the runtime directory holds sockets and fifos and need not. Every directory is made with
//! mode 0700: what lies below has the owners and modes of images, set-user-id programs among them.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::{fs, path};

use rustix::process::{geteuid, getuid};
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// In a runtime directory, the link to the engine's root: a runtime directory is named by a hash, which leads nowhere.
pub(crate) const ROOT_LINK: &str = "root";

/// In the runtime directory of a user, the directory with those of engines that the user asked for.
const AT: &str = "at";

/// The directories of one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
    run: PathBuf,
    /// The file that somebody named; nothing for the one in the root.
    configuration: Option<PathBuf>,
}

impl Layout {
    /// The engine that a user has without asking for another: `/var/lib/tool` and `/run/tool` for root, `tool` in the
    /// XDG data and runtime directories for everybody else.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if neither `XDG_DATA_HOME` nor `HOME` says where data go.
    pub fn default_for_user() -> Result<Layout> {
        let root = if geteuid().is_root() {
            PathBuf::from("/var/lib/tool")
        } else if let Some(data) = absolute_variable("XDG_DATA_HOME") {
            data.join("tool")
        } else if let Some(home) = absolute_variable("HOME") {
            home.join(".local/share/tool")
        } else {
            return Err(Error::system(
                "neither XDG_DATA_HOME nor HOME is an absolute path, so there is no place for containers",
            ));
        };
        Ok(Layout {
            root,
            run: runtime_directory(),
            configuration: None,
        })
    }

    /// The engine whose root is `directory`, which need not exist.
    ///
    /// Its runtime directory is one below the user's, named by a hash of the root's path.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) unless the path is absolute.
    pub fn at(directory: impl AsRef<Path>) -> Result<Layout> {
        let directory = directory.as_ref();
        if !directory.is_absolute() {
            return Err(Error::invalid(format!(
                "the engine's root \"{}\" is not an absolute path",
                directory.display()
            )));
        }
        let root = settled(directory);
        let name = hash(&[root.as_os_str().as_encoded_bytes()], 8);
        Ok(Layout {
            root,
            run: runtime_directory().join(AT).join(name),
            configuration: None,
        })
    }

    /// The engine of those two directories, as another process of it found them.
    pub fn from_parts(root: PathBuf, run: PathBuf) -> Layout {
        Layout {
            root,
            run,
            configuration: None,
        }
    }

    /// The same engine with the configuration of that file instead of `engine.json` in its root; an empty path changes nothing.
    #[must_use]
    pub fn with_configuration(self, file: impl Into<PathBuf>) -> Layout {
        let file = file.into();
        Layout {
            configuration: (!file.as_os_str().is_empty()).then_some(file),
            ..self
        }
    }

    /// The configuration file, and whether somebody named it, so that it has to be there.
    pub(crate) fn configuration(&self) -> (PathBuf, bool) {
        match &self.configuration {
            Some(file) => (file.clone(), true),
            None => (self.root.join("engine.json"), false),
        }
    }

    /// The configuration file that somebody named, as the argument of another process of the engine; empty for none.
    pub(crate) fn named_configuration(&self) -> &Path {
        self.configuration.as_deref().unwrap_or(Path::new(""))
    }

    /// What tells this engine from every other one, of other machines too.
    pub(crate) fn fingerprint(&self) -> String {
        // Without it other machines may have one of the same name.
        let machine = fs::read("/etc/machine-id").unwrap_or_default();
        hash(&[&machine, self.root.as_os_str().as_encoded_bytes()], 16)
    }

    /// What outlives a reboot.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What need not outlive a reboot.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The runtime directory of all engines of this user.
    pub(crate) fn runtime_directory(&self) -> &Path {
        match self.run.parent() {
            Some(at) if at.file_name() == Some(OsStr::new(AT)) => at.parent().unwrap_or(&self.run),
            _ => &self.run,
        }
    }

    /// Blobs of images by digest, as `sha256/HEX`.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Which images there are, by id.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// Unpacked layers.
    pub fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    /// Names of images.
    pub fn refs(&self) -> PathBuf {
        self.root.join("refs")
    }

    /// All containers.
    pub fn containers(&self) -> PathBuf {
        self.root.join("containers")
    }

    /// Names of containers.
    pub fn names(&self) -> PathBuf {
        self.root.join("names")
    }

    /// The files of the container of that full id.
    pub fn container(&self, id: &str) -> PathBuf {
        self.containers().join(id)
    }

    /// Whether there is, or was, a container of that full id here. One of its directories is there for as long as anything
    /// that was made for it: what outside of them names an id that has none is another engine's.
    pub(crate) fn had_container(&self, id: &str) -> bool {
        [
            self.container(id),
            self.container(&format!(".{id}")),
            self.container_run(id),
        ]
        .iter()
        .any(|directory| directory.is_dir())
    }

    /// The sockets and fifos of the container of that full id.
    pub fn container_run(&self, id: &str) -> PathBuf {
        self.run.join("containers").join(id)
    }

    /// The processes that joined the container of that full id. They end with the machine at the latest, and are recorded
    /// where a disk that containers have filled is not in the way: whoever makes room in one does that with such a process.
    pub fn exec(&self, id: &str) -> PathBuf {
        self.container_run(id).join("exec")
    }

    /// Named and anonymous volumes.
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// Networks.
    pub fn networks(&self) -> PathBuf {
        self.root.join("networks")
    }

    /// Makes the root, the runtime directory and the directories right below them.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if one cannot be made, and
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) if the root or the runtime directory is another user's:
    /// whoever owns it could replace what the engine runs.
    pub fn create(&self) -> Result<()> {
        // Those above are not the engine's alone: `/var` must not be closed to everybody else, should it be missing.
        for above in [self.root.parent(), self.runtime_directory().parent()]
            .into_iter()
            .flatten()
        {
            make_directory_of_mode(above, 0o755)?;
        }
        for directory in [&self.root, &self.run] {
            make_directory(directory)?;
            let metadata = fs::symlink_metadata(directory)
                .map_err(|error| Error::io(format_args!("stat {}", directory.display()), error))?;
            if metadata.uid() != geteuid().as_raw() {
                return Err(Error::new(
                    crate::ErrorKind::Forbidden,
                    format!(
                        "{} belongs to user {}, so it is not used",
                        directory.display(),
                        metadata.uid()
                    ),
                ));
            }
        }
        make_directory(&self.containers())?;
        make_directory(&self.run.join("containers"))?;
        self.leave_link()
    }

    /// Leaves word of where the root is, so that other engines of this user know whose things are whose.
    fn leave_link(&self) -> Result<()> {
        let link = self.run.join(ROOT_LINK);
        match symlink(&self.root, &link) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(Error::io(format_args!("link {}", link.display()), error))
            }
            _ => Ok(()),
        }
    }
}

/// Makes a directory of mode 0700 and those above it; one that exists is left as it is.
pub(crate) fn make_directory(directory: &Path) -> Result<()> {
    make_directory_of_mode(directory, 0o700)
}

fn make_directory_of_mode(directory: &Path, mode: u32) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(directory)
        .map_err(|error| Error::io(format_args!("mkdir {}", directory.display()), error))
}

/// So many bytes of a hash, in hexadecimal.
fn hash(parts: &[&[u8]], bytes: usize) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part);
    }
    let digest = digest.finalize();
    digest
        .iter()
        .take(bytes)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The path with links followed as far as it exists, so that two names of one root are one engine.
fn settled(directory: &Path) -> PathBuf {
    let mut missing = Vec::new();
    let mut existing = path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    loop {
        match fs::canonicalize(&existing) {
            Ok(mut settled) => {
                settled.extend(missing.iter().rev());
                return settled;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match existing.components().next_back() {
                    Some(Component::Normal(name)) => missing.push(name.to_owned()),
                    _ => return directory.to_owned(),
                }
                existing.pop();
            }
            Err(_) => return directory.to_owned(),
        }
    }
}

/// The directory of sockets of all engines of this user.
fn runtime_directory() -> PathBuf {
    if geteuid().is_root() {
        PathBuf::from("/run/tool")
    } else if let Some(runtime) = absolute_variable("XDG_RUNTIME_DIR") {
        runtime.join("tool")
    } else {
        PathBuf::from(format!("/tmp/tool-{}", getuid().as_raw()))
    }
}

/// The XDG specification has relative paths ignored.
fn absolute_variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_of_one_root_are_one_engine() {
        let directory = tempfile::tempdir().expect("a directory");
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path(), &link).expect("a link");
        let straight = Layout::at(directory.path().join("a/b")).expect("a layout");
        let through = Layout::at(link.join("a/b")).expect("a layout");
        assert_eq!(straight, through);
        assert_ne!(
            straight.run(),
            Layout::at(directory.path().join("a/c"))
                .expect("a layout")
                .run()
        );
    }

    #[test]
    fn a_root_must_be_absolute() {
        let error = Layout::at("here").expect_err("a relative path");
        assert_eq!(error.status(), 400);
        assert!(error.to_string().contains("\"here\""), "{error}");
    }

    #[test]
    fn directories_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        let above = directory.path().join("var/lib");
        let layout = Layout::at(above.join("root")).expect("a layout");
        layout.create().expect("directories");
        let mode = |path: &Path| {
            let made = fs::metadata(path).expect("made");
            made.permissions().mode() & 0o777
        };
        for made in [layout.root(), &layout.containers(), layout.run()] {
            assert_eq!(mode(made), 0o700, "{}", made.display());
        }
        // As everything else makes directories here.
        let plain = directory.path().join("plain");
        fs::create_dir(&plain).expect("a directory");
        assert_eq!(mode(&above), mode(&plain) & 0o755);
        fs::remove_dir_all(layout.run()).expect("the runtime directory");
    }
}
