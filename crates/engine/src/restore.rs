//! Starting again what shall run after a reboot: what dockerd does when it starts, done by a command.

use bollard_stubs::models::{RestartPolicy, RestartPolicyNameEnum};
use serde::{Deserialize, Serialize};

use crate::monitor::protocol::Request;
use crate::state::{Record, State, Status, Store};
use crate::{ErrorKind, Layout, Result, monitor};

/// A container that was to be started again, or taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Its full id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// Why it could not be.
    pub error: Option<String>,
}

/// What is done to a container after a reboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// It is started.
    Start,
    /// It is removed: that was asked for with `--rm`, and the machine went down before it could be.
    Remove,
}

/// Starts all containers that do not run and that their restart policies want to run, and removes those that were to be
/// removed at their end. Each failure is told and does not keep the others from being done.
///
/// # Errors
///
/// [`ErrorKind::System`] if the containers cannot be listed.
pub(crate) fn restore(layout: &Layout) -> Result<Vec<Restored>> {
    let store = Store::new(layout);
    let mut wanted = Vec::new();
    for id in store.ids()? {
        match find_action(layout, &store, &id) {
            Ok(Some((record, action))) => wanted.push((record, action)),
            Ok(None) => {}
            // Removed meanwhile.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // One that cannot be read is no reason to leave the others stopped; `check` tells of it.
            Err(error) => log::warn!("container {id}: {error}"),
        }
    }
    wanted.sort_by_key(|(record, _)| order(record));
    Ok(wanted
        .into_iter()
        .map(|(record, action)| {
            let request = match action {
                Action::Start => Request::Start,
                Action::Remove => Request::Remove {
                    force: false,
                    volumes: true,
                },
            };
            let result = monitor::request(layout, &record.id, &request);
            Restored {
                id: record.id,
                name: record.name,
                action,
                // Somebody else may have been faster.
                error: result
                    .err()
                    .filter(|error| error.kind() != ErrorKind::NotModified)
                    .map(|error| error.to_string()),
            }
        })
        .collect())
}

fn find_action(layout: &Layout, store: &Store<'_>, id: &str) -> Result<Option<(Record, Action)>> {
    // The file may say that it runs: the machine went down since.
    let state = monitor::observe(layout, id)?;
    let record = store.record(id)?;
    let action = if record.auto_remove() && matches!(state.status, Status::Exited | Status::Dead) {
        Some(Action::Remove)
    } else if wants_to_run(policy(&record), &state) {
        Some(Action::Start)
    } else {
        None
    };
    Ok(action.map(|action| (record, action)))
}

/// Those that have the network or the processes of another container come behind that.
fn order(record: &Record) -> (bool, crate::state::Moment) {
    let host_config = record.body.host_config.as_ref();
    let joins = host_config.is_some_and(|config| {
        [&config.network_mode, &config.pid_mode, &config.ipc_mode]
            .into_iter()
            .flatten()
            .any(|mode| mode.starts_with("container:"))
    });
    (joins, record.created)
}

fn policy(record: &Record) -> Option<&RestartPolicy> {
    record.body.host_config.as_ref()?.restart_policy.as_ref()
}

/// Whether a container that does not run is to be started when the machine comes up, as dockerd has it: one that a user
/// stopped only with `always`, and one that was never started not at all.
fn wants_to_run(policy: Option<&RestartPolicy>, state: &State) -> bool {
    if state.status != Status::Exited || state.started_at.is_none() {
        return false;
    }
    let Some(policy) = policy else {
        return false;
    };
    match policy.name {
        Some(RestartPolicyNameEnum::ALWAYS) => true,
        Some(RestartPolicyNameEnum::UNLESS_STOPPED) => !state.stopped_by_user,
        Some(RestartPolicyNameEnum::ON_FAILURE) => {
            let most = policy.maximum_retry_count.unwrap_or(0);
            let may_again = most <= 0 || i64::try_from(state.restart_count).is_ok_and(|n| n < most);
            !state.stopped_by_user && state.exit_code != 0 && may_again
        }
        Some(RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Moment;

    #[test]
    fn policies_are_dockers() {
        use RestartPolicyNameEnum::{ALWAYS, EMPTY, NO, ON_FAILURE, UNLESS_STOPPED};
        let wants = |name, change: &dyn Fn(&mut State)| {
            let policy = RestartPolicy {
                name: Some(name),
                maximum_retry_count: Some(2),
            };
            let mut state = State {
                status: Status::Exited,
                started_at: Some(Moment::now()),
                exit_code: 255,
                ..State::default()
            };
            change(&mut state);
            wants_to_run(Some(&policy), &state)
        };
        let as_it_is = |_: &mut State| {};
        let stopped = |state: &mut State| state.stopped_by_user = true;
        let well = |state: &mut State| state.exit_code = 0;
        let again = |state: &mut State| state.restart_count = 2;
        let never = |state: &mut State| state.started_at = None;
        let running = |state: &mut State| state.status = Status::Running;
        for (name, expected) in [
            (ALWAYS, [true, true, true, true, false, false]),
            (UNLESS_STOPPED, [true, false, true, true, false, false]),
            (ON_FAILURE, [true, false, false, false, false, false]),
            (NO, [false; 6]),
            (EMPTY, [false; 6]),
        ] {
            let changes: [&dyn Fn(&mut State); 6] =
                [&as_it_is, &stopped, &well, &again, &never, &running];
            assert_eq!(
                changes.map(|change| wants(name, change)),
                expected,
                "{name}"
            );
        }
        assert!(!wants_to_run(None, &State::default()));
    }
}
