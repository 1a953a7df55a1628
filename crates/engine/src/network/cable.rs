//! The cable between a bridge and a container: a pair of virtual interfaces, of which one end is made right in the
//! container's network. It goes with that network; removing it by hand takes longer.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkFlags, LinkInfo, LinkMessage,
};

use super::bridge::link_name;
use super::mac::MacAddress;
use super::netlink::{self, Netlink};
use super::record::Bridge;
use super::{LOOPBACK, random};
use crate::Result;

/// The interface in the container.
const INSIDE: &str = "eth0";

/// A cable that is to be laid.
#[derive(Clone, Debug)]
pub(crate) struct Cable {
    /// The container's id.
    pub(crate) id: String,
    pub(crate) bridge: Bridge,
    pub(crate) bridge_index: u32,
    /// The end on the machine.
    pub(crate) link: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) mac: MacAddress,
}

/// A name for an end on the machine.
pub(crate) fn name() -> Result<String> {
    Ok(format!("veth{}", random::hex::<4>()?))
}

impl Cable {
    /// Lays the cable into that network, and gives it its address and its way out.
    pub(crate) fn lay(&self, namespace: BorrowedFd<'_>) -> io::Result<()> {
        let mut outside = Netlink::open()?;
        outside.add_link(self.link(namespace))?;
        let mut alias = LinkMessage::default();
        alias.attributes = vec![
            LinkAttribute::IfName(self.link.clone()),
            LinkAttribute::IfAlias(alias_of(&self.id, self.address)),
        ];
        outside.set_link(alias)?;

        let mut inside = netlink::within(namespace, || {
            // There is no address of IPv6 to be had, and programs that try one wait. A machine without IPv6 has nothing
            // to switch off.
            let path = format!("/proc/sys/net/ipv6/conf/{INSIDE}/disable_ipv6");
            if let Err(error) = fs::write(&path, "1") {
                log::debug!("write {path}: {error}");
            }
            Netlink::open()
        })?;
        inside.set_up(LOOPBACK)?;
        let index = inside
            .link(INSIDE)?
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?
            .header
            .index;
        let subnet = self.bridge.subnet;
        inside.add_address(index, self.address, subnet.prefix(), subnet.broadcast())?;
        inside.set_up(index)?;
        inside.add_default_route(subnet.gateway())
    }

    fn link(&self, namespace: BorrowedFd<'_>) -> LinkMessage {
        let mut peer = LinkMessage::default();
        peer.attributes = vec![
            LinkAttribute::IfName(INSIDE.to_owned()),
            LinkAttribute::Address(self.mac.bytes().to_vec()),
            LinkAttribute::Mtu(self.bridge.mtu),
            LinkAttribute::NetNsFd(namespace.as_raw_fd()),
        ];
        let mut link = LinkMessage::default();
        link.header.flags = LinkFlags::Up;
        link.header.change_mask = LinkFlags::Up;
        link.attributes = vec![
            LinkAttribute::IfName(self.link.clone()),
            LinkAttribute::Mtu(self.bridge.mtu),
            LinkAttribute::Controller(self.bridge_index),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ];
        link
    }
}

fn alias_of(id: &str, address: Ipv4Addr) -> String {
    format!("tool container {id} {address}")
}

/// The cables of a bridge among these links, or those of no bridge at all: container, address and name.
pub(crate) fn of_bridge(
    links: &[LinkMessage],
    bridge: Option<u32>,
) -> Vec<(String, Ipv4Addr, String)> {
    let bridge_of = |link: &LinkMessage| {
        link.attributes
            .iter()
            .find_map(|attribute| match attribute {
                LinkAttribute::Controller(index) => Some(*index),
                _ => None,
            })
    };
    links
        .iter()
        .filter(|link| bridge_of(link) == bridge)
        .filter_map(|link| {
            let alias = link
                .attributes
                .iter()
                .find_map(|attribute| match attribute {
                    LinkAttribute::IfAlias(alias) => Some(alias.as_str()),
                    _ => None,
                })?;
            let (id, address) = alias.strip_prefix("tool container ")?.split_once(' ')?;
            Some((
                id.to_owned(),
                address.parse().ok()?,
                link_name(link)?.to_owned(),
            ))
        })
        .collect()
}
