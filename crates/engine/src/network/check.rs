//! What is left of networks that nobody has any more.

use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use netlink_packet_route::link::LinkMessage;

use super::bridge::{self, MACHINE_LOCK, Owner};
use super::netlink::Netlink;
use super::record::{self, Locked};
use super::release::{cut, release};
use super::{cable, firewall};
use crate::image::lock::Lock;
use crate::state::is_alive;
use crate::{Error, Layout, Result, user_namespace};

/// Something of a network that has no owner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leftover {
    /// An address, and perhaps ports, of a container that does not run.
    Lease {
        /// The container's id.
        container: String,
        /// Its address.
        address: Ipv4Addr,
    },
    /// A cable on the engine's bridge that is no container's.
    Cable {
        /// The interface.
        link: String,
        /// The container that had it.
        container: String,
    },
    /// A bridge that no engine has.
    Bridge {
        /// The interface.
        name: String,
        /// The engine's root that was, where that is known.
        root: Option<PathBuf>,
    },
    /// Rules of the packet filter for a bridge that is not there.
    Rules {
        /// The bridge's name.
        bridge: String,
    },
}

impl fmt::Display for Leftover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Leftover::Lease { container, address } => write!(
                f,
                "address {address} of container {container}, which does not run"
            ),
            Leftover::Cable { link, container } => write!(
                f,
                "interface {link} of container {container}, which does not run"
            ),
            Leftover::Bridge {
                name,
                root: Some(root),
            } => write!(
                f,
                "bridge {name} of the engine at {}, which is not there",
                root.display()
            ),
            Leftover::Bridge { name, root: None } => {
                write!(f, "bridge {name}, which was never finished")
            }
            Leftover::Rules { bridge } => {
                write!(f, "packet filter rules for {bridge}, which is not there")
            }
        }
    }
}

impl Leftover {
    /// Removes it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be removed.
    pub fn remove(&self, layout: &Layout) -> Result<()> {
        match self {
            Leftover::Lease { container, .. } => release(layout, container)?.cut(),
            Leftover::Cable { link, .. } => cut(link),
            Leftover::Bridge { name, .. } => cut(name).and_then(|()| firewall::remove(name)),
            Leftover::Rules { bridge } => firewall::remove(bridge),
        }
    }
}

/// Looks for what has no owner: of this engine, and bridges and rules of engines that are not there any more.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel or the record does not answer.
pub fn check(layout: &Layout) -> Result<Vec<Leftover>> {
    let failed = |error: io::Error| Error::io("look for leftovers of networks", error);
    // Locked before the machine, as whoever makes a bridge does.
    let locked = match record::is_there(layout.root()) {
        true => Some(Locked::open(layout)?),
        false => None,
    };
    let _machine = match Path::new(MACHINE_LOCK).exists() {
        true => Some(Lock::exclusive(Path::new(MACHINE_LOCK))?),
        false => None,
    };
    let mut netlink = Netlink::open().map_err(failed)?;
    let mut leftovers = Vec::new();
    let own = Owner::of(layout).ok();
    let recorded = locked
        .as_ref()
        .and_then(|locked| locked.record.bridge.as_ref());
    for (container, lease) in locked.iter().flat_map(|locked| &locked.record.leases) {
        if !is_alive(layout, container) {
            leftovers.push(Leftover::Lease {
                container: container.clone(),
                address: lease.address,
            });
        }
    }
    if !user_namespace::owns_network() {
        // Links and rules of the machine are root's to look after.
        return Ok(leftovers);
    }
    let links = settled(&mut netlink).map_err(failed)?;
    let bridges: Vec<_> = links.iter().filter_map(bridge::found).collect();
    let mut own_bridge = None;
    for found in &bridges {
        match &found.owner {
            Some(owner) if Some(owner) == own.as_ref() => {
                if recorded.is_none_or(|recorded| recorded.name != found.name) {
                    leftovers.push(Leftover::Bridge {
                        name: found.name.clone(),
                        root: None,
                    });
                    continue;
                }
                own_bridge = Some(found.index);
            }
            // One whose root cannot be seen from here may have containers that run.
            Some(owner) if !owner.exists() && !bridge::has_ports(&links, found.index) => leftovers
                .push(Leftover::Bridge {
                    name: found.name.clone(),
                    root: Some(owner.root.clone()),
                }),
            Some(_) => {}
            // Anything may have such a name; but this engine was about to make it, and never switched it on.
            None if bridge::is_unfinished(found)
                && recorded.is_some_and(|recorded| recorded.name == found.name) =>
            {
                leftovers.push(Leftover::Bridge {
                    name: found.name.clone(),
                    root: None,
                });
            }
            None => {}
        }
    }
    leftovers.extend(loose(layout, &mut netlink, own_bridge, locked.as_ref()).map_err(failed)?);
    for bridge in firewall::bridges() {
        if !links
            .iter()
            .any(|link| bridge::link_name(link) == Some(&bridge))
        {
            leftovers.push(Leftover::Rules { bridge });
        }
    }
    Ok(leftovers)
}

