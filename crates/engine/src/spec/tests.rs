use std::collections::HashMap;
use std::fs::File;
use std::os::fd::AsFd;

use libcontainer::oci_spec::runtime::Mount;

use super::*;
use crate::user_namespace::IdRange;

/// A machine on which everything can be asked for.
struct Machine {
    directory: tempfile::TempDir,
    files: NetworkFiles,
    existing: Existing,
    mounts: Vec<MountPoint>,
    ids: Option<Ids>,
    init: Option<PathBuf>,
}

impl Machine {
    fn new() -> Machine {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("etc")).expect("a directory");
        std::fs::write(
            directory.path().join("etc/passwd"),
            "root:x:0:0::/root:\nu:x:7:8::/home/u:\n",
        )
        .expect("a file");
        Machine {
            directory,
            files: NetworkFiles {
                hosts: Some("/c/hosts".into()),
                hostname: Some("/c/hostname".into()),
                resolv_conf: Some("/c/resolv.conf".into()),
            },
            existing: Existing::default(),
            mounts: Vec::new(),
            ids: None,
            init: None,
        }
    }

    fn build(&self, host_config: HostConfig) -> Result<Built> {
        self.build_body(ContainerCreateBody {
            host_config: Some(host_config),
            ..ContainerCreateBody::default()
        })
    }

    fn build_body(&self, body: ContainerCreateBody) -> Result<Built> {
        let root = File::open(self.directory.path()).expect("the root");
        let body = ContainerCreateBody {
            hostname: Some("box".to_owned()),
            cmd: Some(vec!["true".to_owned()]),
            ..body
        };
        build(&Input {
            body: &body,
            rootfs: Path::new("/rootfs"),
            root: root.as_fd(),
            mounts: &self.mounts,
            files: &self.files,
            existing: &self.existing,
            cgroup: true,
            unified: false,
            shm: None,
            init: self.init.as_deref(),
            ids: self.ids.as_ref(),
            owns_network: self.ids.is_none(),
            available: Capabilities::all(),
            may_raise_limits: true,
        })
    }
}

fn bind(destination: &str) -> MountPoint {
    MountPoint {
        kind: MountKind::Bind,
        source: "/src".into(),
        ..MountPoint::anonymous_volume(destination)
    }
}

fn mounts(built: &Built) -> &[Mount] {
    built.spec.mounts().as_deref().expect("mounts")
}

fn at<'a>(built: &'a Built, destination: &str) -> Option<&'a Mount> {
    mounts(built)
        .iter()
        .find(|mount| mount.destination() == Path::new(destination))
}

fn options(built: &Built, destination: &str) -> String {
    at(built, destination)
        .unwrap_or_else(|| panic!("a mount at {destination}"))
        .options()
        .clone()
        .unwrap_or_default()
        .join(",")
}

#[test]
fn a_plain_container_has_docker_s_defaults() {
    let built = Machine::new()
        .build(HostConfig::default())
        .expect("a specification");
    let linux = built.spec.linux().as_ref().expect("linux");
    assert_eq!(linux.resources(), &None);
    assert_eq!(linux.seccomp(), &None);
    assert_eq!(linux.namespaces().as_ref().expect("namespaces").len(), 5);
    assert_eq!(linux.rootfs_propagation().as_deref(), Some("private"));
    let masked = linux.masked_paths().as_ref().expect("paths");
    assert!(masked.contains(&"/proc/kcore".to_owned()));
    assert_eq!(linux.readonly_paths().as_ref().expect("paths").len(), 5);
    let process = built.spec.process().as_ref().expect("a process");
    assert_eq!(process.capabilities(), &None);
    assert_eq!(process.no_new_privileges(), None);
    assert_eq!(process.rlimits(), &None);
    assert_eq!(process.cwd(), Path::new("/"));
    assert_eq!(process.user().additional_gids(), &Some(vec![0]));
    let path = format!("PATH={DEFAULT_PATH}");
    assert_eq!(
        process.env().as_ref().expect("an environment"),
        &[path, "HOSTNAME=box".to_owned(), "HOME=/root".to_owned()]
    );
    assert_eq!(built.spec.hostname().as_deref(), Some("box"));
    assert_eq!(built.seccomp, Seccomp::Builtin);
    assert_eq!(built.capabilities.bits(), 0xa804_25fb);
    assert_eq!(built.device_rules, DeviceRule::defaults());
    assert_eq!(built.working_dir, Path::new("/"));
    let places: Vec<_> = mounts(&built)
        .iter()
        .map(|mount| mount.destination().to_str().expect("text"))
        .collect();
    assert_eq!(
        places.join(" "),
        "/proc /dev /dev/pts /sys /sys/fs/cgroup /dev/mqueue /dev/shm /etc/resolv.conf /etc/hostname /etc/hosts"
    );
    for (place, expected) in [
        ("/sys", "nosuid,noexec,nodev,ro"),
        ("/sys/fs/cgroup", "nosuid,nodev,noexec,mode=755"),
        ("/dev/shm", "nosuid,noexec,nodev,mode=1777,size=67108864"),
        ("/etc/hosts", "bind"),
    ] {
        assert_eq!(options(&built, place), expected, "{place}");
    }
    assert_eq!(built.cgroup_view, Some(CgroupView { read_only: true }));
    assert!(built.warnings.is_empty());
}

