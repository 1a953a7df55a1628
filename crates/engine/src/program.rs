//! Programs of the machine that the engine starts as itself.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{MemfdFlags, memfd_create};

use crate::user_namespace::Ids;
use crate::{Error, Result};

/// Where programs of the machine lie. What PATH says counts for nothing: it may be the user's, and name a directory that
/// others write to.
const DIRECTORIES: [&str; 7] = [
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/run/current-system/sw/bin",
];

/// What PATH is for the programs themselves.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// The program of that name, if root put it where only root puts programs.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let root = root();
    DIRECTORIES
        .iter()
        .map(|directory| Path::new(directory).join(name))
        .find(|path| is_trusted(path, root))
}

fn is_trusted(path: &Path, root: u32) -> bool {
    let is_roots = |path: &Path| {
        fs::metadata(path)
            .is_ok_and(|metadata| metadata.uid() == root && metadata.mode() & 0o022 == 0)
    };
    // Links are followed, and where they end counts as much as where they lie.
    let Ok(settled) = fs::canonicalize(path) else {
        return false;
    };
    let is_executable = fs::metadata(&settled)
        .is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o111 != 0);
    is_executable
        && is_roots(&settled)
        && path.parent().is_some_and(is_roots)
        && settled.ancestors().skip(1).all(is_roots)
}

/// The number that the machine's root has here. In a user namespace 0 is the user itself; the machine's root has no number
/// there, and shows as whoever has none.
fn root() -> u32 {
    match Ids::of_this_process() {
        Ok(None) => 0,
        _ => fs::read_to_string("/proc/sys/kernel/overflowuid")
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(65534),
    }
}

/// A command without the caller's environment, which may be a user's.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Runs a program to its end with this text as its standard input.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) with what the program said, if it failed.
pub(crate) fn run(program: &Path, arguments: &[&str], input: &str) -> Result<()> {
    let failed = |error: io::Error| Error::io(format_args!("run {}", program.display()), error);
    let child = command(program)
        .args(arguments)
        .stdin(file_of(input).map_err(failed)?)
        .spawn()
        .map_err(failed)?;
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::system(format!(
        "{} {}: {}: {}",
        program.display(),
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    )))
}

/// A file that is nowhere, so that nobody has to feed a pipe while the program runs.
fn file_of(text: &str) -> io::Result<File> {
    let mut file = File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn only_roots_programs_are_found() {
        let shell = find("sh").expect("a shell");
        assert!(shell.is_absolute());
        assert_eq!(find("no-such-program"), None);
        assert_eq!(find("../bin/../../tmp/x"), None);

        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("program");
        fs::write(&program, "#!/bin/sh\n").expect("a file");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
        // Its directory may be root's, but /tmp above it is everybody's.
        assert!(!is_trusted(&program, root()));
        let link = directory.path().join("link");
        symlink("/bin/sh", &link).expect("a link");
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).expect("a mode");
        assert!(!is_trusted(&link, root()));
    }

    #[test]
    fn a_program_gets_its_input_and_says_why_it_failed() {
        let shell = find("sh").expect("a shell");
        run(&shell, &["-c", "read word; test \"$word\" = yes"], "yes\n").expect("success");
        let long = "x".repeat(1 << 20);
        run(&shell, &["-c", "test $(wc -c) = 1048576"], &long).expect("success");
        run(&shell, &["-c", "exit 0"], &long).expect("success without reading");
        let error = run(&shell, &["-c", "echo no >&2; exit 3"], "").expect_err("a failure");
        assert!(error.to_string().ends_with("exit status: 3: no"), "{error}");
    }
}
