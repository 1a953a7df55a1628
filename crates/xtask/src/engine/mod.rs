//! The embedded engine against Docker's, Podman, runc, bubblewrap and a bare program, in turn: whole command lines, pulls and
//! memory.

mod large_image;
mod podman;
mod world;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use harness::BUSYBOX;

use crate::memory;
use crate::stats::{Series, milliseconds};
use crate::timing::{Subject, in_turn, in_turn_after};
use world::{Network, Program, World};

/// How long nothing happens before a run that finds the machine idle.
const IDLE: Duration = Duration::from_secs(1);

/// Whole runs of engines that take long are fewer.
const FEW: usize = 4;

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Table {
    /// Whole command lines
    Commands,
    /// Pulls of a large image
    Pulls,
    /// Memory of detached containers
    Memory,
}

impl Table {
    pub(crate) const ALL: [Table; 3] = [Table::Commands, Table::Pulls, Table::Memory];
}

/// Starts the engines, measures, and prints tables.
pub(crate) fn bench(root: &Path, rounds: usize, tables: &[Table]) -> anyhow::Result<()> {
    let world = World::set_up(root)?;
    for table in tables {
        match table {
            Table::Commands => commands(&world, rounds)?,
            Table::Pulls => pull(&world, (rounds / FEW).max(3))?,
            Table::Memory => world.memory()?,
        }
        println!();
    }
    Ok(())
}

fn commands(world: &World, rounds: usize) -> anyhow::Result<()> {
    head(&["command", "program", "min ms", "median ms", "to tool"]);
    for network in [Network::None, Network::Host, Network::Bridge] {
        let subjects = world.runs(network);
        rows(
            &format!("run --rm --network {network} true"),
            &subjects,
            &in_turn(&subjects, rounds)?,
        );
    }
    let subjects = world.runs(Network::None);
    let rest = || {
        thread::sleep(IDLE);
        Ok(())
    };
    let idle = in_turn_after(&subjects, (rounds / FEW).max(3), rest)?;
    rows(
        "the same, network none, a second after the last",
        &subjects,
        &idle,
    );
    world.detached(rounds / 2, |name, subjects, series| {
        rows(name, subjects, series);
    })?;
    many(world, rounds)
}

/// A hundred in a row, and eight at a time.
fn many(world: &World, rounds: usize) -> anyhow::Result<()> {
    let subjects: Vec<Subject> = world.runs(Network::None);
    let engines: Vec<Subject> = subjects
        .into_iter()
        .filter(|subject| {
            Program::ENGINES
                .iter()
                .any(|engine| subject.name == engine.name())
        })
        .collect();
    let mut series = vec![Series::default(); engines.len()];
    for (subject, series) in engines.iter().zip(&mut series) {
        let start = Instant::now();
        for _ in 0..100 {
            run(subject)?;
        }
        series.push(start.elapsed());
    }
    rows(
        "run --rm --network none true, a hundred in a row",
        &engines,
        &series,
    );
    let mut series = vec![Series::default(); engines.len()];
    for _ in 0..(rounds / FEW).max(3) {
        for (subject, series) in engines.iter().zip(&mut series) {
            let start = Instant::now();
            thread::scope(|scope| {
                let all: Vec<_> = (0..8).map(|_| scope.spawn(|| run(subject))).collect();
                all.into_iter()
                    .try_for_each(|one| one.join().unwrap_or_else(|_| unreachable!("no panic")))
            })?;
            series.push(start.elapsed());
        }
    }
    rows(
        "run --rm --network none true, eight at a time",
        &engines,
        &series,
    );
    Ok(())
}

fn run(subject: &Subject) -> anyhow::Result<()> {
    let status = subject
        .command()?
        .status()
        .with_context(|| format!("cannot start {}", subject.name))?;
    ensure!(status.success(), "{} ended with {status}", subject.name);
    Ok(())
}

/// Pulls an image from a registry on this machine, into an engine that has nothing of it.
fn pull(world: &World, rounds: usize) -> anyhow::Result<()> {
    let image = large_image::LargeImage::put()?;
    println!(
        "Pulls: {:.0} MB in {} layers and {} files, {:.0} MB unpacked.\n",
        image.compressed_megabytes(),
        large_image::LAYERS,
        large_image::FILES,
        image.megabytes(),
    );
    head(&[
        "command",
        "program",
        "min ms",
        "median ms",
        "to tool",
        "peak MiB",
    ]);
    let mut all = Vec::new();
    for engine in Program::ENGINES {
        let (mut series, mut peak) = (Series::default(), 0);
        for round in 0..=rounds {
            let subject = image.pull(world, engine, round)?;
            // The disk would have to write what the pull before unpacked.
            rustix::fs::sync();
            let start = Instant::now();
            let mut child = subject.command()?.spawn()?;
            let own = memory::peak(&mut child, &subject.name)?;
            let time = start.elapsed();
            peak = peak.max(image.peak_of(world, engine, own)?);
            image.forget(world, engine, round)?;
            if round > 0 {
                series.push(time);
            }
        }
        all.push((engine, series, peak));
    }
    let [(_, ours, _), ..] = all.as_slice() else {
        unreachable!("there are several engines")
    };
    let ours = ours.clone();
    for (engine, series, peak) in all {
        println!(
            "| pull | {} | {} | {} | {:.1} | {:.1} |",
            engine.name(),
            milliseconds(series.minimum()),
            milliseconds(series.median()),
            series.ratio_to(&ours),
            mebibytes(peak),
        );
    }
    Ok(())
}

fn head(columns: &[&str]) {
    println!("| {} |", columns.join(" | "));
    let alignment = columns.iter().enumerate().map(|(number, _)| match number {
        0 | 1 => "---",
        _ => "---:",
    });
    println!("| {} |", alignment.collect::<Vec<_>>().join(" | "));
}

/// Prints a row for each program, whose times are compared with those of `tool`.
fn rows(command: &str, subjects: &[Subject], series: &[Series]) {
    let ours = subjects
        .iter()
        .zip(series)
        .find(|(subject, _)| subject.name == Program::Tool.name())
        .map(|(_, series)| series);
    for (subject, series) in subjects.iter().zip(series) {
        let ratio = ours.map_or(f64::NAN, |ours| series.ratio_to(ours));
        println!(
            "| {command} | {} | {} | {} | {ratio:.2} |",
            subject.name,
            milliseconds(series.minimum()),
            milliseconds(series.median()),
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// The image of all runs, whatever an engine calls it.
const IMAGE: &str = BUSYBOX;
