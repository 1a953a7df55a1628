//! Finds and reads the client's configuration.

use std::io::Write;
use std::path::PathBuf;

use byname::Context;
use engine_client::ConfigFile;

use crate::globals::GlobalOptions;

/// Reads the configuration file once a command asks for it. What is wrong in it is warned of and left out: another
/// program's mistake in a shared file shall not keep containers from running.
pub(crate) fn read(cx: &Context) -> anyhow::Result<ConfigFile> {
    let Some(directory) = directory(cx) else {
        return Ok(ConfigFile::default());
    };
    let (file, errors) = ConfigFile::read(&directory);
    for error in errors {
        // Without a standard error the warning reaches nobody, and that is no reason to fail either.
        let _ = writeln!(
            cx.streams().err.clone(),
            "WARNING: Error {}",
            terminal::printable_lines(&error.to_string())
        );
    }
    Ok(file)
}

/// `--config`, else `DOCKER_CONFIG`, else `.docker` in the home directory; `None` if there is no home directory.
pub(crate) fn directory(cx: &Context) -> Option<PathBuf> {
    let set = |name| {
        cx.environment()
            .get(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    cx.globals::<GlobalOptions>()
        .and_then(|globals| globals.config.clone())
        .or_else(|| set("DOCKER_CONFIG"))
        .or_else(|| set("HOME").map(|home| home.join(".docker")))
}
