//! The release binaries that the benchmarks measure.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Builds a package's program in release mode and returns the path of an installed copy.
pub(crate) fn build(root: &Path, package: &str, program: &str) -> anyhow::Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--quiet",
            "--package",
            package,
            "--bin",
            program,
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "`{program}` does not build: {status}");
    installed(&release_directory(&target)?.join(program))
}

/// Copies a program, as installing does, and returns where the copy is.
///
/// The kernel keeps a file that was written at once in large pieces, and maps them so; one that a linker has put together
/// it maps page by page, which takes a third of a millisecond longer, and says nothing of a program in use.
pub(crate) fn installed(program: &Path) -> anyhow::Result<PathBuf> {
    let name = program.file_name().context("a program has a name")?;
    let directory = program.with_file_name("installed");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let copy = directory.join(name);
    // An old one may be running, and its pages stay as they were.
    if copy.exists() {
        std::fs::remove_file(&copy).with_context(|| format!("cannot remove {}", copy.display()))?;
    }
    std::fs::copy(program, &copy).with_context(|| format!("cannot copy to {}", copy.display()))?;
    Ok(copy)
}

/// `release/` below the directory that cargo names after the host's target.
pub(crate) fn release_directory(target: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output()
        .context("cannot start rustc")?;
    ensure!(
        output.status.success(),
        "`rustc --print host-tuple` ended with {}",
        output.status
    );
    let triple =
        String::from_utf8(output.stdout).context("`rustc --print host-tuple` printed no text")?;
    Ok(target.join(triple.trim()).join("release"))
}
