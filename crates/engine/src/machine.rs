//! What this machine lets the engine do, as `tool engine info` shows it.
//!
//! It is looked at and not configured: nothing is made or mounted here that would be there afterwards.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, fsconfig_create, fsconfig_set_string, fsopen};
use rustix::process::{geteuid, getuid};
use serde::Serialize;

use crate::cgroup::{Host, Version};
use crate::{Layout, Result, seccomp};

/// What this machine lets the engine do for this user.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Machine {
    /// Limits of memory, processors and processes.
    pub limits: Ability,
    /// Overlay file systems: where they cannot be mounted, each container has a copy of its image.
    pub overlay: Ability,
    /// Filters of system calls.
    pub seccomp: Ability,
    /// A way out for containers on the bridge, and ports that others can reach.
    pub nat: Ability,
    /// Containers of an ordinary user.
    pub rootless: Ability,
}

/// Something that is possible, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ability {
    /// Whether it is.
    pub possible: bool,
    /// How, or why not.
    pub because: String,
}

impl Ability {
    fn yes(because: impl Into<String>) -> Ability {
        Ability {
            possible: true,
            because: because.into(),
        }
    }

    fn no(because: impl Into<String>) -> Ability {
        Ability {
            possible: false,
            because: because.into(),
        }
    }
}

impl Machine {
    /// Looks at this machine as this user, for the engine of that layout.
    ///
    /// # Errors
    ///
    /// Those of [`Host::detect`].
    pub fn look(layout: &Layout) -> Result<Machine> {
        Ok(Machine {
            limits: limits(&Host::detect()?),
            overlay: overlay(layout.root()),
            seccomp: match seccomp::is_supported() {
                true => Ability::yes("the kernel filters system calls"),
                false => Ability::no("the kernel was built without filters of system calls"),
            },
            nat: nat(),
            rootless: rootless(),
        })
    }
}

fn limits(host: &Host) -> Ability {
    let version = match host.version() {
        Some(Version::V1) if host.is_hybrid() => "cgroup v1, with a v2 tree beside it",
        Some(Version::V1) => "cgroup v1",
        Some(Version::V2) if host.is_delegated() => "cgroup v2, a tree delegated to this user",
        Some(Version::V2) => "cgroup v2",
        None => "no cgroups",
    };
    match host.refusal() {
        Some(refusal) => Ability::no(refusal),
        None => Ability::yes(format!("{version}: {}", host.controllers().join(", "))),
    }
}

/// Has the kernel make an overlay that is mounted nowhere and goes with its descriptor.
fn overlay(root: &Path) -> Ability {
    if !geteuid().is_root() {
        // It would take a user namespace to try.
        return match kernel().is_none_or(|version| version >= (5, 11)) {
            true => Ability::yes("the kernel mounts them in user namespaces"),
            false => Ability::no("kernels before 5.11 do not mount them in user namespaces"),
        };
    }
    // Where nothing was run yet there is no root, and looking makes none.
    let place = [root, &env::temp_dir()]
        .into_iter()
        .find(|place| place.is_dir())
        .map(Path::to_owned)
        .unwrap_or_else(|| PathBuf::from("/"));
    let failed =
        |error: &dyn std::fmt::Display| Ability::no(format!("{}: {error}", place.display()));
    let directory = match tempfile_in(&place) {
        Ok(directory) => directory,
        Err(error) => return failed(&crate::error::os_text(&error)),
    };
    let made = try_overlay(&directory);
    // Whatever it was good for, it was empty.
    let _ = fs::remove_dir_all(&directory);
    match made {
        Ok(()) => Ability::yes(format!("on the file system of {}", place.display())),
        Err(Errno::NODEV) => Ability::no("the kernel has no overlay file system"),
        Err(Errno::INVAL) => Ability::no(format!(
            "the file system of {} cannot hold an overlay's upper layer",
            place.display()
        )),
        Err(errno) => failed(&crate::error::os_text(&errno.into())),
    }
}

/// A new directory with those in it that an overlay consists of.
fn tempfile_in(place: &Path) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::DirBuilderExt;
    let directory = place.join(format!(".overlay-{}", std::process::id()));
    fs::DirBuilder::new().mode(0o700).create(&directory)?;
    for name in ["lower", "upper", "work"] {
        fs::create_dir(directory.join(name))?;
    }
    Ok(directory)
}

