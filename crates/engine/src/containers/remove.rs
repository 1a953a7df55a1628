//! Removing a container.

use bollard_stubs::models::ContainerPruneResponse;

use super::list::newest_first;
use super::{Container, moment, size};
use crate::api::Filters;
use crate::state::{Status, Store};
use crate::{Engine, Error, Result, monitor};

/// How a container is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RemoveOptions {
    /// Kill it if it runs.
    pub(crate) force: bool,
    /// Remove the anonymous volumes that were made for it.
    pub(crate) volumes: bool,
}

/// Removes a container with everything that was made for it.
///
/// # Errors
///
/// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) if it runs and that is not forced.
pub(crate) fn remove(engine: &Engine, reference: &str, options: RemoveOptions) -> Result<()> {
    // One whose files are damaged is found by its id, too.
    let id = Store::new(engine.layout()).find(reference)?;
    monitor::remove(engine.layout(), &id, options.force, options.volumes)
}

/// What is pruned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PruneOptions {
    /// `until` and `label`.
    pub(crate) filters: Filters,
}

/// Removes all containers that do not run.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a filter that there is not.
pub(crate) fn prune(engine: &Engine, options: &PruneOptions) -> Result<ContainerPruneResponse> {
    options.filters.check(&["label", "label!", "until"])?;
    let until = match options.filters.get("until") {
        [] => None,
        [until] => Some(moment::parse(until)?),
        _ => {
            return Err(Error::invalid("more than one until filter specified"));
        }
    };
    let mut deleted = Vec::new();
    let mut reclaimed = 0;
    for container in newest_first(engine)? {
        let Container {
            record,
            state,
            damage,
        } = &container;
        // What it wrote may be all that is left of it, so that is for somebody to remove who names it.
        if damage.is_some() {
            continue;
        }
        let labels = record.body.labels.as_ref();
        let is_over = matches!(
            state.status,
            Status::Created | Status::Exited | Status::Dead
        );
        let fits = is_over
            && until.is_none_or(|until| record.created < until)
            && options
                .filters
                .labels(|name| labels?.get(name).map(String::as_str));
        if !fits {
            continue;
        }
        let size = size::of(engine, record).written;
        match remove(engine, container.id(), RemoveOptions::default()) {
            Ok(()) => {
                reclaimed += size;
                deleted.push(record.id.clone());
            }
            // Somebody started or removed it meanwhile.
            Err(error) => log::warn!("prune {}: {error}", record.id),
        }
    }
    Ok(ContainerPruneResponse {
        containers_deleted: Some(deleted),
        space_reclaimed: Some(i64::try_from(reclaimed).unwrap_or(i64::MAX)),
    })
}
