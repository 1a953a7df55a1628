//! What a container shall be, as `POST /containers/create` is told.

use bollard_stubs::models::ContainerCreateBody;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::restart_policy;
use crate::{Error, Result, json};

/// A container that is to be made.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NewContainer {
    /// The name; one is made up if it is empty.
    pub(crate) name: String,
    /// The platform of the image; empty for any that this machine runs.
    pub(crate) platform: String,
    /// All that the API describes.
    pub(crate) body: ContainerCreateBody,
    /// Whether the request gives the container itself a hardware address, and not only its place in a network.
    pub(crate) has_mac_address: bool,
    /// Whether bind mounts that are read-only leave the mounts below them as they are, as below API 1.44.
    pub(crate) has_shallow_read_only: bool,
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
    pub(crate) fn from_json(text: &[u8]) -> Result<NewContainer> {
        let invalid = |error: serde_json::Error| {
            Error::invalid(format!("invalid JSON: {error}")).with_source(error)
        };
        if !text.trim_ascii_start().starts_with(b"{") {
            serde_json::from_slice::<IgnoredAny>(text).map_err(invalid)?;
            return Err(Error::invalid(
                "config cannot be empty in order to create a container",
            ));
        }
        let further: Further = json::from_slice(text).map_err(invalid)?;
        further.check_words()?;
        let mut body: ContainerCreateBody = json::from_slice(text).map_err(invalid)?;
        let mac_address = further.mac_address.filter(|text| !text.is_empty());
        let has_mac_address = mac_address.is_some();
        if let Some(address) = mac_address {
            give_mac_address(&mut body, address);
        }
        Ok(NewContainer {
            body,
            has_mac_address,
            rootfs: further.rootfs.filter(|text| !text.is_empty()),
            ..NewContainer::default()
        })
    }
}

/// What a body says beyond the model, and the words in it of which there are a few: in the model they are of an enumeration
/// each, whose errors would name what the client never wrote.
#[derive(Default, Deserialize)]
#[serde(
    rename = "ContainerCreateBody",
    rename_all = "PascalCase",
    default,
    expecting = "an object"
)]
struct Further {
    rootfs: Option<String>,
    mac_address: Option<String>,
    host_config: Option<HostWords>,
}

#[derive(Default, Deserialize)]
#[serde(
    rename = "HostConfig",
    rename_all = "PascalCase",
    default,
    expecting = "an object"
)]
struct HostWords {
    restart_policy: Option<PolicyWords>,
    isolation: Option<String>,
    cgroupns_mode: Option<String>,
    mounts: Option<Vec<MountWords>>,
}

#[derive(Default, Deserialize)]
#[serde(
    rename = "RestartPolicy",
    rename_all = "PascalCase",
    default,
    expecting = "an object"
)]
struct PolicyWords {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(
    rename = "Mount",
    rename_all = "PascalCase",
    default,
    expecting = "an object"
)]
struct MountWords {
    #[serde(rename = "Type")]
    kind: Option<String>,
    bind_options: Option<BindWords>,
}

#[derive(Default, Deserialize)]
#[serde(
    rename = "MountBindOptions",
    rename_all = "PascalCase",
    default,
    expecting = "an object"
)]
struct BindWords {
    propagation: Option<String>,
}

impl Further {
    fn check_words(&self) -> Result<()> {
        let Some(host_config) = &self.host_config else {
            return Ok(());
        };
        let policy = host_config.restart_policy.as_ref();
        if let Some(name) = policy.and_then(|policy| policy.name.as_deref())
            && !restart_policy::NAMES.contains(&name)
        {
            return Err(restart_policy::unknown(name));
        }
        if let Some(name) = &host_config.isolation
            && !matches!(name.as_str(), "" | "default")
        {
            return Err(Error::invalid(format!(
                "invalid isolation '{name}' on linux"
            )));
        }
        if let Some(mode) = &host_config.cgroupns_mode
            && !matches!(mode.as_str(), "" | "private" | "host")
        {
            return Err(Error::invalid(format!(
                "invalid cgroup namespace mode: {mode}"
            )));
        }
        host_config
            .mounts
            .iter()
            .flatten()
            .try_for_each(MountWords::check)
    }
}

