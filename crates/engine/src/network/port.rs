//! Ports to publish, as a request has them and as `inspect` shows them.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;

use bollard_stubs::models::{ContainerCreateBody, PortBinding, PortMap};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What ports are ports of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A port of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ContainerPort {
    pub(crate) number: u16,
    pub(crate) protocol: Protocol,
}

impl ContainerPort {
    /// Reads `80/tcp`; without a protocol it is of TCP.
    fn parse(text: &str) -> Result<ContainerPort> {
        let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            "sctp" => {
                return Err(Error::not_implemented(format!(
                    "the embedded engine publishes ports of tcp and udp, not -p {text}"
                )));
            }
            _ => return Err(Error::invalid(format!("invalid proto: {protocol}"))),
        };
        match number.parse() {
            Ok(number) if number > 0 => Ok(ContainerPort { number, protocol }),
            _ => Err(malformed(number)),
        }
    }
}

impl fmt::Display for ContainerPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

/// A port that a request publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) container: ContainerPort,
    /// The machine's address, or nothing for all of them.
    pub(crate) address: Option<IpAddr>,
    /// The ports of the machine of which it may be one, or nothing for any.
    pub(crate) ports: Option<RangeInclusive<u16>>,
}

/// A port that is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Published {
    pub(crate) container: ContainerPort,
    /// The machine's address: the unspecified one for all of its family.
    pub(crate) address: IpAddr,
    /// The machine's port.
    pub(crate) port: u16,
}

/// The ports that `PortBindings` and `PublishAllPorts` name, in order.
pub(crate) fn wanted(body: &ContainerCreateBody) -> Result<Vec<Wanted>> {
    let Some(config) = &body.host_config else {
        return Ok(Vec::new());
    };
    let mut wanted = Vec::new();
    for (container, bindings) in config.port_bindings.iter().flatten() {
        let container = ContainerPort::parse(container)?;
        // An empty list means a port of the machine's choice, as Docker takes it.
        let any = [PortBinding::default()];
        let bindings = match bindings.as_deref() {
            None | Some([]) => &any,
            Some(bindings) => bindings,
        };
        for binding in bindings {
            wanted.push(Wanted {
                container,
                address: address(binding.host_ip.as_deref().unwrap_or_default())?,
                ports: range(binding.host_port.as_deref().unwrap_or_default())?,
            });
        }
    }
    if config.publish_all_ports.unwrap_or(false) {
        for exposed in exposed(body)? {
            if !wanted.iter().any(|wanted| wanted.container == exposed) {
                wanted.push(Wanted {
                    container: exposed,
                    address: None,
                    ports: None,
                });
            }
        }
    }
    // Sorted by the container's port, bindings of one port stay in their order; fixed ports go first, so that none of
    // them is given away as any port.
    wanted.sort_by_key(|wanted| (wanted.ports.is_none(), wanted.container));
    Ok(wanted)
}

/// The ports that `ExposedPorts` names.
pub(crate) fn exposed(body: &ContainerCreateBody) -> Result<Vec<ContainerPort>> {
    body.exposed_ports
        .iter()
        .flatten()
        .map(|port| ContainerPort::parse(port))
        .collect()
}

/// `NetworkSettings.Ports`: what is published, and what is exposed only.
pub(crate) fn map(exposed: &[ContainerPort], published: &[Published]) -> PortMap {
    let mut map: PortMap = HashMap::new();
    for port in exposed {
        map.insert(port.to_string(), None);
    }
    for published in published {
        map.entry(published.container.to_string())
            .or_default()
            .get_or_insert_default()
            .push(PortBinding {
                host_ip: Some(published.address.to_string()),
                host_port: Some(published.port.to_string()),
            });
    }
    map
}

fn address(text: &str) -> Result<Option<IpAddr>> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| Error::invalid(format!("invalid IP address: {text}")))
}

