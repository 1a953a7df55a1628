//! What a typed command costs in a binary and in a build: generated programs of one and of a hundred commands with five
//! options each, by byname and by clap's derive.

use std::fmt::Write as _;
use std::path::Path;

use crate::programs::{CLAP, Programs};
use crate::revision::Revision;

/// Commands of the larger program; the smaller one has one.
const COMMANDS: usize = 100;

/// Builds the programs from nothing and prints the table; with a baseline also byname of that commit.
pub(crate) fn measure(root: &Path, baseline: Option<&str>) -> anyhow::Result<()> {
    let revision = baseline
        .map(|name| Revision::check_out(root, name))
        .transpose()?;
    println!(
        "| program | bytes, 1 command | bytes, {COMMANDS} | bytes a command | clean build, CPU s |"
    );
    println!("| --- | ---: | ---: | ---: | ---: |");
    if let Some(revision) = &revision {
        let tree = revision.directory();
        row(root, tree, &format!("byname, {}", revision.name()), by_name)?;
    }
    row(root, root, "byname, this tree", by_name)?;
    row(root, root, "clap derive", by_derive)
}

/// Builds two programs of one kind and prints their sizes.
fn row(
    root: &Path,
    tree: &Path,
    label: &str,
    source: fn(&Path, usize) -> (String, String),
) -> anyhow::Result<()> {
    let mut programs = Programs::new(tree, root.join("target/bench-size"))?;
    for (name, count) in [("one", 1), ("many", COMMANDS)] {
        let (dependencies, main) = source(tree, count);
        programs.add(name, &dependencies, &main)?;
    }
    let time = programs.build_clean("many")?;
    programs.build()?;
    let size = |name: &str| anyhow::Ok(std::fs::metadata(programs.path(name)?)?.len());
    let (one, many) = (size("one")?, size("many")?);
    println!(
        "| {label} | {one} | {many} | {} | {:.1} |",
        (many - one) / (COMMANDS as u64 - 1),
        time.as_secs_f64()
    );
    Ok(())
}

/// The struct of a command's words, which is the same for both.
fn arguments(number: usize) -> String {
    format!(
        "#[derive(clap::Args)]\nstruct Args{number} {{\n    \
         /// First option {number}\n    #[arg(short, long)]\n    first: Option<String>,\n    \
         /// Second option {number}\n    #[arg(long)]\n    second: Vec<String>,\n    \
         /// Third option {number}\n    #[arg(long, default_value_t = {number})]\n    third: u32,\n    \
         /// Fourth option {number}\n    #[arg(long)]\n    fourth: bool,\n    \
         /// The name\n    name: String,\n}}\n\n\
         fn act{number}(args: &Args{number}) -> usize {{\n    \
         args.first.iter().chain(&args.second).map(String::len).sum::<usize>() + args.third as usize + usize::from(args.fourth) + args.name.len()\n}}\n\n"
    )
}

fn by_name(tree: &Path, count: usize) -> (String, String) {
    let mut main = String::new();
    for number in 0..count {
        main.push_str(&arguments(number));
        writeln!(
            main,
            "/// Do number {number}\n#[byname::command(\"act-{number}\")]\n\
             fn command{number}(_: &mut byname::Context, args: Args{number}) -> anyhow::Result<()> {{\n    \
             anyhow::ensure!(act{number}(&args) > 0, \"nothing\");\n    Ok(())\n}}\n"
        )
        .expect("a String takes every write");
    }
    main.push_str("fn main() -> std::process::ExitCode {\n    byname::Dispatcher::builder(\"bench\").build().main()\n}\n");
    let byname = format!(
        "byname = {{ path = \"{}/crates/byname\" }}\n{CLAP}",
        tree.display()
    );
    (byname, main)
}

fn by_derive(_: &Path, count: usize) -> (String, String) {
    let mut main = String::from("use clap::Parser as _;\n\n");
    let (mut variants, mut arms) = (String::new(), String::new());
    for number in 0..count {
        main.push_str(&arguments(number));
        writeln!(
            variants,
            "    /// Do number {number}\n    Act{number}(Args{number}),"
        )
        .expect("a String takes every write");
        writeln!(
            arms,
            "        Cli::Act{number}(args) => act{number}(&args),"
        )
        .expect("a String takes every write");
    }
    write!(
        main,
        "#[derive(clap::Parser)]\nenum Cli {{\n{variants}}}\n\n\
         fn main() {{\n    let done = match Cli::parse() {{\n{arms}    }};\n    assert!(done > 0);\n}}\n"
    )
    .expect("a String takes every write");
    (CLAP.to_owned(), main)
}
