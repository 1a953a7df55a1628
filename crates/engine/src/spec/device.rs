//! Devices of a container beside the six that every one has.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use bollard_stubs::models::HostConfig;
use libcontainer::oci_spec::runtime::{LinuxDevice, LinuxDeviceBuilder, LinuxDeviceType};
use rustix::fs::{major, minor};

use super::mount_point::clean;
use crate::cgroup::{Access, DeviceKind, DeviceRule};
use crate::{Error, Result};

/// The nodes that a container gets, and what it may do with which devices.
#[derive(Clone, Debug, Default)]
pub(super) struct Devices {
    pub(super) nodes: Vec<LinuxDevice>,
    /// Nodes that are bound, from the first path to the second: those outside of `/dev`, where libcontainer makes none, and
    /// in a user namespace those that have another path in the container.
    pub(super) bound: Vec<(PathBuf, String)>,
    pub(super) rules: Vec<DeviceRule>,
    is_mapped: bool,
}

/// Where the container is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    /// Whether something of the machine lies over the container's `/dev`.
    pub(super) dev_is_mounted: bool,
    /// Whether it is in a user namespace, where no device can be made and no rule about one be set.
    pub(super) is_mapped: bool,
}

/// The devices of a request.
pub(super) fn of_container(
    host_config: &HostConfig,
    surroundings: Surroundings,
) -> Result<Devices> {
    let Surroundings {
        dev_is_mounted,
        is_mapped,
    } = surroundings;
    check(host_config, is_mapped)?;
    let mut devices = Devices {
        rules: DeviceRule::defaults(),
        is_mapped,
        ..Devices::default()
    };
    if host_config.privileged.unwrap_or(false) {
        devices.rules.push(DeviceRule::ALLOW_ALL);
        if !dev_is_mounted {
            devices.add_machine()?;
        }
    }
    for mapping in host_config.devices.iter().flatten() {
        let source = mapping.path_on_host.as_deref().unwrap_or_default();
        let target = match mapping.path_in_container.as_deref() {
            None | Some("") => source,
            Some(target) => target,
        };
        let access = match mapping.cgroup_permissions.as_deref() {
            None | Some("") => Access::ALL,
            Some(access) => access.parse()?,
        };
        devices
            .add_mapping(Path::new(source), &clean(target), access)
            .map_err(|error| gathering(source, &error))?;
    }
    for rule in host_config.device_cgroup_rules.iter().flatten() {
        devices.rules.push(rule.parse()?);
    }
    Ok(devices)
}

/// Refuses devices that only a driver could find, in dockerd's words; and, in a user namespace, what takes a rule that the
/// kernel has from the machine's root alone.
pub(super) fn check(host_config: &HostConfig, is_mapped: bool) -> Result<()> {
    if let Some(request) = host_config.device_requests.iter().flatten().next() {
        return Err(Error::not_implemented(format!(
            "could not select device driver \"{}\" with capabilities: {:?}: the embedded engine has no device drivers, so it does neither --gpus nor --device vendor.com/class=name",
            request.driver.as_deref().unwrap_or_default(),
            request.capabilities.as_deref().unwrap_or_default(),
        )));
    }
    if !is_mapped {
        return Ok(());
    }
    let refused = |option: String| {
        Error::not_implemented(format!(
            "the embedded engine of an ordinary user does not do {option}: only root can have the kernel keep a container \
             from a device"
        ))
    };
    if let Some(rule) = host_config.device_cgroup_rules.iter().flatten().next() {
        return Err(refused(format!("--device-cgroup-rule '{rule}'")));
    }
    for mapping in host_config.devices.iter().flatten() {
        let access = mapping.cgroup_permissions.as_deref().unwrap_or_default();
        let is_all = access.is_empty() || (access.contains('r') && access.contains('w'));
        if !is_all {
            return Err(refused(format!(
                "--device {}:{access}",
                mapping.path_on_host.as_deref().unwrap_or_default()
            )));
        }
    }
    Ok(())
}

