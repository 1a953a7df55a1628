//! The container's networks: each `--network`, and the options that apply to the first of them.

use std::collections::HashMap;

use engine_client::models::{EndpointIpamConfig, EndpointSettings, NetworkingConfig};

use crate::create::{list, map, text};
use crate::options::NetworkOptions;
use crate::values::network::{Attachment, is_user_defined};
use crate::values::{InvalidValue, mac_address};

/// What the engine takes the container for where no network is named.
const DEFAULT: &str = "default";

/// What the body of the request says of networks.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Endpoints {
    /// The first network, or `default`.
    pub(crate) mode: String,
    /// The endpoints, if there is anything to say of them.
    pub(crate) networking_config: Option<NetworkingConfig>,
    /// The MAC address in the first network.
    pub(crate) mac_address: Option<String>,
}

/// Makes the endpoints, or says which options contradict each other.
pub(crate) fn endpoints(options: &NetworkOptions) -> Result<Endpoints, InvalidValue> {
    // The option is checked even if another error would hide it, as Docker does first of all.
    if let Some(address) = text(&options.mac_address) {
        mac_address::parse(&address)?;
    }
    let mut networks = options.network.clone();
    if networks.is_empty() {
        networks.push(Attachment {
            network: DEFAULT.to_owned(),
            ..Attachment::default()
        });
    }
    let mut endpoints = HashMap::new();
    for (index, network) in networks.iter().enumerate() {
        let endpoint = if index == 0 {
            endpoint(&combined(network, options)?)?
        } else {
            endpoint(network)?
        };
        if endpoints
            .insert(network.network.clone(), endpoint)
            .is_some()
        {
            return Err(InvalidValue::new(format!(
                "network {:?} is specified multiple times",
                network.network
            )));
        }
    }
    let user_defined = |network: &Attachment| is_user_defined(&network.network);
    if networks.iter().any(user_defined) && !networks.iter().all(user_defined) {
        return Err(InvalidValue::new(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
        ));
    }
    let mode = networks[0].network.clone();
    let mac_address = endpoints[&mode].mac_address.clone();
    // One network that is named stands in the mode, and the engine makes its endpoint.
    let is_mode_enough =
        options.network.len() == 1 && endpoints[&mode] == EndpointSettings::default();
    Ok(Endpoints {
        mode,
        networking_config: (!is_mode_enough).then_some(NetworkingConfig {
            endpoints_config: Some(endpoints),
        }),
        mac_address,
    })
}

/// The first network with what the options of their own say of it. Nothing may be said twice.
fn combined(network: &Attachment, options: &NetworkOptions) -> Result<Attachment, InvalidValue> {
    let mut network = network.clone();
    let conflict = |option: &str, what: &str| {
        InvalidValue::new(format!(
            "conflicting options: cannot specify both --{option} and per-network {what}"
        ))
    };
    let one = |own: &mut Option<String>, other: &Option<String>, option: &str, what: &str| match (
        &own,
        text(other),
    ) {
        (Some(_), Some(_)) => Err(conflict(option, what)),
        (None, Some(other)) => {
            *own = Some(other);
            Ok(())
        }
        (_, None) => Ok(()),
    };
    let all = |own: &mut Vec<String>, other: &[String], option: &str, what: &str| match (
        own.is_empty(),
        other.is_empty(),
    ) {
        (false, false) => Err(conflict(option, what)),
        (true, false) => {
            own.extend_from_slice(other);
            Ok(())
        }
        (_, true) => Ok(()),
    };
    all(
        &mut network.aliases,
        &options.network_alias,
        "network-alias",
        "alias",
    )?;
    one(&mut network.ipv4_address, &options.ip, "ip", "IPv4 address")?;
    one(
        &mut network.ipv6_address,
        &options.ip6,
        "ip6",
        "IPv6 address",
    )?;
    one(
        &mut network.mac_address,
        &options.mac_address,
        "mac-address",
        "MAC address",
    )?;
    all(
        &mut network.link_local_ips,
        &options.link_local_ips,
        "link-local-ip",
        "link-local IP addresses",
    )?;
    // In a network that somebody made a link is an alias of the endpoint; elsewhere it is the host's, and only that.
    if is_user_defined(&network.network) {
        network.links.clone_from(&options.links);
    }
    Ok(network)
}

