//! A private engine.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::api::Api;
use crate::bridge::Bridge;
use crate::guard::Guard;
use crate::image::Image;

/// How long an engine may take until it answers; it needs half a second on an idle machine.
const START: Duration = Duration::from_secs(60);

/// A running `dockerd` of this process's own, with the image [`BUSYBOX`](crate::BUSYBOX) in it.
///
/// It runs in its own process and mount namespace, with its own data root, exec root, socket, control groups and, where
/// the machine allows, its own bridge. Dropping it kills all of that at once; so does the death of this process.
#[derive(Debug)]
pub struct Engine {
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
    /// Starts a `dockerd` and waits until it answers.
    ///
    /// # Errors
    /// If this machine has no `dockerd` or no static busybox, if this process is not root, or if the engine does not come up; the text then
    /// holds the engine's log.
    pub fn dockerd() -> Result<Engine, StartError> {
        Engine::dockerd_with(&[])
    }

    /// Starts a `dockerd` with further arguments.
    pub(crate) fn dockerd_with(further: &[String]) -> Result<Engine, StartError> {
        let dockerd = crate::find_program("dockerd")
            .ok_or_else(|| StartError("dockerd (Debian: docker.io)".into()))?;
        crate::image::find_busybox().ok_or_else(|| StartError(crate::image::NEEDED.into()))?;
        if !rustix::process::geteuid().is_root() {
            return Err(StartError(
                "dockerd (Debian: docker.io), and to be root".into(),
            ));
        }
        let failed = |what: &str, error: &dyn fmt::Display| StartError(format!("{what}: {error}"));
        // A socket's path has 107 bytes at most, so the directory's name is short and at the top.
        let directory = tempfile::Builder::new()
            .prefix("engine")
            .tempdir()
            .map_err(|error| failed("a temporary directory", &error))?
            // The guard removes it, which it still can when this process is killed.
            .keep();

        let bridge = Bridge::claim();
        let has_bridge = bridge.is_some();
        let name = bridge.map_or_else(unbridged_name, |bridge| bridge.name);
        let path = |file: &str| directory.join(file).to_string_lossy().into_owned();
        let socket = path("socket");
        let arguments = [
            name.as_str(),
            dockerd.to_str().unwrap_or("dockerd"),
            "--data-root",
            &path("data"),
            "--exec-root",
            &path("exec"),
            "--pidfile",
            &path("pid"),
            "--config-file",
            &path("daemon.json"),
            "--host",
            &format!("unix://{socket}"),
            "--bridge",
            if has_bridge { &name } else { "none" },
            "--iptables=false",
            "--ip-forward=false",
            "--exec-opt",
            "native.cgroupdriver=cgroupfs",
            "--cgroup-parent",
            &format!("/{name}"),
        ];
        let further = further.iter().map(String::as_str);
        let arguments: Vec<&str> = arguments.into_iter().chain(further).collect();
        std::fs::write(directory.join("daemon.json"), "{}")
            .map_err(|error| failed("daemon.json", &error))?;
        let guard = Guard::start(include_str!("engine/dockerd.sh"), &directory, &arguments)
            .map_err(|error| failed("setsid (Debian: util-linux)", &error))?;

        let api = Api::new(&socket);
        let up = guard.until(START, |_| {
            let answer = api.request("GET", "/_ping", &[], &[]).ok()?;
            (answer.status == 200).then_some(())
        });
        if up.is_none() {
            return Err(StartError(format!(
                "a dockerd that starts; this one said:\n{}",
                guard.log()
            )));
        }
        let engine = Engine {
            api,
            directory,
            has_bridge,
            _guard: guard,
        };
        engine.import(&Image::busybox(), crate::BUSYBOX);
        Ok(engine)
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
        let (repository, tag) = split_tag(reference);
        let path = format!("/images/create?fromSrc=-&repo={repository}&tag={tag}");
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
        let answer = self.api.get(&format!(
            "/containers/json?all=1&filters={{\"label\":[\"{label}\"]}}"
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

    /// Kills `dockerd` itself with SIGKILL and nothing else, as a crash would; its containers stay until the drop.
    ///
    /// # Panics
    /// If it does not run.
    #[track_caller]
    pub fn crash(&self) {
        let pid = find_process(&self.directory).expect("dockerd runs");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL)
            .expect("dockerd can be killed");
    }
}

/// A name for the belongings of an engine that has no bridge.
fn unbridged_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "tb-{}-{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// `repository:tag` in two; the colon of a registry's port begins no tag.
pub(crate) fn split_tag(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (reference, "latest"),
    }
}

/// The process id, out here, of the dockerd whose files are in this directory.
fn find_process(directory: &Path) -> Option<rustix::process::Pid> {
    let data_root = directory.join("data").to_string_lossy().into_owned();
    std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .find_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let name = std::fs::read_to_string(entry.path().join("comm")).ok()?;
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            let ours =
                name.trim() == "dockerd" && String::from_utf8_lossy(&command).contains(&data_root);
            ours.then(|| rustix::process::Pid::from_raw(pid)).flatten()
        })
}
