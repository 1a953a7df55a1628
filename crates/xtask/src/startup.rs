//! Start-up: what finding a command by name adds to an empty program, for ten to ten thousand commands.
//!
//! The programs are generated and built here with the flags and the profile that `tool` is built with, because a
//! registry is filled by the linker: a number of commands is a different executable each time.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::stats::{Series, milliseconds};
use crate::timing::{Subject, in_turn};

/// Numbers of commands that are compared.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// Generates and builds the programs, times them in turn and prints the table.
pub(crate) fn bench(root: &Path, rounds: usize) -> anyhow::Result<()> {
    let programs = Programs::build(root)?;
    let mut subjects = vec![
        Subject::new("empty program, static", programs.path("empty")?),
        Subject::new("empty program, dynamic", programs.dynamic_empty()?),
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

/// The generated workspace and where its executables are.
struct Programs {
    directory: PathBuf,
    executables: PathBuf,
}

impl Programs {
    /// Writes the workspace below the project's target directory and builds it in release mode.
    fn build(root: &Path) -> anyhow::Result<Self> {
        let directory = root.join("target/bench-startup");
        let mut members = Vec::new();
        let mut package = |name: &str, dependencies: &str, main: &str| -> anyhow::Result<()> {
            members.push(format!("{name:?}"));
            write_package(&directory.join(name), name, dependencies, main)
        };
        let crates = root.display();
        let byname = format!("byname = {{ path = \"{crates}/crates/byname\" }}\n");
        package("empty", "", "fn main() {}\n")?;
        let run = format!("{byname}run = {{ path = \"{crates}/plugins/run\" }}\n");
        package(
            "host",
            &run,
            &format!("use run as _;\n{}", registered(["noop".to_owned()])),
        )?;
        let clap = "clap = { version = \"4.6\", default-features = false, features = [\"std\", \"help\", \"usage\", \"error-context\", \"suggestions\", \"string\"] }\n";
        for size in SIZES {
            let names = (0..size).map(|number| format!("noop-{number}"));
            package(&format!("byname-{size}"), &byname, &registered(names))?;
            package(&format!("clap-{size}"), clap, &subcommands(size))?;
        }
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[profile.release]\nlto = \"fat\"\ncodegen-units = 1\nstrip = true\n",
            members.join(", ")
        );
        write_if_changed(&directory.join("Cargo.toml"), &manifest)?;
        fs::copy(root.join("Cargo.lock"), directory.join("Cargo.lock"))
            .context("cannot copy Cargo.lock")?;
        println!(
            "building {} programs in {}\n",
            members.len(),
            directory.display()
        );
        // The directory lies below the project's, so cargo applies the project's flags from .cargo/config.toml.
        let status = Command::new(env!("CARGO"))
            .args([
                "build",
                "--release",
                "--quiet",
                "--offline",
                "--workspace",
                "--target-dir",
            ])
            .arg(directory.join("target"))
            .current_dir(&directory)
            .status()
            .context("cannot start cargo")?;
        ensure!(
            status.success(),
            "the generated programs do not build: {status}"
        );
        let executables = crate::tool::release_directory(&directory.join("target"))?;
        Ok(Self {
            directory,
            executables,
        })
    }

    fn path(&self, name: &str) -> anyhow::Result<PathBuf> {
        crate::tool::installed(&self.executables.join(name))
    }

    /// An empty program as `cargo new` and a plain `cargo build --release` would link it.
    fn dynamic_empty(&self) -> anyhow::Result<PathBuf> {
        let output = self.directory.join("target/empty-dynamic");
        let status = Command::new("rustc")
            .args(["--edition", "2024", "-O", "-C", "strip=symbols", "-o"])
            .arg(&output)
            .arg(self.directory.join("empty/src/main.rs"))
            .status()
            .context("cannot start rustc")?;
        if !status.success() {
            bail!("the empty program does not build: {status}");
        }
        crate::tool::installed(&output)
    }
}

/// A host whose registry holds one command that does nothing for each of `names`.
fn registered(names: impl IntoIterator<Item = String>) -> String {
    let mut main = String::from(
        "use byname::{Command, Context, Dispatcher, ExitStatus};\n\n\
         fn noop(_: &mut Context) -> anyhow::Result<ExitStatus> {\n    Ok(ExitStatus::Success)\n}\n\n",
    );
    for name in names {
        writeln!(
            main,
            "byname::register! {{ Command::new({name:?}, \"Do nothing\", noop, byname::origin!()) }}"
        )
        .expect("a String takes every write");
    }
    main.push_str("\nfn main() -> std::process::ExitCode {\n    Dispatcher::builder(\"bench\").build().main()\n}\n");
    main
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

fn write_package(
    directory: &Path,
    name: &str,
    dependencies: &str,
    main: &str,
) -> anyhow::Result<()> {
    let manifest = format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n{}{dependencies}",
        if dependencies.contains("byname") {
            "anyhow = \"1\"\n"
        } else {
            ""
        },
    );
    write_if_changed(&directory.join("Cargo.toml"), &manifest)?;
    write_if_changed(&directory.join("src/main.rs"), main)
}

/// Leaves a file alone that already says the same, so that cargo does not build it again.
fn write_if_changed(path: &Path, text: &str) -> anyhow::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
