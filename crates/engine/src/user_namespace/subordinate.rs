//! The ids that an administrator gave a user beside its own: `/etc/subuid` and `/etc/subgid`, written into a map by
//! `newuidmap` and `newgidmap`.

use std::fs;
use std::path::PathBuf;

use rustix::process::{getgid, getuid};

use super::ids::IdRange;
use crate::program;

/// The two kinds of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Users,
    Groups,
}

impl Kind {
    pub(super) const BOTH: [Kind; 2] = [Kind::Users, Kind::Groups];

    fn file(self) -> &'static str {
        match self {
            Kind::Users => "/etc/subuid",
            Kind::Groups => "/etc/subgid",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Kind::Users => "newuidmap",
            Kind::Groups => "newgidmap",
        }
    }

    /// The map of this process.
    pub(super) fn map(self) -> &'static str {
        match self {
            Kind::Users => "/proc/self/uid_map",
            Kind::Groups => "/proc/self/gid_map",
        }
    }

    /// This user's own id.
    pub(super) fn own(self) -> u32 {
        match self {
            Kind::Users => getuid().as_raw(),
            Kind::Groups => getgid().as_raw(),
        }
    }
}

/// Further ids of one kind, and the program that maps them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Further {
    program: PathBuf,
    ranges: Vec<IdRange>,
}

impl Further {
    /// Those of this user.
    ///
    /// # Errors
    ///
    /// Why there are none, as the end of a sentence.
    pub(super) fn find(kind: Kind) -> Result<Further, String> {
        let program = program::find(kind.program())
            .ok_or_else(|| format!("{} is not installed", kind.program()))?;
        let id = getuid().as_raw().to_string();
        let name = user_name(&fs::read_to_string("/etc/passwd").unwrap_or_default(), &id);
        let file = fs::read_to_string(kind.file()).unwrap_or_default();
        match ranges(&file, &id, name.as_deref()) {
            ranges if ranges.is_empty() => Err(format!("{} has no range for it", kind.file())),
            ranges => Ok(Further { program, ranges }),
        }
    }

    /// Has the program write the map of that process: this user's own id is 0, and the further ones follow.
    pub(super) fn map(&self, kind: Kind, pid: u32) -> crate::Result<()> {
        let own = IdRange {
            inside: 0,
            outside: kind.own(),
            size: 1,
        };
        let mut words = vec![pid.to_string()];
        for range in [own].iter().chain(&self.ranges) {
            words
                .extend([range.inside, range.outside, range.size].map(|number| number.to_string()));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        program::run(&self.program, &words, "")
    }
}

/// The ranges that a file gives to the user of that number or name (subuid(5)), as they are mapped behind the user's own.
fn ranges(file: &str, id: &str, name: Option<&str>) -> Vec<IdRange> {
    let mut inside = 1_u32;
    let mut ranges = Vec::new();
    for line in file.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [owner, first, size] = fields[..] else {
            continue;
        };
        if owner != id && Some(owner) != name {
            continue;
        }
        let (Ok(outside), Ok(size)) = (first.trim().parse(), size.trim().parse()) else {
            continue;
        };
        let Some(next) = inside.checked_add(size).filter(|_| size > 0) else {
            continue;
        };
        ranges.push(IdRange {
            inside,
            outside,
            size,
        });
        inside = next;
    }
    ranges
}

/// The name of the user of that number.
fn user_name(passwd: &str, id: &str) -> Option<String> {
    let mut users = passwd.lines().map(|line| line.split(':'));
    users.find_map(|mut fields| {
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1) == Some(id)).then(|| name.to_owned())
    })
}

/// The body of this module's fuzz target: whatever the machine's files have, no two ranges give the same id in the
/// namespace, and none reaches beyond the last one.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let name = user_name(&text, "1000");
    let mut next = 1;
    for range in ranges(&text, "1000", name.as_deref()) {
        assert!(range.inside == next && range.size > 0, "{range:?}");
        next = range
            .inside
            .checked_add(range.size)
            .expect("ids are of 32 bits");
    }
    let map = super::ids::parse(&text);
    let _ = (super::ids::count(&map), super::ids::is_everything(&map));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n";
        assert_eq!(user_name(passwd, "1000").as_deref(), Some("me"));
        assert_eq!(user_name(passwd, "100"), None);
    }

    #[test]
    fn ranges_follow_one_another() {
        let file =
            "you:1:2\nme:100000:65536\n1000:300000:10\nme:x:1\nme:5\nme:1:0\nme:1:4294967295\n";
        let range = |inside, outside, size| IdRange {
            inside,
            outside,
            size,
        };
        assert_eq!(
            ranges(file, "1000", Some("me")),
            [range(1, 100_000, 65536), range(65537, 300_000, 10)]
        );
        assert_eq!(ranges(file, "1000", None), [range(1, 300_000, 10)]);
        assert_eq!(ranges(file, "7", None), []);
    }
}
