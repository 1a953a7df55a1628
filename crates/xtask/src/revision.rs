//! Another commit of this project, to measure against: a worktree that is removed again.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

/// A commit that is checked out in a directory of its own.
pub(crate) struct Revision {
    root: PathBuf,
    name: String,
    directory: PathBuf,
}

impl Revision {
    /// Checks out what `name` names below the project's target directory.
    pub(crate) fn check_out(root: &Path, name: &str) -> anyhow::Result<Revision> {
        let commit = git(
            root,
            &[
                "rev-parse",
                "--verify",
                "--short=12",
                &format!("{name}^{{commit}}"),
            ],
        )?;
        let directory = root.join("target/baseline").join(&commit);
        // What an interrupted run left.
        if directory.exists() {
            let path = directory.to_string_lossy();
            git(root, &["worktree", "remove", "--force", &path])?;
        }
        let path = directory.to_string_lossy();
        git(
            root,
            &["worktree", "add", "--quiet", "--detach", &path, &commit],
        )?;
        Ok(Revision {
            root: root.to_owned(),
            name: commit,
            directory,
        })
    }

    /// The root of its tree.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The commit's abbreviated hash.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Revision {
    fn drop(&mut self) {
        let path = self.directory.to_string_lossy();
        if let Err(error) = git(&self.root, &["worktree", "remove", "--force", &path]) {
            eprintln!("{} is left: {error}", self.directory.display());
        }
    }
}

/// Runs git and returns its output without the line end.
fn git(root: &Path, words: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("git")
        .args(words)
        .current_dir(root)
        .output()
        .context("cannot start git")?;
    ensure!(
        output.status.success(),
        "git {}: {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let text = String::from_utf8(output.stdout).context("git printed no text")?;
    Ok(text.trim().to_owned())
}
