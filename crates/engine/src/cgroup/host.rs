//! Which cgroups this machine has, and where this user may make some.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::process::geteuid;

use crate::user_namespace::Ids;
use crate::{Error, Result};

/// Which version of cgroups has the controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Version 1, with or without a version 2 tree beside it.
    V1,
    /// Version 2 alone.
    V2,
}

/// The cgroups of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    version: Option<Version>,
    hybrid: bool,
    hierarchies: Vec<Hierarchy>,
    /// Why no cgroup can be made.
    refusal: Option<String>,
    /// Whether what can be done depends on what was delegated to an ordinary user.
    delegated: bool,
}

/// A tree of cgroups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    /// Below this directory cgroups can be made.
    pub(super) base: PathBuf,
    /// How the mount is called, such as `cpu,cpuacct`; containers see it under the same name. Empty on version 2.
    pub(super) name: String,
    /// The controllers; none on a named hierarchy of version 1.
    pub(super) controllers: Vec<String>,
}

impl Hierarchy {
    pub(super) fn has(&self, controller: &str) -> bool {
        self.controllers.iter().any(|other| other == controller)
    }
}

impl Host {
    /// Looks at this machine as this user.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` does not say.
    pub fn detect() -> Result<Host> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|error| Error::io(format_args!("read {path}"), error))
        };
        let mountinfo = read(MOUNTINFO)?;
        let own = read("/proc/self/cgroup")?;
        Ok(Host::of(
            &mountinfo,
            &own,
            geteuid().is_root() && Ids::of_this_process()?.is_none(),
            &is_writable,
            &controllers_of,
        ))
    }

    fn of(
        mountinfo: &str,
        own: &str,
        root: bool,
        is_writable: &dyn Fn(&Path) -> bool,
        controllers_of: &dyn Fn(&Path) -> Vec<String>,
    ) -> Host {
        let mounts: Vec<Mount<'_>> = mountinfo.lines().filter_map(Mount::parse).collect();
        let mut v1: Vec<Hierarchy> = Vec::new();
        for mount in mounts.iter().filter(|mount| mount.kind == "cgroup") {
            let controllers: Vec<String> = mount
                .options
                .split(',')
                .filter(|option| CONTROLLERS.contains(option))
                .map(str::to_owned)
                .collect();
            let named = mount
                .options
                .split(',')
                .any(|option| option.starts_with("name="));
            let base = PathBuf::from(&mount.place);
            let name = base
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            // A hierarchy may be mounted twice.
            let known = v1
                .iter()
                .any(|other| other.controllers == controllers && (!named || other.name == name));
            if (named || !controllers.is_empty()) && !known {
                v1.push(Hierarchy {
                    base,
                    name,
                    controllers,
                });
            }
        }
        let unified = mounts.iter().find(|mount| mount.kind == "cgroup2");
        if v1.iter().any(|hierarchy| !hierarchy.controllers.is_empty()) {
            return Host::v1(v1, unified.is_some(), root, is_writable);
        }
        match unified {
            Some(mount) => Host::v2(mount, own, root, is_writable, controllers_of),
            None => Host {
                version: None,
                hybrid: false,
                hierarchies: Vec::new(),
                refusal: Some("no cgroups are mounted on this machine".to_owned()),
                delegated: false,
            },
        }
    }

    fn v1(
        hierarchies: Vec<Hierarchy>,
        hybrid: bool,
        root: bool,
        is_writable: &dyn Fn(&Path) -> bool,
    ) -> Host {
        // They are all mounted in one way; the first that is not will be named when it is used.
        let writable = hierarchies
            .first()
            .is_some_and(|hierarchy| is_writable(&hierarchy.base));
        let refusal = if !root {
            Some("this machine has cgroup v1, where only root can limit; an ordinary user needs cgroup v2".to_owned())
        } else if !writable {
            Some("the cgroups of this machine are read-only here".to_owned())
        } else {
            None
        };
        Host {
            version: Some(Version::V1),
            hybrid,
            hierarchies,
            refusal,
            delegated: false,
        }
    }

    fn v2(
        mount: &Mount<'_>,
        own: &str,
        root: bool,
        is_writable: &dyn Fn(&Path) -> bool,
        controllers_of: &dyn Fn(&Path) -> Vec<String>,
    ) -> Host {
        let top = PathBuf::from(&mount.place);
        let (base, refusal) = if root {
            match is_writable(&top) {
                true => (top, None),
                false => (
                    top,
                    Some("the cgroups of this machine are read-only here".to_owned()),
                ),
            }
        } else {
            match delegated(mount, own, is_writable) {
                Some(base) => (base, None),
                None => (
                    top,
                    Some(
                        "no cgroup v2 tree is delegated to this user: start the command in one, with systemd-run --user --scope for example"
                            .to_owned(),
                    ),
                ),
            }
        };
        let controllers = controllers_of(&base);
        Host {
            version: Some(Version::V2),
            hybrid: false,
            hierarchies: vec![Hierarchy {
                base,
                name: String::new(),
                controllers,
            }],
            refusal,
            delegated: !root,
        }
    }

    /// Which version has the controllers; none where no cgroups are mounted.
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Whether there is a version 2 tree beside version 1.
    pub fn is_hybrid(&self) -> bool {
        self.hybrid
    }

    /// Whether version 2 is all there is.
    pub fn is_unified(&self) -> bool {
        self.version == Some(Version::V2)
    }

    /// Whether cgroups can be made in a subtree of an ordinary user alone.
    pub fn is_delegated(&self) -> bool {
        self.delegated && self.refusal.is_none()
    }

    /// Why this user can make no cgroup, as the end of a sentence; nothing where it can.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Whether that controller can be used.
    pub fn has(&self, controller: &str) -> bool {
        self.refusal.is_none()
            && self
                .hierarchies
                .iter()
                .any(|hierarchy| hierarchy.has(controller))
    }

    /// The controllers that can be used.
    pub fn controllers(&self) -> Vec<&str> {
        if self.refusal.is_some() {
            return Vec::new();
        }
        self.hierarchies
            .iter()
            .flat_map(|hierarchy| &hierarchy.controllers)
            .map(String::as_str)
            .collect()
    }

    /// Whether swap can be limited.
    pub(super) fn limits_swap(&self) -> bool {
        match (self.version, self.with("memory")) {
            (Some(Version::V1), Some(memory)) => {
                memory.base.join("memory.memsw.limit_in_bytes").exists()
            }
            // The root cgroup has no such file, so it is the kernel that is asked.
            (Some(Version::V2), Some(_)) => Path::new("/proc/swaps").exists(),
            _ => false,
        }
    }

    /// Whether block devices can be shared by weight, which depends on the kernel's schedulers.
    pub(super) fn weighs_block_devices(&self) -> bool {
        match self.version {
            Some(Version::V1) => self.with("blkio").is_some_and(|blkio| {
                ["blkio.weight", "blkio.bfq.weight"]
                    .iter()
                    .any(|file| blkio.base.join(file).exists())
            }),
            Some(Version::V2) => self.has("io"),
            None => false,
        }
    }

    /// Whether real-time processes can be limited.
    pub(super) fn schedules_realtime(&self) -> bool {
        self.version == Some(Version::V1)
            && self
                .with("cpu")
                .is_some_and(|cpu| cpu.base.join("cpu.rt_runtime_us").exists())
    }

    /// Which processors (`cpus`) or memory nodes (`mems`) there are, as a list of ranges.
    pub(super) fn available(&self, what: &str) -> String {
        let Some(cpuset) = self.with("cpuset") else {
            return String::new();
        };
        [
            format!("cpuset.effective_{what}"),
            format!("cpuset.{what}.effective"),
            format!("cpuset.{what}"),
        ]
        .iter()
        .filter_map(|file| fs::read_to_string(cpuset.base.join(file)).ok())
        .map(|list| list.trim().to_owned())
        .find(|list| !list.is_empty())
        .unwrap_or_default()
    }

    fn with(&self, controller: &str) -> Option<&Hierarchy> {
        self.hierarchies
            .iter()
            .find(|hierarchy| hierarchy.has(controller))
    }

    pub(super) fn hierarchies(&self) -> &[Hierarchy] {
        &self.hierarchies
    }
}

