//! `HostConfig` as `inspect` shows it: with what the request left out.

use serde_json::{Value, json};

use super::inspect::unwritable;
use crate::Result;
use crate::spec;
use crate::state::Record;

/// The request's `HostConfig`, completed; `is_unified` is whether the machine has cgroup v2 alone.
pub(super) fn shown(record: &Record, is_unified: bool) -> Result<Value> {
    let mut shown = defaults();
    let Some(host_config) = &record.body.host_config else {
        return Ok(shown);
    };
    overlay(
        &mut shown,
        serde_json::to_value(host_config).map_err(unwritable)?,
    );
    // What a request does not say means these.
    let fill = |shown: &mut Value, name: &str, value: &str| {
        if shown[name] == "" {
            shown[name] = json!(value);
        }
    };
    if shown["NetworkMode"] == "default" {
        shown["NetworkMode"] = json!("");
    }
    fill(&mut shown, "NetworkMode", "bridge");
    fill(&mut shown, "IpcMode", "private");
    fill(&mut shown, "Runtime", "runc");
    let namespace = match is_unified {
        true => "private",
        false => "host",
    };
    fill(&mut shown, "CgroupnsMode", namespace);
    // No limit has two words in a request.
    if shown["PidsLimit"].as_i64().is_some_and(|limit| limit <= 0) {
        shown["PidsLimit"] = Value::Null;
    }
    if shown["RestartPolicy"]["Name"] == "" {
        shown["RestartPolicy"]["Name"] = json!("no");
    }
    // Labels are off where the container is not apart from the machine.
    if shown["SecurityOpt"].is_null()
        && (host_config.privileged == Some(true)
            || shown["PidMode"] == "host"
            || shown["IpcMode"] == "host")
    {
        shown["SecurityOpt"] = json!(["label=disable"]);
    }
    let (masked, read_only) = spec::hidden_paths(host_config);
    for (name, paths) in [("MaskedPaths", masked), ("ReadonlyPaths", read_only)] {
        shown[name] = match host_config.privileged.unwrap_or(false) {
            true => Value::Null,
            false => json!(paths),
        };
    }
    Ok(shown)
}

/// Puts what is there over the defaults.
pub(super) fn overlay(shown: &mut Value, actual: Value) {
    let (Value::Object(shown), Value::Object(actual)) = (shown, actual) else {
        return;
    };
    for (name, value) in actual {
        shown.insert(name, value);
    }
}

/// What dockerd shows for a request that says nothing.
fn defaults() -> Value {
    let mut shown = json!({
        "Binds": null,
        "ContainerIDFile": "",
        "LogConfig": {"Type": "json-file", "Config": {}},
        "NetworkMode": "",
        "PortBindings": null,
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": false,
        "VolumeDriver": "",
        "VolumesFrom": null,
        "ConsoleSize": [0, 0],
        "CapAdd": null,
        "CapDrop": null,
        "CgroupnsMode": "",
        "Dns": null,
        "DnsOptions": null,
        "DnsSearch": null,
        "ExtraHosts": null,
        "GroupAdd": null,
        "IpcMode": "",
        "Cgroup": "",
        "Links": null,
        "OomScoreAdj": 0,
        "PidMode": "",
        "Privileged": false,
        "PublishAllPorts": false,
        "ReadonlyRootfs": false,
        "SecurityOpt": null,
        "UTSMode": "",
        "UsernsMode": "",
        "ShmSize": 0,
        "Runtime": "",
        "Isolation": "",
    });
    let resources = json!({
        "CpuShares": 0,
        "Memory": 0,
        "NanoCpus": 0,
        "CgroupParent": "",
        "BlkioWeight": 0,
        "BlkioWeightDevice": null,
        "BlkioDeviceReadBps": null,
        "BlkioDeviceWriteBps": null,
        "BlkioDeviceReadIOps": null,
        "BlkioDeviceWriteIOps": null,
        "CpuPeriod": 0,
        "CpuQuota": 0,
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "CpusetCpus": "",
        "CpusetMems": "",
        "Devices": null,
        "DeviceCgroupRules": null,
        "DeviceRequests": null,
        "MemoryReservation": 0,
        "MemorySwap": 0,
        "MemorySwappiness": null,
        "OomKillDisable": false,
        "PidsLimit": null,
        "Ulimits": null,
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
        "MaskedPaths": null,
        "ReadonlyPaths": null,
    });
    overlay(&mut shown, resources);
    shown
}
