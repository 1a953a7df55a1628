//! Unpacked layers: `layers/CHAIN/diff`, shared by all images that have the same layers up to there.
//!
//! A layer comes to its name by a rename when it is complete. Its files are on the disk some time later; until then it
//! counts only for as long as the machine runs that it was unpacked on: a power loss might have taken some of them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::file;
use crate::{Error, Result};

const LIMIT: u64 = 64 << 10;

/// All layers.
#[derive(Clone, Debug)]
pub(super) struct Layers {
    directory: PathBuf,
    boot: String,
}

/// What is known of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// The digest of its archive before compression.
    pub(super) diff_id: Digest,
    /// How many bytes its files have.
    pub(super) size: u64,
    /// The boot that it was unpacked in.
    pub(super) boot: String,
}

impl Layers {
    /// The layers in this directory, which need not exist.
    pub(super) fn new(directory: PathBuf) -> Layers {
        Layers {
            directory,
            boot: boot(),
        }
    }

    /// The directory with the files of that layer.
    pub(super) fn files(&self, chain: &Digest) -> PathBuf {
        self.home(chain).join("diff")
    }

    /// What is known of that layer, if it is here and complete.
    pub(super) fn get(&self, chain: &Digest) -> Result<Option<Facts>> {
        let home = self.home(chain);
        let Some(content) = file::read(&home.join("layer.json"), LIMIT)? else {
            return Ok(None);
        };
        let Ok(facts) = serde_json::from_slice::<Facts>(&content) else {
            return Ok(None);
        };
        let is_whole = facts.boot == self.boot || is_synced(&home)?;
        Ok(is_whole.then_some(facts))
    }

    fn home(&self, chain: &Digest) -> PathBuf {
        self.directory.join(chain.hex())
    }
}

fn is_synced(home: &Path) -> Result<bool> {
    let mark = home.join("synced");
    mark.try_exists()
        .map_err(|error| Error::io(format_args!("stat {}", mark.display()), error))
}

/// What tells one run of this machine's kernel from another; empty, and so never the same, where it says nothing.
fn boot() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|text| text.trim().to_owned())
        .unwrap_or_default()
}
