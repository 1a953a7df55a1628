//! The fuzz target's body over its corpus, on a stable compiler.

#[path = "../fuzz/body/resolve.rs"]
mod resolve;

#[test]
fn every_file_of_the_corpus_holds() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/resolve");
    let mut files = 0;
    for entry in std::fs::read_dir(corpus).unwrap() {
        resolve::check(&std::fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 19, "the corpus is gone: {files} files");
}
