//! Which namespaces a container has for itself, shares with the machine or joins.

use std::path::PathBuf;

use bollard_stubs::models::{HostConfig, HostConfigCgroupnsModeEnum};
use libcontainer::oci_spec::runtime::{LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType};

use crate::{Error, Result};

/// Namespaces that exist already, as paths like `/proc/PID/ns/net`: those of the container that a mode
/// `container:NAME` names, and a network that was made before the container.
#[derive(Clone, Debug, Default)]
pub struct Existing {
    /// For `--pid container:NAME`.
    pub pid: Option<PathBuf>,
    /// For `--ipc container:NAME`.
    pub ipc: Option<PathBuf>,
    /// For `--network container:NAME`, and for networks that are set up before the container starts.
    pub network: Option<PathBuf>,
}

/// Where one namespace of a container comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It is made for the container.
    New,
    /// It is the machine's.
    Host,
    /// It is there already.
    Path(PathBuf),
}

/// All namespaces that a request chooses; the mount namespace is always new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Namespaces {
    pub(super) pid: Source,
    pub(super) ipc: Source,
    pub(super) uts: Source,
    pub(super) network: Source,
    pub(super) cgroup: Source,
    /// There is no `/dev/shm` of its own: `--ipc none`.
    pub(super) without_shm: bool,
}

impl Namespaces {
    /// Reads the modes of a request. `unified` is whether the machine has cgroup v2 alone, where a container has a
    /// cgroup namespace by default.
    pub(super) fn of(
        host_config: &HostConfig,
        existing: &Existing,
        unified: bool,
    ) -> Result<Namespaces> {
        let mode = |mode: &Option<String>| mode.clone().unwrap_or_default();

        let pid = match mode(&host_config.pid_mode).as_str() {
            "" | "private" => Source::New,
            "host" => Source::Host,
            mode if mode.starts_with("container:") => joined(&existing.pid, "--pid", mode)?,
            mode => return Err(Error::invalid(format!("invalid PID mode: {mode}"))),
        };
        let mut without_shm = false;
        let ipc = match mode(&host_config.ipc_mode).as_str() {
            "" | "private" | "shareable" => Source::New,
            "none" => {
                without_shm = true;
                Source::New
            }
            "host" => Source::Host,
            mode if mode.starts_with("container:") => joined(&existing.ipc, "--ipc", mode)?,
            mode => return Err(Error::invalid(format!("invalid IPC mode: {mode}"))),
        };
        let uts = match mode(&host_config.uts_mode).as_str() {
            "" | "private" => Source::New,
            "host" => Source::Host,
            mode => return Err(Error::invalid(format!("invalid UTS mode: {mode}"))),
        };
        let network = match (mode(&host_config.network_mode).as_str(), &existing.network) {
            ("host", _) => Source::Host,
            (mode, network) if mode.starts_with("container:") => {
                joined(network, "--network", mode)?
            }
            (_, Some(path)) => Source::Path(path.clone()),
            (_, None) => Source::New,
        };
        match mode(&host_config.userns_mode).as_str() {
            "" | "host" => {}
            mode => {
                return Err(Error::invalid(format!(
                    "invalid user namespace mode: {mode}"
                )));
            }
        }
        let cgroup = match host_config.cgroupns_mode {
            Some(HostConfigCgroupnsModeEnum::PRIVATE) => Source::New,
            Some(HostConfigCgroupnsModeEnum::HOST) => Source::Host,
            Some(HostConfigCgroupnsModeEnum::EMPTY) | None if unified => Source::New,
            Some(HostConfigCgroupnsModeEnum::EMPTY) | None => Source::Host,
        };
        Ok(Namespaces {
            pid,
            ipc,
            uts,
            network,
            cgroup,
            without_shm,
        })
    }