/// Controllers of version 1 by the names that its mounts have.
const CONTROLLERS: [&str; 13] = [
    "blkio",
    "cpu",
    "cpuacct",
    "cpuset",
    "devices",
    "freezer",
    "hugetlb",
    "memory",
    "misc",
    "net_cls",
    "net_prio",
    "perf_event",
    "pids",
];

/// The highest cgroup on the way to our own that is ours: whoever may write there may move processes below it.
fn delegated(mount: &Mount<'_>, own: &str, is_writable: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    // What is mounted may be a part of the tree.
    let inside = match mount.root.as_str() {
        "/" => path,
        root => path.strip_prefix(root)?,
    };
    let mut place = PathBuf::from(&mount.place);
    if is_writable(&place) {
        return Some(place);
    }
    for part in inside.split('/').filter(|part| !part.is_empty()) {
        if part == ".." {
            return None;
        }
        place.push(part);
        if is_writable(&place) {
            return Some(place);
        }
    }
    None
}

fn is_writable(directory: &Path) -> bool {
    let may = |path: &Path, access| accessat(CWD, path, access, AtFlags::EACCESS).is_ok();
    let procs = directory.join("cgroup.procs");
    may(directory, Access::WRITE_OK | Access::EXEC_OK) && may(&procs, Access::WRITE_OK)
}

