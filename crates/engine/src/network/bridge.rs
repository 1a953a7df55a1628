//! The bridge of an engine: made when the first container needs it, and left for the next one, for making and removing
//! it takes longer than a container lives.
//!
//! Each engine has a bridge of its own. Whose a bridge is stands in its alias, which `ip link` shows.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use netlink_packet_route::address::AddressAttribute;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkFlags, LinkInfo, LinkMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute};

use super::mac::MacAddress;
use super::netlink::Netlink;
use super::record::{self, Bridge, Lease, Locked, Record};
use super::subnet::Subnet;
use super::{cable, firewall, resolv_conf};
use crate::configuration::Configuration;
use crate::image::lock::Lock;
use crate::{Error, Layout, Result};

/// How many bridges there may be, hence engines at a time.
pub(crate) const NAMES: u32 = 64;

/// Held while a bridge is made, by one engine of the machine at a time: each must see what the other chose.
pub(crate) const MACHINE_LOCK: &str = "/run/tool/network.lock";

/// The most that an alias may hold.
const ALIAS_LENGTH: usize = 255;

/// The most that a packet on a bridge has, as Docker's.
const MTU: u32 = 1500;

/// The name of a bridge by number.
pub(crate) fn name(number: u32) -> String {
    format!("tool{number}")
}

/// Whether a bridge of ours could have that name.
pub(crate) fn is_name(text: &str) -> bool {
    text.strip_prefix("tool")
        .and_then(|number| number.parse().ok())
        .is_some_and(|number| number < NAMES && name(number) == text)
}

/// Whose a bridge is: an engine at a path, and the file system's number for what was at that path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    identity: String,
    pub(crate) root: PathBuf,
}

impl Owner {
    /// The engine of that layout, whose root is there.
    pub(crate) fn of(layout: &Layout) -> Result<Owner> {
        let root = layout.root();
        let metadata = fs::metadata(root)
            .map_err(|error| Error::io(format_args!("stat {}", root.display()), error))?;
        Ok(Owner {
            identity: format!("{:x}:{:x}", metadata.dev(), metadata.ino()),
            root: root.to_owned(),
        })
    }

    fn alias(&self) -> String {
        let mut alias = format!("tool {} {}", self.identity, self.root.display());
        alias.truncate(alias.floor_char_boundary(ALIAS_LENGTH));
        alias
    }

    /// The owner that an alias names, as far as it has the whole path.
    fn parse(alias: &str) -> Option<Owner> {
        let (identity, root) = alias.strip_prefix("tool ")?.split_once(' ')?;
        Some(Owner {
            identity: identity.to_owned(),
            root: PathBuf::from(root),
        })
    }

    /// Whether the engine is there still.
    pub(crate) fn exists(&self) -> bool {
        // A path that was cut off cannot be looked at.
        if self.alias().len() >= ALIAS_LENGTH {
            return true;
        }
        match fs::metadata(&self.root) {
            Ok(metadata) => self.identity == format!("{:x}:{:x}", metadata.dev(), metadata.ino()),
            // What another user keeps to itself may be there.
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

/// A bridge that is there.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// Nothing if it was never finished.
    pub(crate) owner: Option<Owner>,
    pub(crate) is_up: bool,
}

/// The bridge of an engine that this link is, if it is one.
pub(crate) fn found(link: &LinkMessage) -> Option<Found> {
    let is_bridge = link.attributes.iter().any(|attribute| {
        matches!(attribute, LinkAttribute::LinkInfo(info)
            if info.contains(&LinkInfo::Kind(InfoKind::Bridge)))
    });
    let name = link_name(link)?;
    if !is_bridge || !is_name(name) {
        return None;
    }
    let alias = link
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfAlias(alias) => Some(alias.as_str()),
            _ => None,
        });
    // Somebody else's alias makes it somebody else's bridge.
    let owner = match alias {
        Some(alias) => Some(Owner::parse(alias)?),
        None => None,
    };
    Some(Found {
        index: link.header.index,
        name: name.to_owned(),
        owner,
        is_up: link.header.flags.contains(LinkFlags::Up),
    })
}

/// Whether whoever made it was killed on the way. Its name alone makes it nobody's: somebody may have a bridge of that name.
pub(crate) fn is_unfinished(found: &Found) -> bool {
    found.owner.is_none() && !found.is_up
}

