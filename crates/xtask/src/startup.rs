//! Start-up: what finding a command by name adds to an empty program, for ten to ten thousand commands.
//!
//! The programs are generated and built here with the flags and the profile that `tool` is built with, because a
//! registry is filled by the linker: a number of commands is a different executable each time.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::programs::{CLAP, Programs};
use crate::revision::Revision;
use crate::stats::{Series, milliseconds};
use crate::timing::{Subject, in_turn};

/// Numbers of commands that are compared.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];
/// Those that are compared with another commit.
const COMPARED: [usize; 3] = [10, 100, 1_000];

/// Generates and builds the programs, times them in turn and prints the table.
pub(crate) fn bench(root: &Path, rounds: usize) -> anyhow::Result<()> {
    let programs = build(root)?;
    let mut subjects = vec![
        Subject::new("empty program, static", programs.path("empty")?),
        Subject::new("empty program, dynamic", dynamic_empty(&programs)?),
        Subject::new("tool, a no-op command beside run", programs.path("host")?).args(["noop"]),
        Subject::new("tool --version", crate::tool::build(root, "tool", "tool")?)
            .args(["--version"]),
    ];
    for size in SIZES {
        subjects.push(
            Subject::new(
                format!("byname, {size} commands"),
                programs.path(&format!("byname-{size}"))?,
            )
            .args([last(size)]),
        );
    }
    for size in SIZES {
        subjects.push(
            Subject::new(
                format!("clap, {size} subcommands"),
                programs.path(&format!("clap-{size}"))?,
            )
            .args([last(size)]),
        );
    }
    match Command::new("docker").arg("--version").output() {
        Ok(output) if output.status.success() => {
            let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            subjects
                .push(Subject::new(format!("{version} (--version)"), "docker").args(["--version"]));
        }
        _ => println!("left out: the docker CLI, which is not installed\n"),
    }
    let times = in_turn(&subjects, rounds)?;
    print_table(&subjects, &times);
    Ok(())
}

/// Prints each program's times and its ratio to the empty program that is linked as it is: the first one.
fn print_table(subjects: &[Subject], times: &[Series]) {
    println!("| program | min ms | median ms | to the empty program |");
    println!("| --- | ---: | ---: | ---: |");
    for (subject, series) in subjects.iter().zip(times) {
        println!(
            "| {} | {} | {} | {:.2} |",
            subject.name,
            milliseconds(series.minimum()),
            milliseconds(series.median()),
            series.ratio_to(&times[0]),
        );
    }
}

/// The name of the last of `size` generated commands, the one that is called.
fn last(size: usize) -> String {
    format!("noop-{}", size - 1)
}

/// Writes and builds the programs that are compared.
fn build(root: &Path) -> anyhow::Result<Programs> {
    let mut programs = Programs::new(root, root.join("target/bench-startup"))?;
    programs.add("empty", "", "fn main() {}\n")?;
    let byname = byname(root);
    let run = format!(
        "{byname}run = {{ path = \"{}/plugins/run\" }}\n",
        root.display()
    );
    let host = format!("use run as _;\n{}", registered(root, ["noop".to_owned()])?);
    programs.add("host", &run, &host)?;
    for size in SIZES {
        let main = registered(root, names(size))?;
        programs.add(&format!("byname-{size}"), &byname, &main)?;
        programs.add(&format!("clap-{size}"), CLAP, &subcommands(size))?;
    }
    programs.build()?;
    Ok(programs)
}

/// An empty program as `cargo new` and a plain `cargo build --release` would link it.
fn dynamic_empty(programs: &Programs) -> anyhow::Result<PathBuf> {
    let output = programs.directory().join("target/empty-dynamic");
    let status = Command::new("rustc")
        .args(["--edition", "2024", "-O", "-C", "strip=symbols", "-o"])
        .arg(&output)
        .arg(programs.directory().join("empty/src/main.rs"))
        .status()
        .context("cannot start rustc")?;
    if !status.success() {
        bail!("the empty program does not build: {status}");
    }
    crate::tool::installed(&output)
}