fn controllers_of(directory: &Path) -> Vec<String> {
    fs::read_to_string(directory.join("cgroup.controllers"))
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

/// Where a file system of that kind is first mounted for this process, if one is: `cgroup` is version 1, `cgroup2` version 2.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` does not say.
pub(crate) fn place_of(kind: &str) -> Result<Option<PathBuf>> {
    let mountinfo = fs::read_to_string(MOUNTINFO)
        .map_err(|error| Error::io(format_args!("read {MOUNTINFO}"), error))?;
    let mut mounts = mountinfo.lines().filter_map(Mount::parse);
    let found = mounts.find(|mount| mount.kind == kind);
    Ok(found.map(|mount| PathBuf::from(mount.place)))
}

/// What is mounted where, proc_pid_mountinfo(5).
const MOUNTINFO: &str = "/proc/self/mountinfo";

/// A line of `/proc/PID/mountinfo`.
struct Mount<'a> {
    root: String,
    place: String,
    kind: &'a str,
    options: &'a str,
}

impl Mount<'_> {
    fn parse(line: &str) -> Option<Mount<'_>> {
        let (front, back) = line.split_once(" - ")?;
        let mut front = front.split(' ');
        let root = unescape(front.nth(3)?);
        let place = unescape(front.next()?);
        let mut back = back.split(' ');
        let kind = back.next()?;
        let _source = back.next()?;
        Some(Mount {
            root,
            place,
            kind,
            options: back.next().unwrap_or_default(),
        })
    }
}

fn unescape(text: &str) -> String {
    String::from_utf8_lossy(&crate::sys::unescaped(text.as_bytes())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
25 20 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
26 25 0:23 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:1 - cgroup cgroup rw,cpu,cpuacct
27 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
28 25 0:25 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
29 25 0:24 / /mnt/again rw - cgroup cgroup rw,memory
30 25 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
    const UNIFIED: &str = "30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate";

    fn controllers(_: &Path) -> Vec<String> {
        vec!["memory".to_owned(), "pids".to_owned()]
    }

    #[test]
    fn version_1_is_found() {
        let host = Host::of(HYBRID, "", true, &|_| true, &controllers);
        assert_eq!(host.version(), Some(Version::V1));
        assert!(host.is_hybrid() && !host.is_unified());
        let names: Vec<_> = host
            .hierarchies
            .iter()
            .map(|hierarchy| hierarchy.name.as_str())
            .collect();
        assert_eq!(names, ["cpu,cpuacct", "memory", "systemd"]);
        assert!(host.has("cpuacct") && !host.has("pids"));
        assert_eq!(host.refusal(), None);
    }

    #[test]
    fn an_ordinary_user_has_nothing_on_version_1() {
        let host = Host::of(HYBRID, "", false, &|_| true, &controllers);
        assert!(host.refusal().expect("a reason").contains("cgroup v1"));
        assert!(!host.has("memory"));
        let host = Host::of(HYBRID, "", true, &|_| false, &controllers);
        assert!(host.refusal().expect("a reason").contains("read-only"));
    }

    #[test]
    fn a_delegated_tree_is_found() {
        let own = "0::/user.slice/user-7.slice/user@7.service/app.slice/x.scope\n";
        let delegated =
            |path: &Path| path.starts_with("/sys/fs/cgroup/user.slice/user-7.slice/user@7.service");
        let host = Host::of(UNIFIED, own, false, &delegated, &controllers);
        assert_eq!(
            host.hierarchies[0].base,
            Path::new("/sys/fs/cgroup/user.slice/user-7.slice/user@7.service")
        );
        assert!(host.is_delegated() && host.has("pids"));
        let host = Host::of(
            UNIFIED,
            "0::/user.slice/session-3.scope\n",
            false,
            &delegated,
            &controllers,
        );
        assert!(host.refusal().expect("a reason").contains("systemd-run"));
        let root = Host::of(UNIFIED, own, true, &|_| true, &controllers);
        assert_eq!(root.hierarchies[0].base, Path::new("/sys/fs/cgroup"));
        assert!(!root.is_delegated());
    }

    #[test]
    fn a_machine_without_is_told() {
        let host = Host::of(
            "1 0 0:1 / / rw - ext4 /dev/vda rw",
            "",
            true,
            &|_| true,
            &controllers,
        );
        assert_eq!(host.version(), None);
        assert!(host.refusal().is_some());
    }

    #[test]
    fn this_machine_is_understood() {
        Host::detect().expect("cgroups");
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_survived(line in "[ /a-z0-9\\\\-]{0,40}") {
            Host::of(&line, &line, false, &|_| false, &controllers);
        }
    }
}
