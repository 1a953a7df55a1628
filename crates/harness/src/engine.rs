//! Private engines.

mod dockerd;
mod embedded;
mod podman;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::api::Api;
use crate::guard::Guard;
use crate::image::Image;

/// How long an engine may take until it answers; it needs half a second on an idle machine.
const START: Duration = Duration::from_secs(60);

/// The variable that names the engine under test.
const VARIABLE: &str = "TEST_ENGINE";

/// The engines that speak the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Docker's own daemon.
    Dockerd,
    /// Podman's Docker-compatible service.
    Podman,
    /// The engine inside of `tool`, as root.
    Embedded,
    /// The engine inside of `tool`, as an ordinary user.
    Rootless,
}

impl Kind {
    /// All of them, the default first.
    pub const ALL: [Kind; 4] = [Kind::Dockerd, Kind::Podman, Kind::Embedded, Kind::Rootless];

    /// As the variable `TEST_ENGINE` names it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Dockerd => "dockerd",
            Kind::Podman => "podman",
            Kind::Embedded => "embedded",
            Kind::Rootless => "rootless",
        }
    }

    /// What its program is called.
    fn program(self) -> &'static str {
        match self {
            Kind::Embedded | Kind::Rootless => "tool",
            other => other.name(),
        }
    }

    /// The engine under test: that of the variable `TEST_ENGINE`, or else [`Kind::Dockerd`].
    ///
    /// # Panics
    /// If the variable names none.
    pub fn under_test() -> Kind {
        let Some(value) = std::env::var_os(VARIABLE) else {
            return Kind::Dockerd;
        };
        let named = Kind::ALL.into_iter().find(|kind| value == kind.name());
        named.unwrap_or_else(|| {
            let names = Kind::ALL.map(Kind::name).join(" or ");
            panic!("{VARIABLE} is {value:?}; set it to {names}, or unset it")
        })
    }
}

/// A running engine of this process's own, with the image [`BUSYBOX`](crate::BUSYBOX) in it.
///
/// It runs in its own process and mount namespace, with its own data root, run root, socket and, where the machine
/// allows, its own bridge. Dropping it kills all of that at once; so does the death of this process.
#[derive(Debug)]
pub struct Engine {
    kind: Kind,
    api: Api,
    directory: PathBuf,
    has_bridge: bool,
    // Behind the rest, because dropping it takes the directory away.
    _guard: Guard,
}

/// Why there is no engine.
#[derive(Debug)]
pub struct StartError(String);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

impl StartError {
    pub(crate) fn new(what: String) -> StartError {
        StartError(what)
    }
}

impl Engine {
    /// Starts an engine of this kind and waits until it answers.
    ///
    /// # Errors
    /// Those of [`Engine::dockerd`], [`Engine::podman`], [`Engine::embedded`] and [`Engine::rootless`].
    pub fn start(kind: Kind) -> Result<Engine, StartError> {
        match kind {
            Kind::Dockerd => Engine::dockerd(),
            Kind::Podman => Engine::podman(),
            Kind::Embedded => Engine::embedded(),
            Kind::Rootless => Engine::rootless(),
        }
    }

    /// Runs an engine's program by a guard's script, until it answers on `socket` in `directory`.
    fn launch(
        kind: Kind,
        script: &str,
        directory: PathBuf,
        arguments: &[&str],
        has_bridge: bool,
    ) -> Result<Engine, StartError> {
        let guard = Guard::start(script, &directory, arguments)
            .map_err(|error| failed("setsid (Debian: util-linux)", &error))?;
        let api = Api::new(directory.join("socket"));
        let up = guard.until(START, |_| {
            let answer = api.request("GET", "/_ping", &[], &[]).ok()?;
            (answer.status == 200).then_some(())
        });
        if up.is_none() {
            return Err(StartError(format!(
                "a {} that starts; this one said:\n{}",
                kind.name(),
                guard.log()
            )));
        }
        let engine = Engine {
            kind,
            api,
            directory,
            has_bridge,
            _guard: guard,
        };
        engine.import(&Image::busybox(), crate::BUSYBOX);
        Ok(engine)
    }

    /// Which engine this is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The socket's path.
    pub fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    /// The socket as `-H` and `DOCKER_HOST` want it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// A client for the test's own questions.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Whether containers have a network and published ports work. Without the rights to make a bridge they have none.
    pub fn has_bridge(&self) -> bool {
        self.has_bridge
    }