impl Devices {
    /// A device, or all devices below a directory.
    fn add_mapping(&mut self, source: &Path, target: &str, access: Access) -> io::Result<()> {
        // Links are the host's: /dev/cdrom is whatever it points to.
        let source = fs::canonicalize(source)?;
        let metadata = fs::metadata(&source)?;
        if metadata.is_dir() {
            let mut found = Vec::new();
            walk(&source, &mut found)?;
            if found.is_empty() {
                return Err(io::Error::other("not a device node"));
            }
            for device in found {
                let below = device.strip_prefix(&source).unwrap_or(&device);
                let target = format!("{}/{}", target.trim_end_matches('/'), below.display());
                self.add(&device, &fs::symlink_metadata(&device)?, &target, access)?;
            }
            return Ok(());
        }
        self.add(&source, &metadata, target, access)
    }

    fn add(
        &mut self,
        source: &Path,
        metadata: &fs::Metadata,
        target: &str,
        access: Access,
    ) -> io::Result<()> {
        let (kind, rule_kind) = if metadata.file_type().is_block_device() {
            (LinuxDeviceType::B, DeviceKind::Block)
        } else if metadata.file_type().is_char_device() {
            (LinuxDeviceType::C, DeviceKind::Character)
        } else {
            return Err(io::Error::other("not a device node"));
        };
        let (major, minor) = (major(metadata.rdev()), minor(metadata.rdev()));
        self.rules.push(DeviceRule::allow(
            rule_kind,
            Some(major),
            Some(minor),
            access,
        ));
        if !target.starts_with("/dev/") || (self.is_mapped && Path::new(target) != source) {
            self.bound.push((source.to_owned(), target.to_owned()));
            return Ok(());
        }
        let node = LinuxDeviceBuilder::default()
            .path(target)
            .typ(kind)
            .major(major)
            .minor(minor)
            .file_mode(metadata.mode() & 0o7777)
            .uid(metadata.uid())
            .gid(metadata.gid())
            .build()
            .map_err(io::Error::other)?;
        // Two mappings to one place: the last one holds, and libcontainer would fail on the second.
        self.nodes.retain(|other| other.path() != node.path());
        self.nodes.push(node);
        Ok(())
    }

    /// All devices of the machine, for a privileged container.
    fn add_machine(&mut self) -> Result<()> {
        let mut found = Vec::new();
        walk(Path::new("/dev"), &mut found).map_err(|error| gathering("/dev", &error))?;
        for device in found {
            // A device may go away while they are listed, and the container's console is its own.
            let Ok(metadata) = fs::symlink_metadata(&device) else {
                continue;
            };
            let Some(target) = device.to_str() else {
                continue;
            };
            if target == "/dev/console" {
                continue;
            }
            self.add(&device, &metadata, target, Access::ALL)
                .map_err(|error| gathering(target, &error))?;
        }
        Ok(())
    }
}

/// Device nodes below a directory. Links are left out, and what is mounted in every container anew.
fn walk(directory: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let path = entry.path();
        if kind.is_dir() {
            let name = entry.file_name();
            let skipped = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"]
                .iter()
                .any(|skipped| name == *skipped);
            if !skipped {
                // What cannot be looked into is passed over, as Docker does.
                let _ = walk(&path, found);
            }
        } else if (kind.is_char_device() || kind.is_block_device())
            // The container's own terminal multiplexer is in its /dev/pts.
            && path != Path::new("/dev/ptmx")
        {
            found.push(path);
        }
    }
    Ok(())
}

fn gathering(path: &str, error: &io::Error) -> Error {
    Error::invalid(format!(
        "error gathering device information while adding custom device \"{path}\": {}",
        crate::error::os_text(error)
    ))
}

#[cfg(test)]
mod tests {
    use bollard_stubs::models::{DeviceMapping, DeviceRequest};

    use super::*;

    fn mapping(source: &str, target: &str, access: &str) -> HostConfig {
        HostConfig {
            devices: Some(vec![DeviceMapping {
                path_on_host: Some(source.to_owned()),
                path_in_container: Some(target.to_owned()),
                cgroup_permissions: Some(access.to_owned()),
            }]),
            ..HostConfig::default()
        }
    }

    #[test]
    fn a_mapped_device_has_a_node_and_a_rule() {
        let devices = of_container(
            &mapping("/dev/zero", "/dev/./nought", "r"),
            Surroundings::default(),
        )
        .expect("a device");
        assert_eq!(devices.nodes.len(), 1);
        assert_eq!(devices.nodes[0].path(), Path::new("/dev/nought"));
        assert_eq!((devices.nodes[0].major(), devices.nodes[0].minor()), (1, 5));
        assert_eq!(devices.rules.last().expect("a rule").to_string(), "c 1:5 r");
        assert_eq!(devices.rules.len(), DeviceRule::defaults().len() + 1);
    }