pub(crate) fn link_name(link: &LinkMessage) -> Option<&str> {
    link.attributes
        .iter()
        .find_map(|attribute| match attribute {
            LinkAttribute::IfName(name) => Some(name.as_str()),
            _ => None,
        })
}

/// The engine's bridge, made if it is not there, with its rules in place. Returns it with its index, and says what the
/// user should know.
pub(crate) fn ensure(
    netlink: &mut Netlink,
    locked: &mut Locked,
    layout: &Layout,
    warnings: &mut Vec<String>,
) -> Result<(Bridge, u32)> {
    let owner = Owner::of(layout)?;
    let failed = |error: io::Error| Error::io("look for the engine's bridge", error);
    if locked.damaged {
        recover(netlink, &mut locked.record, &owner).map_err(failed)?;
    }
    if let Some(bridge) = locked.record.bridge.clone()
        && let Some(link) = netlink.link(&bridge.name).map_err(failed)?
        && let Some(found) = found(&link)
        && found.owner.as_ref() == Some(&owner)
    {
        if !found.is_up {
            netlink
                .set_up(found.index)
                .map_err(|error| Error::io(format_args!("set up {}", bridge.name), error))?;
        }
        if !locked
            .record
            .firewall
            .is_some_and(|backend| firewall::is_in_place(backend, &bridge.name))
        {
            protect(&mut locked.record, &bridge, warnings);
        }
        return Ok((bridge, found.index));
    }
    make(netlink, locked, layout, &owner, warnings)
}

fn make(
    netlink: &mut Netlink,
    locked: &mut Locked,
    layout: &Layout,
    owner: &Owner,
    warnings: &mut Vec<String>,
) -> Result<(Bridge, u32)> {
    let _machine = Lock::exclusive(Path::new(MACHINE_LOCK))?;
    let failed = |error: io::Error| Error::io("look for the engine's bridge", error);
    let links = netlink.links().map_err(failed)?;
    let unfinished = links.iter().filter_map(found).find(|found| {
        let recorded = locked.record.bridge.as_ref();
        is_unfinished(found) && recorded.is_some_and(|bridge| bridge.name == found.name)
    });
    if let Some(unfinished) = &unfinished {
        netlink
            .delete_link(unfinished.index)
            .map_err(|error| Error::io(format_args!("remove {}", unfinished.name), error))?;
    }
    let recorded = locked.record.bridge.as_ref();
    let servers = resolv_conf::servers();
    let pools = &Configuration::of(layout)?.default_address_pools;
    let (name, subnet, way_out) = loop {
        let links = netlink.links().map_err(failed)?;
        let taken: Vec<&str> = links.iter().filter_map(link_name).collect();
        let name = recorded
            .map(|bridge| bridge.name.clone())
            .into_iter()
            .chain((0..NAMES).map(name))
            .find(|name| !taken.contains(&name.as_str()));
        let (routes, way_out) = routes(netlink).map_err(failed)?;
        let subnet = recorded
            .map(|bridge| bridge.subnet)
            .filter(|subnet| subnet.is_of(pools) && subnet.is_free(&routes, &servers))
            .or_else(|| Subnet::choose(pools, &routes, &servers));
        if let (Some(name), Some(subnet)) = (name, subnet) {
            break (name, subnet, way_out);
        }
        if !take_back(netlink, &links)? {
            return Err(none_left(&links));
        }
    };
    let mtu = match way_out {
        // What is longer than the machine's own packets would have to be cut, or would be dropped.
        Some(index) => netlink
            .mtu(index)
            .map_err(failed)?
            .map_or(MTU, |mtu| mtu.min(MTU)),
        None => MTU,
    };
    let bridge = Bridge { name, subnet, mtu };
    // Until it has its alias, nothing else says whose it is.
    locked.record.bridge = Some(bridge.clone());
    locked.save()?;
    // The rules name the bridge, so that they may be there first: there is no moment without.
    protect(&mut locked.record, &bridge, warnings);
    let index = add(netlink, &bridge, owner)
        .map_err(|error| Error::io(format_args!("make the bridge {}", bridge.name), error))?;
    Ok((bridge, index))
}

