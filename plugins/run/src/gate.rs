//! Rejects options that the engine does not support: newer API versions, Windows, the embedded engine.
//! They are refused: dropping one silently would run another container than was asked for.

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
    /// The embedded engine.
    Embedded,
}

/// Checks the options that are given against the engine, which is asked only if one needs something. Returns what is to
/// be said of those that it does not know, one a line, if any.
pub(crate) fn check(options: &Options, client: &Client) -> Result<Option<String>, Error> {
    let needs = needs(options);
    if needs.is_empty() {
        return Ok(None);
    }
    let engine = Engine {
        version: client.version()?,
        os_type: client.os_type()?,
        is_embedded: client.is_embedded()?,
    };
    Ok(refuse(&needs, &engine))
}

/// What an engine tells of itself.
#[derive(Debug, Clone, Copy)]
struct Engine<'a> {
    version: ApiVersion,
    /// An engine that does not say what it runs on may be any.
    os_type: Option<&'a str>,
    is_embedded: bool,
}

/// The options that are given and need more than the oldest engine, by name as Docker sorts them.
fn needs(options: &Options) -> Vec<(&'static str, Need)> {
    let version = |minor| Need::Version(ApiVersion::new(1, minor));
    let windows = Need::Os("windows");
    let Options {
        lifecycle,
        image,
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
        (image.rootfs, "rootfs", Need::Embedded),
    ]
    .into_iter()
    .filter_map(|(is_given, name, need)| is_given.then_some((name, need)))
    .collect()
}

fn refuse(needs: &[(&str, Need)], engine: &Engine<'_>) -> Option<String> {
    let lines: Vec<String> = needs
        .iter()
        .filter_map(|(name, need)| match (need, engine.os_type) {
            (Need::Version(version), _) if engine.version < *version => Some(format!(
                "\"--{name}\" requires API version {version}, but the Docker daemon API version is {}",
                engine.version
            )),
            (Need::Os(os), Some(other)) if os != &other => Some(format!(
                "\"--{name}\" is only supported on a Docker daemon running on {os}, but the Docker daemon is running on {other}"
            )),
            (Need::Embedded, _) if !engine.is_embedded => Some(format!(
                "\"--{name}\" is only supported by the embedded engine (-H embedded://), and this engine is another"
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

    const NEW: Engine<'_> = Engine {
        version: ApiVersion::new(1, 45),
        os_type: None,
        is_embedded: false,
    };

    fn of_version(minor: u16) -> Engine<'static> {
        Engine {
            version: ApiVersion::new(1, minor),
            ..NEW
        }
    }

    fn on(os_type: Option<&str>) -> Engine<'_> {
        Engine { os_type, ..NEW }
    }

    #[test]
    fn each_option_has_its_version() {
        let mut options = Options::default();
        assert!(needs(&options).is_empty());
        options.security.cgroupns = Some("host".to_owned());
        options.health.health_start_interval = Some(1);
        options.lifecycle.annotations = vec!["a=b".to_owned()];
        let needs = needs(&options);
        assert_eq!(refuse(&needs, &on(Some("linux"))), None);
        assert_eq!(
            refuse(&needs, &of_version(43)).as_deref(),
            Some(
                "\"--health-start-interval\" requires API version 1.44, but the Docker daemon API version is 1.43"
            )
        );
        assert_eq!(
            refuse(&needs, &of_version(40)).map(|text| text.lines().count()),
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
            assert_eq!(refuse(&needs, &NEW), None);
            assert_eq!(
                refuse(&needs, &of_version(41)),
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
            assert_eq!(refuse(&needs, &on(os)), None);
        }
        let text = refuse(&needs, &on(Some("linux"))).unwrap_or_default();
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

    #[test]
    fn a_directory_is_for_the_embedded_engine() {
        let mut options = Options::default();
        options.image.rootfs = true;
        let needs = needs(&options);
        let embedded = Engine {
            is_embedded: true,
            ..NEW
        };
        assert_eq!(refuse(&needs, &embedded), None);
        assert_eq!(
            refuse(&needs, &NEW).as_deref(),
            Some(
                "\"--rootfs\" is only supported by the embedded engine (-H embedded://), and this engine is another"
            )
        );
    }
}