/// Times byname of this tree and of another commit in turn, from the start of the process to a handler that does nothing
/// and back, and prints the table.
pub(crate) fn compare(root: &Path, baseline: &str, rounds: usize) -> anyhow::Result<()> {
    let revision = Revision::check_out(root, baseline)?;
    let mut subjects = Vec::new();
    let mut empty = Programs::new(root, root.join("target/bench-startup-empty"))?;
    empty.add("empty", "", "fn main() {}\n")?;
    empty.build()?;
    subjects.push(Subject::new("empty program", empty.path("empty")?));
    for (tree, label, directory) in [
        (
            revision.directory(),
            revision.name(),
            "target/bench-startup-before",
        ),
        (root, "this tree", "target/bench-startup-now"),
    ] {
        let mut programs = Programs::new(tree, root.join(directory))?;
        for size in COMPARED {
            let main = registered(tree, names(size))?;
            programs.add(&format!("byname-{size}"), &byname(tree), &main)?;
        }
        programs.build()?;
        for size in COMPARED {
            let program = programs.path(&format!("byname-{size}"))?;
            let name = format!("{size} commands, {label}");
            subjects.push(Subject::new(name, program).args([last(size)]));
        }
    }
    let times = in_turn(&subjects, rounds)?;
    println!("| program | min ms | median ms | to the commit before |");
    println!("| --- | ---: | ---: | ---: |");
    for (at, (subject, series)) in subjects.iter().zip(&times).enumerate() {
        let before = at.checked_sub(COMPARED.len()).filter(|&before| before > 0);
        println!(
            "| {} | {} | {} | {} |",
            subject.name,
            milliseconds(series.minimum()),
            milliseconds(series.median()),
            before.map_or_else(String::new, |before| format!(
                "{:.2}",
                series.ratio_to(&times[before])
            )),
        );
    }
    Ok(())
}

fn byname(tree: &Path) -> String {
    format!(
        "byname = {{ path = \"{}/crates/byname\" }}\n",
        tree.display()
    )
}

fn names(size: usize) -> impl Iterator<Item = String> {
    (0..size).map(|number| format!("noop-{number}"))
}

/// A host whose registry holds one command that does nothing for each of `names`, for byname as it is in that tree.
fn registered(tree: &Path, names: impl IntoIterator<Item = String>) -> anyhow::Result<String> {
    let source = tree.join("crates/byname/src/command.rs");
    let source =
        fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    // What it was called before the first release.
    let macro_name = match source.contains("macro_rules! register") {
        true => "register",
        false => "submit",
    };
    let mut main = String::from(
        "use byname::{Command, Context, Dispatcher, ExitStatus};\n\n\
         fn noop(_: &mut Context) -> anyhow::Result<ExitStatus> {\n    Ok(ExitStatus::Success)\n}\n\n",
    );
    for name in names {
        writeln!(
            main,
            "byname::{macro_name}! {{ Command::new({name:?}, \"Do nothing\", noop, byname::origin!()) }}"
        )
        .expect("a String takes every write");
    }
    main.push_str("\nfn main() -> std::process::ExitCode {\n    Dispatcher::builder(\"bench\").build().main()\n}\n");
    Ok(main)
}

/// A clap program that builds `size` subcommands when it starts and is asked for one.
fn subcommands(size: usize) -> String {
    format!(
        "use clap::{{Arg, ArgAction, Command}};\n\n\
         fn main() {{\n\
         \x20   let mut root = Command::new(\"bench\").subcommand_required(true);\n\
         \x20   for number in 0..{size} {{\n\
         \x20       root = root.subcommand(\n\
         \x20           Command::new(format!(\"noop-{{number}}\"))\n\
         \x20               .about(\"Do nothing\")\n\
         \x20               .arg(Arg::new(\"quiet\").short('q').long(\"quiet\").action(ArgAction::SetTrue)),\n\
         \x20       );\n\
         \x20   }}\n\
         \x20   let matches = root.get_matches();\n\
         \x20   assert!(matches.subcommand_name().is_some());\n\
         }}\n"
    )
}