/// Removes one bridge that no engine needs, and with it gives back its network: of a root that is gone, else of one whose
/// containers are. That engine makes another when it needs one. Says whether there was one. The caller has the machine's lock.
fn take_back(netlink: &mut Netlink, links: &[LinkMessage]) -> Result<bool> {
    let mut idle: Vec<(Found, Owner)> = links
        .iter()
        .filter_map(found)
        .filter(|found| !has_ports(links, found.index))
        .filter_map(|found| Some((found.clone(), found.owner?)))
        .collect();
    idle.sort_by_key(|(_, owner)| owner.exists());
    for (found, owner) in idle {
        // Held until the bridge is gone: who is about to use it has it, or waits for it and looks again.
        let unused = match owner.exists() {
            true => match record::unused(&owner.root)? {
                Some(lock) => Some(lock),
                None => continue,
            },
            false => None,
        };
        netlink
            .delete_link(found.index)
            .map_err(|error| Error::io(format_args!("remove {}", found.name), error))?;
        drop(unused);
        // The rules of a bridge that is gone do nothing; the next of its name has rules of its own.
        if let Err(error) = firewall::remove(&found.name) {
            log::warn!("{error}");
        }
        return Ok(true);
    }
    Ok(false)
}

/// Whether something is connected to the bridge of that index.
pub(crate) fn has_ports(links: &[LinkMessage], bridge: u32) -> bool {
    links
        .iter()
        .any(|link| link.attributes.contains(&LinkAttribute::Controller(bridge)))
}

fn none_left(links: &[LinkMessage]) -> Error {
    let roots: Vec<String> = links
        .iter()
        .filter_map(found)
        .filter_map(|found| Some(found.owner?.root.display().to_string()))
        .collect();
    let engines = match roots.as_slice() {
        [] => String::new(),
        roots => format!(
            ", and the engines at {} have containers on theirs: stop those of one that is not needed",
            roots.join(", ")
        ),
    };
    Error::system(format!(
        "could not find an available, non-overlapping IPv4 address pool for the bridge: the machine has routes to all of \
         them{engines}; name others as default-address-pools in engine.json in the engine's root, or use --network host or \
         --network none"
    ))
}

/// Makes the link. Its alias comes before its address: what has an address has an owner.
fn add(netlink: &mut Netlink, bridge: &Bridge, owner: &Owner) -> io::Result<u32> {
    let mut link = LinkMessage::default();
    link.attributes = vec![
        LinkAttribute::IfName(bridge.name.clone()),
        LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]),
        // Otherwise it changes with each container that comes and goes.
        LinkAttribute::Address(
            MacAddress::random()
                .map_err(io::Error::other)?
                .bytes()
                .to_vec(),
        ),
        LinkAttribute::Mtu(bridge.mtu),
    ];
    netlink.add_link(link)?;
    let made = netlink
        .link(&bridge.name)?
        .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let index = made.header.index;
    let finished = (|| {
        let mut alias = LinkMessage::default();
        alias.header.index = index;
        alias.attributes.push(LinkAttribute::IfAlias(owner.alias()));
        netlink.set_link(alias)?;
        // The network is one of IPv4. A machine without IPv6 has nothing to switch off.
        let path = format!("/proc/sys/net/ipv6/conf/{}/disable_ipv6", bridge.name);
        if let Err(error) = fs::write(&path, "1") {
            log::debug!("write {path}: {error}");
        }
        let subnet = bridge.subnet;
        netlink.add_address(index, subnet.gateway(), subnet.prefix(), subnet.broadcast())?;
        netlink.set_up(index)
    })();
    match finished {
        Ok(()) => Ok(index),
        Err(error) => {
            // The first failure is the one to tell.
            let _ = netlink.delete_link(index);
            Err(error)
        }
    }
}

/// Puts the rules of a bridge into place, and has the machine pass packets on. A machine that can do neither has
/// containers that reach it and each other.
fn protect(record: &mut Record, bridge: &Bridge, warnings: &mut Vec<String>) {
    let forwards = fs::read_to_string(FORWARDING).is_ok_and(|text| text.trim() == "1");
    match firewall::apply(&record.rules(bridge, !forwards)) {
        Ok(Some(backend)) => record.firewall = Some(backend),
        Ok(None) => {
            record.firewall = None;
            warnings.push(NO_TRANSLATION.to_owned());
            return;
        }
        Err(error) => {
            record.firewall = None;
            warnings.push(format!(
                "The container reaches this machine only, and only this machine reaches its ports: {error}"
            ));
            return;
        }
    }
    if !forwards && let Err(error) = fs::write(FORWARDING, "1") {
        warnings.push(format!(
            "IPv4 forwarding is disabled. Networking will not work: write {FORWARDING}: {error}"
        ));
    }
}

