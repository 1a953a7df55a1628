//! What tables, chains and rules of nf_tables there are, asked of the kernel: some 20 microseconds a question, where a
//! program takes some milliseconds.

use std::io;

use netlink_sys::protocols::NETLINK_NETFILTER;
use netlink_sys::{Socket, SocketAddr};

use crate::network::frame::{HEADER, attributes, frames, put_attribute};

// What <linux/netlink.h>, <linux/netfilter/nfnetlink.h> and <linux/netfilter/nf_tables.h> have for these.
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;
const NLM_F_DUMP: u16 = 0x300;
const NFNL_SUBSYS_NFTABLES: u16 = 10;
const NFT_MSG_GETTABLE: u16 = 1;
const NFT_MSG_GETCHAIN: u16 = 4;
const NFT_MSG_GETRULE: u16 = 7;
const NFTA_TABLE_NAME: u16 = 1;
const NFTA_CHAIN_TABLE: u16 = 1;
const NFTA_CHAIN_NAME: u16 = 3;
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
const NFTA_RULE_HANDLE: u16 = 3;
const NFTA_RULE_EXPRESSIONS: u16 = 4;
const NFTA_VERDICT_CHAIN: u16 = 2;
const NFPROTO_IPV4: u8 = 2;

/// The length of `struct nfgenmsg`, before the attributes.
const GENERIC_HEADER: usize = 4;

/// Whether there is that table of family `ip`.
pub(super) fn has_table(table: &str) -> io::Result<bool> {
    is_there(NFT_MSG_GETTABLE, &[(NFTA_TABLE_NAME, table)])
}

/// Whether that table of family `ip` has that chain.
pub(super) fn has_chain(table: &str, chain: &str) -> io::Result<bool> {
    is_there(
        NFT_MSG_GETCHAIN,
        &[(NFTA_CHAIN_TABLE, table), (NFTA_CHAIN_NAME, chain)],
    )
}

/// The names of all tables of family `ip`.
pub(super) fn tables() -> io::Result<Vec<String>> {
    let mut tables = Vec::new();
    ask(NFT_MSG_GETTABLE, NLM_F_DUMP, &[], |answer| {
        for (kind, value) in attributes(answer) {
            if kind == NFTA_TABLE_NAME {
                let name = value.strip_suffix(&[0]).unwrap_or(value);
                tables.push(String::from_utf8_lossy(name).into_owned());
            }
        }
    })?;
    Ok(tables)
}

/// The handles of the rules of a chain that jump to another.
pub(super) fn jumps(table: &str, chain: &str, target: &str) -> io::Result<Vec<u64>> {
    // What a jump holds, wherever in a rule it stands.
    let mut jump = Vec::new();
    put_attribute(&mut jump, NFTA_VERDICT_CHAIN, &terminated(target));
    let mut handles = Vec::new();
    let of_chain = [(NFTA_RULE_TABLE, table), (NFTA_RULE_CHAIN, chain)];
    let asked = ask(NFT_MSG_GETRULE, NLM_F_DUMP, &of_chain, |answer| {
        let mut handle = None;
        let mut is_jump = false;
        for (kind, value) in attributes(answer) {
            match kind {
                NFTA_RULE_HANDLE => handle = value.try_into().ok().map(u64::from_be_bytes),
                NFTA_RULE_EXPRESSIONS => {
                    is_jump = value.windows(jump.len()).any(|window| window == jump);
                }
                _ => {}
            }
        }
        handles.extend(handle.filter(|_| is_jump));
    });
    match asked {
        Err(error) if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
        _ => Ok(handles),
    }
}

fn is_there(question: u16, names: &[(u16, &str)]) -> io::Result<bool> {
    match ask(question, NLM_F_ACK, names, |_| {}) {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Asks one question and takes the attributes of each answer.
fn ask(
    question: u16,
    flags: u16,
    names: &[(u16, &str)],
    mut take: impl FnMut(&[u8]),
) -> io::Result<()> {
    let mut socket = Socket::new(NETLINK_NETFILTER)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.set_cap_ack(true)?;

    let mut message = vec![0; HEADER];
    message.extend([NFPROTO_IPV4, 0, 0, 0]);
    for (kind, name) in names {
        put_attribute(&mut message, *kind, &terminated(name));
    }
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    message[0..4].copy_from_slice(&length.to_ne_bytes());
    let kind = NFNL_SUBSYS_NFTABLES << 8 | question;
    message[4..6].copy_from_slice(&kind.to_ne_bytes());
    message[6..8].copy_from_slice(&(NLM_F_REQUEST | flags).to_ne_bytes());
    socket.send(&message, 0)?;

    loop {
        let (datagram, _) = socket.recv_from_full()?;
        for frame in frames(&datagram) {
            match frame.kind {
                NLMSG_DONE => return Ok(()),
                NLMSG_ERROR => {
                    let code = frame.body().first_chunk().copied().map(i32::from_ne_bytes);
                    return match code {
                        Some(0) => Ok(()),
                        code => Err(io::Error::from_raw_os_error(-code.unwrap_or(-libc::EIO))),
                    };
                }
                _ => take(frame.body().get(GENERIC_HEADER..).unwrap_or_default()),
            }
        }
    }
}

fn terminated(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.push(0);
    bytes
}
