//! The client's configuration file, `config.json`, as Docker's own client keeps it.
//!
//! Only what something here acts on is read; other keys belong to other programs that share the file.

use std::path::Path;
use std::{fs, io};

use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// What `config.json` says. Everything is optional, and so is the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[non_exhaustive]
pub struct ConfigFile {
    /// The keys that leave a container's terminal, in the words of `--detach-keys`, which overrides them.
    pub detach_keys: Option<String>,
}

impl ConfigFile {
    /// Reads `config.json` in this directory; a missing file is an empty one.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if the file can not be read, or is not JSON of the expected shape. Docker's client warns of
    /// this and goes on with an empty one.
    pub fn read(directory: &Path) -> Result<ConfigFile, Error> {
        let path = directory.join("config.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(ConfigFile::default());
            }
            Err(error) => {
                let message = format!("loading config file: open {}: {error}", path.display());
                return Err(Error::new(ErrorKind::Input, message).with_source(error));
            }
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("parsing config file ({}): {error}", path.display());
            Error::new(ErrorKind::Input, message).with_source(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &str) -> Result<ConfigFile, Error> {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("config.json"), content).expect("a file");
        ConfigFile::read(directory.path())
    }

    #[test]
    fn unknown_keys_are_other_programs_business() {
        let file =
            read(r#"{"auths": {"x": {}}, "detachKeys": "ctrl-x", "psFormat": 1}"#).expect("a file");
        assert_eq!(file.detach_keys.as_deref(), Some("ctrl-x"));
    }

    #[test]
    fn a_missing_file_is_empty() {
        let directory = tempfile::tempdir().expect("a directory");
        assert_eq!(
            ConfigFile::read(directory.path()).expect("no error"),
            ConfigFile::default()
        );
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for content in ["{", r#"{"detachKeys": 3}"#, "[]x"] {
            let error = read(content).expect_err(content);
            assert!(
                error.to_string().starts_with("parsing config file (/"),
                "{error}"
            );
            assert_eq!(error.kind(), ErrorKind::Input);
        }
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("config.json")).expect("a directory");
        let error = ConfigFile::read(directory.path()).expect_err("a directory is no file");
        assert!(
            error.to_string().starts_with("loading config file: open /"),
            "{error}"
        );
    }
}
