//! The program that a container's process becomes: which file it is, and its words for the kernel.

use std::ffi::CString;
use std::io;
use std::path::{Path, PathBuf};

use libcontainer::oci_spec::runtime::Process;
use rustix::fs::{Access, AtFlags, CWD, FileType, accessat, stat};
use rustix::io::Errno;

use super::Failure;
use crate::sys;

/// A program, its arguments and its environment.
#[derive(Debug)]
pub(super) struct Program {
    name: String,
    path: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Program {
    /// Looks the program up as this process sees the file system.
    pub(super) fn find(process: &Process) -> Result<Program, Failure> {
        let arguments = process.args().as_deref().unwrap_or_default();
        let environment = process.env().as_deref().unwrap_or_default();
        let name = arguments
            .first()
            .ok_or_else(|| Failure::container("there is no program to run"))?;
        let path = if name.contains('/') {
            check(Path::new(name)).map_err(|error| match Errno::from_io_error(&error) {
                Some(Errno::NOENT | Errno::NOTDIR) => Failure::missing(name, &error),
                _ => Failure::of_program(name, &error),
            })?;
            PathBuf::from(name)
        } else {
            search(name, search_path(environment)).ok_or_else(|| Failure::not_in_path(name))?
        };
        Ok(Program {
            name: name.clone(),
            path: word(path.to_string_lossy().into_owned())?,
            arguments: words(arguments)?,
            environment: words(environment)?,
        })
    }

    /// Becomes the program; returns why not.
    pub(super) fn execute(&self) -> Failure {
        Failure::of_program(
            &self.name,
            &sys::execve(&self.path, &self.arguments, &self.environment),
        )
    }
}

fn words(words: &[String]) -> Result<Vec<CString>, Failure> {
    words.iter().cloned().map(word).collect()
}

fn word(word: String) -> Result<CString, Failure> {
    CString::new(word)
        .map_err(|error| Failure::container(format!("a word of the command: {error}")))
}

fn search_path(environment: &[String]) -> &str {
    // Of several the first counts, as getenv(3) has it.
    environment
        .iter()
        .find_map(|entry| entry.strip_prefix("PATH="))
        .unwrap_or_default()
}

/// The first file of that name that can be run. An empty entry would be the working directory, which may be anybody's to
/// write to: Docker refuses to run what is found there.
fn search(name: &str, path: &str) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    path.split(':')
        .filter(|directory| directory.starts_with('/'))
        .map(|directory| Path::new(directory).join(name))
        .find(|candidate| check(candidate).is_ok())
}

fn check(path: &Path) -> io::Result<()> {
    let found = stat(path)?;
    if FileType::from_raw_mode(found.st_mode) == FileType::Directory {
        return Err(Errno::ISDIR.into());
    }
    Ok(accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::Stage;
    use super::*;

    fn find(words: &[&str], environment: &[&str]) -> Result<Program, Failure> {
        let owned =
            |words: &[&str]| -> Vec<String> { words.iter().map(|&word| word.to_owned()).collect() };
        let mut process = Process::default();
        process
            .set_args(Some(owned(words)))
            .set_env(Some(owned(environment)));
        Program::find(&process)
    }

    #[test]
    fn programs_are_looked_for_as_docker_does() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = |name: &str| directory.path().join(name);
        for (name, mode) in [("plain", 0o644), ("program", 0o755)] {
            fs::write(place(name), "#!/bin/sh\n").expect("a file");
            fs::set_permissions(place(name), fs::Permissions::from_mode(mode)).expect("a mode");
        }
        fs::create_dir_all(place("first/program")).expect("a directory");
        let path = format!("PATH=relative::{0}/first:{0}", directory.path().display());
        let full = |name: &str| place(name).to_string_lossy().into_owned();

        // A directory of that name is passed over.
        let found = find(&["program", "x"], &["A=b", &path]).expect("a program");
        assert_eq!(found.path.to_str(), Ok(full("program").as_str()));
        assert_eq!(found.arguments.len(), 2);
        assert!(find(&[&full("program")], &[]).is_ok());

        for (name, stage, end) in [
            (
                "missing".to_owned(),
                Stage::NotFound,
                "executable file not found in $PATH",
            ),
            // What cannot be run is as if it were not there, if it is looked for.
            (
                "plain".to_owned(),
                Stage::NotFound,
                "executable file not found in $PATH",
            ),
            (
                String::new(),
                Stage::NotFound,
                "executable file not found in $PATH",
            ),
            (full("plain"), Stage::NotExecutable, "permission denied"),
            (full("first"), Stage::NotExecutable, "is a directory"),
            (
                full("missing"),
                Stage::NotFound,
                "no such file or directory",
            ),
            (full("plain/below"), Stage::NotFound, "not a directory"),
        ] {
            let failure = find(&[&name], &[&path]).expect_err("nothing to run");
            assert_eq!(failure.stage, stage, "{failure}");
            assert!(
                failure.message.starts_with(&format!("exec: {name:?}: "))
                    && failure.message.ends_with(end),
                "{failure}"
            );
        }
        let failure = find(&["program"], &[]).expect_err("nowhere to look");
        assert_eq!(failure.stage, Stage::NotFound);
    }
}
