mod bridge;
mod namespace;
mod world;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use bollard_stubs::models::HostConfig;

use super::*;
use crate::Layout;
use namespace::Namespace;

/// An engine in a directory of the test's own, with the directory of one container.
pub(super) struct Engine {
    _directory: tempfile::TempDir,
    pub(super) layout: Layout,
}

impl Engine {
    pub(super) fn new() -> Engine {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path().join("root")).expect("a layout");
        layout.create().expect("directories");
        Engine {
            _directory: directory,
            layout,
        }
    }

    pub(super) fn prepare(&self, id: &str, body: &ContainerCreateBody) -> Result<Prepared> {
        fs::create_dir_all(self.layout.container(id)).expect("a directory");
        prepare(&self.layout, id, body)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.layout.run());
    }
}

pub(super) fn body(mode: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        hostname: Some("box".to_owned()),
        host_config: Some(HostConfig {
            network_mode: Some(mode.to_owned()),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

fn text(file: Option<&PathBuf>) -> String {
    fs::read_to_string(file.expect("a file")).expect("a file")
}

#[test]
fn without_a_network_there_is_a_loopback_interface() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let engine = Engine::new();
    let mut prepared = engine.prepare("one", &body("none")).expect("a network");
    prepared.connect(namespace.fd()).expect("a connection");
    let links = namespace.output(&["ip", "-o", "address"]);
    assert!(links.contains("inet 127.0.0.1/8"), "{links}");
    let networks = prepared.settings().networks.as_ref().expect("networks");
    assert_eq!(networks.keys().collect::<Vec<_>>(), ["none"]);
    let files = prepared.files();
    assert_eq!(text(files.hostname.as_ref()), "box\n");
    assert!(text(files.hosts.as_ref()).starts_with("127.0.0.1\tlocalhost\n"));
    assert!(!text(files.hosts.as_ref()).contains("box"));
    assert!(text(files.resolv_conf.as_ref()).contains("nameserver "));
}

#[test]
fn the_machines_network_has_the_machines_files() {
    let engine = Engine::new();
    let prepared = engine.prepare("one", &body("host")).expect("a network");
    let files = prepared.files();
    assert_eq!(
        text(files.hosts.as_ref()),
        fs::read_to_string("/etc/hosts").expect("a file")
    );
    assert_eq!(
        text(files.resolv_conf.as_ref()),
        fs::read_to_string("/etc/resolv.conf").unwrap_or_default()
    );
}

#[test]
fn another_containers_network_has_that_ones_files() {
    let engine = Engine::new();
    engine.prepare("one", &body("none")).expect("a network");
    let prepared = engine
        .prepare("two", &body("container:one"))
        .expect("a network");
    let hosts = prepared.files().hosts.as_ref().expect("a file");
    assert_eq!(*hosts, engine.layout.container("one").join("hosts"));
    assert!(
        prepared
            .settings()
            .networks
            .as_ref()
            .expect("networks")
            .is_empty()
    );
}

#[test]
fn files_are_everybodys_to_read_and_survive_a_second_start() {
    let engine = Engine::new();
    for _ in 0..2 {
        let prepared = engine.prepare("one", &body("none")).expect("a network");
        let hosts = prepared.files().hosts.as_ref().expect("a file");
        let mode = fs::metadata(hosts).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
}
