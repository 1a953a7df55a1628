//! `/volumes`: everything about volumes.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::filters::Filters;
use super::{history, router};
use crate::volume::{NewVolume, Store, Volume, Wanted};
use crate::{Error, Result};

/// The body of a request for a volume. Fields that are null are those that are not there.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Body {
    #[serde(deserialize_with = "null_is_default")]
    name: String,
    #[serde(deserialize_with = "null_is_default")]
    driver: String,
    #[serde(deserialize_with = "null_is_default")]
    driver_opts: HashMap<String, String>,
    #[serde(deserialize_with = "null_is_default")]
    labels: HashMap<String, String>,
    cluster_volume_spec: Option<Value>,
}

fn null_is_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> std::result::Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

pub(super) async fn route(mut call: Call<'_>) -> Result<Answer> {
    let path: Vec<String> = call.path.clone();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let engine = call.engine;
    let store = Store::new(engine.layout());
    let filters = |call: &Call<'_>| Filters::parse(call.query.get("filters"));
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["volumes"]) => list(store, &filters(&call)?),
        ("POST", ["volumes", "create"]) => {
            let body: Body = call.json().await?;
            create(store, body)
        }
        ("POST", ["volumes", "prune"]) => {
            let has_all = call.version < history::NAMED_VOLUMES_STAY;
            prune(store, &filters(&call)?, has_all)
        }
        ("GET", ["volumes", name]) => Answer::json(&shown(store, &store.get(name)?)),
        ("DELETE", ["volumes", name]) => {
            store.remove(name, call.query.flag("force"))?;
            Ok(Answer::no_content())
        }
        _ => Err(router::missing(&call)),
    }
}

fn create(store: Store<'_>, body: Body) -> Result<Answer> {
    if body.cluster_volume_spec.is_some() {
        return Err(Error::not_implemented(
            "the embedded engine does not do cluster volumes",
        ));
    }
    let volume = store.create(&NewVolume {
        name: body.name,
        driver: body.driver,
        options: body.driver_opts,
        labels: body.labels,
    })?;
    Answer::json_with(hyper::StatusCode::CREATED, &shown(store, &volume))
}

fn list(store: Store<'_>, filters: &Filters) -> Result<Answer> {
    filters.check(&["dangling", "driver", "label", "label!", "name"])?;
    let dangling = filters.flag("dangling")?;
    let volumes = store.list(Wanted(&|volume, users| {
        dangling.is_none_or(|dangling| dangling == users.is_empty())
            && filters.any("driver", |driver| driver == "local")
            && filters.any("name", |name| volume.name.contains(name))
            && has_labels(filters, volume)
    }))?;
    let warnings: Vec<String> = volumes
        .iter()
        .filter_map(|volume| {
            Some(format!(
                "volume {}: {}",
                volume.name,
                volume.damage.as_ref()?
            ))
        })
        .collect();
    let volumes: Vec<Value> = volumes.iter().map(|volume| shown(store, volume)).collect();
    let warnings = (!warnings.is_empty()).then_some(warnings);
    Answer::json(&json!({ "Volumes": volumes, "Warnings": warnings }))
}

/// `has_all` is whether volumes that have names go, too, as they do for old clients.
fn prune(store: Store<'_>, filters: &Filters, has_all: bool) -> Result<Answer> {
    filters.check(&["all", "label", "label!"])?;
    let all = has_all || filters.flag("all")?.unwrap_or(false);
    let (names, bytes) = store.prune(Wanted(&|volume, _| {
        (all || volume.is_anonymous()) && has_labels(filters, volume)
    }))?;
    Answer::json(&json!({ "VolumesDeleted": names, "SpaceReclaimed": bytes }))
}

fn has_labels(filters: &Filters, volume: &Volume) -> bool {
    filters.labels(|name| volume.labels.get(name).map(String::as_str))
}

/// A volume as the API shows it.
fn shown(store: Store<'_>, volume: &Volume) -> Value {
    // No labels and no options are null, as Docker has it.
    let map = |map: &BTreeMap<String, String>| match map.is_empty() {
        true => Value::Null,
        false => json!(map),
    };
    let mut shown = json!({
        "CreatedAt": volume.created,
        "Driver": match volume.damage {
            None => "local",
            Some(_) => "local (damaged)",
        },
        "Labels": map(&volume.labels),
        "Mountpoint": store.mountpoint(&volume.name),
        "Name": volume.name,
        "Options": map(&volume.options),
        "Scope": "local",
    });
    if let Some(damage) = &volume.damage {
        shown["Status"] = json!({ "Error": damage });
    }
    shown
}
