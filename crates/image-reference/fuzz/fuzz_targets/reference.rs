#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| image_reference::fuzzing::reference(data));
