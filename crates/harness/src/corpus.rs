//! Runs fuzz targets over their corpora in `cargo test`, on a stable compiler.

use std::fs;
use std::path::Path;

/// Runs a fuzz target's body over every file of `fuzz/corpus/NAME` in the package at `manifest_directory`.
///
/// # Panics
/// If the corpus is missing or empty, or if the body panics.
#[track_caller]
pub fn corpus(manifest_directory: &str, name: &str, body: fn(&[u8])) {
    let directory = Path::new(manifest_directory).join("fuzz/corpus").join(name);
    let entries = fs::read_dir(&directory).expect("the corpus is part of the sources");
    let mut count = 0;
    for entry in entries {
        body(&fs::read(entry.expect("an entry").path()).expect("a file"));
        count += 1;
    }
    assert!(count > 0, "{} is empty", directory.display());
}
