#![no_main]

#[path = "../body/resolve.rs"]
mod resolve;

libfuzzer_sys::fuzz_target!(|data: &[u8]| resolve::check(data));
