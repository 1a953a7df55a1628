//! Devices, as in `--device /dev/sda:/dev/xvda:rw` or `--device vendor.com/gpu=0`.

use std::path::Path;

use engine_client::models::{DeviceMapping, DeviceRequest};

use super::{InvalidValue, path};

/// What a container may do with a device by default: read, write and make it.
const ALL_PERMISSIONS: &str = "rwm";
/// The driver that finds devices by their qualified names.
const CDI: &str = "cdi";

/// The devices of a container, in the two places that the Engine API has for them.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Devices {
    /// Nodes of the host.
    pub(crate) mappings: Vec<DeviceMapping>,
    /// One request for all that have a name of the Container Device Interface.
    pub(crate) request: Option<DeviceRequest>,
}

/// Parses `SOURCE[:PATH][:PERMISSIONS]`, or `VENDOR/CLASS=NAME` for a device that the engine knows from a description of
/// the Container Device Interface. An engine on Windows has devices of another kind, and is told what was given.
///
/// The operating system is the engine's; one that does not say what it runs on is taken for Linux.
pub(crate) fn parse_all(texts: &[String], os_type: Option<&str>) -> Result<Devices, InvalidValue> {
    let mut devices = Devices::default();
    for text in texts {
        if is_qualified_name(text) {
            devices
                .request
                .get_or_insert_with(|| DeviceRequest {
                    driver: Some(CDI.to_owned()),
                    ..DeviceRequest::default()
                })
                .device_ids
                .get_or_insert_default()
                .push(text.clone());
            continue;
        }
        devices.mappings.push(match os_type {
            None | Some("linux") => parse(text)?,
            Some("windows") => DeviceMapping {
                path_on_host: Some(text.clone()),
                ..DeviceMapping::default()
            },
            Some(other) => {
                return Err(InvalidValue::new(format!("unknown server OS: {other}")));
            }
        });
    }
    Ok(devices)
}

fn parse(text: &str) -> Result<DeviceMapping, InvalidValue> {
    let parts: Vec<&str> = text.split(':').collect();
    let clean = |text: &str| {
        let path = path::absolute(text, Path::new("/"));
        path.to_string_lossy().into_owned()
    };
    if parts[0].is_empty() {
        return Err(bad_format(text));
    }
    // A second part is a path unless it can be permissions, and what has three parts is sent as it is.
    let (source, path, permissions) = match parts[..] {
        [both] => (clean(absolute(both)?), clean(both), ALL_PERMISSIONS),
        [both, permissions] if are_permissions(permissions) => {
            (clean(absolute(both)?), clean(both), permissions)
        }
        [source, path] => (source.to_owned(), clean(absolute(path)?), ALL_PERMISSIONS),
        [source, path, permissions] if are_permissions(permissions) => {
            (source.to_owned(), absolute(path)?.to_owned(), permissions)
        }
        [_, _, other] => {
            return Err(InvalidValue::new(format!("bad mode specified: {other}")));
        }
        _ => return Err(bad_format(text)),
    };
    Ok(DeviceMapping {
        path_on_host: Some(source),
        path_in_container: Some(path),
        cgroup_permissions: Some(permissions.to_owned()),
    })
}

fn bad_format(text: &str) -> InvalidValue {
    InvalidValue::new(format!("bad format for path: {text}"))
}

fn absolute(path: &str) -> Result<&str, InvalidValue> {
    if path.starts_with('/') {
        Ok(path)
    } else {
        Err(InvalidValue::new(format!("{path} is not an absolute path")))
    }
}

/// Whether a text is made of `r`, `w` and `m`, each at most once.
fn are_permissions(text: &str) -> bool {
    let once = |letter: char| text.matches(letter).count() <= 1;
    !text.is_empty()
        && text
            .chars()
            .all(|letter| "rwm".contains(letter) && once(letter))
}

