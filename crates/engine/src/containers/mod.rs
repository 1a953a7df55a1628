//! Operations on containers: one a file.
//!
//! What only asks reads the files; what changes something about a container that exists is its monitor's to do.

mod create;
mod duration;
mod exec;
mod host_config;
mod inspect;
mod life;
mod list;
mod logs;
mod moment;
mod name;
mod new_container;
mod refuse;
mod remove;
mod restart_policy;
mod rootfs;
mod size;
mod stats;
mod summary;
mod top;
mod wait;

pub(crate) use create::create;
pub(crate) use exec::{create_exec, exec_of, inspect_exec, resize_exec};
pub(crate) use inspect::{InspectOptions, inspect};
pub(crate) use life::{kill, pause, rename, resize, restart, start, stop, unpause};
pub(crate) use list::{ListOptions, count, list};
pub(crate) use logs::{LogsOptions, logs};
pub(crate) use new_container::NewContainer;
pub(crate) use remove::{PruneOptions, RemoveOptions, prune, remove};
pub(crate) use stats::{StatsOptions, stats};
pub(crate) use top::top;
pub(crate) use wait::wait;

use crate::cgroup::{Cgroup, Host};
use crate::state::{self, Record, State, Status, Store};
use crate::{Engine, Error, Result, monitor};

/// The bodies of this module's fuzz targets.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz {
    pub(crate) use super::create::fuzz as request;
    pub(crate) use super::logs::fuzz as log;
    pub(crate) use super::moment::fuzz as moment;
    pub(crate) use super::new_container::fuzz as new_container;
    pub(crate) use super::top::fuzz as process;
}

/// A container as it was asked for, and how it is.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) record: Record,
    pub(crate) state: State,
    /// What is wrong with its files, if something is: the two are made up then as far as they could not be read.
    pub(crate) damage: Option<String>,
}

impl Container {
    /// The container that a name, an id or the beginning of one means.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none, and
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a beginning of several.
    pub(crate) fn find(engine: &Engine, reference: &str) -> Result<Container> {
        let store = Store::new(engine.layout());
        let id = store.find(reference)?;
        Container::of_id(engine, &id)
    }

    /// The container of that full id.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none.
    pub(crate) fn of_id(engine: &Engine, id: &str) -> Result<Container> {
        let state = monitor::observe(engine.layout(), id)?;
        let record = Store::new(engine.layout()).record(id)?;
        Ok(Container {
            record,
            state,
            damage: None,
        })
    }

    /// The same, but one whose files are damaged is no error: it can be shown and removed still. Nothing if it is gone.
    fn of_id_or_damaged(engine: &Engine, id: &str) -> Option<Container> {
        let error = match Container::of_id(engine, id) {
            Ok(container) => return Some(container),
            Err(error) => error,
        };
        let (record, state) = state::stand_in(engine.layout(), id)?;
        Some(Container {
            record,
            state,
            damage: Some(error.to_string()),
        })
    }

    /// The full id.
    pub(crate) fn id(&self) -> &str {
        &self.record.id
    }

    /// The container's cgroup, if this machine has them and the container has one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be opened.
    pub(crate) fn cgroup(&self) -> Result<Option<Cgroup>> {
        let host = Host::detect()?;
        if host.refusal().is_some() {
            return Ok(None);
        }
        let host_config = self.record.body.host_config.as_ref();
        let parent = host_config
            .and_then(|config| config.cgroup_parent.as_deref())
            .filter(|parent| !parent.is_empty());
        Cgroup::open(&host, parent, self.id())
    }

    /// Refuses what can only be done to a container that has processes: one that waits to start again has none.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict), in Docker's words.
    pub(crate) fn check_running(&self) -> Result<()> {
        match self.state.status {
            Status::Running | Status::Paused => Ok(()),
            Status::Restarting => Err(Error::conflict(format!(
                "Container {} is restarting, wait until the container is running",
                self.id()
            ))),
            Status::Created | Status::Removing | Status::Exited | Status::Dead => {
                Err(self.not_running())
            }
        }
    }

    pub(super) fn not_running(&self) -> Error {
        Error::conflict(format!("container {} is not running", self.id()))
    }

    /// Refuses what cannot be done to a container whose processes are frozen, `what` being that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict), in Docker's words.
    pub(crate) fn check_not_paused(&self, what: &str) -> Result<()> {
        match self.state.status {
            Status::Paused => Err(Error::conflict(format!(
                "container {} is paused, unpause the container before {what}",
                self.id()
            ))),
            _ => Ok(()),
        }
    }
}
