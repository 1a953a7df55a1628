//! A container as lists show it.

use bollard_stubs::models::{
    ContainerSummary, ContainerSummaryHealth, ContainerSummaryHealthStatusEnum,
    ContainerSummaryHostConfig, ContainerSummaryStateEnum, NetworkSettings, PortSummary,
    PortSummaryTypeEnum,
};

use serde_json::{Value, json};

use super::{Container, duration, size};
use crate::spec;
use crate::state::{HealthStatus, Moment, Record, Rootfs, State, Status};
use crate::{Engine, Result, network};

/// The summary of one container; `with_size` counts what it wrote. One whose files are damaged, or make no sense, is marked
/// behind its status and shown as far as it goes: nothing about one container may keep the others from being listed.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be written as JSON.
pub(super) fn of(
    engine: &Engine,
    container: &Container,
    now: Moment,
    with_size: bool,
) -> Result<Value> {
    let Container {
        record,
        state,
        damage,
    } = container;
    let (mut settings, is_damaged) = match network_settings(container) {
        Ok(settings) => (settings, damage.is_some()),
        Err(_) => (NetworkSettings::default(), true),
    };
    if state.status != Status::Created {
        network::add_ids(
            &mut settings,
            engine.layout(),
            &record.id,
            state.is_running(),
        );
    }
    let mut status = status(state, now);
    if is_damaged {
        status.push_str(DAMAGED);
    }
    let size = with_size.then(|| size::of(engine, record));
    let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    let networks = network::inspect(&settings)["Networks"].clone();
    let mounts = record
        .mounts
        .iter()
        .filter_map(|point| serde_json::from_value(super::inspect::mount(point)).ok())
        .collect();
    let network_mode = record
        .body
        .host_config
        .as_ref()
        .and_then(|config| config.network_mode.clone())
        .filter(|mode| !mode.is_empty() && mode != "default")
        .unwrap_or_else(|| "bridge".to_owned());
    let summary = ContainerSummary {
        id: Some(record.id.clone()),
        names: Some(vec![format!("/{}", record.name)]),
        image: Some(image(engine, record)),
        image_id: Some(record.image.clone()),
        command: Some(command(record)),
        created: Some(record.created.unix_seconds()),
        ports: Some(ports(&settings)),
        // As with Docker, nothing is left out.
        size_rw: size
            .map(|size| bytes(size.written))
            .filter(|&size| size > 0),
        size_root_fs: size.map(|size| bytes(size.whole)),
        labels: Some(record.body.labels.clone().unwrap_or_default()),
        state: Some(word(state.status)),
        status: Some(status),
        host_config: Some(ContainerSummaryHostConfig {
            network_mode: Some(network_mode),
            annotations: record
                .body
                .host_config
                .as_ref()
                .and_then(|config| config.annotations.clone()),
        }),
        mounts: Some(mounts),
        health: state.health.as_ref().map(|health| ContainerSummaryHealth {
            status: Some(match health.status {
                HealthStatus::Starting => ContainerSummaryHealthStatusEnum::STARTING,
                HealthStatus::Healthy => ContainerSummaryHealthStatusEnum::HEALTHY,
                HealthStatus::Unhealthy => ContainerSummaryHealthStatusEnum::UNHEALTHY,
            }),
            failing_streak: i64::try_from(health.failing_streak).ok(),
        }),
        ..ContainerSummary::default()
    };
    let mut shown = serde_json::to_value(summary).map_err(super::inspect::unwritable)?;
    // The model leaves out what is null.
    shown["NetworkSettings"] = json!({ "Networks": networks });
    Ok(shown)
}

/// Marks a container whose files are damaged: `tool engine check` says how.
const DAMAGED: &str = " (damaged)";

/// The networks of a container as it is now.
pub(super) fn network_settings(container: &Container) -> Result<NetworkSettings> {
    match &container.state.network {
        Some(settings) if container.state.is_running() => Ok(settings.clone()),
        _ => network::settings_of_stopped(&container.record.body),
    }
}

/// The image's name as it was asked for, or its id if that name is not its own any more; or the directory in its place.
pub(super) fn image(engine: &Engine, record: &Record) -> String {
    match &record.rootfs {
        Rootfs::Layers(_) => {
            let name = record.body.image.as_deref().unwrap_or_default();
            match engine.images().is_name_of(name, &record.image) {
                true => name.to_owned(),
                false => record.image.clone(),
            }
        }
        Rootfs::Directory(path) => path.display().to_string(),
        Rootfs::Overlay(path) => format!("{}:O", path.display()),
    }
}

fn command(record: &Record) -> String {
    let words = spec::command(&record.body).unwrap_or_default();
    let quoted: Vec<String> = words
        .into_iter()
        .enumerate()
        .map(|(index, word)| match index > 0 && word.contains(' ') {
            true => format!("'{word}'"),
            false => word,
        })
        .collect();
    quoted.join(" ")
}

