//! Temporary file systems, as in `--tmpfs /run:size=64m`.

use std::collections::HashMap;

/// The mounts by path: everything behind the first colon are mount options, which the engine checks.
pub(crate) fn map(mounts: &[String]) -> HashMap<String, String> {
    mounts
        .iter()
        .map(|mount| {
            let (path, options) = mount.split_once(':').unwrap_or((mount, ""));
            (path.to_owned(), options.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_colon_ends_the_path() {
        let mounts = ["/a", "/b:rw", "/c:b:c", "/d:", "/a:ro"].map(String::from);
        let expected = [("/a", "ro"), ("/b", "rw"), ("/c", "b:c"), ("/d", "")];
        assert_eq!(
            map(&mounts),
            expected
                .map(|(path, options)| (path.to_owned(), options.to_owned()))
                .into()
        );
    }
}
