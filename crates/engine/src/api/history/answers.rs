//! Gives an answer the shape of a version.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::answer::Answer;
use crate::api::version::ApiVersion;
use crate::{Error, Result};

/// The answers that are not the same in every version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Shape {
    /// `GET /containers/{id}/json`
    Container,
    /// An element of `GET /containers/json`
    ContainerSummary,
    /// `POST /containers/{id}/wait`
    Wait,
    /// `GET /images/{name}/json`
    Image,
    /// An element of `GET /images/json`
    ImageSummary,
    /// `GET /info`
    Info,
    /// `GET /networks/{id}`, and an element of `GET /networks`
    Network,
}

/// A field of an answer that was not always as it is now.
#[derive(Clone, Copy, Debug)]
struct Change {
    shape: Shape,
    /// The keys that lead to the field, behind dots; `*` stands for all keys of an object.
    place: &'static str,
    /// The version that changed it.
    version: ApiVersion,
    what: What,
}

/// What a version did to a field.
#[derive(Clone, Copy, Debug)]
enum What {
    /// It is there from then on.
    Added,
    /// It is gone from then on. Clients of older versions get it with this value, unless the engine has another.
    Removed(Default),
    /// It is left out from then on where it is null or empty. Clients of older versions get it with this value then.
    OmittedIfEmpty(Default),
    /// Before that its value was another one, which this makes in the object that has it.
    Otherwise(fn(&mut Map<String, Value>)),
}

