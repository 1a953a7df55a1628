//! A private Podman API service.

use rustix::process::Resource;

use super::{Engine, Kind, StartError, failed, find, new_directory};
use crate::bridge::Bridge;

impl Engine {
    /// Starts Podman's Docker-compatible service and waits until it answers.
    ///
    /// Its containers have a network, but no port of theirs is published on this machine: what would do so writes into
    /// the machine's own firewall.
    ///
    /// # Errors
    /// If this machine has no `podman` or no static busybox, if this process is not root or may not make a bridge, or if
    /// the service does not come up; the text then holds its log.
    pub fn podman() -> Result<Engine, StartError> {
        let podman = find("podman", "podman")?;
        crate::find_program("runc").ok_or_else(|| StartError::new("runc (Debian: runc)".into()))?;
        let bridge = Bridge::claim().ok_or_else(|| {
            StartError::new("podman, and the right to make a network bridge".into())
        })?;
        let directory = new_directory()?;
        let path = |file: &str| directory.join(file).to_string_lossy().into_owned();
        for (file, content) in [
            ("containers.conf", containers_conf(&path("networks"))),
            ("storage.conf", storage_conf(&path("root"), &path("run"))),
            ("registries.conf", REGISTRIES_CONF.to_owned()),
            ("networks/podman.conflist", network(&bridge)),
        ] {
            let file = directory.join(file);
            file.parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| std::fs::write(&file, content))
                .map_err(|error| failed(&file.display().to_string(), &error))?;
        }
        let arguments = [
            &bridge.name,
            "env",
            &format!("CONTAINERS_CONF={}", path("containers.conf")),
            &format!("CONTAINERS_STORAGE_CONF={}", path("storage.conf")),
            &format!("CONTAINERS_REGISTRIES_CONF={}", path("registries.conf")),
            podman.to_str().unwrap_or("podman"),
            "--root",
            &path("root"),
            "--runroot",
            &path("run"),
            "--tmpdir",
            &path("tmp"),
            "system",
            "service",
            "--time=0",
            &format!("unix://{}", path("socket")),
        ];
        let script = include_str!("podman.sh");
        Engine::launch(Kind::Podman, script, directory.clone(), &arguments, true)
    }
}

/// Registries on loopback are spoken to in plain HTTP, as `dockerd` does without being told.
const REGISTRIES_CONF: &str = r#"unqualified-search-registries = ["docker.io"]
[[registry]]
location = "127.0.0.1"
insecure = true
"#;

/// Nothing that is shared with the machine: no journal, no systemd, no shared memory for locks.
fn containers_conf(networks: &str) -> String {
    let open_files = own_limit(Resource::Nofile);
    let processes = own_limit(Resource::Nproc);
    format!(
        r#"[containers]
log_driver = "k8s-file"
# Podman asks for a million by default, more than a machine may let it have.
default_ulimits = ["nofile={open_files}:{open_files}", "nproc={processes}:{processes}"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
[network]
network_backend = "cni"
network_config_dir = "{networks}"
"#
    )
}

fn storage_conf(root: &str, run: &str) -> String {
    format!("[storage]\ndriver = \"overlay\"\ngraphroot = \"{root}\"\nrunroot = \"{run}\"\n")
}

/// The network that containers have by default, on this bridge. The bridge has its address already, so no plug-in is
/// told to be a gateway: that would switch forwarding on for the whole machine.
fn network(bridge: &Bridge) -> String {
    serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "podman",
        "plugins": [{
            "type": "bridge",
            "bridge": bridge.name,
            "isGateway": false,
            "hairpinMode": true,
            "ipam": {
                "type": "host-local",
                "routes": [{ "dst": "0.0.0.0/0" }],
                "ranges": [[{ "subnet": bridge.subnet(), "gateway": bridge.gateway() }]],
            },
        }],
    })
    .to_string()
}

/// How much of this a process may have at most; what is unlimited may be a million, as Podman has it.
fn own_limit(resource: Resource) -> u64 {
    rustix::process::getrlimit(resource)
        .maximum
        .unwrap_or(1 << 20)
}
