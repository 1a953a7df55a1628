//! A private `dockerd`.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Engine, Kind, StartError, failed, find, new_directory};
use crate::bridge::Bridge;

impl Engine {
    /// Starts a `dockerd` and waits until it answers.
    ///
    /// # Errors
    /// If this machine has no `dockerd` or no static busybox, if this process is not root, or if the engine does not
    /// come up; the text then holds the engine's log.
    pub fn dockerd() -> Result<Engine, StartError> {
        Engine::dockerd_with(&[])
    }

    /// Starts a `dockerd` with further arguments.
    pub(crate) fn dockerd_with(further: &[String]) -> Result<Engine, StartError> {
        let dockerd = find("dockerd", "docker.io")?;
        let directory = new_directory()?;
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
        let script = include_str!("dockerd.sh");
        Engine::launch(
            Kind::Dockerd,
            script,
            directory.clone(),
            &arguments,
            has_bridge,
        )
    }

    /// Makes a network on a bridge of its own and returns how its addresses begin, as `10.200.0`; none where this machine
    /// does not let us make bridges. It goes when the engine does.
    ///
    /// # Panics
    /// If the engine refuses.
    #[track_caller]
    pub fn create_network(&self, name: &str) -> Option<String> {
        let bridge = Bridge::claim()?;
        // For the guard, which deletes what is named there.
        let mut list = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.directory.join("bridges"))
            .expect("the engine's directory can be written to");
        writeln!(list, "{}", bridge.name).expect("a line is written");
        let body = serde_json::json!({
            "Name": name,
            "Options": {"com.docker.network.bridge.name": bridge.name},
            "IPAM": {"Config": [{"Subnet": bridge.subnet(), "Gateway": bridge.gateway()}]},
        });
        self.api()
            .post_json("/networks/create", &body)
            .expect_success();
        Some(bridge.prefix())
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