/// All links, once the kernel has taken away what it can of bridges whose engines are gone: the cables of containers go in
/// their own time.
fn settled(netlink: &mut Netlink) -> io::Result<Vec<LinkMessage>> {
    let is_going = |links: &[LinkMessage]| {
        links.iter().filter_map(bridge::found).any(|found| {
            found.owner.is_some_and(|owner| !owner.exists())
                && bridge::has_ports(links, found.index)
        })
    };
    let mut links = netlink.links()?;
    for _ in 0..20 {
        if !is_going(&links) {
            break;
        }
        thread::sleep(Duration::from_millis(50));
        links = netlink.links()?;
    }
    Ok(links)
}

/// The cables of a bridge that no lease names. One whose network is just going goes with it, so it gets its time.
fn loose(
    layout: &Layout,
    netlink: &mut Netlink,
    own_bridge: Option<u32>,
    locked: Option<&Locked>,
) -> io::Result<Vec<Leftover>> {
    let mut rounds = 20;
    loop {
        let links = netlink.links()?;
        // Where a cable leads nowhere, its container tells whose it is.
        let mut loose = cable::of_bridge(&links, None);
        loose.retain(|(container, _, _)| layout.had_container(container));
        if let Some(bridge) = own_bridge {
            loose.extend(cable::of_bridge(&links, Some(bridge)));
        }
        loose.retain(|(_, _, link)| {
            !locked.iter().any(|locked| {
                let mut leases = locked.record.leases.values();
                leases.any(|lease| lease.link == *link)
            })
        });
        rounds -= 1;
        if loose.is_empty() || rounds == 0 {
            let leftover = |(container, _, link)| Leftover::Cable { link, container };
            return Ok(loose.into_iter().map(leftover).collect());
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Removes the engine's bridge with its rules, for an engine that is to leave no trace.
///
/// # Errors
///
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if containers use it, and
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be removed.
pub fn tear_down(layout: &Layout) -> Result<()> {
    if !record::is_there(layout.root()) {
        return Ok(());
    }
    let mut locked = Locked::open(layout)?;
    if let Some(id) = locked.record.leases.keys().find(|id| is_alive(layout, id)) {
        return Err(Error::conflict(format!(
            "network bridge has active endpoints: container {id} runs"
        )));
    }
    if let Some(bridge) = locked.record.bridge.take() {
        let own = Owner::of(layout)?;
        let link = Netlink::open()
            .and_then(|mut netlink| netlink.link(&bridge.name))
            .map_err(|error| Error::io("look for the engine's bridge", error))?;
        let is_own = |link| bridge::found(link).is_some_and(|found| found.owner == Some(own));
        match &link {
            Some(link) if is_own(link) => {
                cut(&bridge.name)?;
                firewall::remove(&bridge.name)?;
            }
            // The name is another's by now, and so are the rules.
            Some(_) => {}
            None => firewall::remove(&bridge.name)?,
        }
    }
    locked.record.leases.clear();
    locked.record.firewall = None;
    locked.save()?;
    // The lock's own file stays: somebody may wait for it.
    let _ = fs::remove_file(layout.networks().join("bridge.json"));
    Ok(())
}
