//! Benchmarks that anyone can run: `cargo xtask startup`, `cargo xtask size`, `cargo xtask run` and `cargo xtask engine`.
//!
//! They print tables of medians and ratios; nothing here passes or fails by a time, for machines differ and are busy.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

mod engine;
mod instant;
mod memory;
mod programs;
mod relay;
mod revision;
mod run;
mod size;
mod startup;
mod stats;
mod timing;
mod tool;

/// Measure `tool` against its peers.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Compare start-up: commands found by name, clap subcommands, an empty program, the docker CLI
    Startup {
        /// Runs of each program that are counted
        #[arg(long, default_value_t = 200)]
        rounds: usize,
        /// Compare byname with itself as it was at this commit, and nothing else
        #[arg(long, value_name = "REV")]
        baseline: Option<String>,
    },
    /// Compare the binaries and the builds of programs with 100 typed commands: byname and clap's derive
    Size {
        /// Also measure byname as it was at this commit
        #[arg(long, value_name = "REV")]
        baseline: Option<String>,
    },
    /// Compare `tool run` with `docker run` on a private dockerd: time, memory and requests
    Run {
        /// Runs of each program that are counted
        #[arg(long, default_value_t = 20)]
        rounds: usize,
    },
    /// Compare the embedded engine with dockerd, podman, runc, bubblewrap and a bare program: time and memory
    Engine {
        /// Runs of each program that are counted
        #[arg(long, default_value_t = 20)]
        rounds: usize,
        /// Print these tables alone
        #[arg(long, value_delimiter = ',', value_enum, default_values_t = engine::Table::ALL)]
        only: Vec<engine::Table>,
    },
}

fn main() -> anyhow::Result<()> {
    let root = project_root();
    match Arguments::parse().task {
        Task::Startup {
            rounds,
            baseline: None,
        } => startup::bench(&root, rounds),
        Task::Startup {
            rounds,
            baseline: Some(baseline),
        } => startup::compare(&root, &baseline, rounds),
        Task::Size { baseline } => size::measure(&root, baseline.as_deref()),
        Task::Run { rounds } => run::bench(&root, rounds),
        Task::Engine { rounds, only } => engine::bench(&root, rounds, &only),
    }
}

/// The directory of the workspace, two above this package's.
fn project_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
