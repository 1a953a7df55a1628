//! The release binary that the benchmarks measure.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// Builds `tool` in release mode and returns its path.
pub(crate) fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--quiet",
            "--package",
            "tool",
            "--target-dir",
        ])
        .arg(&target)
        .current_dir(root)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "`tool` does not build: {status}");
    Ok(release_directory(&target)?.join("tool"))
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
