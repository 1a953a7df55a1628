//! The fields of `--mount`: where each goes, and which go together.

use std::collections::HashMap;

use engine_client::MountWords;
use engine_client::models::{
    Mount, MountBindOptions, MountImageOptions, MountTmpfsOptions, MountVolumeOptions,
    MountVolumeOptionsDriverConfig,
};

use super::NewMount;
use crate::values::{InvalidValue, byte_size};

/// What the fields so far say.
#[derive(Debug, Default)]
pub(super) struct Fields {
    typ: Option<String>,
    propagation: Option<String>,
    mount: Mount,
}

impl Fields {
    /// Takes one field.
    pub(super) fn read(&mut self, field: &str) -> Result<(), InvalidValue> {
        let (given, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value)),
            None => (field, None),
        };
        check_blanks(field, given, value)?;
        let key = given.to_lowercase();
        if let Some(flag) = self.flag(&key) {
            *flag = Some(boolean(&key, value)?);
            return Ok(());
        }
        if key == "bind-nonrecursive" {
            return Err(InvalidValue::new(
                "bind-nonrecursive is deprecated, use bind-recursive=disabled instead",
            ));
        }
        let value = value.ok_or_else(|| {
            InvalidValue::new(format!("invalid field '{field}' must be a key=value pair"))
        })?;
        let text = || Some(value.to_owned());
        match key.as_str() {
            "type" => self.typ = Some(value.to_lowercase()),
            "source" | "src" => self.mount.source = text(),
            "target" | "dst" | "destination" => self.mount.target = text(),
            "consistency" => self.mount.consistency = Some(value.to_lowercase()),
            "bind-propagation" => {
                self.bind();
                self.propagation = Some(value.to_lowercase());
            }
            "bind-recursive" => self.recursion(&key, value)?,
            "volume-subpath" => self.volume().subpath = text(),
            "volume-label" => insert(&mut self.volume().labels, value),
            "volume-driver" => self.driver().name = text(),
            "volume-opt" => insert(&mut self.driver().options, value),
            "image-subpath" => self.image().subpath = text(),
            "tmpfs-size" => {
                let size = byte_size::parse(value).map_err(|_| invalid(&key, value))?;
                self.tmpfs().size_bytes = Some(size);
            }
            "tmpfs-mode" => {
                let mode = octal(value).ok_or_else(|| invalid(&key, value))?;
                self.tmpfs().mode = Some(mode.into());
            }
            _ => {
                return Err(InvalidValue::new(format!(
                    "unknown option '{key}' in '{field}'"
                )));
            }
        }
        Ok(())
    }

    /// The place of a field that may stand without a value.
    fn flag(&mut self, key: &str) -> Option<&mut Option<bool>> {
        Some(match key {
            "readonly" | "ro" => &mut self.mount.read_only,
            "bind-create-src" => &mut self.bind().create_mountpoint,
            "volume-nocopy" => &mut self.volume().no_copy,
            _ => return None,
        })
    }

    fn recursion(&mut self, key: &str, value: &str) -> Result<(), InvalidValue> {
        match value {
            // What engines do unless they are told otherwise.
            "enabled" => {}
            "disabled" => self.bind().non_recursive = Some(true),
            "writable" => self.bind().read_only_non_recursive = Some(true),
            "readonly" => self.bind().read_only_force_recursive = Some(true),
            _ => {
                return Err(InvalidValue::new(format!(
                    "invalid value for {key}: {value} (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"
                )));
            }
        }
        Ok(())
    }

    fn bind(&mut self) -> &mut MountBindOptions {
        self.mount.bind_options.get_or_insert_default()
    }

    fn volume(&mut self) -> &mut MountVolumeOptions {
        self.mount.volume_options.get_or_insert_default()
    }

    fn driver(&mut self) -> &mut MountVolumeOptionsDriverConfig {
        self.volume().driver_config.get_or_insert_default()
    }

    fn image(&mut self) -> &mut MountImageOptions {
        self.mount.image_options.get_or_insert_default()
    }

    fn tmpfs(&mut self) -> &mut MountTmpfsOptions {
        self.mount.tmpfs_options.get_or_insert_default()
    }

    /// Checks the fields as a whole.
    pub(super) fn finish(mut self) -> Result<NewMount, InvalidValue> {
        let typ = self.typ.take().unwrap_or_else(|| "volume".to_owned());
        let mount = &self.mount;
        for (has_options, owner) in [
            (mount.bind_options.is_some(), "bind"),
            (mount.volume_options.is_some(), "volume"),
            (mount.image_options.is_some(), "image"),
            (mount.tmpfs_options.is_some(), "tmpfs"),
        ] {
            if has_options && typ != owner {
                return Err(InvalidValue::new(format!(
                    "cannot mix '{owner}-*' options with mount type '{typ}'"
                )));
            }
        }
        self.check_recursion()?;
        if let Some(propagation) = &self.propagation {
            self.bind().propagation = propagation.parse().ok();
        }
        self.mount.typ = typ.parse().ok();
        let bind = self.mount.bind_options.as_ref();
        let is_listed = bind.is_some_and(|bind| bind.propagation.is_some());
        let words = MountWords {
            typ: self.mount.typ.is_none().then_some(typ),
            propagation: self.propagation.filter(|_| !is_listed),
        };
        Ok(NewMount {
            mount: self.mount,
            words,
        })
    }

    /// How deep a mount is read-only can be said only of one that is.
    fn check_recursion(&self) -> Result<(), InvalidValue> {
        let Some(bind) = &self.mount.bind_options else {
            return Ok(());
        };
        let needs = |recursion: &str, what: &str| {
            Err(InvalidValue::new(format!(
                "option 'bind-recursive={recursion}' requires '{what}' to be specified in conjunction"
            )))
        };
        let is_read_only = self.mount.read_only == Some(true);
        if bind.read_only_non_recursive == Some(true) && !is_read_only {
            return needs("writable", "readonly");
        }
        if bind.read_only_force_recursive == Some(true) {
            if !is_read_only {
                return needs("readonly", "readonly");
            }
            if self.propagation.as_deref() != Some("rprivate") {
                return needs("readonly", "bind-propagation=rprivate");
            }
        }
        Ok(())
    }
}

