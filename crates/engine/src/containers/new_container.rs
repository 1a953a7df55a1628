//! What a container shall be, as `POST /containers/create` is told.

use bollard_stubs::models::ContainerCreateBody;
use serde_json::{Map, Value};

use super::restart_policy;
use crate::{Error, Result};

/// A container that is to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NewContainer {
    /// The name; one is made up if it is empty.
    pub(crate) name: String,
    /// The platform of the image; empty for any that this machine runs.
    pub(crate) platform: String,
    /// All that the API describes.
    pub(crate) body: ContainerCreateBody,
    /// `Rootfs`, which this engine alone has: a directory, with `:O` behind it if it is to be left as it is.
    pub(crate) rootfs: Option<String>,
}

impl NewContainer {
    /// Reads the body of a request.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what has another shape, or a word that is
    /// none of those for its place.
    pub(crate) fn from_json(json: Value) -> Result<NewContainer> {
        let Value::Object(mut object) = json else {
            return Err(Error::invalid(
                "config cannot be empty in order to create a container",
            ));
        };
        for name in ["Cmd", "Entrypoint"] {
            word_to_list(&mut object, name);
        }
        let rootfs = match object.remove("Rootfs") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => return Err(Error::invalid("Rootfs is not a text")),
        };
        let mac_address = match object.remove("MacAddress") {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        check_words(&object)?;
        let mut body: ContainerCreateBody = serde_json::from_value(Value::Object(object))
            .map_err(|error| Error::invalid(format!("invalid JSON: {error}")).with_source(error))?;
        if let Some(address) = mac_address {
            give_mac_address(&mut body, address);
        }
        Ok(NewContainer {
            body,
            rootfs,
            ..NewContainer::default()
        })
    }
}

/// Clients may send one word where a list of words is meant.
fn word_to_list(object: &mut Map<String, Value>, name: &str) {
    if let Some(value @ Value::String(_)) = object.get_mut(name) {
        *value = Value::Array(vec![value.take()]);
    }
}

/// Words of which there are a few are of an enumeration each, whose errors would name what the client never wrote.
fn check_words(object: &Map<String, Value>) -> Result<()> {
    let Some(host_config) = object.get("HostConfig") else {
        return Ok(());
    };
    let word = |pointer: &str| host_config.pointer(pointer).and_then(Value::as_str);
    if let Some(name) = word("/RestartPolicy/Name")
        && !restart_policy::NAMES.contains(&name)
    {
        return Err(restart_policy::unknown(name));
    }
    if let Some(name) = word("/Isolation")
        && !matches!(name, "" | "default")
    {
        return Err(Error::invalid(format!(
            "invalid isolation '{name}' on linux"
        )));
    }
    if let Some(mode) = word("/CgroupnsMode")
        && !matches!(mode, "" | "private" | "host")
    {
        return Err(Error::invalid(format!(
            "invalid cgroup namespace mode: {mode}"
        )));
    }
    let mounts = host_config.get("Mounts").and_then(Value::as_array);
    for mount in mounts.into_iter().flatten() {
        check_mount_words(mount)?;
    }
    Ok(())
}

fn check_mount_words(mount: &Value) -> Result<()> {
    const TYPES: [&str; 6] = ["bind", "cluster", "image", "npipe", "tmpfs", "volume"];
    const PROPAGATIONS: [&str; 7] = [
        "", "private", "rprivate", "shared", "rshared", "slave", "rslave",
    ];
    let kind = mount
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let invalid =
        |why: String| Error::invalid(format!("invalid mount config for type {kind:?}: {why}"));
    if !TYPES.contains(&kind) {
        return Err(invalid(format!("mount type unknown: {kind:?}")));
    }
    let propagation = mount
        .pointer("/BindOptions/Propagation")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !PROPAGATIONS.contains(&propagation) {
        return Err(invalid(format!("invalid propagation mode: {propagation}")));
    }
    Ok(())
}

