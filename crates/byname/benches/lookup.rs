//! What start-up pays for its commands: building the registry, and finding one command, at 10 to 10,000 of them.
//!
//! `cargo bench -p byname`. Times are the smallest of many rounds: what lies above is the machine's other work.

use std::ffi::OsString;
use std::hint::black_box;
use std::time::{Duration, Instant};

use byname::{Alias, Command, Context, ExitStatus, Registry};

const ROUNDS: usize = 200;

fn nothing(_: &mut Context) -> anyhow::Result<ExitStatus> {
    Ok(ExitStatus::Success)
}

/// Commands of one and two words, every fourth of them with an alias.
fn commands(count: usize) -> Vec<&'static Command> {
    (0..count)
        .map(|n| {
            let name = if n % 2 == 0 {
                format!("command-{n}")
            } else {
                format!("group{} act{n}", n % 50)
            };
            let command = Command::new(name.leak(), "Do nothing", nothing, byname::origin!());
            let command = match n % 4 {
                0 => command.aliases(vec![Alias::visible(format!("again {n}").leak())].leak()),
                _ => command,
            };
            &*Box::leak(Box::new(command))
        })
        .collect()
}

fn fastest<T>(mut run: impl FnMut() -> T) -> Duration {
    (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    println!(
        "{:>9} {:>14} {:>14} {:>14} {:>14}",
        "commands", "build", "resolve", "an alias", "unknown"
    );
    for count in [10, 100, 1_000, 10_000] {
        let commands = commands(count);
        let build =
            fastest(|| Registry::from_commands(commands.iter().copied()).expect("no duplicates"));
        let registry = Registry::from_commands(commands.iter().copied()).expect("no duplicates");
        let words = |text: &str| -> Vec<OsString> { text.split(' ').map(OsString::from).collect() };
        let time = |text: &str| {
            let words = words(text);
            fastest(|| registry.resolve(&words))
        };
        let (found, alias, unknown) = (
            time("group1 act1 x"),
            time("again 4 x"),
            time("frobnicate x"),
        );
        println!("{count:>9} {build:>14.2?} {found:>14.2?} {alias:>14.2?} {unknown:>14.2?}");
    }
}
