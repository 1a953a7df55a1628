//! The file of `--cidfile`, which receives the container's ID.

use std::fs::{self, File};
use std::io::{self, Write};

use engine_client::os_text;

/// A file that is there from before the container is created, so that two runs cannot both have it, and gets the ID
/// once there is one. Without an ID it is removed again.
#[derive(Debug)]
pub(crate) struct ContainerIdFile {
    path: String,
    file: File,
    is_written: bool,
}

impl ContainerIdFile {
    /// Makes the file. The error is complete.
    pub(crate) fn create(path: &str) -> Result<ContainerIdFile, String> {
        match File::create_new(path) {
            Ok(file) => Ok(ContainerIdFile {
                path: path.to_owned(),
                file,
                is_written: false,
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(format!(
                "container ID file found, make sure the other container isn't running or delete {path}"
            )),
            Err(error) => Err(format!(
                "failed to create the container ID file: open {path}: {}",
                os_text(&error)
            )),
        }
    }

    /// Writes the ID, without a line end. The error is complete.
    pub(crate) fn write(&mut self, id: &str) -> Result<(), String> {
        self.file.write_all(id.as_bytes()).map_err(|error| {
            format!(
                "failed to write the container ID to the file: write {}: {}",
                self.path,
                os_text(&error)
            )
        })?;
        self.is_written = true;
        Ok(())
    }
}

impl Drop for ContainerIdFile {
    fn drop(&mut self) {
        if !self.is_written
            && let Err(error) = fs::remove_file(&self.path)
        {
            log::debug!("cannot remove the container ID file {}: {error}", self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_directory(directory: &tempfile::TempDir, name: &str) -> String {
        directory.path().join(name).to_str().unwrap().to_owned()
    }

    #[test]
    fn the_id_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = in_directory(&directory, "id");
        let mut file = ContainerIdFile::create(&path).unwrap();
        file.write("0123abc").unwrap();
        drop(file);
        assert_eq!(fs::read_to_string(&path).unwrap(), "0123abc");
    }

    #[test]
    fn without_an_id_the_file_goes() {
        let directory = tempfile::tempdir().unwrap();
        let path = in_directory(&directory, "id");
        drop(ContainerIdFile::create(&path).unwrap());
        assert!(!fs::exists(&path).unwrap());
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = in_directory(&directory, "id");
        fs::write(&path, "another").unwrap();
        let message = ContainerIdFile::create(&path).unwrap_err();
        assert_eq!(
            message,
            format!(
                "container ID file found, make sure the other container isn't running or delete {path}"
            )
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "another");
    }

    #[test]
    fn a_directory_that_is_missing_is_named() {
        let message = ContainerIdFile::create("/nonexistent/id").unwrap_err();
        assert_eq!(
            message,
            "failed to create the container ID file: open /nonexistent/id: no such file or directory"
        );
    }
}
