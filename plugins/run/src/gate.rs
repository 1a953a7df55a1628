//! Options that not every engine knows: those of later API versions, and those of Windows. They are refused: dropping one
//! silently would run another container than was asked for.

use engine_client::{ApiVersion, Client, Error};

use crate::options::Options;
use crate::values::mount::Feature;

/// What an option needs of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// This API version or a later one.
    Version(ApiVersion),
    /// An engine that runs on this operating system.
    Os(&'static str),
}

/// Checks the options that are given against the engine, which is asked only if one needs something. Returns what is to
/// be said of those that it does not know, one a line, if any.
pub(crate) fn check(options: &Options, client: &Client) -> Result<Option<String>, Error> {
    let needs = needs(options);
    if needs.is_empty() {
        return Ok(None);
    }
    Ok(refuse(&needs, client.version()?, client.os_type()?))
}

/// The options that are given and need more than the oldest engine, by name as Docker sorts them.
fn needs(options: &Options) -> Vec<(&'static str, Need)> {
    let version = |minor| Need::Version(ApiVersion::new(1, minor));
    let windows = Need::Os("windows");
    let Options {
        lifecycle,
        storage,
        network,
        security,
        health,
        windows: on_windows,
        ..
    } = options;
    let is_mounted = |feature| {
        let mut features = storage.mounts.iter().flat_map(|mount| mount.features());
        features.any(|used| used == feature)
    };
    [
        (!lifecycle.annotations.is_empty(), "annotation", version(43)),
        (security.cgroupns.is_some(), "cgroupns", version(41)),
        (on_windows.cpu_count.is_some(), "cpu-count", windows),
        (on_windows.cpu_percent.is_some(), "cpu-percent", windows),
        (
            health.health_start_interval.is_some(),
            "health-start-interval",
            version(44),
        ),
        (
            on_windows.io_maxbandwidth.is_some(),
            "io-maxbandwidth",
            windows,
        ),
        (on_windows.io_maxiops.is_some(), "io-maxiops", windows),
        (
            is_mounted(Feature::RecursivelyReadOnly),
            "mount bind-recursive=readonly",
            version(44),
        ),
        (
            is_mounted(Feature::VolumeSubpath),
            "mount volume-subpath",
            version(45),
        ),
        (
            network.network.len() > 1,
            "network NETWORK --network NETWORK",
            version(44),
        ),
    ]
    .into_iter()
    .filter_map(|(is_given, name, need)| is_given.then_some((name, need)))
    .collect()
}

/// An engine that does not say what it runs on may be any.
fn refuse(needs: &[(&str, Need)], engine: ApiVersion, os_type: Option<&str>) -> Option<String> {
    let lines: Vec<String> = needs
        .iter()
        .filter_map(|(name, need)| match (need, os_type) {
            (Need::Version(version), _) if engine < *version => Some(format!(
                "\"--{name}\" requires API version {version}, but the Docker daemon API version is {engine}"
            )),
            (Need::Os(os), Some(other)) if os != &other => Some(format!(
                "\"--{name}\" is only supported on a Docker daemon running on {os}, but the Docker daemon is running on {other}"
            )),
            _ => None,
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::mount;

    const NEW: ApiVersion = ApiVersion::new(1, 45);

    #[test]
    fn each_option_has_its_version() {
        let mut options = Options::default();
        assert!(needs(&options).is_empty());
        options.security.cgroupns = Some("host".to_owned());
        options.health.health_start_interval = Some(1);
        options.lifecycle.annotations = vec!["a=b".to_owned()];
        let needs = needs(&options);
        assert_eq!(refuse(&needs, NEW, Some("linux")), None);
        assert_eq!(
            refuse(&needs, ApiVersion::new(1, 43), None).as_deref(),
            Some(
                "\"--health-start-interval\" requires API version 1.44, but the Docker daemon API version is 1.43"
            )
        );
        assert_eq!(
            refuse(&needs, ApiVersion::new(1, 40), None).map(|text| text.lines().count()),
            Some(3)
        );
    }

    #[test]
    fn what_a_mount_asks_for_has_a_version_too() {
        let mut options = Options::default();
        for (text, name, version) in [
            (
                "type=bind,ro,bind-propagation=rprivate,bind-recursive=readonly",
                "bind-recursive=readonly",
                "1.44",
            ),
            ("dst=/a,volume-subpath=b", "volume-subpath", "1.45"),
        ] {
            options.storage.mounts = vec![mount::parse(text).unwrap()];
            let needs = needs(&options);
            assert_eq!(refuse(&needs, NEW, None), None);
            assert_eq!(
                refuse(&needs, ApiVersion::new(1, 41), None),
                Some(format!(
                    "\"--mount {name}\" requires API version {version}, but the Docker daemon API version is 1.41"
                ))
            );
        }
    }

    #[test]
    fn options_of_windows_are_for_windows() {
        let mut options = Options::default();
        options.windows.cpu_count = Some(0);
        options.windows.cpu_percent = Some(1);
        options.windows.io_maxbandwidth = Some(1);
        options.windows.io_maxiops = Some(1);
        options.windows.isolation = Some("default".to_owned());
        let needs = needs(&options);
        for os in [None, Some("windows")] {
            assert_eq!(refuse(&needs, NEW, os), None);
        }
        let text = refuse(&needs, NEW, Some("linux")).unwrap_or_default();
        let names: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split('"').nth(1))
            .collect();
        let expected = [
            "--cpu-count",
            "--cpu-percent",
            "--io-maxbandwidth",
            "--io-maxiops",
        ];
        assert_eq!(names, expected);
        assert!(text.ends_with(
            "\"--io-maxiops\" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux"
        ));
    }
}