    #[test]
    fn in_a_user_namespace_devices_are_bound_and_without_rules() {
        let mapped = Surroundings {
            is_mapped: true,
            ..Surroundings::default()
        };
        let devices =
            of_container(&mapping("/dev/zero", "/dev/nought", "rw"), mapped).expect("a device");
        assert!(devices.nodes.is_empty());
        assert_eq!(
            devices.bound,
            [("/dev/zero".into(), "/dev/nought".to_owned())]
        );
        let same = of_container(&mapping("/dev/zero", "", ""), mapped).expect("a device");
        assert_eq!(same.nodes.len(), 1);
        let error =
            of_container(&mapping("/dev/zero", "/dev/nought", "r"), mapped).expect_err("a rule");
        assert!(
            error.to_string().contains(" --device /dev/zero:r: "),
            "{error}"
        );
        let rule = HostConfig {
            device_cgroup_rules: Some(vec!["c 1:5 r".to_owned()]),
            ..HostConfig::default()
        };
        let error = of_container(&rule, mapped).expect_err("a rule");
        assert_eq!(error.status(), 501);
    }

    #[test]
    fn a_device_elsewhere_is_bound() {
        let devices = of_container(
            &mapping("/dev/zero", "/srv/zero", ""),
            Surroundings::default(),
        )
        .expect("a device");
        assert!(devices.nodes.is_empty());
        assert_eq!(
            devices.bound,
            [("/dev/zero".into(), "/srv/zero".to_owned())]
        );
        assert_eq!(
            devices.rules.last().expect("a rule").to_string(),
            "c 1:5 rwm"
        );
        let climbing = of_container(
            &mapping("/dev/zero", "/dev/../zero", ""),
            Surroundings::default(),
        )
        .expect("a device");
        assert_eq!(climbing.bound, [("/dev/zero".into(), "/zero".to_owned())]);
    }

    #[test]
    fn what_is_no_device_is_named() {
        let error = of_container(&mapping("/dev/none", "/dev/x", ""), Surroundings::default())
            .expect_err("no device");
        assert_eq!(
            error.to_string(),
            "error gathering device information while adding custom device \"/dev/none\": no such file or directory"
        );
        let error = of_container(
            &mapping("/etc/passwd", "/dev/x", ""),
            Surroundings::default(),
        )
        .expect_err("no device");
        assert!(
            error
                .to_string()
                .ends_with("\"/etc/passwd\": not a device node"),
            "{error}"
        );
        let error = of_container(
            &mapping("/dev/null", "/dev/x", "rx"),
            Surroundings::default(),
        )
        .expect_err("no access");
        assert!(error.to_string().contains("\"rx\""), "{error}");
    }

    #[test]
    fn a_privileged_container_has_them_all() {
        let privileged = HostConfig {
            privileged: Some(true),
            ..HostConfig::default()
        };
        let devices = of_container(&privileged, Surroundings::default()).expect("devices");
        assert!(
            devices
                .nodes
                .iter()
                .any(|node| node.path() == Path::new("/dev/null"))
        );
        assert!(
            devices
                .nodes
                .iter()
                .all(|node| node.path() != Path::new("/dev/ptmx")
                    && !node.path().starts_with("/dev/pts"))
        );
        assert!(devices.rules.contains(&DeviceRule::ALLOW_ALL));
        assert!(
            of_container(
                &privileged,
                Surroundings {
                    dev_is_mounted: true,
                    is_mapped: false
                }
            )
            .expect("devices")
            .nodes
            .is_empty()
        );
    }

    #[test]
    fn drivers_are_refused() {
        let gpus = HostConfig {
            device_requests: Some(vec![DeviceRequest {
                count: Some(-1),
                capabilities: Some(vec![vec!["gpu".to_owned()]]),
                ..DeviceRequest::default()
            }]),
            ..HostConfig::default()
        };
        let error = of_container(&gpus, Surroundings::default()).expect_err("no driver");
        assert_eq!(error.status(), 501);
        assert!(
            error.to_string().contains("[[\"gpu\"]]")
                && error.to_string().contains("embedded engine"),
            "{error}"
        );
    }
}