    /// The engine's log so far.
    pub fn log(&self) -> String {
        self._guard.log()
    }

    /// Makes an image of this engine's own from `image`, without any network.
    ///
    /// # Panics
    /// If the engine refuses it.
    #[track_caller]
    pub fn import(&self, image: &Image, reference: &str) {
        self.import_with(image, reference, &[]);
    }

    /// The same with changes to the image's configuration, as `USER 1000`.
    ///
    /// # Panics
    /// If the engine refuses it.
    #[track_caller]
    pub fn import_with(&self, image: &Image, reference: &str, changes: &[&str]) {
        // Podman would forget a tag that is apart.
        let mut path = format!("/images/create?fromSrc=-&repo={reference}");
        for change in changes {
            path.push_str(&format!("&changes={}", change.replace(' ', "%20")));
        }
        self.api
            .request(
                "POST",
                &path,
                &[("Content-Type", "application/x-tar")],
                &image.tar(),
            )
            .expect("the engine takes an image")
            .expect_success();
    }

    /// All containers with this label, running or not, as `/containers/json` lists them.
    pub fn containers(&self, label: &str) -> Vec<Value> {
        // Go's server takes braces and quotes as they are; not every other one does.
        let answer = self.api.get(&format!(
            "/containers/json?all=1&filters=%7B%22label%22:%5B%22{label}%22%5D%7D"
        ));
        answer
            .expect_success()
            .json()
            .as_array()
            .cloned()
            .unwrap_or_default()
    }

    /// What `/containers/{id}/json` says.
    #[track_caller]
    pub fn inspect(&self, container: &str) -> Value {
        self.api
            .get(&format!("/containers/{container}/json"))
            .expect_success()
            .json()
    }

    /// Removes a container, running or not; one that is gone already is fine.
    pub fn remove(&self, container: &str) {
        self.api
            .delete(&format!("/containers/{container}?force=1&v=1"));
    }

    /// Kills the engine itself with SIGKILL and nothing else, as a crash would; its containers stay until the drop.
    ///
    /// # Panics
    /// If it does not run.
    #[track_caller]
    pub fn crash(&self) {
        let pid = find_process(self.kind.program(), &self.directory).expect("the engine runs");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)
            .expect("the engine can be killed");
    }
}

/// `repository:tag` in two; the colon of a registry's port begins no tag.
pub(crate) fn split_tag(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (reference, "latest"),
    }
}

/// The process id, out here, of the engine whose program has this name and whose files are in this directory.
fn find_process(program: &str, directory: &Path) -> Option<rustix::process::Pid> {
    let socket = directory.join("socket").display().to_string();
    std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .find_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            let ours =
                name.trim() == program && String::from_utf8_lossy(&command).contains(&socket);
            ours.then(|| rustix::process::Pid::from_raw(pid)).flatten()
        })
}

/// Finds an engine's program, and sees that it can run and have an image here.
fn find(program: &str, package: &str) -> Result<PathBuf, StartError> {
    let found = crate::find_program(program)
        .ok_or_else(|| StartError(format!("{program} (Debian: {package})")))?;
    find_requirements(&format!("{program} (Debian: {package})"))?;
    Ok(found)
}

/// Sees that an engine can run and have an image here.
fn find_requirements(engine: &str) -> Result<(), StartError> {
    find_image()?;
    if !rustix::process::geteuid().is_root() {
        return Err(StartError(format!("{engine}, and to be root")));
    }
    Ok(())
}

/// Sees that an engine can have an image here.
fn find_image() -> Result<(), StartError> {
    crate::image::find_busybox()
        .map(drop)
        .ok_or_else(|| StartError(crate::image::NEEDED.into()))
}

/// An engine's directory, which its guard removes: it still can when this process is killed.
fn new_directory() -> Result<PathBuf, StartError> {
    // A socket's path has 107 bytes at most, so the directory's name is short and at the top.
    let directory = tempfile::Builder::new()
        .prefix("engine")
        .tempdir()
        .map_err(|error| failed("a temporary directory", &error))?;
    Ok(directory.keep())
}

fn failed(what: &str, error: &dyn fmt::Display) -> StartError {
    StartError(format!("{what}: {error}"))
}
