//! What of a request makes no sense, or is not done by this engine: said when the container is made, by the option's
//! name, and not when it is started.

use bollard_stubs::models::{ContainerCreateBody, HealthConfig, HostConfig};

use super::restart_policy;
use crate::monitor::log::LogOptions;
use crate::network::HostName;
use crate::{Error, Result, signal, spec};

/// A millisecond in nanoseconds, the shortest time that a health check can have.
const SHORTEST_HEALTH_TIME: i64 = 1_000_000;

/// Checks all of a request, completed with its image, that needs neither the image's files nor the network. The result
/// are warnings.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what makes no sense and
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for what this engine does not do.
pub(super) fn check(body: &ContainerCreateBody, unified: bool) -> Result<Vec<String>> {
    let none = HostConfig::default();
    let host_config = body.host_config.as_ref().unwrap_or(&none);
    let warnings = spec::check(body, unified)?;
    restart_policy::check(host_config)?;
    LogOptions::of(body)?;
    if let Some(health) = &body.healthcheck {
        check_health(health)?;
    }
    if let Some(name) = body.stop_signal.as_deref().filter(|name| !name.is_empty()) {
        signal::parse(name)?;
    }
    for (what, name) in [
        ("hostname", &body.hostname),
        ("domainname", &body.domainname),
    ] {
        HostName::parse(what, name.as_deref().unwrap_or_default())?;
    }
    let nameless = |entry: &&String| entry.is_empty() || entry.starts_with('=');
    if let Some(entry) = body.env.iter().flatten().find(nameless) {
        return Err(Error::invalid(format!(
            "invalid environment variable: {entry}"
        )));
    }
    if host_config.shm_size.unwrap_or(0) < 0 {
        return Err(Error::invalid("SHM size can not be less than 0"));
    }
    if body.network_disabled.unwrap_or(false) {
        return Err(refused("NetworkDisabled; the network \"none\" is the same"));
    }
    match host_config.volume_driver.as_deref() {
        None | Some("" | "local") => {}
        Some(driver) => return Err(refused(&format!("--volume-driver {driver}"))),
    }
    Ok(warnings)
}

fn refused(option: &str) -> Error {
    Error::not_implemented(format!("the embedded engine does not do {option}"))
}

fn check_health(health: &HealthConfig) -> Result<()> {
    let times = [
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
        ("StartInterval", health.start_interval),
    ];
    for (name, time) in times {
        if time.is_some_and(|time| time != 0 && time < SHORTEST_HEALTH_TIME) {
            return Err(Error::invalid(format!(
                "{name} in Healthcheck cannot be less than 1ms"
            )));
        }
    }
    if health.retries.unwrap_or(0) < 0 {
        return Err(Error::invalid("Retries in Healthcheck cannot be negative"));
    }
    match health.test.as_deref().unwrap_or_default() {
        [] => Ok(()),
        [kind, ..] if matches!(kind.as_str(), "" | "NONE" | "CMD" | "CMD-SHELL") => Ok(()),
        [kind, ..] => Err(Error::invalid(format!(
            "unknown type {kind:?} of the test in Healthcheck: it is NONE, CMD or CMD-SHELL"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn refusal(json: Value) -> (u16, String) {
        let body = serde_json::from_value(json).expect("a body");
        let error = check(&body, false).expect_err("refused");
        (error.status(), error.to_string())
    }

    #[test]
    fn what_docker_allows_and_is_done_passes() {
        let body = json!({
            "Cmd": ["true"], "Env": ["A=1", "B"], "StopSignal": "SIGRTMIN+3", "Hostname": "h",
            "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 1_000_000_000},
            "HostConfig": {
                "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3", "compress": "false"}},
                "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
                "VolumeDriver": "", "DeviceRequests": null,
            },
        });
        check(&serde_json::from_value(body).expect("a body"), false).expect("a request");
    }

    #[test]
    fn what_is_not_done_is_named() {
        let host_config = |config: Value| refusal(json!({"HostConfig": config}));
        for (config, option) in [
            (json!({"VolumeDriver": "nfs"}), "--volume-driver nfs"),
            (json!({"Links": ["a:b"]}), "--link"),
            (json!({"StorageOpt": {"size": "1G"}}), "--storage-opt size"),
        ] {
            let (status, text) = host_config(config);
            assert_eq!(status, 501, "{text}");
            assert!(
                text.starts_with(&format!("the embedded engine does not do {option}")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (body, text) in [
            (json!({"Env": ["=x"]}), "invalid environment variable: =x"),
            (json!({"StopSignal": "SIGNOPE"}), "invalid signal: SIGNOPE"),
            (
                json!({"Hostname": "a\n10.0.0.1 b"}),
                "invalid hostname format: \"a\\n10.0.0.1 b\": use one word, without spaces, control characters and '#'",
            ),
            (
                json!({"Domainname": "a b"}),
                "invalid domainname format: \"a b\": use one word, without spaces, control characters and '#'",
            ),
            (
                json!({"Healthcheck": {"Timeout": 5}}),
                "Timeout in Healthcheck cannot be less than 1ms",
            ),
            (
                json!({"HostConfig": {"ShmSize": -1}}),
                "SHM size can not be less than 0",
            ),
        ] {
            assert_eq!(refusal(body), (400, text.to_owned()));
        }
    }
}