/// `80`, `8000-8010`, or nothing.
fn range(text: &str) -> Result<Option<RangeInclusive<u16>>> {
    if text.is_empty() || text == "0" {
        return Ok(None);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(Some(first..=last)),
        _ => Err(malformed(text)),
    }
}

fn malformed(text: &str) -> Error {
    Error::invalid(format!("invalid port specification: {text:?}"))
}

#[cfg(test)]
mod tests {
    use bollard_stubs::models::HostConfig;

    use super::*;

    fn body(bindings: &[(&str, &[(&str, &str)])], all: bool) -> ContainerCreateBody {
        let map = bindings
            .iter()
            .map(|(port, bindings)| {
                let bindings = bindings
                    .iter()
                    .map(|(address, port)| PortBinding {
                        host_ip: Some((*address).to_owned()),
                        host_port: Some((*port).to_owned()),
                    })
                    .collect();
                ((*port).to_owned(), Some(bindings))
            })
            .collect();
        ContainerCreateBody {
            exposed_ports: Some(vec!["80/tcp".to_owned(), "53/udp".to_owned()]),
            host_config: Some(HostConfig {
                port_bindings: Some(map),
                publish_all_ports: Some(all),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        }
    }

    const WEB: ContainerPort = ContainerPort {
        number: 80,
        protocol: Protocol::Tcp,
    };
    const NAMES: ContainerPort = ContainerPort {
        number: 53,
        protocol: Protocol::Udp,
    };

    #[test]
    fn bindings_are_read() {
        let body = body(
            &[
                ("53/udp", &[("127.0.0.1", "")]),
                ("80/tcp", &[("", "8080"), ("::1", "8000-8010")]),
                ("443", &[]),
            ],
            false,
        );
        let wanted = wanted(&body).expect("ports");
        let of = |container, address: &str, ports| Wanted {
            container,
            address: address.parse().ok(),
            ports,
        };
        let secure = ContainerPort { number: 443, ..WEB };
        assert_eq!(
            wanted,
            [
                of(WEB, "", Some(8080..=8080)),
                of(WEB, "::1", Some(8000..=8010)),
                of(NAMES, "127.0.0.1", None),
                of(secure, "", None),
            ]
        );
    }

    #[test]
    fn all_exposed_ports_are_published_once() {
        let wanted = wanted(&body(&[("80/tcp", &[("", "8080")])], true)).expect("ports");
        assert_eq!(wanted.len(), 2);
        assert_eq!(wanted[0].ports, Some(8080..=8080));
        assert_eq!(wanted[1].container, NAMES);
        assert_eq!(wanted[1].ports, None);
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for (port, address, host, message) in [
            ("80/icmp", "", "", "invalid proto: icmp"),
            ("x/tcp", "", "", "invalid port specification: \"x\""),
            ("0/tcp", "", "", "invalid port specification: \"0\""),
            (
                "80/tcp",
                "",
                "70000",
                "invalid port specification: \"70000\"",
            ),
            ("80/tcp", "", "9-8", "invalid port specification: \"9-8\""),
            ("80/tcp", "one", "", "invalid IP address: one"),
        ] {
            let error = wanted(&body(&[(port, &[(address, host)])], false)).expect_err(message);
            assert_eq!(error.to_string(), message);
            assert_eq!(error.status(), 400);
        }
        let error = wanted(&body(&[("80/sctp", &[])], false)).expect_err("not done");
        assert_eq!(error.status(), 501);
    }

    #[test]
    fn ports_are_shown_as_published_or_exposed() {
        let published = Published {
            container: WEB,
            address: "0.0.0.0".parse().expect("an address"),
            port: 8080,
        };
        let map = map(&[WEB, NAMES], &[published]);
        assert_eq!(map["53/udp"], None);
        let bindings = map["80/tcp"].as_ref().expect("published");
        assert_eq!(bindings[0].host_ip.as_deref(), Some("0.0.0.0"));
        assert_eq!(bindings[0].host_port.as_deref(), Some("8080"));
    }
}
