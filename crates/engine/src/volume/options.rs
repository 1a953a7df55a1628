//! What `--opt` says about a volume: of the driver `local`, and of it a directory of the machine alone.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The one driver that there is.
pub(super) const DRIVER: &str = "local";

/// Refuses other drivers, by name.
pub(super) fn check_driver(driver: &str) -> Result<()> {
    match driver {
        "" | DRIVER => Ok(()),
        driver => Err(Error::not_implemented(format!(
            "the embedded engine has the volume driver local, not {driver}"
        ))),
    }
}

/// The directory that a volume is in place of one of its own, and whether nothing can be written to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) directory: PathBuf,
    pub(super) read_only: bool,
}

/// Reads `type=none,o=bind,device=/DIRECTORY`; nothing without options.
pub(super) fn bound(options: &HashMap<String, String>) -> Result<Option<Bound>> {
    // In a stable order, for the first wrong one is the one to tell.
    let options: BTreeMap<&str, &str> = options
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    if options.is_empty() {
        return Ok(None);
    }
    for name in options.keys() {
        match *name {
            "type" | "o" | "device" => {}
            "size" => {
                return Err(Error::not_implemented(
                    "the embedded engine does not do the volume option size",
                ));
            }
            name => return Err(Error::invalid(format!("invalid option: {name:?}"))),
        }
    }
    let get = |name| options.get(name).copied().unwrap_or_default();
    let (kind, device) = (get("type"), get("device"));
    let mut is_bind = false;
    let mut read_only = false;
    for word in get("o").split(',').filter(|word| !word.is_empty()) {
        match word {
            "bind" | "rbind" => is_bind = true,
            "ro" => read_only = true,
            "rw" => read_only = false,
            _ => {
                return Err(Error::not_implemented(format!(
                    "the embedded engine does not do the volume option o={word}: it has bind, rbind, ro and rw"
                )));
            }
        }
    }
    if !is_bind || !matches!(kind, "" | "none" | "bind") {
        return Err(Error::not_implemented(format!(
            "the embedded engine does not do volumes of type {kind:?}: of the options of the driver local it has \
             type=none,o=bind,device=/DIRECTORY"
        )));
    }
    if !Path::new(device).is_absolute() {
        return Err(Error::invalid(format!(
            "missing or relative device in volume options: {device:?}"
        )));
    }
    Ok(Some(Bound {
        directory: PathBuf::from(device),
        read_only,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[(&str, &str)]) -> Result<Option<Bound>> {
        bound(
            &options
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn a_directory_of_the_machine_may_be_a_volume() {
        assert_eq!(read(&[]).expect("options"), None);
        for (o, read_only) in [("bind", false), ("rbind,ro", true), ("bind,ro,rw", false)] {
            let bound = read(&[("type", "none"), ("o", o), ("device", "/srv")])
                .expect("options")
                .expect("a directory");
            assert_eq!(bound.directory, Path::new("/srv"));
            assert_eq!(bound.read_only, read_only, "{o}");
        }
    }

    #[test]
    fn the_rest_is_refused_by_name() {
        for (options, status, word) in [
            (&[("type", "tmpfs"), ("device", "tmpfs")][..], 501, "tmpfs"),
            (
                &[("type", "nfs"), ("o", "addr=1.2.3.4"), ("device", ":/x")],
                501,
                "addr=1.2.3.4",
            ),
            (&[("size", "1G")], 501, "size"),
            (&[("color", "red")], 400, "color"),
            (&[("type", "none"), ("o", "bind")], 400, "device"),
            (&[("o", "bind"), ("device", "srv")], 400, "srv"),
        ] {
            let error = read(options).expect_err(word);
            assert_eq!(error.status(), status, "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(check_driver("nfs").expect_err("none").status(), 501);
        check_driver("").expect("a driver");
        check_driver("local").expect("a driver");
    }
}