/// Whether a text is `VENDOR/CLASS=NAME`, each of them letters and digits with a few other characters in between.
fn is_qualified_name(text: &str) -> bool {
    let Some(((vendor, class), name)) = text
        .split_once('=')
        .and_then(|(kind, name)| Some((kind.split_once('/')?, name)))
    else {
        return false;
    };
    let is_name = |text: &str, inner: &[u8]| {
        let bytes = text.as_bytes();
        let is_inner = |b: &u8| b.is_ascii_alphanumeric() || inner.contains(b);
        matches!((bytes.first(), bytes.last()), (Some(first), Some(last))
            if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric())
            && bytes.iter().all(is_inner)
    };
    let is_kind =
        |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic()) && is_name(text, b"_-.");
    is_kind(vendor) && is_kind(class) && is_name(name, b"_-.:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_one(text: &str, os_type: Option<&str>) -> Result<Devices, InvalidValue> {
        parse_all(&[text.to_owned()], os_type)
    }

    fn mapping(source: &str, path: &str, permissions: &str) -> Devices {
        Devices {
            mappings: vec![DeviceMapping {
                path_on_host: Some(source.to_owned()),
                path_in_container: Some(path.to_owned()),
                cgroup_permissions: Some(permissions.to_owned()),
            }],
            request: None,
        }
    }

    #[test]
    fn a_node_has_a_path_and_permissions() {
        for (text, source, path, permissions) in [
            ("/dev/a", "/dev/a", "/dev/a", "rwm"),
            ("/dev//a/../b/", "/dev/b", "/dev/b", "rwm"),
            ("/dev/a:r", "/dev/a", "/dev/a", "r"),
            ("/dev/a/.:mrw", "/dev/a", "/dev/a", "mrw"),
            ("/dev/a:/dev/b", "/dev/a", "/dev/b", "rwm"),
            ("/dev/a/:/dev/b/", "/dev/a/", "/dev/b", "rwm"),
            ("/dev/a:/dev/b:w", "/dev/a", "/dev/b", "w"),
            ("/dev/a/:/dev//b:rw", "/dev/a/", "/dev//b", "rw"),
            ("a:/dev/b", "a", "/dev/b", "rwm"),
        ] {
            let expected = mapping(source, path, permissions);
            assert_eq!(parse_one(text, None), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "bad format for path: "),
            (":/dev/a", "bad format for path: :/dev/a"),
            ("/a:/b:r:w", "bad format for path: /a:/b:r:w"),
            ("a", "a is not an absolute path"),
            ("a:r", "a is not an absolute path"),
            ("/a:", " is not an absolute path"),
            ("/a:rr", "rr is not an absolute path"),
            ("/a:b", "b is not an absolute path"),
            ("/a:b:r", "b is not an absolute path"),
            ("/a::r", " is not an absolute path"),
            ("/a:/b:", "bad mode specified: "),
            ("/a:/b:rr", "bad mode specified: rr"),
            ("/a:b:x", "bad mode specified: x"),
            ("a/b=", "a/b= is not an absolute path"),
        ] {
            assert_eq!(
                parse_one(text, Some("linux")).unwrap_err().to_string(),
                message,
                "{text}"
            );
        }
    }

    #[test]
    fn qualified_names_go_into_one_request() {
        let names = ["vendor.com/gpu=0", "a/b=c", "A-1/b_2=0:1.x", "a/b=all"].map(str::to_owned);
        let devices = parse_all(&names, Some("linux")).unwrap();
        assert!(devices.mappings.is_empty());
        let request = devices.request.unwrap();
        assert_eq!(request.driver.as_deref(), Some("cdi"));
        assert_eq!(request.device_ids, Some(names.to_vec()));
        for text in [
            "1/b=c", "a/1=c", "a/b=-", "a/b=c-", "a./b=c", "a/b/c=d", "a=b", "a/é=b",
        ] {
            assert!(parse_one(text, None).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_a_device_depends_on_the_engine() {
        let text = "class/5B45201D-F2F2-4F3B-85BB-30FF1F953599";
        let devices = parse_one(text, Some("windows")).unwrap();
        let expected = DeviceMapping {
            path_on_host: Some(text.to_owned()),
            ..DeviceMapping::default()
        };
        assert_eq!(devices.mappings, [expected]);
        let message = parse_one("/dev/a", Some("plan9")).unwrap_err().to_string();
        assert_eq!(message, "unknown server OS: plan9");
    }

    proptest::proptest! {
        #[test]
        fn what_is_accepted_is_absolute(text in "[a/.:rwm=-]{0,12}|.*") {
            if let Ok(devices) = parse_one(&text, None) {
                for mapping in devices.mappings {
                    assert!(mapping.path_in_container.is_some_and(|path| path.starts_with('/')));
                    assert!(mapping.cgroup_permissions.is_some_and(|text| are_permissions(&text)));
                }
            }
        }
    }
}
