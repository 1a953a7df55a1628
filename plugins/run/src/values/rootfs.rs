//! The directory that `--rootfs` runs in place of an image, as in `--rootfs ./tree:O`.

use std::path::{Path, PathBuf};

use super::InvalidValue;

/// What keeps the directory as it is: writes go to a layer over it, which is thrown away.
const OVERLAY: &str = ":O";

/// Makes the operand absolute against `directory`; the suffix stays, since it is the engine that mounts.
///
/// Unlike a volume's source the path keeps its `..`: the directory is meant that `ls` would show, whatever symbolic links
/// lead there.
pub(crate) fn parse(operand: &str, directory: &Path) -> Result<String, InvalidValue> {
    let (path, suffix) = match operand.strip_suffix(OVERLAY) {
        Some(path) => (path, OVERLAY),
        None => (operand, ""),
    };
    if path.is_empty() {
        return Err(InvalidValue::new("--rootfs: no directory specified"));
    }
    let absolute: PathBuf = directory.join(path).components().collect();
    let absolute = absolute
        .to_str()
        .ok_or_else(|| InvalidValue::new(format!("--rootfs: {absolute:?} is not valid UTF-8")))?;
    Ok(format!("{absolute}{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_become_absolute() {
        for (operand, expected) in [
            ("/", "/"),
            ("/:O", "/:O"),
            ("/a//b/./c/", "/a/b/c"),
            (".", "/home/dir"),
            (".:O", "/home/dir:O"),
            ("tree", "/home/dir/tree"),
            ("../tree:O", "/home/dir/../tree:O"),
            ("a:b", "/home/dir/a:b"),
            ("a:O:O", "/home/dir/a:O:O"),
        ] {
            assert_eq!(
                parse(operand, Path::new("/home/dir")).as_deref(),
                Ok(expected),
                "{operand}"
            );
        }
    }

    #[test]
    fn there_has_to_be_one() {
        for operand in ["", ":O"] {
            let error = parse(operand, Path::new("/")).expect_err(operand);
            assert_eq!(error.to_string(), "--rootfs: no directory specified");
        }
    }
}
