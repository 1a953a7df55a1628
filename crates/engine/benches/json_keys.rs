//! What it costs to read keys in any case: `cargo bench -p engine --bench json_keys`.
//!
//! It prints the least time of several rounds for the body of a create with most of its fields: by serde alone, by this
//! crate's reader, and by way of a tree of values, as it was read before.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bollard_stubs::models::ContainerCreateBody;
use serde_json::Value;

#[allow(
    dead_code,
    unused_imports,
    reason = "the reader alone is measured, without its tests"
)]
#[path = "../src/json.rs"]
mod json;

/// How often a round reads the body.
const TIMES: u32 = 5_000;

/// How many rounds there are of each.
const ROUNDS: u32 = 9;

const BODY: &[u8] = include_bytes!("create.json");

fn main() {
    let plain = measure(|| serde_json::from_slice(black_box(BODY)).expect("a body"));
    let any_case = measure(|| json::from_slice(black_box(BODY)).expect("a body"));
    let by_values = measure(|| {
        let values: Value = serde_json::from_slice(black_box(BODY)).expect("JSON");
        serde_json::from_value(values).expect("a body")
    });
    println!("A body of {} bytes is read in", BODY.len());
    for (how, time) in [
        ("serde alone", plain),
        ("keys in any case", any_case),
        ("a tree of values, then serde", by_values),
    ] {
        println!("{:8.2} us  {how}", time.as_secs_f64() * 1e6);
    }
}

/// The time that one reading takes.
fn measure(read: impl Fn() -> ContainerCreateBody) -> Duration {
    let round = || {
        let start = Instant::now();
        for _ in 0..TIMES {
            black_box(read());
        }
        start.elapsed() / TIMES
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or_default()
}
