//! Importing: an image of one layer, from an archive of files.

use std::io::Read;
use std::os::fd::AsFd;

use bollard_stubs::models::ImageConfig;

use super::config::{Config, Rootfs, Step};
use super::digest::Digest;
use super::file::Durability;
use super::platform::Platform;
use super::receive::{Expected, receive};
use super::store::Store;
use super::tag::new_name;
use super::{changes, sync, unpack};
use crate::state::Moment;
use crate::{Error, Result};

/// What an imported image shall be like.
#[derive(Clone, Debug, Default)]
pub(crate) struct Import {
    /// Its name; nameless without one.
    pub(crate) repository: String,
    /// The tag that goes with the name.
    pub(crate) tag: String,
    /// What is said about it in its history.
    pub(crate) message: String,
    /// Instructions of a Dockerfile.
    pub(crate) changes: Vec<String>,
    /// What it is for; this machine without one.
    pub(crate) platform: String,
}

impl Store {
    /// Makes an image of an archive's files.
    ///
    /// # Errors
    ///
    /// Those of the reader; [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is no archive,
    /// name, platform or change, which is looked at before the archive is read.
    pub(crate) fn import(&self, archive: impl Read, import: &Import) -> Result<Digest> {
        let name = match import.repository.as_str() {
            "" => None,
            repository => Some(new_name(repository, Some(&import.tag))?),
        };
        let platform = match import.platform.as_str() {
            "" => Platform::own()?,
            platform => Platform::parse(platform)?,
        };
        let mut config = ImageConfig::default();
        for change in &import.changes {
            changes::apply(&mut config, change)?;
        }
        let _pin = self.pin()?;
        let layer = self.layers.make_nameless()?;
        let received = receive(
            archive,
            layer.files()?.as_fd(),
            Expected::default(),
            unpack::Options::default(),
            &|_| Ok(()),
        )?;
        let diff_id = received.diff_id;
        self.layers
            .finish_nameless(layer, &diff_id, &received.unpacked)?;
        let created = Moment::now().to_string();
        let config = Config {
            architecture: platform.architecture().to_owned(),
            variant: platform.variant().to_owned(),
            os: platform.os().to_owned(),
            created: created.clone(),
            comment: import.message.clone(),
            config,
            rootfs: Rootfs {
                kind: "layers".to_owned(),
                diff_ids: vec![diff_id],
            },
            history: vec![Step {
                created,
                comment: import.message.clone(),
                ..Step::default()
            }],
            ..Config::default()
        };
        let bytes = serde_json::to_vec(&config)
            .map_err(|error| Error::system(format!("write the configuration: {error}")))?;
        let id = self.add(&bytes, Durability::Lazy)?;
        if let Some(name) = name {
            self.names.set_tag(&name, &id, Durability::Lazy)?;
        }
        sync::begin(&self.layers)?;
        Ok(id)
    }
}
