//! What is recorded about an engine's bridge: who has which address and which ports.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::firewall::{Backend, Rules};
use super::port::Published;
use super::subnet::Subnet;
use super::userspace::Helper;
use crate::image::lock::Lock;
use crate::state::file::{self, Durability};
use crate::state::{is_alive, life};
use crate::{Layout, Result};

/// What a container has on the bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) address: Ipv4Addr,
    /// Its hardware address, for whoever asks.
    #[serde(default)]
    pub(crate) mac: String,
    /// The machine's end of the container's cable.
    pub(crate) link: String,
    /// Its ports on the machine.
    #[serde(default)]
    pub(crate) published: Vec<Published>,
    /// Containers that have its network too.
    #[serde(default)]
    pub(crate) sharers: Vec<String>,
    /// The program that carries its packets, where it has no cable.
    #[serde(default)]
    pub(crate) helper: Option<Helper>,
}

impl Lease {
    /// Ends what was started for it.
    pub(crate) fn end(&self) {
        if let Some(helper) = &self.helper {
            helper.end();
        }
    }
}

/// The bridge of an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bridge {
    pub(crate) name: String,
    pub(crate) subnet: Subnet,
    pub(crate) mtu: u32,
}

/// The file `networks/bridge.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    /// The boot that leases and rules are of: neither outlives it.
    boot: String,
    /// The engine's bridge, once it had one. It keeps name and network as long as nobody else has taken them.
    pub(crate) bridge: Option<Bridge>,
    /// Who translates addresses, if anybody does.
    pub(crate) firewall: Option<Backend>,
    /// Where the search for the next address begins. Addresses go round, so that nobody takes a container for the one
    /// before it.
    pub(crate) next: Option<Ipv4Addr>,
    /// By the ids of their containers.
    pub(crate) leases: BTreeMap<String, Lease>,
}

impl Record {
    /// What the rules of that bridge are made from.
    pub(crate) fn rules<'a>(&self, bridge: &'a Bridge, close: bool) -> Rules<'a> {
        let published = self
            .leases
            .values()
            .flat_map(|lease| {
                lease
                    .published
                    .iter()
                    .map(|published| (*published, lease.address))
            })
            .collect();
        Rules {
            bridge: &bridge.name,
            subnet: bridge.subnet,
            published,
            close,
        }
    }
}

/// The record of an engine, locked until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked {
    path: PathBuf,
    pub(crate) record: Record,
    /// What the file says.
    written: Record,
    /// Whether the file was damaged, and says nothing.
    pub(crate) damaged: bool,
    _lock: Lock,
}

impl Locked {
    /// Waits for the lock and reads the record. Leases of another boot are left out.
    pub(crate) fn open(layout: &Layout) -> Result<Locked> {
        let directory = layout.networks();
        let lock = Lock::exclusive(&directory.join("lock"))?;
        let path = directory.join("bridge.json");
        let (written, damaged) = match file::read::<Record>(&path) {
            Ok(record) => (record.unwrap_or_default(), false),
            Err(error) => {
                log::warn!(
                    "{error}: what containers have on the bridge is looked up in the kernel"
                );
                (Record::default(), true)
            }
        };
        let mut record = written.clone();
        let boot = life::boot()?;
        if record.boot != boot {
            record.boot = boot;
            record.firewall = None;
            record.leases.clear();
        }
        Ok(Locked {
            path,
            record,
            written,
            damaged,
            _lock: lock,
        })
    }

    /// Writes the record, if it changed.
    pub(crate) fn save(&mut self) -> Result<()> {
        if self.record != self.written {
            file::write(&self.path, &self.record, Durability::Lazy)?;
            self.written = self.record.clone();
        }
        Ok(())
    }
}

/// The lock of the record of the engine at that root, if nobody has it and no container that may run has an address: until
/// it is dropped, none gets one.
pub(crate) fn unused(root: &Path) -> Result<Option<Lock>> {
    // Where that engine has its sockets is not asked here.
    let layout = Layout::from_parts(root.to_owned(), root.to_owned());
    let directory = layout.networks();
    let Some(lock) = Lock::try_exclusive(&directory.join("lock"))? else {
        return Ok(None);
    };
    let Ok(record) = file::read::<Record>(&directory.join("bridge.json")) else {
        // It is to be recovered by its own engine.
        return Ok(None);
    };
    let record = record.unwrap_or_default();
    let is_this_boot = record.boot == life::boot()?;
    let is_used = record.leases.keys().any(|id| is_alive(&layout, id));
    Ok((!is_this_boot || !is_used).then_some(lock))
}

/// Whether an engine at that root has a record at all.
pub(crate) fn is_there(root: &Path) -> bool {
    root.join("networks/bridge.json").exists()
}

/// The file's part of the fuzz target of files: what is read is written as something that is read as the same.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(text: &[u8]) {
    if let Ok(record) = serde_json::from_slice::<Record>(text) {
        let text = serde_json::to_vec(&record).expect("it is made of text and numbers");
        assert_eq!(
            serde_json::from_slice::<Record>(&text).expect("what was written"),
            record
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> (tempfile::TempDir, Layout) {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path()).expect("a layout");
        (directory, layout)
    }

    fn lease() -> Lease {
        Lease {
            address: Ipv4Addr::new(172, 29, 0, 2),
            mac: String::new(),
            link: "veth1".to_owned(),
            published: Vec::new(),
            sharers: Vec::new(),
            helper: None,
        }
    }

    #[test]
    fn leases_are_of_one_boot() {
        let (_directory, layout) = layout();
        let mut locked = Locked::open(&layout).expect("a record");
        locked.record.leases.insert("one".to_owned(), lease());
        locked.record.next = Some(Ipv4Addr::new(172, 29, 0, 3));
        locked.save().expect("a file");
        drop(locked);
        let mut locked = Locked::open(&layout).expect("a record");
        assert_eq!(locked.record.leases.len(), 1);
        locked.record.boot = "another".to_owned();
        locked.save().expect("a file");
        drop(locked);
        let locked = Locked::open(&layout).expect("a record");
        assert!(locked.record.leases.is_empty());
        assert!(locked.record.next.is_some());
    }

    #[test]
    fn a_damaged_record_is_no_obstacle() {
        let (directory, layout) = layout();
        drop(Locked::open(&layout).expect("a record"));
        std::fs::write(directory.path().join("networks/bridge.json"), "{").expect("a file");
        let mut locked = Locked::open(&layout).expect("a record");
        assert!(locked.damaged);
        locked.record.leases.insert("one".to_owned(), lease());
        locked.save().expect("a file");
        drop(locked);
        assert!(!Locked::open(&layout).expect("a record").damaged);
    }
}
