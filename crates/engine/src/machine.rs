//! What this machine lets the engine do, as `tool engine info` shows it.
//!
//! It is looked at and not configured: nothing is made or mounted here that would be there afterwards.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{FsOpenFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsopen};
use serde::{Deserialize, Serialize};

use crate::cgroup::{Host, Version};
use crate::user_namespace::{self, Ids, Inside, Purpose, Reply, Request};
use crate::{Layout, Result, disk_usage, network, program, seccomp};

/// What there is to tell of an engine and its machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Survey {
    /// What the machine lets the engine do for this user.
    pub machine: Machine,
    /// The bytes that the engine's root takes on the disk.
    pub size: u64,
}

/// Looks at this machine as this user, for the engine of that layout, and at the engine's root.
///
/// For an ordinary user it is looked at from inside a user namespace, where the user's containers are.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` or the root cannot be read.
pub fn survey(layout: &Layout) -> Result<Survey> {
    if !user_namespace::is_needed() {
        return Survey::take(layout);
    }
    let inside = match Inside::start(layout, Purpose::Look) {
        Ok(inside) => inside,
        Err(error) => {
            return Ok(Survey {
                machine: Machine::impossible(&error.to_string()),
                size: disk_usage(layout.root())?,
            });
        }
    };
    match inside.ask(&Request::Survey, None)? {
        Reply::Surveyed(mut survey) => {
            survey.machine.rootless = rootless();
            Ok(*survey)
        }
        reply => Err(user_namespace::unexpected(&reply)),
    }
}

impl Survey {
    /// The same, as this process sees it.
    pub(crate) fn take(layout: &Layout) -> Result<Survey> {
        Ok(Survey {
            machine: Machine::look(layout)?,
            size: disk_usage(layout.root())?,
        })
    }
}

/// What this machine lets the engine do for this user.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    fn look(layout: &Layout) -> Result<Machine> {
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

    /// One on which this user can have no containers.
    fn impossible(because: &str) -> Machine {
        let no = Ability::no("it would take a user namespace");
        Machine {
            limits: no.clone(),
            overlay: no.clone(),
            seccomp: no.clone(),
            nat: no,
            rootless: Ability::no(because),
        }
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
        Err(Errno::PERM) => Ability::no("the kernel mounts none in user namespaces"),
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
    if let Ok(Some(_)) = Ids::of_this_process() {
        fsconfig_set_flag(&context, "userxattr")?;
    }
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
    if !user_namespace::owns_network() {
        return match network::carrier() {
            Ok(program) => Ability::yes(format!("{} carries it", program.display())),
            Err(why) => Ability::no(why),
        };
    }
    match ["nft", "iptables-restore"]
        .into_iter()
        .find_map(program::find)
    {
        Some(program) => Ability::yes(format!("rules are set by {}", program.display())),
        None => Ability::no(
            "neither nft nor iptables-restore is installed; ports are published on 127.0.0.1 all the same, and --network host goes out",
        ),
    }
}

fn rootless() -> Ability {
    if !user_namespace::is_needed() {
        return Ability::no("the engine runs as root");
    }
    if let Some(setting) = forbids_user_namespaces() {
        return Ability::no(setting);
    }
    Ability::yes(match user_namespace::further_ids() {
        Ok(()) => "user namespaces, with further ids from /etc/subuid and /etc/subgid".to_owned(),
        Err(why) => format!("user namespaces, with this user's id alone: {why}"),
    })
}

/// The setting of the kernel that keeps ordinary users from having user namespaces, if there is one.
pub(crate) fn forbids_user_namespaces() -> Option<String> {
    [
        ("user/max_user_namespaces", 0),
        ("kernel/unprivileged_userns_clone", 0),
        ("kernel/apparmor_restrict_unprivileged_userns", 1),
    ]
    .into_iter()
    .find(|&(name, forbids)| {
        let path = Path::new("/proc/sys").join(name);
        let text = fs::read_to_string(path).unwrap_or_default();
        text.trim().parse() == Ok(forbids)
    })
    .map(|(name, forbids)| format!("{} is {forbids}", name.replace('/', ".")))
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
    }

    #[test]
    fn a_file_system_without_extended_attributes_holds_no_upper_layer() {
        // No directory can be made in it either.
        let ability = overlay(Path::new("/proc"));
        assert!(!ability.possible, "{ability:?}");
        assert!(ability.because.starts_with("/proc: "), "{ability:?}");
    }
}
