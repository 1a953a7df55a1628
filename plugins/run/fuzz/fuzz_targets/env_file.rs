#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tool_run::fuzzing::env_file(data));
