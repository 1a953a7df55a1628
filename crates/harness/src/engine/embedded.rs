//! A private `tool engine serve`: the embedded engine of the program under test.

use std::path::PathBuf;

use super::{Engine, Kind, StartError, find_image, find_requirements, new_directory};

impl Engine {
    /// Starts the engine inside of `tool` with a root and a socket of its own and waits until it answers.
    ///
    /// The program is the one that cargo built beside the running test, so only tests of the package `tool` have it.
    ///
    /// # Errors
    /// If this machine has no static busybox, if there is no such program, if this process is not root, or if the engine
    /// does not come up; the text then holds its log.
    pub fn embedded() -> Result<Engine, StartError> {
        find_requirements("tool engine serve")?;
        serve(Kind::Embedded, include_str!("embedded.sh"))
    }

    /// The same as an ordinary user, which this process has to be.
    ///
    /// # Errors
    /// As [`Engine::embedded`], but that this process must not be root.
    pub fn rootless() -> Result<Engine, StartError> {
        find_image()?;
        if rustix::process::geteuid().is_root() {
            return Err(StartError::new(
                "an ordinary user (tests/ordinary-user.sh makes one)".into(),
            ));
        }
        serve(Kind::Rootless, include_str!("rootless.sh"))
    }
}

fn serve(kind: Kind, script: &str) -> Result<Engine, StartError> {
    let tool = find_tool().ok_or_else(|| {
        StartError::new("the program tool beside this one (cargo build -p tool)".into())
    })?;
    let directory = new_directory()?;
    let path = |file: &str| directory.join(file).to_string_lossy().into_owned();
    let root = path("root");
    let arguments = [
        tool.to_str().unwrap_or("tool"),
        "-H",
        &format!("embedded://{root}"),
        "engine",
        "serve",
        "--socket",
        &path("socket"),
    ];
    Engine::launch(kind, script, directory.clone(), &arguments, true)
}

/// The program `tool` of the build that the running test is of: tests are in `deps/` beside it.
fn find_tool() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let tool = test.parent()?.parent()?.join("tool");
    tool.is_file().then_some(tool)
}
