//! What is mounted where, proc_pid_mountinfo(5).

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

const PATH: &str = "/proc/self/mountinfo";

/// The mounts of a mount namespace, in their order.
#[derive(Clone, Debug)]
pub(crate) struct MountTable(Vec<Mounted>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mounted {
    pub(crate) place: PathBuf,
    /// What is mounted in it shows elsewhere.
    pub(crate) is_shared: bool,
    /// What is mounted elsewhere shows in it.
    pub(crate) is_slave: bool,
}

impl MountTable {
    /// That of this process.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if `/proc` does not say.
    pub(crate) fn read() -> Result<MountTable> {
        let text = fs::read(PATH).map_err(|error| Error::io(format_args!("read {PATH}"), error))?;
        Ok(MountTable::parse(&text))
    }

    pub(crate) fn parse(text: &[u8]) -> MountTable {
        MountTable(text.split(|&byte| byte == b'\n').filter_map(line).collect())
    }

    pub(crate) fn into_places(self) -> impl Iterator<Item = PathBuf> {
        self.0.into_iter().map(|mounted| mounted.place)
    }

    /// What a path without links lies in.
    pub(crate) fn of(&self, path: &Path) -> Option<&Mounted> {
        let above = self
            .0
            .iter()
            .filter(|mounted| path.starts_with(&mounted.place));
        // The last of several at one place lies over the others.
        above.max_by_key(|mounted| mounted.place.as_os_str().len())
    }
}

fn line(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|&byte| byte == b' ');
    let place = fields.nth(4)?;
    // A mount whose directory was removed is nowhere.
    if place.ends_with(b"//deleted") {
        return None;
    }
    let _options = fields.next()?;
    let optional: Vec<&[u8]> = fields.take_while(|field| *field != b"-").collect();
    let has = |name: &[u8]| optional.iter().any(|field| field.starts_with(name));
    Some(Mounted {
        place: PathBuf::from(OsString::from_vec(unescaped(place))),
        is_shared: has(b"shared:"),
        is_slave: has(b"master:"),
    })
}

/// The kernel writes blanks and backslashes as three octal digits.
pub(crate) fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'\\')
            .then(|| str::from_utf8(after.get(..3)?).ok())
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(code) => {
                plain.push(code);
                rest = &after[3..];
            }
            None => {
                plain.push(first);
                rest = after;
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_that_are_none_stay() {
        for (text, plain) in [
            (&b"a\\134b"[..], &b"a\\b"[..]),
            (b"\\", b"\\"),
            (b"\\9", b"\\9"),
            (b"\\999", b"\\999"),
            (b"\\011", b"\t"),
        ] {
            assert_eq!(unescaped(text), plain);
        }
    }

    #[test]
    fn a_path_lies_in_the_last_mount_above_it() {
        let table = MountTable::parse(
            b"1 0 0:1 / / rw shared:1 - ext4 /dev/vda rw\n\
            2 1 0:2 / /a rw - tmpfs t rw\n\
            3 2 0:2 / /a rw,noatime shared:2 master:1 - tmpfs t rw\n\
            4 1 0:2 / /a\\040b rw master:7 propagate_from:1 - tmpfs t rw\n\
            5 1 0:2 / /gone//deleted rw - tmpfs t rw\n\
            6 1\n",
        );
        for (path, place, is_shared, is_slave) in [
            ("/", "/", true, false),
            ("/ab", "/", true, false),
            ("/gone/x", "/", true, false),
            ("/a/x", "/a", true, true),
            ("/a b", "/a b", false, true),
        ] {
            let expected = Mounted {
                place: place.into(),
                is_shared,
                is_slave,
            };
            assert_eq!(table.of(Path::new(path)), Some(&expected), "{path}");
        }
    }
}
