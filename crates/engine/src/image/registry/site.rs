//! Decides where a repository is asked for, and how that has to be secured.

use std::net::{IpAddr, ToSocketAddrs};

use image_reference::Reference;

use super::http::{host, is_loopback};
use crate::configuration::Configuration;

/// What the registry of Docker Hub is called, and what it is reached by.
const HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// Whether a registry may be spoken to without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// It may not.
    Tls,
    /// It is on this machine: plain HTTP is as good, and tried first.
    Near,
    /// Somebody declared that nothing is to be checked: TLS first, with whatever certificate, and plain HTTP if there is none.
    Insecure,
}

/// A server that may have a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::image) struct Site {
    pub(super) scheme: &'static str,
    /// Host and port.
    pub(super) authority: String,
    pub(super) security: Security,
    /// Whether it is asked in place of another, whose credentials are none of its business.
    pub(in crate::image) is_mirror: bool,
}

impl Site {
    /// The servers to ask for a repository, one after the other: the mirrors of Docker Hub if it is one of that, and its own
    /// registry.
    pub(in crate::image) fn all(reference: &Reference, configuration: &Configuration) -> Vec<Site> {
        Site::all_with(reference, configuration, &addresses)
    }

    fn all_with(
        reference: &Reference,
        configuration: &Configuration,
        addresses: &dyn Fn(&str) -> Vec<IpAddr>,
    ) -> Vec<Site> {
        let security = |authority: &str| {
            let name = host(&format!("https://{authority}/"))
                .unwrap_or_default()
                .to_owned();
            let found = std::cell::OnceCell::new();
            let addresses = || found.get_or_init(|| addresses(&name)).clone();
            if configuration.is_insecure(authority, addresses) {
                Security::Insecure
            } else if is_loopback(&name)
                || addresses()
                    .iter()
                    .any(|found| found.to_canonical().is_loopback())
            {
                // As dockerd has it: whatever its name, it is this machine.
                Security::Near
            } else {
                Security::Tls
            }
        };
        let own = match reference.registry() {
            name if name == HUB.0 => {
                let mirrors = configuration.registry_mirrors.iter().map(|mirror| {
                    let security = security(&mirror.authority);
                    match (mirror.scheme.as_str(), security) {
                        // Its address says that there is no TLS.
                        ("http", _) => ("http", Security::Near, mirror),
                        (_, Security::Near) => ("https", Security::Insecure, mirror),
                        (_, security) => ("https", security, mirror),
                    }
                });
                let mut sites: Vec<Site> = mirrors
                    .map(|(scheme, security, mirror)| Site {
                        scheme,
                        authority: mirror.authority.clone(),
                        security,
                        is_mirror: true,
                    })
                    .collect();
                sites.push(Site {
                    scheme: "https",
                    authority: HUB.1.to_owned(),
                    security: Security::Tls,
                    is_mirror: false,
                });
                return sites;
            }
            own => own,
        };
        let security = security(own);
        vec![Site {
            scheme: match security {
                Security::Near => "http",
                Security::Tls | Security::Insecure => "https",
            },
            authority: own.to_owned(),
            security,
            is_mirror: false,
        }]
    }
}

/// The addresses that a name leads to; none if it leads nowhere, which whoever connects will say.
fn addresses(name: &str) -> Vec<IpAddr> {
    let found = (name, 443).to_socket_addrs();
    found
        .map(|found| found.map(|address| address.ip()).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use image_reference::Image as Parsed;

    use super::*;

    fn sites(reference: &str, configuration: &str) -> Vec<String> {
        let Ok(Parsed::Named(reference)) = Parsed::parse(reference) else {
            panic!("{reference}");
        };
        let configuration = serde_json::from_str(configuration).expect("a configuration");
        let addresses = |name: &str| match name {
            "here.example" => vec![IpAddr::from([127, 0, 1, 1])],
            "inside.example" => vec![IpAddr::from([10, 1, 2, 3])],
            _ => vec![IpAddr::from([192, 0, 2, 1])],
        };
        Site::all_with(&reference, &configuration, &addresses)
            .into_iter()
            .map(|site| {
                let mirror = if site.is_mirror { " mirror" } else { "" };
                format!(
                    "{}://{} {:?}{mirror}",
                    site.scheme, site.authority, site.security
                )
            })
            .collect()
    }

    #[test]
    fn who_is_asked_and_how() {
        let insecure = r#"{"insecure-registries": ["a.example:5000", "10.0.0.0/8"]}"#;
        for (reference, configuration, expected) in [
            ("busybox", "{}", &["https://registry-1.docker.io Tls"][..]),
            ("a.example:5000/x", "{}", &["https://a.example:5000 Tls"]),
            (
                "a.example:5000/x",
                insecure,
                &["https://a.example:5000 Insecure"],
            ),
            ("a.example/x", insecure, &["https://a.example Tls"]),
            (
                "inside.example/x",
                insecure,
                &["https://inside.example Insecure"],
            ),
            ("here.example:80/x", "{}", &["http://here.example:80 Near"]),
            ("localhost:5000/x", "{}", &["http://localhost:5000 Near"]),
            ("[::1]:5000/x", "{}", &["http://[::1]:5000 Near"]),
            (
                "busybox",
                r#"{"registry-mirrors": ["https://m.example", "http://n.example:80"]}"#,
                &[
                    "https://m.example Tls mirror",
                    "http://n.example:80 Near mirror",
                    "https://registry-1.docker.io Tls",
                ],
            ),
            (
                "a.example/x",
                r#"{"registry-mirrors": ["https://m.example"]}"#,
                &["https://a.example Tls"],
            ),
        ] {
            assert_eq!(sites(reference, configuration), expected, "{reference}");
        }
    }
}
