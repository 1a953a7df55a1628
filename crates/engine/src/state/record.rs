//! What was asked for when a container was made.

use std::path::PathBuf;

use bollard_stubs::models::ContainerCreateBody;
use serde::{Deserialize, Serialize};

use super::Moment;
use crate::spec::MountPoint;

/// The file `config.json`: a container as it was asked for. It holds nothing of what has happened to it since.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Without the slash that the API puts before it.
    pub name: String,
    /// When it was made.
    pub created: Moment,
    /// The request, completed by [`spec::merge`](crate::spec::merge), its host name set.
    pub body: ContainerCreateBody,
    /// Digest of the image's configuration, `sha256:` and 64 digits; empty for a container of a directory.
    pub image: String,
    /// Where its files come from.
    pub rootfs: Rootfs,
    /// The platform, as `linux/amd64`.
    pub platform: String,
    /// Its mounts, each volume with the directory that it is.
    pub mounts: Vec<MountPoint>,
    /// Names of its anonymous volumes, made for it or for a container that it has them from, which `--rm` and `rm -v` take
    /// away unless another container has them.
    pub anonymous_volumes: Vec<String>,
}

/// Where a container's files come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rootfs {
    /// Unpacked layers of an image, lowest first; writes go to the container's own `upper`.
    Layers(Vec<PathBuf>),
    /// A directory, written to: `--rootfs DIRECTORY`.
    Directory(PathBuf),
    /// A directory that is left as it is; writes are thrown away: `--rootfs DIRECTORY:O`.
    Overlay(PathBuf),
}

impl Record {
    /// Whether the container removes itself when it ends: `--rm`.
    pub fn auto_remove(&self) -> bool {
        self.body
            .host_config
            .as_ref()
            .and_then(|config| config.auto_remove)
            .unwrap_or(false)
    }

    /// Whether its first process has a terminal.
    pub fn tty(&self) -> bool {
        self.body.tty.unwrap_or(false)
    }

    /// Whether its standard input is open for clients.
    pub fn open_stdin(&self) -> bool {
        self.body.open_stdin.unwrap_or(false)
    }

    /// Whether its standard input ends with the first client that has it.
    pub fn stdin_once(&self) -> bool {
        self.body.stdin_once.unwrap_or(false)
    }
}
