//! A door into a container's network for an engine that is not root.
//!
//! Only who is in the user namespace of a network may change it, and whoever enters a user namespace cannot leave it. So a
//! process of its own goes in, switches the loopback interface on, and hands sockets out: a socket stays in the network
//! that it was made in, whoever uses it. By these the proxies of published ports reach the container.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::{Errno, read, write};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socket_with,
    socketpair, sockopt,
};
use rustix::thread::{
    CapabilitySet, CapabilitySets, LinkNameSpaceType, move_into_link_name_space, set_capabilities,
};

use crate::network::port::Protocol;
use crate::{Error, Result, sys, user_namespace};

/// The name that the program runs under as a door. Standard input is its socket, standard output the network.
const NAME: &str = "tool-network-door";

reexec::submit! { reexec::Initializer::new(NAME, run) }

/// How long a door may take for an answer: it has nothing else to do.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest that a door says of why it could not be opened.
const LONGEST: usize = 512;

/// What a door is asked for, and its answer when it is open.
const TCP: u8 = b't';
const UDP: u8 = b'u';
const OPEN: u8 = b'o';

/// The way to a door, which closes when this is dropped.
#[derive(Debug)]
pub(crate) struct Door {
    socket: OwnedFd,
}

impl Door {
    /// Opens a door into that network, whose loopback interface is on then.
    pub(crate) fn open(network: BorrowedFd<'_>) -> Result<Door> {
        let failed = |error: io::Error| Error::io("enter the container's network", error);
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(|error| failed(error.into()))?;
        sockopt::set_socket_timeout(&ours, sockopt::Timeout::Recv, Some(PATIENCE))
            .map_err(|error| failed(error.into()))?;
        let mut command = reexec::command(NAME)
            .map_err(|error| Error::system(format!("enter the container's network: {error}")))?;
        command
            .env_clear()
            .current_dir("/")
            .stdin(theirs)
            .stdout(network.try_clone_to_owned().map_err(failed)?);
        // Whoever reaps this process's children reaps this one: it ends with the socket.
        let child = command.spawn().map_err(failed)?;
        drop((child, command));

        let mut answer = [0; LONGEST];
        let length = read(&ours, &mut answer).map_err(|error| failed(error.into()))?;
        match &answer[..length] {
            [OPEN] => Ok(Door { socket: ours }),
            why => Err(Error::system(format!(
                "enter the container's network: {}",
                String::from_utf8_lossy(why)
            ))),
        }
    }

    /// A socket in the network, neither bound nor connected, that does not block.
    pub(crate) fn socket(&self, protocol: Protocol) -> io::Result<OwnedFd> {
        let question = match protocol {
            Protocol::Tcp => TCP,
            Protocol::Udp => UDP,
        };
        write(&self.socket, &[question])?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(&mut byte)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        )?;
        ancillary
            .drain()
            .find_map(|message| match message {
                RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
                _ => None,
            })
            .ok_or_else(|| io::Error::other("the door into the container's network is closed"))
    }
}

/// The door itself.
fn run(_: &[OsString]) -> u8 {
    let socket = rustix::stdio::stdin();
    match enter(rustix::stdio::stdout()) {
        Ok(()) => drop(write(socket, &[OPEN])),
        Err(error) => {
            let text = error.to_string();
            let _ = write(socket, &text.as_bytes()[..text.len().min(LONGEST)]);
            return 1;
        }
    }
    let mut question = [0];
    loop {
        let kind = match read(socket, &mut question) {
            Err(Errno::INTR) => continue,
            Ok(1) => match question[0] {
                TCP => SocketType::STREAM,
                UDP => SocketType::DGRAM,
                _ => return 1,
            },
            // Nobody wants anything any more.
            _ => return 0,
        };
        if answer(socket, kind).is_err() {
            return 1;
        }
    }
}

fn answer(socket: BorrowedFd<'_>, kind: SocketType) -> rustix::io::Result<()> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let made = socket_with(AddressFamily::INET, kind, flags, None);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors = made.as_ref().map(AsFd::as_fd).ok();
    if let Some(descriptor) = &descriptors {
        ancillary.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(
            descriptor,
        )));
    }
    // Without a descriptor the answer says that there is none.
    sendmsg(
        socket,
        &[IoSlice::new(&[OPEN])],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    )
    .map(drop)
}

fn enter(network: BorrowedFd<'_>) -> Result<()> {
    let failed = |error: io::Error| Error::io("enter the namespaces", error);
    let user = sys::owner_of_namespace(network).map_err(failed)?;
    if !user_namespace::is_own(&user).map_err(failed)? {
        move_into_link_name_space(user.as_fd(), Some(LinkNameSpaceType::User))
            .map_err(|error| failed(error.into()))?;
    }
    move_into_link_name_space(network, Some(LinkNameSpaceType::Network))
        .map_err(|error| failed(error.into()))?;
    crate::network::set_loopback_up()?;
    // Sockets need none, and the container's processes are near.
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).map_err(|error| Error::io("drop capabilities", error))
}
