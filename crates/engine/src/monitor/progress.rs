//! How far a container has come, for whoever waits for it.

use tokio::sync::watch;

use super::protocol::{Condition, Reply};

/// How far a container has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Whether it runs, or is going to start again by itself.
    pub(super) is_running: bool,
    /// How often it ended, or failed to start.
    pub(super) ends: u64,
    /// What it ended with last.
    pub(super) exit_code: i64,
    /// Why it could not be started.
    pub(super) error: Option<String>,
    /// Whether it is gone, or will never be for an error.
    pub(super) is_removed: bool,
}

impl Progress {
    fn reply(&self) -> Reply {
        Reply::Exited {
            status_code: self.exit_code,
            error: self.error.clone(),
        }
    }
}

/// Waits for one of the conditions that clients can name.
pub(super) async fn wait(mut progress: watch::Receiver<Progress>, condition: Condition) -> Reply {
    let before = progress.borrow_and_update().ends;
    let met = progress.wait_for(|now| {
        let has_ended = now.ends > before;
        now.is_removed
            || match condition {
                // One that ends and starts again has not run in between, though nobody may have seen that.
                Condition::NotRunning => has_ended || !now.is_running,
                Condition::NextExit => has_ended,
                Condition::Removed => false,
            }
    });
    match met.await {
        Ok(now) => now.reply(),
        // The sender lives as long as the monitor.
        Err(_) => Reply::Exited {
            status_code: crate::state::life::UNKNOWN_EXIT_CODE,
            error: Some("the container's monitor went away".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a run-time")
            .block_on(future)
    }

    /// What a waiter got after each of these steps: the position of the step, and the exit code.
    fn waited(condition: Condition, steps: &[Progress]) -> Option<(usize, i64)> {
        block_on(async {
            let sender = watch::Sender::new(Progress::default());
            let wait = wait(sender.subscribe(), condition);
            tokio::pin!(wait);
            for (index, step) in steps.iter().enumerate() {
                sender.send_replace(step.clone());
                let turn = tokio::task::yield_now();
                tokio::select! {
                    biased;
                    reply = &mut wait => match reply {
                        Reply::Exited { status_code, .. } => return Some((index, status_code)),
                        reply => unreachable!("{reply:?}"),
                    },
                    () = turn => {}
                }
            }
            None
        })
    }

    #[test]
    fn conditions_are_met_when_docker_s_are() {
        let at = |is_running, ends, exit_code, is_removed| Progress {
            is_running,
            ends,
            exit_code,
            error: None,
            is_removed,
        };
        let steps = [
            at(true, 0, 0, false),
            at(true, 1, 7, false), // it starts again
            at(true, 1, 7, false),
            at(false, 2, 8, false),
            at(false, 2, 8, true),
        ];
        assert_eq!(waited(Condition::NotRunning, &steps), Some((1, 7)));
        assert_eq!(waited(Condition::NextExit, &steps), Some((1, 7)));
        assert_eq!(waited(Condition::Removed, &steps), Some((4, 8)));
        assert_eq!(waited(Condition::Removed, &steps[..4]), None);
        assert_eq!(
            waited(Condition::NotRunning, &[at(false, 0, 3, false)]),
            Some((0, 3))
        );
        assert_eq!(waited(Condition::NextExit, &[at(false, 0, 3, false)]), None);
        assert_eq!(
            waited(Condition::NextExit, &[at(false, 0, 3, true)]),
            Some((0, 3))
        );
    }
}
