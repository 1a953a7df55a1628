//! Which fields of `POST /containers/create` a version has.

use bollard_stubs::models::{ContainerCreateBody, HostConfig, Mount, MountType};

use crate::api::version::ApiVersion;
use crate::{Error, Result};

/// From this version on a container or an exec may be made with the size of its terminal.
pub(in crate::api) const CONSOLE_SIZE: ApiVersion = ApiVersion::new(1, 42);

/// From this version on a bind mount that is read-only is so with all mounts below it.
pub(in crate::api) const RECURSIVE_READ_ONLY: ApiVersion = ApiVersion::new(1, 44);

/// A field that clients of older versions cannot mean.
struct Change {
    /// The first version that has it.
    since: ApiVersion,
    /// The field, as errors and the tests name it.
    #[cfg_attr(not(test), expect(dead_code, reason = "it names the line"))]
    field: &'static str,
    /// Drops it, or refuses it as Docker does where dropping would do something else than the client hopes for.
    before: fn(&mut ContainerCreateBody) -> Result<()>,
}

const fn since(
    minor: u16,
    field: &'static str,
    before: fn(&mut ContainerCreateBody) -> Result<()>,
) -> Change {
    Change {
        since: ApiVersion::new(1, minor),
        field,
        before,
    }
}

/// Every field of the body that some version lacks.
#[rustfmt::skip] // A line a field.
const BODIES: &[Change] = &[
    since(40, "HostConfig.Mounts[].BindOptions.NonRecursive", |body| each_mount(body, |mount| {
        if let Some(options) = &mut mount.bind_options {
            options.non_recursive = None;
        }
        Ok(())
    })),
    since(40, "HostConfig.IpcMode", |body| {
        // What was not said meant what can be shared.
        let mode = &mut host_config(body).ipc_mode;
        if mode.as_deref().unwrap_or_default().is_empty() {
            *mode = Some("shareable".to_owned());
        }
        Ok(())
    }),
    since(42, "HostConfig.ConsoleSize", |body| {
        host_config(body).console_size = None;
        Ok(())
    }),
    since(42, "HostConfig.Mounts[].BindOptions.CreateMountpoint", |body| each_mount(body, |mount| {
        if let Some(options) = &mut mount.bind_options {
            options.create_mountpoint = None;
        }
        Ok(())
    })),
    // From then on options of another type than the mount's are refused, as the mounts themselves are.
    since(42, "HostConfig.Mounts[].VolumeOptions", |body| each_mount(body, |mount| {
        if mount.typ != Some(MountType::VOLUME) {
            mount.volume_options = None;
        }
        Ok(())
    })),
    since(42, "HostConfig.Mounts[].TmpfsOptions", |body| each_mount(body, |mount| {
        if mount.typ != Some(MountType::TMPFS) {
            mount.tmpfs_options = None;
        }
        Ok(())
    })),
    since(43, "HostConfig.Annotations", |body| {
        host_config(body).annotations = None;
        Ok(())
    }),
    since(44, "Healthcheck.StartInterval", |body| {
        if let Some(health) = &mut body.healthcheck {
            health.start_interval = None;
        }
        Ok(())
    }),
    since(44, "HostConfig.Mounts[].BindOptions.ReadOnlyForceRecursive", |body| each_mount(body, |mount| {
        let options = mount.bind_options.as_ref();
        refuse_if(
            options.is_some_and(|options| options.read_only_force_recursive == Some(true)),
            "BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer",
        )
    })),
    since(44, "NetworkingConfig.EndpointsConfig", |body| {
        let networks = body.networking_config.as_ref();
        let endpoints = networks.and_then(|networks| networks.endpoints_config.as_ref());
        let mut names: Vec<&str> = endpoints.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        refuse_if(
            names.len() > 1,
            &format!("Container cannot be created with multiple network endpoints: {}", names.join(", ")),
        )
    }),
    since(45, "HostConfig.Mounts[].VolumeOptions.Subpath", |body| each_mount(body, |mount| {
        let options = mount.volume_options.as_ref();
        let subpath = options.and_then(|options| options.subpath.as_deref());
        refuse_if(
            subpath.is_some_and(|subpath| !subpath.is_empty()),
            "VolumeOptions.Subpath needs API v1.45 or newer",
        )
    })),
    since(48, "NetworkingConfig.EndpointsConfig.*.GwPriority", |body| {
        let networks = body.networking_config.as_mut();
        let endpoints = networks.and_then(|networks| networks.endpoints_config.as_mut());
        for endpoint in endpoints.into_iter().flat_map(|endpoints| endpoints.values_mut()) {
            endpoint.gw_priority = None;
        }
        Ok(())
    }),
    since(48, "HostConfig.Mounts[].Type", |body| each_mount(body, |mount| {
        refuse_if(
            mount.typ == Some(MountType::IMAGE),
            "Mount type \"Image\" needs API v1.48 or newer",
        )
    })),
];

/// Takes from the body what its version does not have.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what older versions must not leave out silently.
pub(in crate::api) fn create(version: ApiVersion, body: &mut ContainerCreateBody) -> Result<()> {
    BODIES
        .iter()
        .filter(|change| version < change.since)
        .try_for_each(|change| (change.before)(body))
}

/// From this version on a hardware address belongs to an endpoint; from [`NO_MAC_ADDRESS`] on no container may have one.
const MAC_ADDRESS_OF_ENDPOINT: ApiVersion = ApiVersion::new(1, 44);
const NO_MAC_ADDRESS: ApiVersion = ApiVersion::new(1, 52);