#[test]
fn a_privileged_container_sees_the_machine() {
    let built = Machine::new()
        .build(HostConfig {
            privileged: Some(true),
            ..HostConfig::default()
        })
        .expect("a specification");
    let linux = built.spec.linux().as_ref().expect("linux");
    assert_eq!(linux.masked_paths(), &Some(Vec::new()));
    assert_eq!(linux.readonly_paths(), &Some(Vec::new()));
    assert_eq!(built.seccomp, Seccomp::Unconfined);
    assert_eq!(built.capabilities, Capabilities::all());
    assert!(built.device_rules.contains(&DeviceRule::ALLOW_ALL));
    assert_eq!(options(&built, "/sys"), "nosuid,noexec,nodev");
    assert_eq!(built.cgroup_view, Some(CgroupView { read_only: false }));
}

#[test]
fn system_paths_can_be_shown() {
    let built = Machine::new()
        .build(HostConfig {
            masked_paths: Some(Vec::new()),
            readonly_paths: Some(vec!["/proc/sys".to_owned()]),
            ..HostConfig::default()
        })
        .expect("a specification");
    let linux = built.spec.linux().as_ref().expect("linux");
    assert_eq!(linux.masked_paths(), &Some(Vec::new()));
    assert_eq!(linux.readonly_paths(), &Some(vec!["/proc/sys".to_owned()]));
}

#[test]
fn mounts_of_the_request_count_more_and_lie_in_order() {
    let mut machine = Machine::new();
    machine.mounts = ["/a/b/c", "/a", "/etc/hosts", "/sys", "/a/b"]
        .map(bind)
        .to_vec();
    let built = machine
        .build(HostConfig {
            readonly_rootfs: Some(true),
            tmpfs: Some(HashMap::from([(
                "/dev/shm".to_owned(),
                "size=1m".to_owned(),
            )])),
            ..HostConfig::default()
        })
        .expect("a specification");
    let position = |destination: &str| {
        mounts(&built)
            .iter()
            .position(|mount| mount.destination() == Path::new(destination))
            .expect(destination)
    };
    assert!(position("/a") < position("/a/b") && position("/a/b") < position("/a/b/c"));
    for destination in ["/etc/hosts", "/sys", "/dev/shm"] {
        let count = mounts(&built)
            .iter()
            .filter(|mount| mount.destination() == Path::new(destination))
            .count();
        assert_eq!(count, 1, "{destination}");
    }
    assert_eq!(options(&built, "/dev/shm"), "noexec,nosuid,nodev,size=1m");
    assert_eq!(options(&built, "/etc/hosts"), "rbind,rprivate");
    assert_eq!(options(&built, "/etc/hostname"), "bind,ro");
    let root = built.spec.root().as_ref().expect("a root");
    assert_eq!(root.readonly(), Some(true));
}

#[test]
fn propagation_is_for_the_starter() {
    let mut machine = Machine::new();
    machine.mounts = vec![
        bind("/a"),
        MountPoint {
            propagation: Propagation::Rslave,
            ..bind("/b")
        },
    ];
    let propagation = |built: &Built| {
        let linux = built.spec.linux().as_ref().expect("linux");
        linux.rootfs_propagation().clone()
    };
    let built = machine
        .build(HostConfig::default())
        .expect("a specification");
    assert_eq!(propagation(&built).as_deref(), Some("slave"));
    assert_eq!(built.propagation.len(), 2);
    machine.mounts.push(MountPoint {
        propagation: Propagation::Rshared,
        ..bind("/c")
    });
    let built = machine
        .build(HostConfig::default())
        .expect("a specification");
    assert_eq!(propagation(&built).as_deref(), Some("shared"));
}