/// A value for a field that an answer lacks.
#[derive(Clone, Copy, Debug)]
enum Default {
    /// It stays away.
    Absent,
    Null,
    False,
    Zero,
    EmptyText,
    /// That of another field of the same object.
    Of(&'static str),
    /// A container's configuration that says nothing.
    Config,
}

impl Default {
    fn value(self, object: &Map<String, Value>) -> Option<Value> {
        Some(match self {
            Default::Absent => return None,
            Default::Null => Value::Null,
            Default::False => json!(false),
            Default::Zero => json!(0),
            Default::EmptyText => json!(""),
            Default::Of(name) => object.get(name).cloned()?,
            Default::Config => json!({
                "Hostname": "", "Domainname": "", "User": "", "AttachStdin": false, "AttachStdout": false,
                "AttachStderr": false, "Tty": false, "OpenStdin": false, "StdinOnce": false, "Env": null,
                "Cmd": null, "Image": "", "Volumes": null, "WorkingDir": "", "Entrypoint": null,
                "OnBuild": null, "Labels": null,
            }),
        })
    }
}

const fn change(shape: Shape, place: &'static str, minor: u16, what: What) -> Change {
    Change {
        shape,
        place,
        version: ApiVersion::new(1, minor),
        what,
    }
}

/// Every change of an answer. Those of one field stand in the order of their versions.
#[rustfmt::skip] // A line a change.
const ANSWERS: &[Change] = {
    use Shape::{Container, ContainerSummary, Image, ImageSummary, Info, Network, Wait};
    use What::{Added, OmittedIfEmpty, Otherwise, Removed};
    &[
        // GET /containers/{id}/json
        change(Container, "HostConfig.KernelMemory", 42, Removed(Default::Zero)),
        change(Container, "HostConfig.KernelMemoryTCP", 42, Removed(Default::Zero)),
        change(Container, "NetworkSettings.Networks.*.DNSNames", 44, Added),
        change(Container, "NetworkSettings.Networks.*.GwPriority", 48, Added),
        change(Container, "Config.MacAddress", 52, Removed(Default::Absent)),
        change(Container, "Config.OnBuild", 52, OmittedIfEmpty(Default::Null)),
        change(Container, "NetworkSettings.Bridge", 52, Removed(Default::EmptyText)),
        change(Container, "NetworkSettings.HairpinMode", 52, Removed(Default::False)),
        change(Container, "NetworkSettings.LinkLocalIPv6Address", 52, Removed(Default::EmptyText)),
        change(Container, "NetworkSettings.LinkLocalIPv6PrefixLen", 52, Removed(Default::Zero)),
        change(Container, "NetworkSettings.SecondaryIPAddresses", 52, Removed(Default::Null)),
        change(Container, "NetworkSettings.SecondaryIPv6Addresses", 52, Removed(Default::Null)),
        change(Container, "NetworkSettings.EndpointID", 52, Removed(Default::EmptyText)),
        change(Container, "NetworkSettings.Gateway", 52, Removed(Default::EmptyText)),
        change(Container, "NetworkSettings.GlobalIPv6Address", 52, Removed(Default::EmptyText)),
        change(Container, "NetworkSettings.GlobalIPv6PrefixLen", 52, Removed(Default::Zero)),
        change(Container, "NetworkSettings.IPAddress", 52, Removed(Default::EmptyText)),
        change(Container, "NetworkSettings.IPPrefixLen", 52, Removed(Default::Zero)),
        change(Container, "NetworkSettings.IPv6Gateway", 52, Removed(Default::EmptyText)),
        change(Container, "NetworkSettings.MacAddress", 52, Removed(Default::EmptyText)),
        // GET /containers/json
        change(ContainerSummary, "NetworkSettings.Networks.*.DNSNames", 44, Added),
        change(ContainerSummary, "HostConfig.Annotations", 46, Added),
        change(ContainerSummary, "NetworkSettings.Networks.*.GwPriority", 48, Added),
        change(ContainerSummary, "Health", 52, Added),
        // POST /containers/{id}/wait
        change(Wait, "Error", 42, OmittedIfEmpty(Default::Null)),
        // GET /images/{name}/json
        change(Image, "VirtualSize", 44, Removed(Default::Of("Size"))),
        change(Image, "Created", 44, Otherwise(created_of_none)),
        change(Image, "Container", 45, Removed(Default::EmptyText)),
        change(Image, "ContainerConfig", 45, Removed(Default::Config)),
        change(Image, "Config.Hostname", 50, Removed(Default::EmptyText)),
        change(Image, "Config.Domainname", 50, Removed(Default::EmptyText)),
        change(Image, "Config.AttachStdin", 50, Removed(Default::False)),
        change(Image, "Config.AttachStdout", 50, Removed(Default::False)),
        change(Image, "Config.AttachStderr", 50, Removed(Default::False)),
        change(Image, "Config.Tty", 50, Removed(Default::False)),
        change(Image, "Config.OpenStdin", 50, Removed(Default::False)),
        change(Image, "Config.StdinOnce", 50, Removed(Default::False)),
        change(Image, "Config.Image", 50, Removed(Default::EmptyText)),
        change(Image, "Config.User", 52, OmittedIfEmpty(Default::EmptyText)),
        change(Image, "Config.Env", 52, OmittedIfEmpty(Default::Null)),
        change(Image, "Config.Cmd", 52, OmittedIfEmpty(Default::Null)),
        change(Image, "Config.Volumes", 52, OmittedIfEmpty(Default::Null)),
        change(Image, "Config.WorkingDir", 52, OmittedIfEmpty(Default::EmptyText)),
        change(Image, "Config.Entrypoint", 52, OmittedIfEmpty(Default::Null)),
        change(Image, "Config.OnBuild", 52, OmittedIfEmpty(Default::Null)),
        change(Image, "Config.Labels", 52, OmittedIfEmpty(Default::Null)),
        change(Image, "Parent", 52, OmittedIfEmpty(Default::EmptyText)),
        change(Image, "Comment", 52, OmittedIfEmpty(Default::EmptyText)),
        change(Image, "DockerVersion", 52, OmittedIfEmpty(Default::EmptyText)),
        change(Image, "Author", 52, OmittedIfEmpty(Default::EmptyText)),
        // GET /images/json
        change(ImageSummary, "RepoTags", 43, Otherwise(names_of_nameless)),
        change(ImageSummary, "VirtualSize", 44, Removed(Default::Of("Size"))),
        change(ImageSummary, "Containers", 51, Otherwise(uncounted_containers)),
        // GET /info
        change(Info, "KernelMemory", 42, Removed(Default::False)),
        change(Info, "KernelMemoryTCP", 42, Removed(Default::False)),
        change(Info, "CDISpecDirs", 44, Added),
        change(Info, "RegistryConfig.AllowNondistributableArtifactsCIDRs", 48, Otherwise(distributable_addresses)),
        change(Info, "RegistryConfig.AllowNondistributableArtifactsCIDRs", 49, Removed(Default::Null)),
        change(Info, "RegistryConfig.AllowNondistributableArtifactsHostnames", 48, Otherwise(distributable_hosts)),
        change(Info, "RegistryConfig.AllowNondistributableArtifactsHostnames", 49, Removed(Default::Null)),
        change(Info, "ContainerdCommit.Expected", 49, Removed(Default::Of("ID"))),
        change(Info, "RuncCommit.Expected", 49, Removed(Default::Of("ID"))),
        change(Info, "InitCommit.Expected", 49, Removed(Default::Of("ID"))),
        change(Info, "BridgeNfIptables", 50, Removed(Default::False)),
        change(Info, "BridgeNfIp6tables", 50, Removed(Default::False)),
        // GET /networks
        change(Network, "EnableIPv4", 48, Added),
        change(Network, "Status", 52, Added),
    ]
};

/// Before 1.44 an image of unknown age was as old as Go's calendar.
fn created_of_none(image: &mut Map<String, Value>) {
    image
        .entry("Created")
        .or_insert_with(|| json!("0001-01-01T00:00:00Z"));
}

/// Before 1.43 an image without names had these, and one without digests none, not an empty list.
fn names_of_nameless(image: &mut Map<String, Value>) {
    let is_empty = |name: &str| image.get(name).is_none_or(is_empty);
    match (is_empty("RepoTags"), is_empty("RepoDigests")) {
        (true, true) => {
            image.insert("RepoTags".to_owned(), json!(["<none>:<none>"]));
            image.insert("RepoDigests".to_owned(), json!(["<none>@<none>"]));
        }
        (true, false) => drop(image.insert("RepoTags".to_owned(), Value::Null)),
        (false, true) => drop(image.insert("RepoDigests".to_owned(), Value::Null)),
        (false, false) => {}
    }
}

/// Before 1.51 lists of images did not count containers.
fn uncounted_containers(image: &mut Map<String, Value>) {
    image.insert("Containers".to_owned(), json!(-1));
}

/// Before 1.48 this was a list.
fn distributable_addresses(registries: &mut Map<String, Value>) {
    let name = "AllowNondistributableArtifactsCIDRs".to_owned();
    registries.insert(name, json!([]));
}

/// Before 1.48 this was a list.
fn distributable_hosts(registries: &mut Map<String, Value>) {
    let name = "AllowNondistributableArtifactsHostnames".to_owned();
    registries.insert(name, json!([]));
}

/// 200 and a value, or a list of values, as JSON in the shape of a version.
pub(in crate::api) fn answer(
    version: ApiVersion,
    of: Shape,
    value: &impl Serialize,
) -> Result<Answer> {
    let mut value = serde_json::to_value(value)
        .map_err(|error| Error::system(format!("write the answer: {error}")).with_source(error))?;
    shape(version, of, &mut value);
    Answer::json(&value)
}

/// Gives an answer that has everything the shape of a version; of a list, each element.
pub(in crate::api) fn shape(version: ApiVersion, of: Shape, value: &mut Value) {
    if let Value::Array(list) = value {
        for element in list {
            shape(version, of, element);
        }
        return;
    }
    for change in ANSWERS.iter().filter(|change| change.shape == of) {
        let steps: Vec<&str> = change.place.split('.').collect();
        if let Some((field, way)) = steps.split_last() {
            follow(value, way, &mut |object| {
                change.what.apply(object, field, version < change.version);
            });
        }
    }
}

/// Calls `act` for every object at the end of the way, if there is any.
fn follow(value: &mut Value, way: &[&str], act: &mut dyn FnMut(&mut Map<String, Value>)) {
    let Value::Object(object) = value else {
        return;
    };
    match way {
        [] => act(object),
        ["*", rest @ ..] => object
            .values_mut()
            .for_each(|value| follow(value, rest, act)),
        [key, rest @ ..] => {
            if let Some(value) = object.get_mut(*key) {
                follow(value, rest, act);
            }
        }
    }
}

impl What {
    /// Makes the field that of a version before or after the change.
    fn apply(self, object: &mut Map<String, Value>, field: &str, is_before: bool) {
        let fill = |object: &mut Map<String, Value>, default: Default| {
            if let Some(value) = default.value(object) {
                object.insert(field.to_owned(), value);
            }
        };
        match self {
            What::Added if is_before => drop(object.shift_remove(field)),
            What::Added => {}
            What::Removed(default) if is_before => {
                if !object.contains_key(field) {
                    fill(object, default);
                }
            }
            What::Removed(_) => drop(object.shift_remove(field)),
            What::OmittedIfEmpty(default) => {
                if object.get(field).is_none_or(is_empty) {
                    match is_before {
                        true => fill(object, default),
                        false => drop(object.shift_remove(field)),
                    }
                }
            }
            What::Otherwise(make) if is_before => make(object),
            What::Otherwise(_) => {}
        }
    }
}

/// What Go's `omitempty` leaves out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object with that value at the end of the way, and a neighbour for whoever looks at one.
    fn sample(place: &str, value: Option<Value>) -> Value {
        let (way, field) = place.rsplit_once('.').unwrap_or(("", place));
        let mut object = json!({"Size": 7, "ID": "id", "Neighbor": 1});
        if let Some(value) = value {
            object[field] = value;
        }
        for key in way.rsplit('.').filter(|key| !key.is_empty()) {
            let key = if key == "*" { "any" } else { key };
            object = json!({ key: object });
        }
        object
    }