/// Whose hardware address counts: before 1.44 the container's alone, later the endpoint's. `is_own` is whether the container
/// itself was given one, which stands at its endpoint already. The result is a warning.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a container's own one from 1.52 on.
pub(in crate::api) fn mac_address(
    version: ApiVersion,
    is_own: bool,
    body: &mut ContainerCreateBody,
) -> Result<Option<String>> {
    if version < MAC_ADDRESS_OF_ENDPOINT {
        let networks = body.networking_config.as_mut();
        let endpoints = networks.and_then(|networks| networks.endpoints_config.as_mut());
        if !is_own {
            for endpoint in endpoints
                .into_iter()
                .flat_map(|endpoints| endpoints.values_mut())
            {
                endpoint.mac_address = None;
            }
        }
        return Ok(None);
    }
    refuse_if(
        is_own && version >= NO_MAC_ADDRESS,
        "container-wide MAC address no longer supported; use endpoint-specific MAC address instead",
    )?;
    Ok(is_own.then(|| {
        "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead."
            .to_owned()
    }))
}

fn host_config(body: &mut ContainerCreateBody) -> &mut HostConfig {
    body.host_config.get_or_insert_default()
}

fn each_mount(
    body: &mut ContainerCreateBody,
    act: impl Fn(&mut Mount) -> Result<()>,
) -> Result<()> {
    let host_config = body.host_config.as_mut();
    let mounts = host_config.and_then(|host_config| host_config.mounts.as_mut());
    mounts.into_iter().flatten().try_for_each(act)
}

fn refuse_if(refused: bool, why: &str) -> Result<()> {
    match refused {
        true => Err(Error::invalid(why)),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A body that says something of every field, by what each line drops or refuses.
    fn body_with(field: &str) -> Value {
        let mount = |mount: Value| json!({"HostConfig": {"Mounts": [mount]}});
        let bind = |options: Value| {
            mount(json!({"Type": "bind", "Source": "/a", "Target": "/b", "BindOptions": options}))
        };
        match field {
            "HostConfig.Mounts[].BindOptions.NonRecursive" => bind(json!({"NonRecursive": true})),
            "HostConfig.IpcMode" => json!({"HostConfig": {"IpcMode": ""}}),
            "HostConfig.ConsoleSize" => json!({"HostConfig": {"ConsoleSize": [1, 2]}}),
            "HostConfig.Mounts[].BindOptions.CreateMountpoint" => {
                bind(json!({"CreateMountpoint": true}))
            }
            "HostConfig.Mounts[].VolumeOptions" => {
                mount(json!({"Type": "tmpfs", "Target": "/b", "VolumeOptions": {}}))
            }
            "HostConfig.Mounts[].TmpfsOptions" => {
                mount(json!({"Type": "volume", "Target": "/b", "TmpfsOptions": {}}))
            }
            "HostConfig.Annotations" => json!({"HostConfig": {"Annotations": {"a": "b"}}}),
            "Healthcheck.StartInterval" => json!({"Healthcheck": {"StartInterval": 1_000_000}}),
            "HostConfig.Mounts[].BindOptions.ReadOnlyForceRecursive" => {
                bind(json!({"ReadOnlyForceRecursive": true}))
            }
            "NetworkingConfig.EndpointsConfig" => {
                json!({"NetworkingConfig": {"EndpointsConfig": {"a": {}, "b": {}}}})
            }
            "HostConfig.Mounts[].VolumeOptions.Subpath" => {
                mount(json!({"Type": "volume", "Target": "/b", "VolumeOptions": {"Subpath": "c"}}))
            }
            "NetworkingConfig.EndpointsConfig.*.GwPriority" => {
                json!({"NetworkingConfig": {"EndpointsConfig": {"a": {"GwPriority": 1}}}})
            }
            "HostConfig.Mounts[].Type" => mount(json!({"Type": "image", "Target": "/b"})),
            other => panic!("there is no body for {other}"),
        }
    }

    #[test]
    fn every_field_is_dropped_or_refused_before_its_version_and_not_from_then_on() {
        for change in BODIES {
            let body: ContainerCreateBody =
                serde_json::from_value(body_with(change.field)).expect(change.field);
            for minor in 24..=55 {
                let version = ApiVersion::new(1, minor);
                let mut changed = body.clone();
                let result = create(version, &mut changed);
                let is_changed = result.is_err() || changed != body;
                if version >= change.since {
                    assert!(!is_changed, "{version} {}: {result:?}", change.field);
                } else {
                    assert!(is_changed, "{version} {}", change.field);
                }
            }
        }
    }

    #[test]
    fn refusals_are_dockers() {
        for (field, version, text) in [
            (
                "HostConfig.Mounts[].BindOptions.ReadOnlyForceRecursive",
                43,
                "BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer",
            ),
            (
                "NetworkingConfig.EndpointsConfig",
                43,
                "Container cannot be created with multiple network endpoints: a, b",
            ),
            (
                "HostConfig.Mounts[].VolumeOptions.Subpath",
                44,
                "VolumeOptions.Subpath needs API v1.45 or newer",
            ),
            (
                "HostConfig.Mounts[].Type",
                47,
                "Mount type \"Image\" needs API v1.48 or newer",
            ),
        ] {
            let mut body = serde_json::from_value(body_with(field)).expect(field);
            let error = create(ApiVersion::new(1, version), &mut body).expect_err(field);
            assert_eq!((error.status(), error.to_string().as_str()), (400, text));
        }
    }
}