fn try_overlay(directory: &Path) -> rustix::io::Result<()> {
    let context = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (option, name) in [
        ("lowerdir", "lower"),
        ("upperdir", "upper"),
        ("workdir", "work"),
    ] {
        fsconfig_set_string(&context, option, directory.join(name))?;
    }
    fsconfig_create(&context)
}

fn nat() -> Ability {
    if !geteuid().is_root() {
        return match ["pasta", "slirp4netns"].into_iter().find_map(find_program) {
            Some(program) => Ability::yes(format!("{} carries it", program.display())),
            None => Ability::no("neither pasta nor slirp4netns is installed"),
        };
    }
    match ["nft", "iptables-restore"]
        .into_iter()
        .find_map(find_program)
    {
        Some(program) => Ability::yes(format!("rules are set by {}", program.display())),
        None => Ability::no(
            "neither nft nor iptables-restore is installed; ports are published on 127.0.0.1 all the same, and --network host goes out",
        ),
    }
}

fn rootless() -> Ability {
    if geteuid().is_root() {
        return Ability::no("the engine runs as root");
    }
    let setting = |name: &str| -> Option<u64> {
        let text = fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?;
        text.trim().parse().ok()
    };
    if setting("user/max_user_namespaces") == Some(0) {
        return Ability::no("user.max_user_namespaces is 0");
    }
    if setting("kernel/unprivileged_userns_clone") == Some(0) {
        return Ability::no("kernel.unprivileged_userns_clone is 0");
    }
    if setting("kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return Ability::no("kernel.apparmor_restrict_unprivileged_userns is 1");
    }
    let has_programs = ["newuidmap", "newgidmap"]
        .into_iter()
        .all(|name| find_program(name).is_some());
    let has_ranges = ["/etc/subuid", "/etc/subgid"]
        .into_iter()
        .all(|file| has_range(&fs::read_to_string(file).unwrap_or_default()));
    Ability::yes(match (has_programs, has_ranges) {
        (true, true) => "user namespaces, with further ids from /etc/subuid and /etc/subgid",
        (false, _) => {
            "user namespaces, with this user's id alone: newuidmap and newgidmap are not installed"
        }
        (true, false) => {
            "user namespaces, with this user's id alone: /etc/subuid or /etc/subgid has no range for it"
        }
    })
}

/// Whether the file names a range for this user, by number or by name.
fn has_range(file: &str) -> bool {
    let id = getuid().as_raw().to_string();
    let name = user_name(&fs::read_to_string("/etc/passwd").unwrap_or_default(), &id);
    file.lines().any(|line| {
        let mut fields = line.split(':');
        let owner = fields.next();
        (owner == Some(id.as_str()) || (owner.is_some() && owner == name.as_deref()))
            && fields.count() == 2
    })
}

/// The name of the user of that number.
fn user_name(passwd: &str, id: &str) -> Option<String> {
    let mut users = passwd.lines().map(|line| line.split(':'));
    users.find_map(|mut fields| {
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1) == Some(id)).then(|| name.to_owned())
    })
}

/// A program in `PATH`, or where those of the administrator are.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|program| program.is_file() && access(program, Access::EXEC_OK).is_ok())
}

/// The first two numbers of the kernel's version.
fn kernel() -> Option<(u32, u32)> {
    let release = rustix::system::uname()
        .release()
        .to_string_lossy()
        .into_owned();
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_leaves_nothing_behind() {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path()).expect("a layout");
        let machine = Machine::look(&layout).expect("a machine");
        for ability in [
            &machine.limits,
            &machine.overlay,
            &machine.seccomp,
            &machine.nat,
            &machine.rootless,
        ] {
            assert!(!ability.because.is_empty(), "{machine:?}");
        }
        let left = fs::read_dir(directory.path()).expect("a list").count();
        assert_eq!(left, 0);
        assert_eq!(machine.rootless.possible, !geteuid().is_root());
    }

    #[test]
    fn a_user_has_a_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n";
        assert_eq!(user_name(passwd, "1000").as_deref(), Some("me"));
        assert_eq!(user_name(passwd, "100"), None);
    }

    #[test]
    fn a_file_system_without_extended_attributes_holds_no_upper_layer() {
        if !geteuid().is_root() {
            return;
        }
        // No directory can be made in it either.
        let ability = overlay(Path::new("/proc"));
        assert!(!ability.possible, "{ability:?}");
        assert!(ability.because.starts_with("/proc: "), "{ability:?}");
    }
}
