//! Which users and groups there are in a user namespace.

use std::fs;
use std::io;

use once_cell::sync::OnceCell;

use crate::{Error, Result};

/// A range of ids: `size` ids from `inside` on are those from `outside` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// The first id in the namespace.
    pub inside: u32,
    /// The first id in the one around it.
    pub outside: u32,
    /// How many there are.
    pub size: u32,
}

/// The users and groups of a user namespace, which are all that its containers can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// Users.
    pub users: Vec<IdRange>,
    /// Groups.
    pub groups: Vec<IdRange>,
    /// Whether a process may choose its groups: not if an ordinary user mapped nothing but itself.
    pub setgroups: bool,
}

impl Ids {
    /// Those of this process; nothing in the machine's own user namespace, which has them all.
    ///
    /// They are read once: a process that enters a namespace does so before it asks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` does not say.
    pub fn of_this_process() -> Result<Option<&'static Ids>> {
        static IDS: OnceCell<Option<Ids>> = OnceCell::new();
        IDS.get_or_try_init(Ids::read).map(Option::as_ref)
    }

    fn read() -> Result<Option<Ids>> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|error| Error::io(format_args!("read {path}"), error))
        };
        let users = parse(&read("/proc/self/uid_map")?);
        if is_everything(&users) {
            return Ok(None);
        }
        Ok(Some(Ids {
            users,
            groups: parse(&read("/proc/self/gid_map")?),
            setgroups: match fs::read_to_string("/proc/self/setgroups") {
                Ok(text) => text.trim() != "deny",
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(error) => return Err(Error::io("read /proc/self/setgroups", error)),
            },
        }))
    }

    /// Whether there is that group.
    pub fn has_group(&self, gid: u32) -> bool {
        contains(&self.groups, gid)
    }

    /// How many users there are.
    pub fn user_count(&self) -> u64 {
        count(&self.users)
    }

    /// Refuses a user who is not there, or is in groups that are not.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter), naming the one and what to do.
    pub(crate) fn check(&self, uid: u32, gid: u32, groups: &[u32]) -> Result<()> {
        let missing = |what: &str, id: u32, ranges: &[IdRange]| {
            Error::invalid(format!(
                "{what} {id} is not mapped: containers of this user have {} {what} ids; give the user more in /etc/subuid and /etc/subgid",
                count(ranges)
            ))
        };
        if !contains(&self.users, uid) {
            return Err(missing("user", uid, &self.users));
        }
        let groups: &[u32] = match self.setgroups {
            true => groups,
            false => &[gid],
        };
        match groups.iter().find(|gid| !self.has_group(**gid)) {
            Some(gid) => Err(missing("group", *gid, &self.groups)),
            None => Ok(()),
        }
    }
}

/// Reads `/proc/PID/uid_map` or `gid_map` (user_namespaces(7)); a line that is none is left out.
pub(super) fn parse(map: &str) -> Vec<IdRange> {
    map.lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some(IdRange {
                inside: numbers.next()?.ok()?,
                outside: numbers.next()?.ok()?,
                size: numbers.next()?.ok()?,
            })
        })
        .collect()
}

/// Whether all ids are there, under their own numbers, as in the machine's own namespace.
pub(super) fn is_everything(ranges: &[IdRange]) -> bool {
    matches!(
        ranges,
        [IdRange {
            inside: 0,
            outside: 0,
            size: u32::MAX
        }]
    )
}

pub(super) fn count(ranges: &[IdRange]) -> u64 {
    ranges.iter().map(|range| u64::from(range.size)).sum()
}

fn contains(ranges: &[IdRange], id: u32) -> bool {
    ranges
        .iter()
        .any(|range| id >= range.inside && id - range.inside < range.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_read() {
        let map = "         0       1000          1\n         1     100000      65536\n";
        let ranges = parse(map);
        assert_eq!(
            ranges[1],
            IdRange {
                inside: 1,
                outside: 100_000,
                size: 65536
            }
        );
        assert_eq!((ranges.len(), count(&ranges)), (2, 65537));
        assert!(!is_everything(&ranges));
        assert!(is_everything(&parse("         0          0 4294967295\n")));
        assert_eq!(parse("0 1\nx y z\n0 1 99999999999\n"), []);
    }

    #[test]
    fn whom_a_namespace_lacks_is_refused() {
        let one = IdRange {
            inside: 0,
            outside: 1000,
            size: 1,
        };
        let ids = Ids {
            users: vec![one],
            groups: vec![one],
            setgroups: false,
        };
        ids.check(0, 0, &[0, 44]).expect("groups that nobody sets");
        let error = ids.check(33, 0, &[0]).expect_err("no such user");
        assert!(
            error
                .to_string()
                .starts_with("user 33 is not mapped: containers of this user have 1 user ids"),
            "{error}"
        );
        ids.check(0, 5, &[5]).expect_err("no such group");
        let more = Ids {
            setgroups: true,
            ..ids
        };
        more.check(0, 0, &[0, 44]).expect_err("no such group");
    }
}
