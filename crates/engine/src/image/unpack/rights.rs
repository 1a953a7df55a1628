//! What this process may do to files, which decides how a layer is unpacked.

use rustix::process::geteuid;

/// Who unpacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::image) enum Rights {
    /// Root of the machine: everything.
    All,
    /// Root of a user namespace with several ids: files may belong to those, devices cannot be made, and overlayfs is to
    /// be mounted with `userxattr`.
    Mapped,
    /// Anybody else, a user namespace with one id among them: all files are one's own.
    Own,
}

impl Rights {
    /// Those of this process.
    pub(super) fn of_this_process() -> Rights {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        Rights::of(geteuid().is_root(), &map)
    }

    fn of(is_root: bool, map: &str) -> Rights {
        let numbers = |line: &str| -> Option<[u64; 3]> {
            let numbers: Vec<u64> = line
                .split_whitespace()
                .map(|word| word.parse().ok())
                .collect::<Option<_>>()?;
            numbers.try_into().ok()
        };
        let ranges: Vec<[u64; 3]> = map.lines().filter_map(numbers).collect();
        let count: u64 = ranges.iter().map(|[_, _, count]| count).sum();
        match ranges.as_slice() {
            _ if !is_root => Rights::Own,
            // The namespace of the machine itself maps all ids to themselves.
            [[0, 0, count]] if *count >= u64::from(u32::MAX) => Rights::All,
            _ if count > 1 => Rights::Mapped,
            _ => Rights::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_follow_from_the_namespace() {
        for (is_root, map, expected) in [
            (true, "         0          0 4294967295\n", Rights::All),
            (false, "         0          0 4294967295\n", Rights::Own),
            (true, "0 1000 1\n1 100000 65536\n", Rights::Mapped),
            (true, "0 1000 1\n", Rights::Own),
            (true, "", Rights::Own),
        ] {
            assert_eq!(Rights::of(is_root, map), expected, "{map}");
        }
    }
}