impl MountWords {
    fn check(&self) -> Result<()> {
        const TYPES: [&str; 6] = ["bind", "cluster", "image", "npipe", "tmpfs", "volume"];
        const PROPAGATIONS: [&str; 7] = [
            "", "private", "rprivate", "shared", "rshared", "slave", "rslave",
        ];
        let kind = self.kind.as_deref().unwrap_or_default();
        let invalid =
            |why: String| Error::invalid(format!("invalid mount config for type {kind:?}: {why}"));
        if !TYPES.contains(&kind) {
            return Err(invalid(format!("mount type unknown: {kind:?}")));
        }
        let bind_options = self.bind_options.as_ref();
        let propagation = bind_options.and_then(|options| options.propagation.as_deref());
        let propagation = propagation.unwrap_or_default();
        if !PROPAGATIONS.contains(&propagation) {
            return Err(invalid(format!("invalid propagation mode: {propagation}")));
        }
        Ok(())
    }
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
    match NewContainer::from_json(data) {
        Ok(new) => {
            // What is recorded has to be read again.
            let text = serde_json::to_vec(&new.body).expect("JSON");
            NewContainer::from_json(&text).expect("what was written");
        }
        Err(error) => assert_eq!(error.status(), 400, "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Result<NewContainer> {
        NewContainer::from_json(body.to_string().as_bytes())
    }

    fn error(body: Value) -> String {
        let error = read(body).expect_err("refused");
        assert_eq!(error.status(), 400);
        error.to_string()
    }

    #[test]
    fn the_directory_stands_beside_an_empty_image() {
        let new = read(json!({"Image": "", "Rootfs": "/:O", "Cmd": ["true"]})).expect("a request");
        assert_eq!(new.rootfs.as_deref(), Some("/:O"));
        assert_eq!(new.body.image.as_deref(), Some(""));
        assert!(error(json!({"Rootfs": 1})).starts_with("invalid JSON: invalid type: integer"));
    }

    #[test]
    fn an_error_names_no_type_of_ours() {
        for wrong in [json!([]), json!("x"), json!(1)] {
            let error = error(json!({"HostConfig": wrong}));
            assert!(error.contains(", expected an object"), "{error}");
        }
    }

    #[test]
    fn one_word_is_a_list_of_one() {
        let new = read(json!({"Cmd": "true", "Entrypoint": ["a", "b"]})).expect("a request");
        assert_eq!(new.body.cmd.as_deref(), Some(&["true".to_owned()][..]));
        assert_eq!(new.body.entrypoint.map(|list| list.len()), Some(2));
    }

    #[test]
    fn an_old_clients_mac_address_is_its_endpoints() {
        let new = read(json!({"MacAddress": "02:00:00:00:00:01"})).expect("a request");
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
    fn keys_have_no_case_here_either() {
        let new = read(json!({
            "rootfs": "/:O", "macaddress": "02:00:00:00:00:01", "hostconfig": {"networkmode": "bridge"},
        }))
        .expect("a request");
        assert_eq!(new.rootfs.as_deref(), Some("/:O"));
        let endpoints = new
            .body
            .networking_config
            .and_then(|config| config.endpoints_config);
        assert!(endpoints.is_some_and(|endpoints| endpoints.contains_key("bridge")));
        for wrong in [
            json!({"hostconfig": {"restartpolicy": {"name": "mostly"}}}),
            json!({"hostConfig": {"ISOLATION": "hyperv"}}),
            json!({"HOSTCONFIG": {"mounts": [{"type": "tape"}]}}),
            json!({"rootfs": "/", "Rootfs": "/tmp"}),
            json!({"HostConfig": {"CapDrop": ["ALL"], "capdrop": []}}),
        ] {
            error(wrong);
        }
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