fn word(status: Status) -> ContainerSummaryStateEnum {
    use ContainerSummaryStateEnum as Word;
    match status {
        Status::Created => Word::CREATED,
        Status::Running => Word::RUNNING,
        Status::Paused => Word::PAUSED,
        Status::Restarting => Word::RESTARTING,
        Status::Removing => Word::REMOVING,
        Status::Exited => Word::EXITED,
        Status::Dead => Word::DEAD,
    }
}

/// How it is, and since when, in Docker's words.
fn status(state: &State, now: Moment) -> String {
    let ago = |moment: Option<Moment>| {
        moment.map_or_else(String::new, |moment| duration::in_words(now.since(moment)))
    };
    match state.status {
        Status::Created => "Created".to_owned(),
        Status::Removing => "Removal In Progress".to_owned(),
        Status::Dead => "Dead".to_owned(),
        Status::Paused => format!("Up {} (Paused)", ago(state.started_at)),
        Status::Restarting => format!(
            "Restarting ({}) {} ago",
            state.exit_code,
            ago(state.finished_at)
        ),
        Status::Exited => format!(
            "Exited ({}) {} ago",
            state.exit_code,
            ago(state.finished_at)
        ),
        Status::Running => {
            let up = format!("Up {}", ago(state.started_at));
            match state.health.as_ref().map(|health| health.status) {
                None => up,
                Some(HealthStatus::Starting) => format!("{up} (health: starting)"),
                Some(status) => format!("{up} ({})", status.as_str()),
            }
        }
    }
}

/// The ports that are published, and those that are only declared.
fn ports(settings: &NetworkSettings) -> Vec<PortSummary> {
    let mut ports = Vec::new();
    for (port, bindings) in settings.ports.iter().flatten() {
        let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
        let Ok(private_port) = number.parse() else {
            continue;
        };
        let kind = match protocol {
            "udp" => PortSummaryTypeEnum::UDP,
            "sctp" => PortSummaryTypeEnum::SCTP,
            _ => PortSummaryTypeEnum::TCP,
        };
        let declared = PortSummary {
            private_port,
            typ: Some(kind),
            ..PortSummary::default()
        };
        let bindings = bindings.as_deref().unwrap_or_default();
        if bindings.is_empty() {
            ports.push(declared);
            continue;
        }
        ports.extend(bindings.iter().map(|binding| {
            PortSummary {
                ip: binding.host_ip.clone(),
                public_port: binding
                    .host_port
                    .as_deref()
                    .and_then(|port| port.parse().ok()),
                ..declared.clone()
            }
        }));
    }
    ports.sort_by_key(|port| (port.private_port, port.ip.clone(), port.public_port));
    ports
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Health;

    #[test]
    fn how_it_is_is_said_in_dockers_words() {
        let moment = |text: &str| text.parse::<Moment>().expect("a time");
        let now = moment("2024-01-01T00:10:00Z");
        let state = |status| State {
            status,
            started_at: Some(moment("2024-01-01T00:00:00Z")),
            finished_at: Some(moment("2024-01-01T00:09:58Z")),
            exit_code: 3,
            ..State::default()
        };
        for (word, text) in [
            (Status::Created, "Created"),
            (Status::Running, "Up 10 minutes"),
            (Status::Paused, "Up 10 minutes (Paused)"),
            (Status::Restarting, "Restarting (3) 2 seconds ago"),
            (Status::Exited, "Exited (3) 2 seconds ago"),
            (Status::Removing, "Removal In Progress"),
            (Status::Dead, "Dead"),
        ] {
            assert_eq!(status(&state(word), now), text);
        }
        let mut checked = state(Status::Running);
        for (health, text) in [
            (HealthStatus::Starting, "Up 10 minutes (health: starting)"),
            (HealthStatus::Healthy, "Up 10 minutes (healthy)"),
            (HealthStatus::Unhealthy, "Up 10 minutes (unhealthy)"),
        ] {
            checked.health = Some(Health {
                status: health,
                ..Health::default()
            });
            assert_eq!(status(&checked, now), text);
        }
    }

    #[test]
    fn ports_are_published_or_declared() {
        let settings: NetworkSettings = serde_json::from_value(serde_json::json!({
            "Ports": {
                "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
                "53/udp": null,
            }
        }))
        .expect("settings");
        let ports = ports(&settings);
        let shown: Vec<_> = ports
            .iter()
            .map(|port| (port.private_port, port.public_port, port.ip.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                (53, None, None),
                (80, Some(8080), Some("0.0.0.0")),
                (80, Some(8080), Some("::"))
            ]
        );
    }
}