/// Below API 1.44 the address is the container's; the models know it where it has been since, at the endpoint.
fn give_mac_address(body: &mut ContainerCreateBody, address: String) {
    let mode = body
        .host_config
        .as_ref()
        .and_then(|config| config.network_mode.clone())
        .filter(|mode| !mode.is_empty())
        .unwrap_or_else(|| "default".to_owned());
    let endpoint = body
        .networking_config
        .get_or_insert_default()
        .endpoints_config
        .get_or_insert_default()
        .entry(mode)
        .or_default();
    endpoint.mac_address.get_or_insert(address);
}

/// The body of this module's fuzz target: any body is read or refused as the client's mistake.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let Ok(json) = serde_json::from_slice(data) else {
        return;
    };
    match NewContainer::from_json(json) {
        Ok(new) => {
            // What is recorded has to be read again.
            let text = serde_json::to_value(&new.body).expect("JSON");
            NewContainer::from_json(text).expect("what was written");
        }
        Err(error) => assert_eq!(error.status(), 400, "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn error(json: Value) -> String {
        let error = NewContainer::from_json(json).expect_err("refused");
        assert_eq!(error.status(), 400);
        error.to_string()
    }

    #[test]
    fn the_directory_stands_beside_an_empty_image() {
        let new = NewContainer::from_json(json!({"Image": "", "Rootfs": "/:O", "Cmd": ["true"]}))
            .expect("a request");
        assert_eq!(new.rootfs.as_deref(), Some("/:O"));
        assert_eq!(new.body.image.as_deref(), Some(""));
        assert_eq!(error(json!({"Rootfs": 1})), "Rootfs is not a text");
    }

    #[test]
    fn one_word_is_a_list_of_one() {
        let new = NewContainer::from_json(json!({"Cmd": "true", "Entrypoint": ["a", "b"]}))
            .expect("a request");
        assert_eq!(new.body.cmd.as_deref(), Some(&["true".to_owned()][..]));
        assert_eq!(new.body.entrypoint.map(|list| list.len()), Some(2));
    }

    #[test]
    fn an_old_clients_mac_address_is_its_endpoints() {
        let new =
            NewContainer::from_json(json!({"MacAddress": "02:00:00:00:00:01"})).expect("a request");
        let endpoints = new
            .body
            .networking_config
            .and_then(|config| config.endpoints_config)
            .expect("endpoints");
        assert_eq!(
            endpoints["default"].mac_address.as_deref(),
            Some("02:00:00:00:00:01")
        );
    }

    #[test]
    fn wrong_shapes_and_words_are_named() {
        assert!(error(json!(null)).contains("config cannot be empty"));
        assert!(error(json!([])).contains("config cannot be empty"));
        assert!(
            error(json!({"Tty": "yes"})).starts_with("invalid JSON: invalid type: string \"yes\"")
        );
        let host_config = |config: Value| error(json!({"HostConfig": config}));
        assert!(
            host_config(json!({"RestartPolicy": {"Name": "mostly"}}))
                .contains("unknown policy 'mostly'")
        );
        assert_eq!(
            host_config(json!({"Isolation": "hyperv"})),
            "invalid isolation 'hyperv' on linux"
        );
        assert!(
            host_config(json!({"Mounts": [{"Type": "tape"}]}))
                .contains("mount type unknown: \"tape\"")
        );
    }

    proptest! {
        #[test]
        fn any_values_are_read_or_refused(
            name in prop::sample::select(vec!["Cmd", "Image", "Tty", "Env", "Rootfs", "HostConfig", "ExposedPorts", "MacAddress"]),
            value in "(null|true|-?[0-9]{1,20}|\"[a-z:/]{0,5}\"|\\[(\"a\"|1|null)?\\]|\\{(\"Mounts\":\\[\\{\\}\\]|\"a\":\\{\\}|\"Memory\":1e99)?\\})",
        ) {
            fuzz(format!("{{\"{name}\": {value}}}").as_bytes());
        }
    }
}
