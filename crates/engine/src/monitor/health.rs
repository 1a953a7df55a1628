//! Whether a container is healthy: what its checks mean.

use std::time::Duration;

use bollard_stubs::models::ContainerCreateBody;

use crate::state::{Health, HealthStatus, Moment, Probe};

/// How many checks are remembered.
pub(super) const REMEMBERED: usize = 5;

/// How much of what a check writes is remembered, in bytes.
pub(super) const LONGEST_OUTPUT: usize = 4096;

/// A container's health check, its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Check {
    /// The program that checks, and its arguments.
    pub(super) command: Vec<String>,
    /// How long a check may take.
    pub(super) timeout: Duration,
    interval: Duration,
    start_period: Duration,
    start_interval: Duration,
    retries: u64,
}

impl Check {
    /// The check of a request that was completed with its image; nothing where there is none.
    pub(super) fn of(body: &ContainerCreateBody) -> Option<Check> {
        let config = body.healthcheck.as_ref()?;
        let (kind, rest) = config.test.as_deref()?.split_first()?;
        let command = match kind.as_str() {
            "CMD" => rest.to_vec(),
            "CMD-SHELL" => {
                let shell = match body.shell.as_deref() {
                    None | Some([]) => vec!["/bin/sh".to_owned(), "-c".to_owned()],
                    Some(shell) => shell.to_vec(),
                };
                shell.into_iter().chain([rest.join(" ")]).collect()
            }
            _ => return None,
        };
        let or = |nanoseconds: Option<i64>, default: Duration| match nanoseconds {
            None | Some(..=0) => default,
            Some(nanoseconds) => Duration::from_nanos(nanoseconds.unsigned_abs()),
        };
        Some(Check {
            command,
            timeout: or(config.timeout, Duration::from_secs(30)),
            interval: or(config.interval, Duration::from_secs(30)),
            start_period: or(config.start_period, Duration::ZERO),
            start_interval: or(config.start_interval, Duration::from_secs(5)),
            retries: match config.retries {
                None | Some(..=0) => 3,
                Some(retries) => retries.unsigned_abs(),
            },
        })
    }

    /// How long to wait for the next check of a container that started that long ago.
    pub(super) fn pause(&self, health: &Health, running: Duration) -> Duration {
        if health.status == HealthStatus::Starting && running < self.start_period {
            self.start_interval
        } else {
            self.interval
        }
    }

    /// Adds a check's outcome, of a container that had started that long before the check began.
    pub(super) fn record(&self, health: &mut Health, probe: Probe, running: Duration) {
        if probe.exit_code == 0 {
            health.failing_streak = 0;
            health.status = HealthStatus::Healthy;
        } else if health.status != HealthStatus::Starting || running >= self.start_period {
            // What fails while a container is expected to start does not count.
            health.failing_streak += 1;
            if health.failing_streak >= self.retries {
                health.status = HealthStatus::Unhealthy;
            }
        }
        health.log.push(probe);
        let forgotten = health.log.len().saturating_sub(REMEMBERED);
        health.log.drain(..forgotten);
    }

    /// The outcome of a check that took too long.
    pub(super) fn too_long(&self, start: Moment, output: &[u8]) -> Probe {
        Probe {
            start,
            end: Moment::now(),
            exit_code: -1,
            output: format!(
                "Health check exceeded timeout ({:?}): {}",
                self.timeout,
                text(output)
            ),
        }
    }

    /// The outcome of a check that ended.
    pub(super) fn ended(start: Moment, exit_code: i64, output: &[u8]) -> Probe {
        Probe {
            start,
            end: Moment::now(),
            exit_code,
            output: text(output),
        }
    }
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(&output[..output.len().min(LONGEST_OUTPUT)]).into_owned()
}

#[cfg(test)]
mod tests {
    use bollard_stubs::models::HealthConfig;
    use proptest::prelude::*;

    use super::*;

