//! All that is known of a container, as `GET /containers/{id}/json` tells it.

use bollard_stubs::models::ContainerConfig;
use serde_json::{Map, Value, json};

use super::{Container, host_config};
use crate::cgroup::Host;
use crate::spec::{self, MountKind, MountPoint};
use crate::state::{Health, Moment, Record, Rootfs, State, Status, Store};
use crate::{Engine, Error, Result, network};

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InspectOptions {
    /// How much the container wrote, which takes a while to count.
    pub(crate) size: bool,
}

/// All that is known of a container.
///
/// It is JSON and not a model: the models leave out what is null, and what clients of old versions look for.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such container.
pub(crate) fn inspect(engine: &Engine, reference: &str, options: InspectOptions) -> Result<Value> {
    let Container { record, state, .. } = Container::find(engine, reference)?;
    let layout = engine.layout();
    let directory = layout.container(&record.id);
    let file = |name: &str| directory.join(name).display().to_string();
    // A damaged command is shown as none: what is shown here must not fail on what was recorded.
    let mut words = spec::command(&record.body).unwrap_or_default().into_iter();
    let path = words.next().unwrap_or_default();
    let execs = match state.is_running() {
        true => running_execs(engine, &record.id)?,
        false => Vec::new(),
    };
    let mut settings = match &state.network {
        Some(settings) if state.is_running() => settings.clone(),
        // What makes no sense is no reason to hide all else: it is what somebody looks for.
        _ => network::settings_of_stopped(&record.body).unwrap_or_default(),
    };
    if state.status != Status::Created {
        network::add_ids(&mut settings, layout, &record.id, state.is_running());
    }
    // What a container has once it ran.
    let file = |name: &str| match state.status {
        Status::Created => String::new(),
        _ => file(name),
    };
    let mut shown = json!({
        "Id": record.id,
        "Created": record.created,
        "Path": path,
        "Args": words.collect::<Vec<_>>(),
        "State": shown_state(&state),
        "Image": record.image,
        "ResolvConfPath": file("resolv.conf"),
        "HostnamePath": file("hostname"),
        "HostsPath": file("hosts"),
        "LogPath": match keeps_log(&record) {
            true => file("log"),
            false => String::new(),
        },
        "Name": format!("/{}", record.name),
        "RestartCount": state.restart_count,
        "Driver": "overlay2",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": (!execs.is_empty()).then_some(execs),
        "HostConfig": host_config::shown(&record, Host::detect()?.is_unified())?,
        "GraphDriver": graph_driver(engine, &record),
        "Mounts": record.mounts.iter().map(mount).collect::<Vec<_>>(),
        "Config": config(&record)?,
        "NetworkSettings": network::inspect(&settings),
    });
    if state.is_running() {
        let settings = &mut shown["NetworkSettings"];
        if joins_no_other(&record) {
            settings["SandboxID"] = json!(network::endpoint_id(&record.id));
            settings["SandboxKey"] = json!(format!("/proc/{}/ns/net", state.process.number()));
        }
    }
    if options.size {
        let size = super::size::of(engine, &record);
        shown["SizeRw"] = json!(size.written);
        shown["SizeRootFs"] = json!(size.whole);
    }
    Ok(shown)
}

fn running_execs(engine: &Engine, id: &str) -> Result<Vec<String>> {
    let store = Store::new(engine.layout());
    let mut running = Vec::new();
    for exec in store.exec_ids(id)? {
        // One that has gone meanwhile does not run.
        if store.exec(&exec).is_ok_and(|exec| exec.running) {
            running.push(exec);
        }
    }
    Ok(running)
}

/// Whether the container has a network of its own, or the machine's.
fn joins_no_other(record: &Record) -> bool {
    let host_config = record.body.host_config.as_ref();
    let mode = host_config.and_then(|config| config.network_mode.as_deref());
    !mode.unwrap_or_default().starts_with("container:")
}

fn keeps_log(record: &Record) -> bool {
    let host_config = record.body.host_config.as_ref();
    let driver = host_config
        .and_then(|config| config.log_config.as_ref())
        .and_then(|config| config.typ.as_deref());
    driver != Some("none")
}

/// How the container is.
fn shown_state(state: &State) -> Value {
    let mut shown = json!({
        "Status": state.status,
        "Running": matches!(state.status, Status::Running | Status::Paused | Status::Restarting),
        "Paused": state.status == Status::Paused,
        "Restarting": state.status == Status::Restarting,
        "OOMKilled": state.oom_killed,
        "Dead": state.status == Status::Dead,
        "Pid": if state.is_running() { state.process.number() } else { 0 },
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": Moment::text(state.started_at),
        "FinishedAt": Moment::text(state.finished_at),
    });
    if let Some(health) = &state.health {
        shown["Health"] = shown_health(health);
    }
    shown
}

