//! The request body of `POST /containers/create`.

use serde_json::{Map, Value, json};

use crate::models::ContainerCreateBody;
use crate::version::ApiVersion;

/// The first version in which a MAC address belongs to an endpoint and no longer to the container.
const ENDPOINT_MAC_ADDRESS: ApiVersion = ApiVersion::new(1, 44);

/// A container that is to be made: the body that the API's description has a type for, and what that type has no room
/// for. By default nothing of either is said.
///
/// Where the description lists the words of a value, its type is an enumeration, and a word that only this engine knows,
/// or none at all, can not be said with it. Whether there is such a word is for the engine to tell, so the fields here
/// take any; each one stands over the field of `body` that it is named after.
///
/// ```
/// use engine_client::NewContainer;
/// use engine_client::models::ContainerCreateBody;
///
/// let image = ContainerCreateBody { image: Some("busybox".to_owned()), ..Default::default() };
/// let container = NewContainer { restart_policy: Some("mostly".to_owned()), ..image.into() };
/// assert_eq!(container.body.image.as_deref(), Some("busybox"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewContainer {
    /// All that the description has types for.
    pub body: ContainerCreateBody,
    /// `HostConfig.RestartPolicy.Name`.
    pub restart_policy: Option<String>,
    /// `HostConfig.Isolation`.
    pub isolation: Option<String>,
    /// The words of `HostConfig.Mounts`, in the order of these; there may be fewer.
    pub mounts: Vec<MountWords>,
    /// `MacAddress`, which only engines below API 1.44 are told. Newer ones have it in the endpoint of a network.
    pub mac_address: Option<String>,
    /// `Rootfs`, a directory that is the container's root file system in place of an image's. The embedded engine
    /// alone knows it; others ignore it, so whoever sets it makes sure who answers.
    pub rootfs: Option<String>,
}

/// What one of the mounts of a [`NewContainer`] says in words that the description does not list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MountWords {
    /// `Type`.
    pub typ: Option<String>,
    /// `BindOptions.Propagation`.
    pub propagation: Option<String>,
}

impl From<ContainerCreateBody> for NewContainer {
    fn from(body: ContainerCreateBody) -> NewContainer {
        NewContainer {
            body,
            ..NewContainer::default()
        }
    }
}

impl NewContainer {
    /// What is to be sent beside [`body`](Self::body): where, as a JSON pointer, and what. Mostly nothing.
    fn extensions(&self, version: ApiVersion) -> Vec<(String, &str)> {
        let mac_address = self
            .mac_address
            .as_deref()
            .filter(|_| version < ENDPOINT_MAC_ADDRESS);
        let fields = [
            ("RestartPolicy/Name", self.restart_policy.as_deref()),
            ("Isolation", self.isolation.as_deref()),
        ]
        .map(|(path, value)| (format!("/HostConfig/{path}"), value));
        let mounts = self.mounts.iter().enumerate().flat_map(|(index, words)| {
            [
                ("Type", words.typ.as_deref()),
                ("BindOptions/Propagation", words.propagation.as_deref()),
            ]
            .map(|(path, value)| (format!("/HostConfig/Mounts/{index}/{path}"), value))
        });
        let others = [
            ("/MacAddress".to_owned(), mac_address),
            ("/Rootfs".to_owned(), self.rootfs.as_deref()),
        ];
        fields
            .into_iter()
            .chain(mounts)
            .chain(others)
            .filter_map(|(pointer, value)| Some((pointer, value?)))
            .collect()
    }

    /// The body with all that stands beside it; `None` if nothing does, and `body` is to be sent as it is.
    pub(crate) fn extended(&self, version: ApiVersion) -> serde_json::Result<Option<Value>> {
        let extensions = self.extensions(version);
        if extensions.is_empty() {
            return Ok(None);
        }
        let mut json = serde_json::to_value(&self.body)?;
        for (pointer, value) in extensions {
            put(&mut json, &pointer, value);
        }
        Ok(Some(json))
    }
}

/// Puts a value at a place, and makes the objects on the way that are not there. An element of a list has to be there.
fn put(json: &mut Value, pointer: &str, value: &str) {
    let mut place = json;
    for name in pointer.split('/').skip(1) {
        if let Value::Array(elements) = place {
            let index: Option<usize> = name.parse().ok();
            let Some(element) = index.and_then(|index| elements.get_mut(index)) else {
                return;
            };
            place = element;
            continue;
        }
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[name];
    }
    *place = json!(value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{HostConfig, Mount, RestartPolicy, RestartPolicyNameEnum};

    const NEW: ApiVersion = ApiVersion::new(1, 44);
    const OLD: ApiVersion = ApiVersion::new(1, 43);

    #[test]
    fn mostly_the_body_stands_for_itself() {
        assert_eq!(NewContainer::default().extended(OLD).unwrap(), None);
    }

    #[test]
    fn words_stand_over_those_of_the_body() {
        let policy = RestartPolicy {
            name: Some(RestartPolicyNameEnum::NO),
            maximum_retry_count: Some(3),
        };
        let host_config = HostConfig {
            restart_policy: Some(policy),
            ..HostConfig::default()
        };
        let body = ContainerCreateBody {
            host_config: Some(host_config),
            tty: Some(true),
            ..ContainerCreateBody::default()
        };
        let container = NewContainer {
            restart_policy: Some("x".to_owned()),
            isolation: Some("y".to_owned()),
            rootfs: Some("/r".to_owned()),
            ..body.into()
        };
        let expected = json!({
            "Tty": true,
            "Rootfs": "/r",
            "HostConfig": {"RestartPolicy": {"Name": "x", "MaximumRetryCount": 3}, "Isolation": "y"},
        });
        assert_eq!(container.extended(NEW).unwrap(), Some(expected));
    }

    #[test]
    fn each_mount_has_its_own_words() {
        let mounts = vec![Mount::default(), Mount::default()];
        let body = ContainerCreateBody {
            host_config: Some(HostConfig {
                mounts: Some(mounts),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let words = MountWords {
            typ: Some("x".to_owned()),
            propagation: Some("y".to_owned()),
        };
        let container = NewContainer {
            // There is no third mount to say the last of.
            mounts: vec![MountWords::default(), words.clone(), words],
            ..body.into()
        };
        let expected = json!({
            "HostConfig": {"Mounts": [{}, {"Type": "x", "BindOptions": {"Propagation": "y"}}]},
        });
        assert_eq!(container.extended(NEW).unwrap(), Some(expected));
    }

    #[test]
    fn an_object_that_is_not_there_is_made() {
        let container = NewContainer {
            restart_policy: Some("x".to_owned()),
            ..NewContainer::default()
        };
        let expected = json!({"HostConfig": {"RestartPolicy": {"Name": "x"}}});
        assert_eq!(container.extended(NEW).unwrap(), Some(expected));
    }

    #[test]
    fn only_old_engines_are_told_the_mac_address_of_a_container() {
        let container = NewContainer {
            mac_address: Some("02:00:00:00:00:01".to_owned()),
            ..NewContainer::default()
        };
        assert_eq!(container.extended(NEW).unwrap(), None);
        assert_eq!(
            container.extended(OLD).unwrap(),
            Some(json!({"MacAddress": "02:00:00:00:00:01"}))
        );
    }
}
