#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| run::fuzzing::device(data));