fn endpoint(network: &Attachment) -> Result<EndpointSettings, InvalidValue> {
    if network.network.trim().is_empty() {
        return Err(InvalidValue::new("no name set for network"));
    }
    if !network.aliases.is_empty() && !is_user_defined(&network.network) {
        return Err(InvalidValue::new(
            "network-scoped aliases are only supported for user-defined networks",
        ));
    }
    let ipam = EndpointIpamConfig {
        ipv4_address: network.ipv4_address.clone(),
        ipv6_address: network.ipv6_address.clone(),
        link_local_ips: list(network.link_local_ips.clone()),
    };
    let mac_address = network.mac_address.as_deref();
    Ok(EndpointSettings {
        ipam_config: Some(ipam).filter(|ipam| *ipam != EndpointIpamConfig::default()),
        links: list(network.links.clone()),
        mac_address: mac_address.map(mac_address::parse).transpose()?,
        aliases: list(network.aliases.clone()),
        driver_opts: map(network.driver_options.clone()),
        gw_priority: Some(network.gateway_priority).filter(|priority| *priority != 0),
        ..EndpointSettings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::network;

    fn options(networks: &[&str]) -> NetworkOptions {
        NetworkOptions {
            network: networks
                .iter()
                .map(|text| network::parse(text).unwrap())
                .collect(),
            ..NetworkOptions::default()
        }
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn config(endpoints: Endpoints) -> HashMap<String, EndpointSettings> {
        endpoints
            .networking_config
            .and_then(|config| config.endpoints_config)
            .unwrap_or_default()
    }

    #[test]
    fn without_a_network_there_is_the_default_one() {
        let endpoints = endpoints(&options(&[])).unwrap();
        assert_eq!(endpoints.mode, "default");
        let expected = [("default".to_owned(), EndpointSettings::default())];
        assert_eq!(config(endpoints), expected.into());
    }

    #[test]
    fn one_network_without_options_is_only_the_mode() {
        for name in ["host", "bridge", "backend", "container:x", "Foo"] {
            let expected = Endpoints {
                mode: name.to_owned(),
                ..Endpoints::default()
            };
            assert_eq!(endpoints(&options(&[name])), Ok(expected), "{name}");
        }
        let long = endpoints(&options(&["name=backend"])).unwrap();
        assert_eq!(
            (long.mode.as_str(), long.networking_config),
            ("backend", None)
        );
    }

    #[test]
    fn each_of_several_networks_has_its_endpoint() {
        let endpoints = endpoints(&options(&["a", "name=b,gw-priority=7"])).unwrap();
        assert_eq!(endpoints.mode, "a");
        let endpoints = config(endpoints);
        assert_eq!(endpoints["a"], EndpointSettings::default());
        assert_eq!(endpoints["b"].gw_priority, Some(7));
    }

    #[test]
    fn options_of_their_own_are_about_the_first_network() {
        let options = NetworkOptions {
            network_alias: texts(&["x", "y"]),
            ip: Some("192.0.2.7".to_owned()),
            ip6: Some("2001:db8::1".to_owned()),
            link_local_ips: texts(&["169.254.1.2"]),
            mac_address: Some("02-00-00-00-00-0A".to_owned()),
            links: texts(&["db:d"]),
            ..options(&["a", "name=b,driver-opt=c=d"])
        };
        let endpoints = endpoints(&options).unwrap();
        assert_eq!(endpoints.mac_address.as_deref(), Some("02:00:00:00:00:0a"));
        let endpoints = config(endpoints);
        let first = EndpointSettings {
            ipam_config: Some(EndpointIpamConfig {
                ipv4_address: Some("192.0.2.7".to_owned()),
                ipv6_address: Some("2001:db8::1".to_owned()),
                link_local_ips: Some(texts(&["169.254.1.2"])),
            }),
            links: Some(texts(&["db:d"])),
            mac_address: Some("02:00:00:00:00:0a".to_owned()),
            aliases: Some(texts(&["x", "y"])),
            ..EndpointSettings::default()
        };
        assert_eq!(endpoints["a"], first);
        let second = EndpointSettings {
            driver_opts: Some([("c".to_owned(), "d".to_owned())].into()),
            ..EndpointSettings::default()
        };
        assert_eq!(endpoints["b"], second);
    }

    #[test]
    fn empty_options_say_nothing() {
        let options = NetworkOptions {
            ip: Some(String::new()),
            ip6: Some(String::new()),
            mac_address: Some(String::new()),
            ..options(&["a"])
        };
        assert_eq!(endpoints(&options).unwrap().networking_config, None);
    }

    #[test]
    fn a_link_is_the_endpoints_only_where_somebody_made_the_network() {
        for (network, has_links) in [("bridge", false), ("backend", true)] {
            let options = NetworkOptions {
                links: texts(&["db"]),
                ..options(&[network])
            };
            let endpoints = config(endpoints(&options).unwrap());
            let links = endpoints.get(network).and_then(|one| one.links.clone());
            assert_eq!(links.is_some(), has_links, "{network}");
        }
    }

    #[test]
    fn nothing_is_said_twice() {
        let with = |network: &str, change: fn(&mut NetworkOptions)| {
            let mut options = options(&[network]);
            change(&mut options);
            endpoints(&options).unwrap_err().to_string()
        };
        for (message, what) in [
            (
                with("name=a,alias=b", |options| {
                    options.network_alias = texts(&["c"])
                }),
                "network-alias and per-network alias",
            ),
            (
                with("name=a,ip=1.1.1.1", |options| {
                    options.ip = Some("1.1.1.1".to_owned())
                }),
                "ip and per-network IPv4 address",
            ),
            (
                with("name=a,ip6=::1", |options| {
                    options.ip6 = Some("::1".to_owned())
                }),
                "ip6 and per-network IPv6 address",
            ),
            (
                with("name=a,mac-address=x", |options| {
                    options.mac_address = Some("02:00:00:00:00:01".to_owned());
                }),
                "mac-address and per-network MAC address",
            ),
            (
                with("name=a,link-local-ip=::1", |options| {
                    options.link_local_ips = texts(&["::2"]);
                }),
                "link-local-ip and per-network link-local IP addresses",
            ),
        ] {
            let expected = format!("conflicting options: cannot specify both --{what}");
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |options: &NetworkOptions| endpoints(options).unwrap_err().to_string();
        for (networks, expected) in [
            (&[""][..], "no name set for network"),
            (&[" "], "no name set for network"),
            (&["a", "a"], "network \"a\" is specified multiple times"),
            (
                &["a", "name=a,alias=b"],
                "network \"a\" is specified multiple times",
            ),
            (
                &["host", "a"],
                "conflicting options: cannot attach both user-defined and non-user-defined network-modes",
            ),
            (
                &["name=host,alias=b"],
                "network-scoped aliases are only supported for user-defined networks",
            ),
            (&["name=a,mac-address=x"], "x is not a valid mac address"),
        ] {
            assert_eq!(message(&options(networks)), expected, "{networks:?}");
        }
        let aliased = NetworkOptions {
            network_alias: texts(&["x"]),
            ..options(&[])
        };
        assert_eq!(
            message(&aliased),
            "network-scoped aliases are only supported for user-defined networks"
        );
        let addressed = NetworkOptions {
            mac_address: Some("x".to_owned()),
            ..options(&[""])
        };
        assert_eq!(message(&addressed), "x is not a valid mac address");
    }
}