    /// What stands at the end of the way.
    fn at<'a>(value: &'a Value, place: &str) -> Option<&'a Value> {
        let pointer = place.replace('*', "any").replace('.', "/");
        value.pointer(&format!("/{pointer}"))
    }

    /// The object, made by one change alone.
    fn changed(change: &Change, value: Option<Value>, is_before: bool) -> Value {
        let mut whole = sample(change.place, value);
        let steps: Vec<&str> = change.place.split('.').collect();
        let (field, way) = steps.split_last().expect("a field");
        follow(&mut whole, way, &mut |object| {
            change.what.apply(object, field, is_before);
        });
        whole
    }

    #[test]
    fn every_change_is_made_before_its_version_and_not_after() {
        for change in ANSWERS {
            let name = format!("{:?} {}", change.shape, change.place);
            let before = |value| changed(change, value, true);
            let after = |value| changed(change, value, false);
            let has = |whole: &Value| at(whole, change.place).is_some();
            let set = Some(json!("set"));
            match change.what {
                What::Added => {
                    assert!(!has(&before(set.clone())), "{name}");
                    assert!(has(&after(set)), "{name}");
                }
                What::Removed(default) => {
                    let is_given = !matches!(default, Default::Absent);
                    assert_eq!(has(&before(None)), is_given, "{name}");
                    assert_eq!(
                        at(&before(set.clone()), change.place),
                        set.as_ref(),
                        "{name}"
                    );
                    assert!(!has(&after(set)), "{name}");
                }
                What::OmittedIfEmpty(default) => {
                    let given = default.value(&Map::new()).expect("a value");
                    for empty in [None, Some(Value::Null), Some(json!("")), Some(json!([]))] {
                        let old = before(empty.clone());
                        assert_eq!(at(&old, change.place), Some(&given), "{name}");
                        assert!(!has(&after(empty)), "{name}");
                    }
                    assert_eq!(
                        at(&after(set.clone()), change.place),
                        set.as_ref(),
                        "{name}"
                    );
                }
                What::Otherwise(_) => {
                    assert_ne!(before(None), after(None), "{name}");
                    assert_eq!(after(None), sample(change.place, None), "{name}");
                }
            }
        }
    }

    #[test]
    fn the_changes_of_a_field_are_of_versions_that_there_are_and_in_their_order() {
        for (index, change) in ANSWERS.iter().enumerate() {
            let name = format!("{:?} {}", change.shape, change.place);
            assert!(change.version > ApiVersion::MINIMUM, "{name}");
            assert!(change.version <= ApiVersion::MAXIMUM, "{name}");
            let later = ANSWERS[index + 1..]
                .iter()
                .filter(|other| other.shape == change.shape && other.place == change.place);
            for other in later {
                assert!(change.version < other.version, "{name}");
            }
        }
    }

    #[test]
    fn an_answer_that_is_not_an_object_stays_as_it_is() {
        for value in [json!(null), json!([]), json!(["a", 1]), json!("text")] {
            let mut shaped = value.clone();
            shape(ApiVersion::MINIMUM, Shape::Image, &mut shaped);
            assert_eq!(shaped, value);
        }
    }
}
