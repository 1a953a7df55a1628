//! The fuzz target's body over its corpus, on a stable compiler.

#[path = "../fuzz/body/resolve.rs"]
mod resolve;

use proptest::prelude::*;

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

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A little of what the fuzzer does, where there is none.
    #[test]
    fn other_inputs_hold(lines in prop::collection::vec("[ab1= -]{0,6}|help|-{1,2}[hv]?|\\PC{0,4}", 0..12), rest: Vec<u8>) {
        let mut data = lines.join("\n").into_bytes();
        data.extend(rest);
        resolve::check(&data);
    }
}
