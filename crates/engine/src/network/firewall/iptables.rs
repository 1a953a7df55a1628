//! The rules of a bridge as chains in the tables of iptables, for `iptables-restore --noflush`.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::{OTHERS, Rules, legacy_tables_filter, nft, probe};
use crate::Result;
use crate::network::bridge;
use crate::program;

/// The chains that everybody has, each with the beginning of the name of ours and the condition for the jump to it.
const CHAINS: [Chain; 4] = [
    Chain {
        table: "nat",
        shared: "POSTROUTING",
        suffix: "-OUT",
        condition: "",
    },
    Chain {
        table: "nat",
        shared: "PREROUTING",
        suffix: "-IN",
        condition: "-m addrtype --dst-type LOCAL ",
    },
    Chain {
        table: "nat",
        shared: "OUTPUT",
        suffix: "-IN",
        condition: "! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL ",
    },
    FORWARD,
];

const FORWARD: Chain = Chain {
    table: "filter",
    shared: "FORWARD",
    suffix: "",
    condition: "",
};

struct Chain {
    table: &'static str,
    shared: &'static str,
    suffix: &'static str,
    condition: &'static str,
}

impl Chain {
    fn name(&self, bridge: &str) -> String {
        format!("{}{}", nft::chain(bridge), self.suffix)
    }

    /// The words of the rule that jumps, after `-A`, `-I`, `-C` or `-D`.
    fn jump(&self, bridge: &str) -> String {
        format!("{} {}-j {}", self.shared, self.condition, self.name(bridge))
    }
}

pub(super) fn apply(restore: &Path, rules: &Rules<'_>) -> Result<()> {
    let bridge = rules.bridge;
    let subnet = rules.subnet;
    let name = nft::chain(bridge);
    let mut script = format!(
        "*nat\n\
         :{name}-OUT - [0:0]\n\
         :{name}-IN - [0:0]\n\
         -A {name}-OUT -s {subnet} ! -o {bridge} -j MASQUERADE\n\
         -A {name}-IN -i {bridge} -j RETURN\n"
    );
    for (published, address, container) in rules.translated() {
        let destination = if address.is_unspecified() {
            String::new()
        } else {
            format!("-d {address} ")
        };
        let protocol = published.container.protocol;
        let _ = writeln!(
            script,
            "-A {name}-IN {destination}-p {protocol} -m {protocol} --dport {} -j DNAT --to-destination {container}:{}",
            published.port, published.container.number
        );
    }
    put_jumps(&mut script, restore, bridge, "nat");
    script.push_str("COMMIT\n*filter\n");
    if rules.close {
        script.push_str(":FORWARD DROP [0:0]\n");
    }
    let _ = write!(
        script,
        ":{name} - [0:0]\n\
         -A {name} -o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n\
         -A {name} -i {bridge} -o {bridge} -j ACCEPT\n\
         -A {name} -o {bridge} -m conntrack --ctstate DNAT -j ACCEPT\n\
         -A {name} -o {bridge} -j DROP\n"
    );
    put_way_out(&mut script, bridge);
    put_jumps(&mut script, restore, bridge, "filter");
    script.push_str("COMMIT\n");
    run(restore, &script)
}

/// Has the older tables pass on what a table of nf_tables has let in.
pub(super) fn let_through(restore: &Path, rules: &Rules<'_>) -> Result<()> {
    let bridge = rules.bridge;
    let name = nft::chain(bridge);
    let mut script = format!(
        "*filter\n\
         :{name} - [0:0]\n\
         -A {name} -o {bridge} -j ACCEPT\n"
    );
    put_way_out(&mut script, bridge);
    put_jumps(&mut script, restore, bridge, "filter");
    script.push_str("COMMIT\n");
    run(restore, &script)
}

fn put_way_out(script: &mut String, bridge: &str) {
    let name = nft::chain(bridge);
    for other in OTHERS {
        let _ = writeln!(script, "-A {name} -i {bridge} -o {other}+ -j RETURN");
    }
    let _ = writeln!(script, "-A {name} -i {bridge} -j ACCEPT");
}

/// Adds the jumps of that table that are missing: the same line twice would be two rules.
fn put_jumps(script: &mut String, restore: &Path, bridge: &str, table: &str) {
    for chain in CHAINS.iter().filter(|chain| chain.table == table) {
        if !has_jump(restore, bridge, chain) {
            let _ = writeln!(script, "-I {}", chain.jump(bridge));
        }
    }
}

pub(super) fn is_in_place(bridge: &str) -> io::Result<bool> {
    if legacy_tables_filter() {
        // The kernel does not tell more of them. They are flushed by hand only.
        return Ok(true);
    }
    for chain in &CHAINS {
        if probe::jumps(chain.table, chain.shared, &chain.name(bridge))?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(super) fn remove(restore: &Path, bridge: &str) -> Result<()> {
    // Asking the program would make the tables where there are none.
    if !has_chains(bridge) && !legacy_tables_filter() {
        return Ok(());
    }
    let Some(iptables) = beside(restore) else {
        return Ok(());
    };
    for chain in &CHAINS {
        // Each of these fails where there is nothing to remove.
        while iptables_does(&iptables, chain.table, "-D", &chain.jump(bridge)) {}
        let name = chain.name(bridge);
        if iptables_does(&iptables, chain.table, "-F", &name) {
            iptables_does(&iptables, chain.table, "-X", &name);
        }
    }
    Ok(())
}

/// The bridges that have chains here, as far as the kernel tells.
pub(super) fn bridges() -> Vec<String> {
    (0..bridge::NAMES)
        .map(bridge::name)
        .filter(|bridge| has_chains(bridge))
        .collect()
}

fn has_chains(bridge: &str) -> bool {
    CHAINS
        .iter()
        .any(|chain| probe::has_chain(chain.table, &chain.name(bridge)).unwrap_or(false))
}

fn has_jump(restore: &Path, bridge: &str, chain: &Chain) -> bool {
    beside(restore)
        .is_some_and(|iptables| iptables_does(&iptables, chain.table, "-C", &chain.jump(bridge)))
}

fn iptables_does(iptables: &Path, table: &str, operation: &str, words: &str) -> bool {
    let mut arguments = vec!["--wait", "--table", table, operation];
    arguments.extend(words.split_whitespace());
    program::run(iptables, &arguments, "").is_ok()
}

/// The program that changes single rules, of the same package.
fn beside(restore: &Path) -> Option<PathBuf> {
    let iptables = restore.with_file_name("iptables");
    iptables.exists().then_some(iptables)
}

fn run(restore: &Path, script: &str) -> Result<()> {
    program::run(restore, &["--noflush", "--wait"], script)
}
