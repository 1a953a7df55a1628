//! Podman as its users have it, a program without a service, with a storage and a bridge of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::timing::Subject;

/// Not one that anybody else would have.
const BRIDGE: &str = "xtask-podman";
const SUBNET: &str = "10.213.77";

/// A storage with the image in it.
pub(super) struct Podman {
    directory: PathBuf,
}

impl Podman {
    /// Makes an empty storage.
    pub(super) fn set_up(directory: &Path) -> anyhow::Result<Podman> {
        let podman = Podman {
            directory: directory.to_owned(),
        };
        let path = |name: &str| directory.join(name);
        fs::create_dir_all(path("networks"))?;
        let containers = format!(
            "[containers]\nlog_driver = \"k8s-file\"\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n\
             [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nlock_type = \"file\"\nruntime = \"runc\"\n\
             [network]\nnetwork_backend = \"cni\"\nnetwork_config_dir = \"{}\"\n",
            path("networks").display()
        );
        fs::write(path("containers.conf"), containers)?;
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
            path("root").display(),
            path("run").display()
        );
        fs::write(path("storage.conf"), storage)?;
        let registries = "[[registry]]\nlocation = \"127.0.0.1\"\ninsecure = true\n";
        fs::write(path("registries.conf"), registries)?;
        fs::write(
            path("policy.json"),
            r#"{"default":[{"type":"insecureAcceptAnything"}]}"#,
        )?;
        let network = format!(
            r#"{{"cniVersion":"0.4.0","name":"podman","plugins":[{{"type":"bridge","bridge":"{BRIDGE}","isGateway":true,
            "ipam":{{"type":"host-local","dataDir":"{}","routes":[{{"dst":"0.0.0.0/0"}}],
            "ranges":[[{{"subnet":"{SUBNET}.0/24","gateway":"{SUBNET}.1"}}]]}}}}]}}"#,
            path("leases").display()
        );
        fs::write(path("networks/podman.conflist"), network)?;
        Ok(podman)
    }

    /// The program, which is told where everything is.
    pub(super) fn subject(&self) -> Subject {
        let path = |name: &str| self.directory.join(name).into_os_string();
        Subject::new("podman", "podman")
            .env("CONTAINERS_CONF", path("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", path("storage.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", path("registries.conf"))
            .args([
                "--root".into(),
                path("root"),
                "--runroot".into(),
                path("run"),
            ])
            .args(["--tmpdir".into(), path("tmp")])
    }

    /// Loads the image from an archive.
    pub(super) fn load(&self, archive: &Path) -> anyhow::Result<()> {
        super::run(
            &self
                .subject()
                .args(["load", "--quiet", "--input"])
                .args([archive]),
        )
        .context("podman cannot load the image")
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        // What was started is ended; what cannot be is told of by the directory that stays.
        if let Ok(mut remove) = self.subject().args(["rm", "--all", "--force"]).command() {
            let _ = remove.status();
        }
        // Podman leaves its root mounted on itself.
        let _ = Command::new("umount")
            .arg(self.directory.join("root/overlay"))
            .stderr(std::process::Stdio::null())
            .status();
        let _ = Command::new("ip")
            .args(["link", "delete", BRIDGE])
            .stderr(std::process::Stdio::null())
            .status();
    }
}
