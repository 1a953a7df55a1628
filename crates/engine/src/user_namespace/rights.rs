//! What this process may do to files, which decides how a layer is unpacked.

use rustix::process::geteuid;

use super::Ids;

/// Who unpacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Root of the machine: everything.
    All,
    /// Root of a user namespace with several ids: files may belong to those, devices cannot be made, and overlayfs is to
    /// be mounted with `userxattr`.
    Mapped,
    /// Anybody else, a user namespace with one id among them: all files are one's own.
    Own,
}

impl Rights {
    /// Those of this process; the least if the kernel does not say.
    pub(crate) fn of_this_process() -> Rights {
        match Ids::of_this_process() {
            Ok(ids) => Rights::of(geteuid().is_root(), ids),
            Err(_) => Rights::Own,
        }
    }

    fn of(is_root: bool, ids: Option<&Ids>) -> Rights {
        match ids {
            _ if !is_root => Rights::Own,
            None => Rights::All,
            Some(ids) if ids.user_count() > 1 => Rights::Mapped,
            Some(_) => Rights::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user_namespace::IdRange;

    #[test]
    fn rights_follow_from_the_namespace() {
        let of_size = |size| Ids {
            users: vec![IdRange {
                inside: 0,
                outside: 1000,
                size,
            }],
            groups: Vec::new(),
            setgroups: false,
        };
        for (is_root, ids, expected) in [
            (true, None, Rights::All),
            (false, None, Rights::Own),
            (true, Some(of_size(2)), Rights::Mapped),
            (true, Some(of_size(1)), Rights::Own),
        ] {
            assert_eq!(Rights::of(is_root, ids.as_ref()), expected, "{ids:?}");
        }
    }
}
