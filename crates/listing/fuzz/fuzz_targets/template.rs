#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| listing::fuzzing::template(data));
