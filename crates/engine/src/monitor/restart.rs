//! When a container that ended starts again.

use std::time::Duration;

use bollard_stubs::models::{ContainerCreateBody, RestartPolicyNameEnum};

/// The pause before the first start.
const FIRST: Duration = Duration::from_millis(100);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(60);

/// After how long a run the next pause is the first one again.
const LONG_RUN: Duration = Duration::from_secs(10);

/// Whether and after what pause a container starts again: dockerd's rules.
#[derive(Clone, Debug)]
pub(super) struct Restarts {
    policy: Policy,
    pause: Option<Duration>,
    count: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Policy {
    Never,
    Always,
    /// The number is how often at most; 0 for as often as it fails.
    OnFailure(u64),
}

impl Restarts {
    /// The rules of a container that was started again `count` times.
    pub(super) fn new(body: &ContainerCreateBody, count: u64) -> Restarts {
        let policy = body
            .host_config
            .as_ref()
            .and_then(|config| config.restart_policy.as_ref());
        Restarts {
            policy: match policy.and_then(|policy| policy.name) {
                None | Some(RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO) => {
                    Policy::Never
                }
                // They differ in what happens when the machine comes up: whoever was stopped is not asked about here.
                Some(RestartPolicyNameEnum::ALWAYS | RestartPolicyNameEnum::UNLESS_STOPPED) => {
                    Policy::Always
                }
                Some(RestartPolicyNameEnum::ON_FAILURE) => Policy::OnFailure(
                    policy
                        .and_then(|policy| policy.maximum_retry_count)
                        .and_then(|count| u64::try_from(count).ok())
                        .unwrap_or(0),
                ),
            },
            pause: None,
            count,
        }
    }

    /// Somebody starts the container: it begins anew.
    pub(super) fn reset(&mut self) {
        self.pause = None;
        self.count = 0;
    }

    /// How often the container was started again.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The container ended, after that time and with that code: the pause until it starts again, if it does.
    pub(super) fn after(&mut self, exit_code: i64, ran: Duration) -> Option<Duration> {
        let pause = match self.pause {
            Some(pause) if ran < LONG_RUN => (pause * 2).min(LONGEST),
            _ => FIRST,
        };
        self.pause = Some(pause);
        let again = match self.policy {
            Policy::Never => false,
            Policy::Always => true,
            Policy::OnFailure(most) => exit_code != 0 && (most == 0 || self.count < most),
        };
        if !again {
            return None;
        }
        self.count += 1;
        Some(pause)
    }
}

#[cfg(test)]
mod tests {
    use bollard_stubs::models::{HostConfig, RestartPolicy};
    use proptest::prelude::*;

    use super::*;

    fn restarts(name: Option<RestartPolicyNameEnum>, most: i64) -> Restarts {
        let body = ContainerCreateBody {
            host_config: Some(HostConfig {
                restart_policy: Some(RestartPolicy {
                    name,
                    maximum_retry_count: Some(most),
                }),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        Restarts::new(&body, 0)
    }

    const SHORT: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_double_up_to_a_minute() {
        let mut restarts = restarts(Some(RestartPolicyNameEnum::ALWAYS), 0);
        let pauses: Vec<u128> = (0..12)
            .filter_map(|_| restarts.after(0, SHORT))
            .map(|pause| pause.as_millis())
            .collect();
        assert_eq!(
            pauses,
            [
                100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000
            ]
        );
        assert_eq!(restarts.after(0, LONG_RUN), Some(FIRST));
        assert_eq!(restarts.after(0, SHORT), Some(FIRST * 2));
        assert_eq!(restarts.count(), 14);
        restarts.reset();
        assert_eq!(
            (restarts.after(0, SHORT), restarts.count()),
            (Some(FIRST), 1)
        );
    }

    #[test]
    fn on_failure_counts_failures() {
        let mut limited = restarts(Some(RestartPolicyNameEnum::ON_FAILURE), 2);
        assert_eq!(limited.after(0, SHORT), None);
        assert!(limited.after(1, SHORT).is_some());
        assert!(limited.after(1, SHORT).is_some());
        assert_eq!(limited.after(1, SHORT), None);
        assert_eq!(limited.count(), 2);
    }

    #[test]
    fn without_a_policy_nothing_starts_again() {
        for name in [
            None,
            Some(RestartPolicyNameEnum::EMPTY),
            Some(RestartPolicyNameEnum::NO),
        ] {
            assert_eq!(restarts(name, 0).after(1, SHORT), None);
        }
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_a_minute(runs in proptest::collection::vec(0_u64..30, 0..50)) {
            let mut restarts = restarts(Some(RestartPolicyNameEnum::UNLESS_STOPPED), 0);
            for (index, seconds) in runs.iter().enumerate() {
                let pause = restarts.after(1, Duration::from_secs(*seconds));
                prop_assert!(pause.is_some_and(|pause| (FIRST..=LONGEST).contains(&pause)));
                prop_assert_eq!(restarts.count(), index as u64 + 1);
            }
        }
    }
}