#[test]
fn a_mount_over_dev_comes_last() {
    let mut machine = Machine::new();
    machine.mounts = vec![bind("/dev")];
    let built = machine
        .build(HostConfig::default())
        .expect("a specification");
    assert!(built.over_dev.is_some());
    assert_eq!(
        at(&built, "/dev").expect("a mount").typ().as_deref(),
        Some("tmpfs")
    );
    assert!(at(&built, "/dev/shm").is_none() && at(&built, "/dev/pts").is_none());
}

#[test]
fn an_init_process_goes_first() {
    let mut machine = Machine::new();
    machine.init = Some("/proc/self/exe".into());
    let built = machine
        .build(HostConfig::default())
        .expect("a specification");
    let process = built.spec.process().as_ref().expect("a process");
    let words = process.args().as_ref().expect("arguments");
    assert_eq!(words, &[INIT_PATH, "--", "true"]);
    assert_eq!(options(&built, INIT_PATH), "bind,ro");
}

#[test]
fn a_container_has_the_ids_that_there_are() {
    let mut machine = Machine::new();
    let one = IdRange {
        inside: 0,
        outside: 1000,
        size: 1,
    };
    machine.ids = Some(Ids {
        users: vec![one],
        groups: vec![one],
        setgroups: false,
    });
    let built = machine
        .build(HostConfig {
            network_mode: Some("host".to_owned()),
            ..HostConfig::default()
        })
        .expect("a specification");
    let linux = built.spec.linux().as_ref().expect("linux");
    assert_eq!(linux.uid_mappings(), &None);
    assert!(!options(&built, "/dev/pts").contains("gid"));
    assert_eq!(
        at(&built, "/sys").expect("a mount").typ().as_deref(),
        Some("bind")
    );
    let process = built.spec.process().as_ref().expect("a process");
    assert_eq!(process.user().additional_gids(), &None);
    let error = machine
        .build_body(ContainerCreateBody {
            user: Some("u".to_owned()),
            ..ContainerCreateBody::default()
        })
        .expect_err("not mapped");
    assert!(
        error.to_string().starts_with("user 7 is not mapped"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_done_is_named() {
    let machine = Machine::new();
    let none = HostConfig::default;
    for (host_config, status, part) in [
        (
            HostConfig {
                runtime: Some("kata".to_owned()),
                ..none()
            },
            400,
            "unknown or invalid runtime name: kata",
        ),
        (
            HostConfig {
                links: Some(vec!["a:b".to_owned()]),
                ..none()
            },
            501,
            "--link",
        ),
        (
            HostConfig {
                storage_opt: Some(HashMap::from([("size".to_owned(), "1G".to_owned())])),
                ..none()
            },
            501,
            "--storage-opt size",
        ),
        (
            HostConfig {
                shm_size: Some(-1),
                ..none()
            },
            400,
            "SHM size can not be less than 0",
        ),
        (
            HostConfig {
                oom_score_adj: Some(1001),
                ..none()
            },
            400,
            "Invalid value 1001, range for oom score adj is [-1000, 1000]",
        ),
    ] {
        let error = machine.build(host_config).expect_err(part);
        assert_eq!(error.status(), status);
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn host_names_follow_the_network() {
    let id = "0123456789abcdef";
    assert_eq!(default_hostname(id, None), "0123456789ab");
    let host = HostConfig {
        network_mode: Some("host".to_owned()),
        ..HostConfig::default()
    };
    let machine = rustix::system::uname();
    assert_eq!(
        default_hostname(id, Some(&host)).as_bytes(),
        machine.nodename().to_bytes()
    );
}

#[test]
fn names_of_the_machine_s_namespace_are_left_alone() {
    let built = Machine::new()
        .build(HostConfig {
            uts_mode: Some("host".to_owned()),
            ..HostConfig::default()
        })
        .expect("a specification");
    assert_eq!(built.spec.hostname(), &None);
}
