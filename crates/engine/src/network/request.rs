//! What a create body says about the network, checked.

use bollard_stubs::models::{ContainerCreateBody, EndpointSettings, HostConfig};

use super::hosts::ExtraHost;
use super::mac::MacAddress;
use super::mode::{self, Mode};
use super::port::{self, ContainerPort, Wanted};
use super::resolv_conf::Dns;
use crate::{Error, Result};

/// The network that a container is to have.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) mode: Mode,
    pub(crate) dns: Dns,
    pub(crate) extra_hosts: Vec<ExtraHost>,
    pub(crate) hostname: String,
    pub(crate) domainname: String,
    pub(crate) mac: Option<MacAddress>,
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) exposed: Vec<ContainerPort>,
    /// What the user should know, in Docker's words.
    pub(crate) warnings: Vec<String>,
}

impl Request {
    /// Reads a body.
    pub(crate) fn of(body: &ContainerCreateBody) -> Result<Request> {
        let default = HostConfig::default();
        let config = body.host_config.as_ref().unwrap_or(&default);
        let mode = Mode::of(body)?;
        let endpoint = endpoint(body, &mode)?;
        let extra_hosts = config
            .extra_hosts
            .iter()
            .flatten()
            .map(|host| ExtraHost::parse(host))
            .collect::<Result<Vec<_>>>()?;
        if mode == Mode::None && extra_hosts.iter().any(ExtraHost::is_gateway) {
            return Err(Error::invalid(
                "--add-host with host-gateway needs a network: with --network none there is no way to the machine",
            ));
        }
        let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
        let dns = Dns::of(
            &list(&config.dns),
            &list(&config.dns_search),
            &list(&config.dns_options),
        )?;
        let mac = mac(endpoint)?;
        if mac.is_some() && mode != Mode::Bridge {
            return Err(Error::invalid(
                "conflicting options: mac-address and the network mode",
            ));
        }
        let wanted = port::wanted(body)?;
        let mut warnings = Vec::new();
        if let (Mode::Host | Mode::None, false) = (&mode, wanted.is_empty()) {
            warnings.push(format!(
                "Published ports are discarded when using {} network mode",
                mode.name().unwrap_or_default()
            ));
        }
        Ok(Request {
            mode,
            dns,
            extra_hosts,
            hostname: body.hostname.clone().unwrap_or_default(),
            domainname: body.domainname.clone().unwrap_or_default(),
            mac,
            wanted,
            exposed: port::exposed(body)?,
            warnings,
        })
    }
}

/// Refuses what contradicts the network of another container: that one has these settings.
///
/// It is the client's own body that is checked, without what the image adds.
pub(crate) fn check_conflicts(body: &ContainerCreateBody) -> Result<()> {
    check_names(body)?;
    let default = HostConfig::default();
    let config = body.host_config.as_ref().unwrap_or(&default);
    let some = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    match Mode::of(body)? {
        Mode::Container(_) => {}
        Mode::Host if some(&config.links) => {
            return Err(Error::invalid(
                "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
            ));
        }
        _ => return Ok(()),
    }
    let publishes = config
        .port_bindings
        .as_ref()
        .is_some_and(|map| !map.is_empty())
        || config.publish_all_ports.unwrap_or(false);
    for (conflicts, message) in [
        (
            body.hostname.as_ref().is_some_and(|name| !name.is_empty()),
            "hostname and the network mode",
        ),
        (
            some(&config.links),
            "container type network can't be used with links. This would result in undefined behavior",
        ),
        (
            some(&config.dns) || some(&config.dns_search) || some(&config.dns_options),
            "dns and the network mode",
        ),
        (
            some(&config.extra_hosts),
            "custom host-to-IP mapping and the network mode",
        ),
        (
            publishes,
            "port publishing and the container type network mode",
        ),
        (
            some(&body.exposed_ports),
            "port exposing and the container type network mode",
        ),
    ] {
        if conflicts {
            return Err(Error::invalid(format!("conflicting options: {message}")));
        }
    }
    Ok(())
}

/// In the machine's own namespace a container has the machine's names.
fn check_names(body: &ContainerCreateBody) -> Result<()> {
    let config = body.host_config.as_ref();
    if config.and_then(|config| config.uts_mode.as_deref()) != Some("host") {
        return Ok(());
    }
    for (name, what) in [
        (&body.hostname, "hostname"),
        (&body.domainname, "domainname"),
    ] {
        if name.as_ref().is_some_and(|name| !name.is_empty()) {
            return Err(Error::invalid(format!(
                "conflicting options: {what} and the UTS mode"
            )));
        }
    }
    Ok(())
}

/// The settings of the one network that there is. Clients name it as the mode does, or `default`.
fn endpoint<'a>(
    body: &'a ContainerCreateBody,
    mode: &Mode,
) -> Result<Option<&'a EndpointSettings>> {
    let mut found = None;
    let endpoints = body
        .networking_config
        .as_ref()
        .and_then(|config| config.endpoints_config.as_ref());
    for (name, settings) in endpoints.into_iter().flatten() {
        match (name.as_str(), mode) {
            ("default" | "bridge", Mode::Bridge) | ("none", Mode::None) | ("host", Mode::Host) => {}
            ("default" | "bridge" | "none" | "host", _) => {
                return Err(Error::not_implemented(
                    "the embedded engine connects a container to one network, not to several with --network",
                ));
            }
            // Clients of `container:NAME` send the mode as a name.
            (name, Mode::Container(_)) if name.starts_with("container:") => {}
            (name, _) => return Err(mode::unknown(name)),
        }
        check_endpoint(settings)?;
        found = Some(settings);
    }
    Ok(found)
}

/// What belongs to networks of the user's own.
fn check_endpoint(settings: &EndpointSettings) -> Result<()> {
    let invalid = |why: &str| Error::invalid(format!("invalid endpoint settings:\n{why}"));
    if settings
        .aliases
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        return Err(invalid(
            "network-scoped aliases are only supported for user-defined networks",
        ));
    }
    if settings.links.as_ref().is_some_and(|list| !list.is_empty()) {
        return Err(invalid(
            "links are only supported for user-defined networks",
        ));
    }
    if let Some(config) = &settings.ipam_config {
        let given =
            |address: &Option<String>| address.as_ref().is_some_and(|text| !text.is_empty());
        let link_local = config
            .link_local_ips
            .as_ref()
            .is_some_and(|list| !list.is_empty());
        if given(&config.ipv4_address) || given(&config.ipv6_address) || link_local {
            return Err(invalid(
                "user specified IP address is supported on user defined networks only",
            ));
        }
    }
    if let Some(name) = settings
        .driver_opts
        .as_ref()
        .and_then(|options| options.keys().next())
    {
        return Err(Error::not_implemented(format!(
            "the embedded engine has no --network option driver-opt={name}"
        )));
    }
    Ok(())
}

fn mac(endpoint: Option<&EndpointSettings>) -> Result<Option<MacAddress>> {
    endpoint
        .and_then(|settings| settings.mac_address.as_deref())
        .filter(|text| !text.is_empty())
        .map(MacAddress::parse)
        .transpose()
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
