//! The rules of a bridge as a table of its own, for `nft -f -`.
//!
//! A packet that one table accepts may still be dropped by the next. So where the tables of iptables are in use, the
//! packets of containers are let through there too, in the words that iptables itself understands.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use super::{OTHERS, Rules, probe};
use crate::Result;
use crate::network::port::Protocol;
use crate::program;

/// The table and the chain of iptables for what is passed on.
const SHARED_TABLE: &str = "filter";
const SHARED_CHAIN: &str = "FORWARD";

/// What has to be done about the tables of iptables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shared {
    /// Nobody uses them.
    Unused,
    /// The bridge's chain is to be made anew; `jump` is whether the jump to it is missing.
    Used { jump: bool },
    /// The chain for what is passed on is to be made, and to drop what nobody accepts.
    Closed { jump: bool },
}

pub(super) fn apply(nft: &Path, rules: &Rules<'_>) -> Result<()> {
    let jump = !has_jump(rules.bridge).unwrap_or(false);
    let shared = match probe::has_chain(SHARED_TABLE, SHARED_CHAIN) {
        _ if rules.close => Shared::Closed { jump },
        Ok(true) => Shared::Used { jump },
        _ => Shared::Unused,
    };
    program::run(nft, &["-f", "-"], &script(rules, shared))
}

pub(super) fn is_in_place(bridge: &str) -> io::Result<bool> {
    if !probe::has_table(bridge)? {
        return Ok(false);
    }
    Ok(!probe::has_chain(SHARED_TABLE, SHARED_CHAIN)? || has_jump(bridge)?)
}

pub(super) fn remove(nft: &Path, bridge: &str) -> Result<()> {
    let mut script = String::new();
    // A kernel that does not answer has no tables.
    if probe::has_table(bridge).unwrap_or(false) {
        let _ = writeln!(script, "delete table ip {bridge}");
    }
    let chain = chain(bridge);
    if probe::has_chain(SHARED_TABLE, &chain).unwrap_or(false) {
        for handle in probe::jumps(SHARED_TABLE, SHARED_CHAIN, &chain).unwrap_or_default() {
            let _ = writeln!(
                script,
                "delete rule ip {SHARED_TABLE} {SHARED_CHAIN} handle {handle}"
            );
        }
        let _ = writeln!(script, "flush chain ip {SHARED_TABLE} {chain}");
        let _ = writeln!(script, "delete chain ip {SHARED_TABLE} {chain}");
    }
    if script.is_empty() {
        return Ok(());
    }
    program::run(nft, &["-f", "-"], &script)
}

/// The bridge's chain in the shared table.
pub(super) fn chain(bridge: &str) -> String {
    bridge.to_uppercase()
}

fn has_jump(bridge: &str) -> io::Result<bool> {
    let jumps = probe::jumps(SHARED_TABLE, SHARED_CHAIN, &chain(bridge))?;
    Ok(!jumps.is_empty())
}

fn script(rules: &Rules<'_>, shared: Shared) -> String {
    let bridge = rules.bridge;
    let subnet = rules.subnet;
    // Adding what may be there, then deleting what is, is how a table is replaced in one transaction.
    let mut script = format!(
        "table ip {bridge}\n\
         delete table ip {bridge}\n\
         table ip {bridge} {{\n\
         chain postrouting {{\n\
         type nat hook postrouting priority 100; policy accept;\n\
         ip saddr {subnet} oifname != \"{bridge}\" masquerade\n\
         }}\n\
         chain forward {{\n\
         type filter hook forward priority 0; policy accept;\n\
         oifname != \"{bridge}\" accept\n\
         ct state established,related accept\n\
         iifname \"{bridge}\" accept\n\
         ct status dnat accept\n\
         drop\n\
         }}\n"
    );
    let mut translations = String::new();
    for (published, address, container) in rules.translated() {
        let protocol = match published.container.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let destination = if address.is_unspecified() {
            "fib daddr type local".to_owned()
        } else {
            format!("ip daddr {address}")
        };
        let _ = writeln!(
            translations,
            "{destination} {protocol} dport {} dnat to {container}:{}",
            published.port, published.container.number
        );
    }
    if !translations.is_empty() {
        let _ = write!(
            script,
            "chain prerouting {{\n\
             type nat hook prerouting priority -100; policy accept;\n\
             iifname \"{bridge}\" accept\n\
             {translations}\
             }}\n\
             chain output {{\n\
             type nat hook output priority -100; policy accept;\n\
             ip daddr 127.0.0.0/8 accept\n\
             {translations}\
             }}\n"
        );
    }
    script.push_str("}\n");
    let (close, jump) = match shared {
        Shared::Unused => return script,
        Shared::Used { jump } => (false, jump),
        Shared::Closed { jump } => (true, jump),
    };
    let chain = chain(bridge);
    if close {
        let _ = write!(
            script,
            "table ip {SHARED_TABLE} {{\n\
             chain {SHARED_CHAIN} {{ type filter hook forward priority 0; policy drop; }}\n\
             }}\n"
        );
    }
    let _ = write!(
        script,
        "add chain ip {SHARED_TABLE} {chain}\n\
         flush chain ip {SHARED_TABLE} {chain}\n\
         add rule ip {SHARED_TABLE} {chain} oifname \"{bridge}\" counter accept\n"
    );
    for other in OTHERS {
        let _ = writeln!(
            script,
            "add rule ip {SHARED_TABLE} {chain} iifname \"{bridge}\" oifname \"{other}*\" counter return"
        );
    }
    let _ = writeln!(
        script,
        "add rule ip {SHARED_TABLE} {chain} iifname \"{bridge}\" counter accept"
    );
    if jump {
        let _ = writeln!(
            script,
            "insert rule ip {SHARED_TABLE} {SHARED_CHAIN} counter jump {chain}"
        );
    }
    script
}
