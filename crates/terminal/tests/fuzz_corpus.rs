//! Runs the fuzz targets' bodies over their corpora, on a stable compiler.

#[path = "../fuzz/bodies/detach.rs"]
mod detach;
#[path = "../fuzz/bodies/progress.rs"]
mod progress;

use std::fs;
use std::path::Path;

fn over_corpus(name: &str, run: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let mut seen = 0;
    for entry in fs::read_dir(&directory).expect("list the corpus") {
        let path = entry.expect("read the corpus").path();
        let data = fs::read(&path).expect("read an input");
        // A prefix of an input is another input, and one that ends where nobody expects it.
        for end in 0..=data.len() {
            run(&data[..end]);
        }
        seen += 1;
    }
    assert!(seen > 0, "{} has no inputs", directory.display());
}

#[test]
fn detach_keys() {
    over_corpus("detach", detach::run);
}

#[test]
fn progress_lines() {
    over_corpus("progress", progress::run);
}