    fn body(test: &[&str], shell: Option<&[&str]>) -> ContainerCreateBody {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        ContainerCreateBody {
            healthcheck: Some(HealthConfig {
                test: Some(words(test)),
                retries: Some(2),
                start_period: Some(10_000_000_000),
                ..HealthConfig::default()
            }),
            shell: shell.map(words),
            ..ContainerCreateBody::default()
        }
    }

    fn check() -> Check {
        Check::of(&body(&["CMD", "true"], None)).expect("a check")
    }

    fn probe(exit_code: i64) -> Probe {
        Check::ended(Moment::now(), exit_code, b"")
    }

    #[test]
    fn commands_are_dockers() {
        let command =
            |test: &[&str], shell| Check::of(&body(test, shell)).map(|check| check.command);
        assert_eq!(
            command(&["CMD-SHELL", "a b"], None).expect("a check"),
            ["/bin/sh", "-c", "a b"]
        );
        assert_eq!(
            command(&["CMD-SHELL", "a"], Some(&["/bin/bash", "-ec"])).expect("a check"),
            ["/bin/bash", "-ec", "a"]
        );
        assert_eq!(
            command(&["CMD", "a", "b"], None).expect("a check"),
            ["a", "b"]
        );
        for test in [&["NONE"][..], &[], &["nope", "a"]] {
            assert_eq!(command(test, None), None);
        }
        assert_eq!(Check::of(&ContainerCreateBody::default()), None);
    }

    #[test]
    fn failures_count_when_the_start_is_over() {
        let check = check();
        let mut health = Health::default();
        let starting = Duration::from_secs(9);
        let started = Duration::from_secs(10);
        assert_eq!(check.pause(&health, starting), Duration::from_secs(5));
        for _ in 0..4 {
            check.record(&mut health, probe(1), starting);
        }
        assert_eq!(
            (health.status, health.failing_streak),
            (HealthStatus::Starting, 0)
        );
        check.record(&mut health, probe(1), started);
        assert_eq!(
            (health.status, health.failing_streak),
            (HealthStatus::Starting, 1)
        );
        assert_eq!(check.pause(&health, started), Duration::from_secs(30));
        check.record(&mut health, probe(2), started);
        assert_eq!(
            (health.status, health.failing_streak),
            (HealthStatus::Unhealthy, 2)
        );
        check.record(&mut health, probe(0), started);
        assert_eq!(
            (health.status, health.failing_streak),
            (HealthStatus::Healthy, 0)
        );
        // Once healthy, what fails counts at once.
        check.record(&mut health, probe(1), starting);
        assert_eq!(
            (health.status, health.failing_streak),
            (HealthStatus::Healthy, 1)
        );
    }

    #[test]
    fn long_checks_say_so() {
        let probe = check().too_long(Moment::now(), b"half");
        assert_eq!(probe.exit_code, -1);
        assert_eq!(probe.output, "Health check exceeded timeout (30s): half");
        assert_eq!(
            Check::ended(Moment::now(), 0, &[b'x'; 5000]).output.len(),
            LONGEST_OUTPUT
        );
    }

    proptest! {
        #[test]
        fn five_checks_are_remembered(codes in proptest::collection::vec(0_i64..3, 0..20)) {
            let check = check();
            let mut health = Health::default();
            for code in &codes {
                check.record(&mut health, probe(*code), Duration::from_secs(60));
            }
            let remembered: Vec<i64> = health.log.iter().map(|probe| probe.exit_code).collect();
            prop_assert_eq!(&remembered, &codes[codes.len().saturating_sub(5)..]);
            let streak = codes.iter().rev().take_while(|&&code| code != 0).count();
            prop_assert_eq!(health.failing_streak, streak as u64);
            let unhealthy = streak >= 2;
            prop_assert_eq!(health.status == HealthStatus::Unhealthy, unhealthy);
        }
    }
}
