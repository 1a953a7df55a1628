//! A conversation with the kernel about links, addresses and routes: rtnetlink(7).

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd};

use super::frame::frames;
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_EXCL, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The namespace of this thread's own network.
const OWN_NAMESPACE: &str = "/proc/thread-self/ns/net";

/// A socket to one network namespace: the one that was this thread's when it was opened.
pub(crate) struct Netlink {
    socket: Socket,
    sequence: u32,
}

impl Netlink {
    /// Opens a conversation about this thread's network.
    pub(crate) fn open() -> io::Result<Netlink> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        // Without it an answer repeats the whole question.
        socket.set_cap_ack(true)?;
        Ok(Netlink {
            socket,
            sequence: 0,
        })
    }

    /// Asks for one thing to be done.
    pub(crate) fn request(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.send(message, NLM_F_REQUEST | NLM_F_ACK | flags)?;
        self.answers(|_| {})
    }

    /// Asks for a list.
    pub(crate) fn list(
        &mut self,
        message: RouteNetlinkMessage,
    ) -> io::Result<Vec<RouteNetlinkMessage>> {
        self.send(message, NLM_F_REQUEST | NLM_F_DUMP)?;
        let mut list = Vec::new();
        self.answers(|message| list.push(message))?;
        Ok(list)
    }

    /// The link of that name, if there is one.
    pub(crate) fn link(&mut self, name: &str) -> io::Result<Option<LinkMessage>> {
        let mut message = LinkMessage::default();
        message
            .attributes
            .push(LinkAttribute::IfName(name.to_owned()));
        self.get_link(message)
    }

    fn get_link(&mut self, message: LinkMessage) -> io::Result<Option<LinkMessage>> {
        self.send(
            RouteNetlinkMessage::GetLink(message),
            NLM_F_REQUEST | NLM_F_ACK,
        )?;
        let mut found = None;
        let answered = self.answers(|message| {
            if let RouteNetlinkMessage::NewLink(link) = message {
                found = Some(link);
            }
        });
        match answered {
            Ok(()) => Ok(found),
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The longest packet that a link carries; nothing if there is no such link.
    pub(crate) fn mtu(&mut self, index: u32) -> io::Result<Option<u32>> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        let link = self.get_link(message)?;
        Ok(link.and_then(|link| {
            link.attributes
                .iter()
                .find_map(|attribute| match attribute {
                    LinkAttribute::Mtu(mtu) => Some(*mtu),
                    _ => None,
                })
        }))
    }

    /// All routes of IPv4, of whatever table.
    pub(crate) fn ipv4_routes(&mut self) -> io::Result<Vec<RouteMessage>> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        let list = self.list(RouteNetlinkMessage::GetRoute(message))?;
        Ok(list
            .into_iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewRoute(route) => Some(route),
                _ => None,
            })
            .collect())
    }

    /// The addresses of IPv4 that a link has.
    pub(crate) fn ipv4_addresses(&mut self, index: u32) -> io::Result<Vec<AddressMessage>> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        let list = self.list(RouteNetlinkMessage::GetAddress(message))?;
        Ok(list
            .into_iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewAddress(address) => Some(address),
                _ => None,
            })
            .filter(|address| address.header.index == index)
            .collect())
    }

    /// All links.
    pub(crate) fn links(&mut self) -> io::Result<Vec<LinkMessage>> {
        let list = self.list(RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
        Ok(list
            .into_iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewLink(link) => Some(link),
                _ => None,
            })
            .collect())
    }

    /// Makes a link.
    pub(crate) fn add_link(&mut self, message: LinkMessage) -> io::Result<()> {
        self.request(
            RouteNetlinkMessage::NewLink(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Changes a link that is there.
    pub(crate) fn set_link(&mut self, message: LinkMessage) -> io::Result<()> {
        self.request(RouteNetlinkMessage::SetLink(message), 0)
    }

    /// Switches a link on.
    pub(crate) fn set_up(&mut self, index: u32) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        self.set_link(message)
    }

    /// Removes a link.
    pub(crate) fn delete_link(&mut self, index: u32) -> io::Result<()> {
        let mut message = LinkMessage::default();
        message.header.index = index;
        self.request(RouteNetlinkMessage::DelLink(message), 0)
    }

    /// Gives a link an address in a network of that prefix.
    pub(crate) fn add_address(
        &mut self,
        index: u32,
        address: Ipv4Addr,
        prefix: u8,
        broadcast: Ipv4Addr,
    ) -> io::Result<()> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = prefix;
        message.header.index = index;
        message.attributes = vec![
            AddressAttribute::Address(IpAddr::V4(address)),
            AddressAttribute::Local(IpAddr::V4(address)),
            AddressAttribute::Broadcast(broadcast),
        ];
        self.request(
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    /// Sends whatever has no other way to that gateway.
    pub(crate) fn add_default_route(&mut self, gateway: Ipv4Addr) -> io::Result<()> {
        let mut message = RouteMessage::default();
        message.header.address_family = AddressFamily::Inet;
        message.header.table = RouteHeader::RT_TABLE_MAIN;
        message.header.protocol = RouteProtocol::Boot;
        message.header.scope = RouteScope::Universe;
        message.header.kind = RouteType::Unicast;
        message
            .attributes
            .push(RouteAttribute::Gateway(RouteAddress::Inet(gateway)));
        self.request(
            RouteNetlinkMessage::NewRoute(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
    }

    fn send(&mut self, message: RouteNetlinkMessage, flags: u16) -> io::Result<()> {
        self.sequence += 1;
        let mut message = NetlinkMessage::from(message);
        message.header.flags = flags;
        message.header.sequence_number = self.sequence;
        message.finalize();
        let mut buffer = vec![0; message.buffer_len()];
        message.serialize(&mut buffer);
        self.socket.send(&buffer, 0).map(drop)
    }

    /// Takes the answers to the last question, up to the one that ends them.
    fn answers(&mut self, mut take: impl FnMut(RouteNetlinkMessage)) -> io::Result<()> {
        loop {
            let (datagram, _) = self.socket.recv_from_full()?;
            for frame in frames(&datagram) {
                if frame.sequence != self.sequence {
                    continue;
                }
                let message = match NetlinkMessage::<RouteNetlinkMessage>::deserialize(frame.bytes)
                {
                    Ok(message) => message,
                    Err(error) => {
                        // A newer kernel may describe a link in ways that the library does not know.
                        log::debug!("netlink message not understood: {error}");
                        continue;
                    }
                };
                match message.payload {
                    NetlinkPayload::InnerMessage(message) => take(message),
                    NetlinkPayload::Error(error) => {
                        return match error.code {
                            None => Ok(()),
                            Some(_) => Err(error.to_io()),
                        };
                    }
                    NetlinkPayload::Done(_) => return Ok(()),
                    _ => {}
                }
            }
        }
    }
}

/// Does something with this thread in another network, and comes back.
///
/// The kernel keeps a thread's network apart from those of its siblings, and sockets stay where they were opened.
pub(crate) fn within<T>(
    namespace: BorrowedFd<'_>,
    act: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let own = File::open(OWN_NAMESPACE)?;
    move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?;
    let done = act();
    // Whatever else this thread did would be done in the container's network.
    move_into_link_name_space(own.as_fd(), Some(LinkNameSpaceType::Network))
        .expect("a thread may enter the network that it left");
    done
}
