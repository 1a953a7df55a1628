#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| engine_client::fuzzing::docker_auth_config(data));
