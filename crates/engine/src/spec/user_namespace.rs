//! The user namespace of a container that an ordinary user starts.

use libcontainer::oci_spec::runtime::{LinuxIdMapping, LinuxIdMappingBuilder};

use super::User;
use crate::{Error, Result};

/// A range of ids: `size` ids from `container` on are those from `host` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdRange {
    /// The first id in the container.
    pub container: u32,
    /// The first id on the machine.
    pub host: u32,
    /// How many there are.
    pub size: u32,
}

/// Which ids there are in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserNamespace {
    /// Users.
    pub uids: Vec<IdRange>,
    /// Groups.
    pub gids: Vec<IdRange>,
    /// Whether groups can be set: not if an ordinary user mapped nothing but itself.
    pub setgroups: bool,
}

impl UserNamespace {
    /// Whether the container has that group.
    pub fn has_group(&self, gid: u32) -> bool {
        contains(&self.gids, gid)
    }

    /// Refuses a user whose ids the container does not have.
    pub(super) fn check(&self, user: &User) -> Result<()> {
        let missing = |what: &str, id: u32, ranges: &[IdRange]| {
            let count: u64 = ranges.iter().map(|range| u64::from(range.size)).sum();
            Error::invalid(format!(
                "{what} {id} is not mapped: containers of this user have {count} {what} ids; give the user more in /etc/subuid and /etc/subgid"
            ))
        };
        if !contains(&self.uids, user.uid) {
            return Err(missing("user", user.uid, &self.uids));
        }
        let groups: &[u32] = if self.setgroups {
            &user.groups
        } else {
            std::slice::from_ref(&user.gid)
        };
        match groups.iter().find(|gid| !self.has_group(**gid)) {
            Some(gid) => Err(missing("group", *gid, &self.gids)),
            None => Ok(()),
        }
    }

    pub(super) fn uid_mappings(&self) -> Result<Vec<LinuxIdMapping>> {
        mappings(&self.uids)
    }

    pub(super) fn gid_mappings(&self) -> Result<Vec<LinuxIdMapping>> {
        mappings(&self.gids)
    }
}

fn contains(ranges: &[IdRange], id: u32) -> bool {
    ranges
        .iter()
        .any(|range| id >= range.container && id - range.container < range.size)
}

fn mappings(ranges: &[IdRange]) -> Result<Vec<LinuxIdMapping>> {
    ranges
        .iter()
        .map(|range| {
            LinuxIdMappingBuilder::default()
                .container_id(range.container)
                .host_id(range.host)
                .size(range.size)
                .build()
                .map_err(|error| Error::system(error.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_namespace_lacks_is_refused() {
        let one = IdRange {
            container: 0,
            host: 1000,
            size: 1,
        };
        let namespace = UserNamespace {
            uids: vec![one],
            gids: vec![one],
            setgroups: false,
        };
        let user = |uid, gid, groups: &[u32]| User {
            uid,
            gid,
            groups: groups.to_vec(),
            home: "/".to_owned(),
        };
        namespace
            .check(&user(0, 0, &[0, 44]))
            .expect("groups that nobody sets");
        let error = namespace
            .check(&user(33, 0, &[0]))
            .expect_err("no such user");
        assert!(
            error
                .to_string()
                .starts_with("user 33 is not mapped: containers of this user have 1 user ids"),
            "{error}"
        );
        namespace
            .check(&user(0, 5, &[5]))
            .expect_err("no such group");
        let more = UserNamespace {
            setgroups: true,
            ..namespace
        };
        more.check(&user(0, 0, &[0, 44]))
            .expect_err("no such group");
    }
}
