//! `RegistryConfig` of `GET /info`: the mirrors and the insecure registries of the configuration file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::configuration::{Configuration, Insecure};

/// What Docker calls the registry of Docker Hub.
const HUB: &str = "docker.io";

/// Networks that no configuration has to declare: this machine.
const LOCAL: [&str; 2] = ["::1/128", "127.0.0.0/8"];

/// The registries as Docker describes them: each mirror, network and name once, and Docker Hub always.
pub(super) fn described(configuration: &Configuration) -> Value {
    let mirrors = unique(
        configuration
            .registry_mirrors
            .iter()
            .map(ToString::to_string),
    );
    let mut networks = Vec::new();
    // As Go's maps, in the order of their keys.
    let mut indexes = BTreeMap::new();
    for entry in &configuration.insecure_registries {
        match entry {
            Insecure::Network(base, prefix) => networks.push(format!("{base}/{prefix}")),
            Insecure::Name(name) => {
                indexes.insert(name.as_str(), index(name, &[], false));
            }
        }
    }
    indexes.insert(HUB, index(HUB, &mirrors, true));
    networks.extend(LOCAL.map(str::to_owned));
    json!({
        "InsecureRegistryCIDRs": unique(networks),
        "IndexConfigs": indexes,
        "Mirrors": mirrors,
    })
}

fn index(name: &str, mirrors: &[String], is_hub: bool) -> Value {
    json!({"Name": name, "Mirrors": mirrors, "Secure": is_hub, "Official": is_hub})
}

fn unique(texts: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut unique = Vec::new();
    for text in texts {
        if !unique.contains(&text) {
            unique.push(text);
        }
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_and_insecure_registries_are_told_once() {
        let configuration: Configuration = serde_json::from_value(json!({
            "registry-mirrors": ["https://b.example", "http://a.example:80/", "https://b.example/"],
            "insecure-registries": ["10.1.2.3/8", "z.example:5000", "127.0.0.0/8", "10.0.0.0/8", "a"],
        }))
        .expect("a configuration");
        let mirrors = json!(["https://b.example/", "http://a.example:80/"]);
        let insecure =
            |name| json!({"Name": name, "Mirrors": [], "Secure": false, "Official": false});
        assert_eq!(
            described(&configuration),
            json!({
                "InsecureRegistryCIDRs": ["10.0.0.0/8", "127.0.0.0/8", "::1/128"],
                "IndexConfigs": {
                    "a": insecure("a"),
                    "docker.io": {"Name": "docker.io", "Mirrors": mirrors, "Secure": true, "Official": true},
                    "z.example:5000": insecure("z.example:5000"),
                },
                "Mirrors": mirrors,
            })
        );
    }
}