/// Blanks around a key or a value are most likely behind a comma, and part of a path for the engine.
fn check_blanks(field: &str, key: &str, value: Option<&str>) -> Result<(), InvalidValue> {
    let trimmed = key.trim();
    if trimmed != key {
        return Err(InvalidValue::new(format!(
            "invalid option '{trimmed}' in '{field}': option should not have whitespace"
        )));
    }
    match value {
        Some(value) if value.trim().is_empty() => Err(InvalidValue::new(format!(
            "invalid value for '{key}': value is empty"
        ))),
        Some(value) if value.trim() != value => Err(InvalidValue::new(format!(
            "invalid value for '{key}' in '{field}': value should not have whitespace"
        ))),
        _ => Ok(()),
    }
}

fn boolean(key: &str, value: Option<&str>) -> Result<bool, InvalidValue> {
    match value {
        None | Some("1" | "true") => Ok(true),
        Some("0" | "false") => Ok(false),
        Some(value) => Err(InvalidValue::new(format!(
            "invalid value for '{key}': invalid boolean value ({value:?}): must be one of \"true\", \"1\", \"false\", or \"0\" (default \"true\")"
        ))),
    }
}

fn octal(text: &str) -> Option<u32> {
    let is_octal = text.bytes().all(|b| matches!(b, b'0'..=b'7'));
    u32::from_str_radix(text, 8).ok().filter(|_| is_octal)
}

fn invalid(key: &str, value: &str) -> InvalidValue {
    InvalidValue::new(format!("invalid value for {key}: {value}"))
}

/// Adds `NAME=VALUE`; what has no name is left out, as Docker does.
fn insert(map: &mut Option<HashMap<String, String>>, text: &str) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if !name.is_empty() {
        map.get_or_insert_default()
            .insert(name.to_owned(), value.to_owned());
    }
}
