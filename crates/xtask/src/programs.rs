//! Generated programs: a workspace below the project's target directory, built with the flags and the profile of `tool`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

/// What a generated program depends on, as lines of a manifest.
pub(crate) const CLAP: &str = "clap = { version = \"4.6\", default-features = false, features = [\"std\", \"derive\", \"help\", \"usage\", \"error-context\", \"suggestions\", \"string\"] }\n";

/// A workspace of generated programs.
pub(crate) struct Programs {
    directory: PathBuf,
    members: Vec<String>,
}

impl Programs {
    /// An empty workspace in that directory, which lies below the project's so that cargo applies the project's flags from
    /// `.cargo/config.toml`. Versions of crates are those that the `Cargo.lock` of `root` has.
    pub(crate) fn new(root: &Path, directory: PathBuf) -> anyhow::Result<Programs> {
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        fs::copy(root.join("Cargo.lock"), directory.join("Cargo.lock"))
            .context("cannot copy Cargo.lock")?;
        Ok(Programs {
            directory,
            members: Vec::new(),
        })
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Adds a program. `dependencies` are lines of its manifest.
    pub(crate) fn add(&mut self, name: &str, dependencies: &str, main: &str) -> anyhow::Result<()> {
        let anyhow = match dependencies.contains("byname") {
            true => "anyhow = \"1\"\n",
            false => "",
        };
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n[dependencies]\n{anyhow}{dependencies}"
        );
        let package = self.directory.join(name);
        write_if_changed(&package.join("Cargo.toml"), &manifest)?;
        write_if_changed(&package.join("src/main.rs"), main)?;
        self.members.push(name.to_owned());
        Ok(())
    }

    /// Builds all programs in release mode.
    pub(crate) fn build(&self) -> anyhow::Result<()> {
        self.write_manifest()?;
        println!(
            "building {} programs in {}\n",
            self.members.len(),
            self.directory.display()
        );
        self.cargo(&["--workspace"])
    }

    /// Builds one program and all that it depends on from nothing, and says how much time of processors that took.
    pub(crate) fn build_clean(&self, name: &str) -> anyhow::Result<Duration> {
        self.write_manifest()?;
        let target = self.directory.join("target");
        if target.exists() {
            fs::remove_dir_all(&target)
                .with_context(|| format!("cannot remove {}", target.display()))?;
        }
        let before = time_of_children()?;
        self.cargo(&["--package", name])?;
        Ok(time_of_children()?.saturating_sub(before))
    }

    fn write_manifest(&self) -> anyhow::Result<()> {
        let members: Vec<String> = self
            .members
            .iter()
            .map(|member| format!("{member:?}"))
            .collect();
        let manifest = format!(
            "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[profile.release]\nlto = \"fat\"\ncodegen-units = 1\nstrip = true\n",
            members.join(", ")
        );
        write_if_changed(&self.directory.join("Cargo.toml"), &manifest)
    }

    fn cargo(&self, packages: &[&str]) -> anyhow::Result<()> {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "--offline"])
            .args(packages)
            .arg("--target-dir")
            .arg(self.directory.join("target"))
            .current_dir(&self.directory)
            .status()
            .context("cannot start cargo")?;
        ensure!(
            status.success(),
            "the generated programs do not build: {status}"
        );
        Ok(())
    }

    /// An installed copy of a program that is built.
    pub(crate) fn path(&self, name: &str) -> anyhow::Result<PathBuf> {
        let executables = crate::tool::release_directory(&self.directory.join("target"))?;
        crate::tool::installed(&executables.join(name))
    }
}

/// The time of processors that all children of this process have taken that have ended, and those of theirs.
fn time_of_children() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    // The program's name may have spaces; behind it begins the third field. `cutime` and `cstime` are 16 and 17.
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat is cut")?;
    let ticks: u64 = fields
        .split_whitespace()
        .skip(13)
        .take(2)
        .map(|field| field.parse::<u64>().unwrap_or_default())
        .sum();
    let of_a_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / of_a_second as f64))
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