    /// In the specification's form. libcontainer enters them in its own order.
    pub(super) fn to_linux(&self) -> Result<Vec<LinuxNamespace>> {
        let mut list = vec![linux(LinuxNamespaceType::Mount, None)?];
        for (kind, source) in [
            (LinuxNamespaceType::Pid, &self.pid),
            (LinuxNamespaceType::Ipc, &self.ipc),
            (LinuxNamespaceType::Uts, &self.uts),
            (LinuxNamespaceType::Network, &self.network),
            (LinuxNamespaceType::Cgroup, &self.cgroup),
        ] {
            match source {
                Source::New => list.push(linux(kind, None)?),
                Source::Host => {}
                Source::Path(path) => list.push(linux(kind, Some(path.clone()))?),
            }
        }
        Ok(list)
    }
}

fn joined(existing: &Option<PathBuf>, option: &str, mode: &str) -> Result<Source> {
    match existing {
        Some(path) => Ok(Source::Path(path.clone())),
        None => Err(Error::conflict(format!(
            "cannot join {option} {mode}: the container is not running"
        ))),
    }
}

fn linux(kind: LinuxNamespaceType, path: Option<PathBuf>) -> Result<LinuxNamespace> {
    let builder = LinuxNamespaceBuilder::default().typ(kind);
    let builder = match path {
        Some(path) => builder.path(path),
        None => builder,
    };
    builder
        .build()
        .map_err(|error| Error::system(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_has_its_own() {
        let namespaces =
            Namespaces::of(&HostConfig::default(), &Existing::default(), true).expect("namespaces");
        assert_eq!(namespaces.to_linux().expect("a list").len(), 6);
        assert_eq!(namespaces.cgroup, Source::New);
        let namespaces = Namespaces::of(&HostConfig::default(), &Existing::default(), false)
            .expect("namespaces");
        assert_eq!(namespaces.cgroup, Source::Host);
    }

    #[test]
    fn modes_choose() {
        let existing = Existing {
            pid: Some("/proc/7/ns/pid".into()),
            ipc: Some("/proc/7/ns/ipc".into()),
            network: Some("/proc/7/ns/net".into()),
        };
        let mode = |mode: &str| Some(mode.to_owned());
        let host = HostConfig {
            pid_mode: mode("host"),
            ipc_mode: mode("host"),
            uts_mode: mode("host"),
            network_mode: mode("host"),
            userns_mode: mode("host"),
            cgroupns_mode: Some(HostConfigCgroupnsModeEnum::HOST),
            ..HostConfig::default()
        };
        let namespaces = Namespaces::of(&host, &existing, true).expect("namespaces");
        assert_eq!(namespaces.to_linux().expect("a list").len(), 1, "mount");
        let container = HostConfig {
            pid_mode: mode("container:a"),
            ipc_mode: mode("container:a"),
            network_mode: mode("container:a"),
            ..HostConfig::default()
        };
        let namespaces = Namespaces::of(&container, &existing, true).expect("namespaces");
        assert_eq!(namespaces.pid, Source::Path("/proc/7/ns/pid".into()));
        let error =
            Namespaces::of(&container, &Existing::default(), true).expect_err("nothing to join");
        assert_eq!(
            error.to_string(),
            "cannot join --pid container:a: the container is not running"
        );
    }

    #[test]
    fn unknown_modes_are_named() {
        for (host_config, message) in [
            (
                HostConfig {
                    pid_mode: Some("x".to_owned()),
                    ..HostConfig::default()
                },
                "invalid PID mode: x",
            ),
            (
                HostConfig {
                    ipc_mode: Some("x".to_owned()),
                    ..HostConfig::default()
                },
                "invalid IPC mode: x",
            ),
            (
                HostConfig {
                    uts_mode: Some("x".to_owned()),
                    ..HostConfig::default()
                },
                "invalid UTS mode: x",
            ),
            (
                HostConfig {
                    userns_mode: Some("x".to_owned()),
                    ..HostConfig::default()
                },
                "invalid user namespace mode: x",
            ),
        ] {
            let error =
                Namespaces::of(&host_config, &Existing::default(), true).expect_err("no mode");
            assert_eq!(error.to_string(), message);
        }
    }
}
