//! Translation of addresses, and who may reach a bridge: what the machine's packet filter does for containers.
//!
//! The rules of a bridge are a function of what is recorded about it. Each change replaces them all at once, by one run
//! of `nft` or `iptables-restore`: so there is nothing to undo after a crash, and what another program flushed comes
//! back with the next container. Whether they are there is asked of the kernel itself, without a program.

mod iptables;
mod nft;
mod probe;

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::bridge;
use super::port::Published;
use super::subnet::Subnet;
use crate::Result;
use crate::program;

/// Who translates addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Backend {
    /// A table of the bridge's own, by `nft`.
    Nft,
    /// Chains in the tables that everybody shares, by `iptables-restore`.
    Iptables,
}

/// What the rules of a bridge are made from.
#[derive(Clone, Debug)]
pub(crate) struct Rules<'a> {
    /// The bridge, after which everything is named.
    pub(crate) bridge: &'a str,
    pub(crate) subnet: Subnet,
    /// Ports of the machine, each with the address of its container.
    pub(crate) published: Vec<(Published, Ipv4Addr)>,
    /// Whether nobody's packets but containers' are to be passed on, because the machine passed none on before.
    pub(crate) close: bool,
}

impl Rules<'_> {
    /// What is translated: for 127.0.0.1 there are proxies, as for IPv6, and a packet from there would have no way back.
    fn translated(&self) -> impl Iterator<Item = (&Published, Ipv4Addr, Ipv4Addr)> {
        self.published
            .iter()
            .filter_map(|(published, container)| match published.address {
                IpAddr::V4(address) if !address.is_loopback() => {
                    Some((published, address, *container))
                }
                _ => None,
            })
    }
}

/// The networks of other engines and of virtual machines, by the beginnings of their names. Who may reach them is for
/// their owners to say, who drop in the same chain.
const OTHERS: [&str; 6] = ["docker", "br-", "cni", "podman", "virbr", "lxcbr"];

/// The programs that there are.
fn programs() -> (Option<PathBuf>, Option<PathBuf>) {
    let find = |name| match is_hidden(name) {
        true => None,
        false => program::find(name),
    };
    (find("nft"), find("iptables-restore"))
}

#[cfg(not(test))]
fn is_hidden(_: &str) -> bool {
    false
}

/// Whether this test is one of a machine without that program.
#[cfg(test)]
fn is_hidden(name: &str) -> bool {
    HIDDEN.with_borrow(|hidden| hidden.contains(&name))
}

#[cfg(test)]
thread_local! {
    /// The programs that this test's machine has not.
    pub(super) static HIDDEN: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
}

/// Whether there is a program that can do any of this.
pub(crate) fn is_available() -> bool {
    let (nft, iptables) = programs();
    nft.is_some() || iptables.is_some()
}

/// Puts the rules into place; nothing if no program is there that can.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) with what the program said.
pub(crate) fn apply(rules: &Rules<'_>) -> Result<Option<Backend>> {
    let (nft, iptables) = programs();
    let mut failure = None;
    if let Some(nft) = nft {
        match nft::apply(&nft, rules) {
            Ok(()) => {
                if let Some(iptables) = iptables
                    && legacy_tables_filter()
                {
                    iptables::let_through(&iptables, rules)?;
                }
                return Ok(Some(Backend::Nft));
            }
            // A kernel without nf_tables may have the older tables.
            Err(error) => failure = Some(error),
        }
    }
    if let Some(iptables) = iptables {
        match iptables::apply(&iptables, rules) {
            Ok(()) => return Ok(Some(Backend::Iptables)),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    match failure {
        Some(error) => Err(error),
        None => Ok(None),
    }
}

/// Whether the rules that were put into place are there still, as far as the kernel tells.
pub(crate) fn is_in_place(backend: Backend, bridge: &str) -> bool {
    let asked = match backend {
        Backend::Nft => nft::is_in_place(bridge),
        Backend::Iptables => iptables::is_in_place(bridge),
    };
    // A kernel that does not answer gets the rules again, and the program says why it cannot.
    asked.unwrap_or(false)
}

/// Removes the rules of a bridge, of whichever kind.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) with what the program said.
pub(crate) fn remove(bridge: &str) -> Result<()> {
    let (nft, iptables) = programs();
    if let Some(nft) = nft {
        nft::remove(&nft, bridge)?;
    }
    if let Some(iptables) = iptables {
        iptables::remove(&iptables, bridge)?;
    }
    Ok(())
}

/// The bridges that the kernel has rules for, as far as it tells.
pub(crate) fn bridges() -> Vec<String> {
    let mut bridges: Vec<String> = probe::tables()
        .unwrap_or_default()
        .into_iter()
        .filter(|table| bridge::is_name(table))
        .collect();
    bridges.extend(iptables::bridges());
    bridges.sort();
    bridges.dedup();
    bridges
}

/// Whether the older tables filter packets: nf_tables knows nothing of them.
fn legacy_tables_filter() -> bool {
    fs::read_to_string("/proc/thread-self/net/ip_tables_names")
        .is_ok_and(|names| names.lines().any(|name| name == "filter"))
}