/// Puts the rules of the engine's bridge into place again, after a change of what is published.
pub(crate) fn refresh(record: &mut Record, warnings: &mut Vec<String>) {
    if let Some(bridge) = record.bridge.clone() {
        protect(record, &bridge, warnings);
    }
}

/// Whether the machine passes on packets that are for others.
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";

/// What a user without a packet filter should know.
pub(crate) const NO_TRANSLATION: &str = "There is neither nft nor iptables on this machine, so the container has no outbound NAT and reaches \
     nothing beyond it: install nftables, or use --network host";

/// The networks that the machine has ways to, and the link of the way to everywhere else.
fn routes(netlink: &mut Netlink) -> io::Result<(Vec<Subnet>, Option<u32>)> {
    let mut subnets = Vec::new();
    let mut way_out = None;
    for route in netlink.ipv4_routes()? {
        let prefix = route.header.destination_prefix_length;
        let destination = route
            .attributes
            .iter()
            .find_map(|attribute| match attribute {
                RouteAttribute::Destination(RouteAddress::Inet(address)) => Some(*address),
                _ => None,
            })
            .unwrap_or(Ipv4Addr::UNSPECIFIED);
        if prefix == 0 && way_out.is_none() {
            way_out = route
                .attributes
                .iter()
                .find_map(|attribute| match attribute {
                    RouteAttribute::Oif(index) => Some(*index),
                    _ => None,
                });
        }
        // The multicast and broadcast addresses are in nobody's network.
        if !destination.is_multicast() && !destination.is_broadcast() {
            subnets.push(Subnet::new(destination, prefix));
        }
    }
    Ok((subnets, way_out))
}

/// Finds out what a damaged record said: the engine's bridge by its alias, and its leases by those of the cables. What was
/// published is known to the proxies alone.
fn recover(netlink: &mut Netlink, record: &mut Record, owner: &Owner) -> io::Result<()> {
    let links = netlink.links()?;
    let Some(found) = links
        .iter()
        .filter_map(found)
        .find(|found| found.owner.as_ref() == Some(owner))
    else {
        return Ok(());
    };
    let Some(subnet) = netlink
        .ipv4_addresses(found.index)?
        .iter()
        .find_map(|address| {
            address
                .attributes
                .iter()
                .find_map(|attribute| match attribute {
                    AddressAttribute::Address(IpAddr::V4(gateway)) => {
                        Some(Subnet::new(*gateway, address.header.prefix_len))
                    }
                    _ => None,
                })
        })
    else {
        return Ok(());
    };
    let mtu = netlink.mtu(found.index)?.unwrap_or(MTU);
    for (id, address, link) in cable::of_bridge(&links, Some(found.index)) {
        record.leases.insert(
            id,
            Lease {
                address,
                mac: String::new(),
                link,
                published: Vec::new(),
                sharers: Vec::new(),
                helper: None,
            },
        );
    }
    record.bridge = Some(Bridge {
        name: found.name,
        subnet,
        mtu,
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognized() {
        for name in ["tool0", "tool63"] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "tool", "tool64", "tool00", "tool-1", "tool+1", "tools0", "xtool0",
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn an_owner_is_the_directory_that_is_there() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = directory.path().join("root");
        let layout = Layout::at(&root).expect("a layout");
        fs::create_dir(&root).expect("a directory");
        let owner = Owner::of(&layout).expect("an owner");
        assert_eq!(Owner::parse(&owner.alias()).as_ref(), Some(&owner));
        assert!(owner.exists());
        fs::rename(&root, directory.path().join("old")).expect("a rename");
        assert!(!owner.exists());
        fs::create_dir(&root).expect("a directory");
        assert!(!owner.exists());
        assert_eq!(Owner::parse("a bridge of mine"), None);
    }

    #[test]
    fn an_alias_that_is_too_long_is_cut_between_letters() {
        let owner = Owner {
            identity: "1:2".to_owned(),
            root: PathBuf::from(format!("/{}", "é".repeat(200))),
        };
        assert!(owner.alias().len() <= ALIAS_LENGTH);
        let parsed = Owner::parse(&owner.alias()).expect("an owner");
        assert_eq!(parsed.identity, owner.identity);
    }
}
