//! Mounts below the engine's directories. Monitors mount in namespaces of their own, so this machine's has none.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::mount::{UnmountFlags, unmount};

use super::{Audit, Thing};
use crate::{Error, Result};

pub(super) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    let text = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|error| Error::io("read /proc/self/mountinfo", error))?;
    let layout = audit.layout().clone();
    let ours = [
        layout.containers(),
        layout.layers(),
        layout.run().join("containers"),
    ];
    // The last was mounted over the others.
    for place in places(&text).into_iter().rev() {
        if ours.iter().any(|directory| is_below(&place, directory)) {
            let problem = "the engine mounts nothing here";
            audit.found(Thing::Mount, place.display(), problem, || {
                unmount(&place, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
                    .map_err(|errno| Error::io(format_args!("unmount {}", place.display()), errno))
            });
        }
    }
    Ok(())
}

/// A file system that is mounted on the directory itself is where somebody wants containers to be.
fn is_below(place: &Path, directory: &Path) -> bool {
    place != directory && place.starts_with(directory)
}

/// Where something is mounted: the fifth field of each line, with octal escapes for what separates fields.
fn places(mountinfo: &str) -> Vec<PathBuf> {
    mountinfo
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(unescaped)
        .collect()
}

fn unescaped(field: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = match (first, behind) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..]) => Some([a, b, c]),
            _ => None,
        };
        match digits {
            Some(digits) => {
                bytes.push(
                    digits
                        .iter()
                        .fold(0, |value, digit| value * 8 + (**digit - b'0')),
                );
                rest = &behind[3..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_with_their_blanks() {
        let text = "24 30 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n\
                    30 1 254:0 /a /var/lib/a\\040b\\134 rw - ext4 /dev/vda rw\n";
        assert_eq!(
            places(text),
            [Path::new("/sys"), Path::new("/var/lib/a b\\")]
        );
    }

    #[test]
    fn what_is_mounted_on_a_directory_itself_is_its_users() {
        let directory = Path::new("/var/lib/tool/containers");
        assert!(is_below(&directory.join("a/rootfs"), directory));
        assert!(!is_below(directory, directory));
        assert!(!is_below(Path::new("/var/lib/tool"), directory));
        assert!(!is_below(Path::new("/var/lib/tool/containers2"), directory));
    }
}
