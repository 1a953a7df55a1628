//! `/networks`: the networks that there are. Others cannot be made.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::filters::Filters;
use super::history::{self, Shape};
use super::router;
use crate::network::{self, Network};
use crate::{Error, Result};

/// As much of a request for a network as names it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Body {
    name: String,
}

pub(super) async fn route(mut call: Call<'_>) -> Result<Answer> {
    let path: Vec<String> = call.path.clone();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let layout = call.engine.layout();
    match (call.method.as_str(), path.as_slice()) {
        ("GET", ["networks"]) => {
            let filters = Filters::parse(call.query.get("filters"))?;
            let list = list(&network::networks(layout)?, &filters)?;
            history::answer(call.version, Shape::Network, &list)
        }
        ("POST", ["networks", "create"]) => {
            let body: Body = call.json().await?;
            Err(refused(&format!("make the network {}", body.name)))
        }
        ("POST", ["networks", "prune"]) => {
            // There are none that could be in nobody's use.
            Filters::parse(call.query.get("filters"))?.check(&["label", "label!", "until"])?;
            Answer::json(&json!({ "NetworksDeleted": null }))
        }
        ("POST", ["networks", name, "connect" | "disconnect"]) => {
            let network = find(&network::networks(layout)?, name)?;
            Err(refused(&format!(
                "change which containers are on the network {} while they run",
                network.name
            )))
        }
        ("GET", ["networks", name]) => {
            let network = shown(&find(&network::networks(layout)?, name)?, true);
            history::answer(call.version, Shape::Network, &network)
        }
        ("DELETE", ["networks", name]) => {
            let network = find(&network::networks(layout)?, name)?;
            Err(Error::new(
                crate::ErrorKind::Forbidden,
                format!(
                    "{} is a pre-defined network and cannot be removed",
                    network.name
                ),
            ))
        }
        _ => Err(router::missing(&call)),
    }
}

fn refused(what: &str) -> Error {
    Error::not_implemented(format!(
        "the embedded engine does not {what}: it has the networks bridge, host and none"
    ))
}

/// The network of that name, full id, or the beginning of one id.
fn find(networks: &[Network], name: &str) -> Result<Network> {
    let missing = || Error::not_found(format!("network {name} not found"));
    if let Some(network) = networks
        .iter()
        .find(|network| network.name == name || network.id == name)
    {
        return Ok(network.clone());
    }
    let mut found = networks
        .iter()
        .filter(|network| !name.is_empty() && network.id.starts_with(name));
    match (found.next(), found.next()) {
        (Some(network), None) => Ok(network.clone()),
        (Some(_), Some(_)) => Err(Error::invalid(format!(
            "network {name} is ambiguous (2 matches found based on ID prefix)"
        ))),
        _ => Err(missing()),
    }
}

fn list(networks: &[Network], filters: &Filters) -> Result<Vec<Value>> {
    filters.check(&[
        "dangling", "driver", "id", "label", "label!", "name", "scope", "type",
    ])?;
    let dangling = filters.flag("dangling")?;
    let fits = |network: &&Network| {
        // Those that are always there are never in nobody's use, and are of no user's making.
        dangling != Some(true)
            && filters.any("type", |kind| kind == "builtin")
            && filters.any("driver", |driver| driver == network.driver())
            && filters.any("scope", |scope| scope == "local")
            && filters.any("id", |id| network.id.starts_with(id))
            && filters.any("name", |name| network.name.contains(name))
            && filters.labels(|_| None)
    };
    Ok(networks
        .iter()
        .filter(fits)
        .map(|network| shown(network, false))
        .collect())
}

/// A network as the API shows it; its containers are for who asks for it alone.
fn shown(network: &Network, containers: bool) -> Value {
    let mut members = serde_json::Map::new();
    if containers {
        for member in &network.members {
            members.insert(
                member.container.clone(),
                json!({
                    "Name": member.name,
                    "EndpointID": member.endpoint,
                    "MacAddress": member.mac,
                    "IPv4Address": member.address,
                    "IPv6Address": "",
                }),
            );
        }
    }
    let config = match &network.subnet {
        Some(subnet) => json!([{ "Subnet": subnet.to_string(), "Gateway": network.gateway }]),
        None => json!([]),
    };
    let mut shown = json!({
        "Name": network.name,
        "Id": network.id,
        "Created": network.created,
        "Scope": "local",
        "Driver": network.driver(),
        "EnableIPv4": true,
        "EnableIPv6": false,
        "IPAM": { "Driver": "default", "Options": null, "Config": config },
        "Internal": false,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": { "Network": "" },
        "ConfigOnly": false,
        "Containers": members,
        "Options": network.options,
        "Labels": {},
    });
    if containers {
        shown["Status"] = json!({ "IPAM": status(network) });
    }
    shown
}

/// How many addresses of a network are taken. The first and the last one always are, and the gateway's.
fn status(network: &Network) -> Value {
    let Some(subnet) = &network.subnet else {
        return json!({});
    };
    let all = 1_u64 << (32 - u32::from(subnet.prefix()));
    let taken = (3 + u64::try_from(network.members.len()).unwrap_or(u64::MAX)).min(all);
    json!({
        "Subnets": {
            subnet.to_string(): { "IPsInUse": taken, "DynamicIPsAvailable": all - taken },
        },
    })
}