fn shown_health(health: &Health) -> Value {
    let log: Vec<Value> = health
        .log
        .iter()
        .map(|probe| {
            json!({
                "Start": probe.start,
                "End": probe.end,
                "ExitCode": probe.exit_code,
                "Output": probe.output,
            })
        })
        .collect();
    json!({
        "Status": health.status,
        "FailingStreak": health.failing_streak,
        "Log": log,
    })
}

/// A mount as lists and `inspect` show it.
pub(super) fn mount(point: &MountPoint) -> Value {
    let source = point.source.display().to_string();
    let mut shown = Map::new();
    let kind = match point.kind {
        MountKind::Bind => "bind",
        MountKind::Volume => "volume",
        MountKind::Tmpfs => "tmpfs",
    };
    shown.insert("Type".to_owned(), json!(kind));
    if point.kind == MountKind::Volume {
        shown.insert("Name".to_owned(), json!(point.name));
    }
    shown.insert("Source".to_owned(), json!(source));
    shown.insert("Destination".to_owned(), json!(point.destination));
    if point.kind == MountKind::Volume {
        shown.insert("Driver".to_owned(), json!("local"));
    }
    // Docker shares volumes that somebody named among containers with labels, labels or not.
    let mode = match point.kind {
        MountKind::Volume if point.mode.is_empty() && !is_anonymous(&point.name) => "z",
        _ => point.mode.as_str(),
    };
    shown.insert("Mode".to_owned(), json!(mode));
    shown.insert("RW".to_owned(), json!(!point.read_only));
    let propagation = match point.kind {
        MountKind::Bind => point.propagation.as_str(),
        _ => "",
    };
    shown.insert("Propagation".to_owned(), json!(propagation));
    Value::Object(shown)
}

/// Whether the engine made the name of a volume.
fn is_anonymous(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Where the container's files lie.
fn graph_driver(engine: &Engine, record: &Record) -> Value {
    let directory = engine.layout().container(&record.id);
    let lower = match &record.rootfs {
        Rootfs::Layers(layers) => layers
            .iter()
            .rev()
            .map(|layer| layer.display().to_string())
            .collect::<Vec<_>>()
            .join(":"),
        Rootfs::Directory(path) => {
            return json!({"Name": "directory", "Data": {"Directory": path.display().to_string()}});
        }
        Rootfs::Overlay(path) => path.display().to_string(),
    };
    json!({
        "Name": "overlay2",
        "Data": {
            "LowerDir": lower,
            "UpperDir": directory.join("upper").display().to_string(),
            "WorkDir": directory.join("work").display().to_string(),
            "MergedDir": engine.layout().container_run(&record.id).join("rootfs").display().to_string(),
        },
    })
}

/// `Config`, which is the request without its `HostConfig`.
fn config(record: &Record) -> Result<Value> {
    let mut body = serde_json::to_value(&record.body).map_err(unwritable)?;
    if let Some(fields) = body.as_object_mut() {
        fields.remove("HostConfig");
        fields.remove("NetworkingConfig");
    }
    // Through the model, so that nothing is shown that it has not.
    let config: ContainerConfig = serde_json::from_value(body).map_err(unwritable)?;
    let actual = serde_json::to_value(config).map_err(unwritable)?;
    let mut shown = json!({
        "Hostname": "",
        "Domainname": "",
        "User": "",
        "AttachStdin": false,
        "AttachStdout": false,
        "AttachStderr": false,
        "ExposedPorts": {},
        "Tty": false,
        "OpenStdin": false,
        "StdinOnce": false,
        "Env": null,
        "Cmd": null,
        "Image": "",
        "Volumes": null,
        "WorkingDir": "",
        "Entrypoint": null,
        "OnBuild": null,
        "Labels": {},
    });
    host_config::overlay(&mut shown, actual);
    // Docker leaves the one out and has null for the other.
    if shown["ExposedPorts"] == json!({}) {
        shown
            .as_object_mut()
            .map(|fields| fields.remove("ExposedPorts"));
    }
    for (name, empty) in [("Volumes", json!({})), ("Env", json!([]))] {
        if shown[name] == empty {
            shown[name] = Value::Null;
        }
    }
    // Where old clients look for it.
    if let Some(address) = network::wanted_mac_address(&record.body) {
        shown["MacAddress"] = json!(address);
    }
    Ok(shown)
}

pub(super) fn unwritable(error: serde_json::Error) -> Error {
    Error::system(format!("show the container: {error}")).with_source(error)
}
