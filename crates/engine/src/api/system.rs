//! What the engine tells of itself: `/_ping`, `/version` and `/info`.

use std::collections::HashMap;
use std::{fs, thread};

use bollard_stubs::models::{
    LocalNodeState, PluginsInfo, SwarmInfo, SystemInfo, SystemInfoCgroupDriverEnum,
    SystemInfoCgroupVersionEnum, SystemVersion, SystemVersionComponents, SystemVersionPlatform,
};
use hyper::header::{CACHE_CONTROL, HeaderName, HeaderValue, PRAGMA};
use rustix::system::uname;
use serde_json::{Value, json};

use super::answer::Answer;
use super::call::Call;
use super::history::{self, Shape};
use super::version::ApiVersion;
use super::{registries, router};
use crate::cgroup::Host;
use crate::configuration::Configuration;
use crate::user_namespace::Ids;
use crate::{Engine, Error, Result, containers};

/// The name of this engine.
const PLATFORM: &str = "tool, the embedded engine";

pub(super) async fn route(call: Call<'_>) -> Result<Answer> {
    let path: Vec<&str> = call.path.iter().map(String::as_str).collect();
    match (call.method.as_str(), path.as_slice()) {
        ("GET" | "HEAD", ["_ping"]) => Ok(ping()),
        ("GET", ["version"]) => Answer::json(&version()),
        ("GET", ["info"]) => history::answer(call.version, Shape::Info, &info(call.engine)?),
        _ => Err(router::missing(&call)),
    }
}

fn ping() -> Answer {
    Answer::text("OK")
        .with(
            CACHE_CONTROL,
            HeaderValue::from_static("no-cache, no-store, must-revalidate"),
        )
        .with(PRAGMA, HeaderValue::from_static("no-cache"))
        .with(
            HeaderName::from_static("swarm"),
            HeaderValue::from_static("inactive"),
        )
}

fn version() -> SystemVersion {
    let own = env!("CARGO_PKG_VERSION").to_owned();
    let details = HashMap::from([
        ("ApiVersion".to_owned(), ApiVersion::MAXIMUM.to_string()),
        ("MinAPIVersion".to_owned(), ApiVersion::MINIMUM.to_string()),
        ("Os".to_owned(), "linux".to_owned()),
        ("Arch".to_owned(), architecture()),
        ("KernelVersion".to_owned(), kernel()),
        ("Experimental".to_owned(), "false".to_owned()),
        // Other engines tell these; this one is not made by Go, and does not know.
        ("BuildTime".to_owned(), String::new()),
        ("GitCommit".to_owned(), String::new()),
        ("GoVersion".to_owned(), String::new()),
    ]);
    SystemVersion {
        platform: Some(SystemVersionPlatform {
            name: PLATFORM.to_owned(),
        }),
        components: Some(vec![SystemVersionComponents {
            name: "Engine".to_owned(),
            version: own.clone(),
            details: Some(details),
        }]),
        version: Some(own),
        api_version: Some(ApiVersion::MAXIMUM.to_string()),
        min_api_version: Some(ApiVersion::MINIMUM.to_string()),
        git_commit: Some(String::new()),
        go_version: Some(String::new()),
        os: Some("linux".to_owned()),
        arch: Some(architecture()),
        kernel_version: Some(kernel()),
        experimental: None,
        build_time: Some(String::new()),
    }
}

/// The architecture in the words of images.
fn architecture() -> String {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
    .to_owned()
}

fn kernel() -> String {
    uname().release().to_string_lossy().into_owned()
}

/// What the distribution says of itself under a name (os-release(5)).
fn of_distribution(name: &str) -> Option<String> {
    let release = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    let mut lines = release.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(key, _)| *key == name)?;
    Some(value.trim_matches(['"', '\'']).to_owned())
}

/// A proxy of this process's environment, without the password in it.
fn proxy(name: &str) -> String {
    let value = std::env::var(name)
        .or_else(|_| std::env::var(name.to_ascii_lowercase()))
        .unwrap_or_default();
    without_password(&value)
}

fn without_password(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}xxxxx:xxxxx{}", &rest[at..]),
        None => address.to_owned(),
    }
}

/// Everything that `GET /info` tells. What the model leaves out, for it is null or of old versions, is added to it.
fn info(engine: &Engine) -> Result<Value> {
    let model = serde_json::to_value(model(engine)?)
        .map_err(|error| Error::system(format!("show the engine: {error}")).with_source(error))?;
    let count = |directory: &str| fs::read_dir(directory).map_or(0, Iterator::count);
    let rootless = Ids::of_this_process()?.is_some();
    let (configuration, complaint) = match Configuration::of(engine.layout()) {
        Ok(configuration) => (configuration, None),
        // The file was changed since the engine was opened. There is more to tell than what it says.
        Err(error) => (Configuration::default(), Some(error.to_string())),
    };
    let mut info = json!({
        "DriverStatus": [["Supports d_type", "true"], ["userxattr", rootless.to_string()]],
        "NFd": count("/proc/self/fd"),
        "NGoroutines": count("/proc/self/task"),
        "NEventsListener": 0,
        "OSVersion": of_distribution("VERSION_ID").unwrap_or_default(),
        "RegistryConfig": registries::described(&configuration),
        "GenericResources": null,
        "HttpProxy": proxy("HTTP_PROXY"),
        "HttpsProxy": proxy("HTTPS_PROXY"),
        "NoProxy": proxy("NO_PROXY"),
        "Runtimes": {"runc": {"path": "runc"}},
        "DefaultRuntime": "runc",
        "Isolation": "",
        "CDISpecDirs": [],
        // There are no such programs here.
        "ContainerdCommit": {"ID": ""},
        "RuncCommit": {"ID": ""},
        "InitCommit": {"ID": ""},
    });
    for (name, value) in model.as_object().into_iter().flatten() {
        info[name] = value.clone();
    }
    info["Plugins"]["Authorization"] = Value::Null;
    for (name, value) in [
        ("NodeID", json!("")),
        ("NodeAddr", json!("")),
        ("ControlAvailable", json!(false)),
        ("Error", json!("")),
        ("RemoteManagers", Value::Null),
    ] {
        info["Swarm"][name] = value;
    }
    if let (Some(warnings), Some(complaint)) = (info["Warnings"].as_array_mut(), complaint) {
        warnings.push(Value::String(format!("WARNING: {complaint}")));
    }
    if info["Warnings"] == json!([]) {
        info["Warnings"] = Value::Null;
    }
    Ok(info)
}

fn model(engine: &Engine) -> Result<SystemInfo> {
    let cgroups = Host::detect()?;
    let has = |controller: &str| Some(cgroups.has(controller));
    let memory = rustix::system::sysinfo();
    let number = |count: usize| Some(i64::try_from(count).unwrap_or(i64::MAX));
    let rootless = Ids::of_this_process()?.is_some();
    let mut security = vec!["name=seccomp,profile=builtin".to_owned()];
    if rootless {
        security.push("name=rootless".to_owned());
    }
    if cgroups.is_unified() {
        security.push("name=cgroupns".to_owned());
    }
    let counts = containers::count(engine)?;
    let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    Ok(SystemInfo {
        id: Some(engine.layout().fingerprint()),
        images: number(engine.images().count()?),
        containers: number(counts.all()),
        containers_running: number(counts.running),
        containers_paused: number(counts.paused),
        containers_stopped: number(counts.stopped),
        driver: Some("overlay2".to_owned()),
        docker_root_dir: Some(engine.layout().root().display().to_string()),
        memory_limit: has("memory"),
        swap_limit: has("memory"),
        cpu_cfs_period: has("cpu"),
        cpu_cfs_quota: has("cpu"),
        cpu_shares: has("cpu"),
        cpu_set: has("cpuset"),
        pids_limit: has("pids"),
        oom_kill_disable: Some(!cgroups.is_unified() && cgroups.has("memory")),
        ipv4_forwarding: Some(
            fs::read_to_string("/proc/sys/net/ipv4/ip_forward")
                .is_ok_and(|text| text.trim() == "1"),
        ),
        debug: Some(false),
        system_time: Some(jiff::Timestamp::now().to_string()),
        plugins: Some(PluginsInfo {
            volume: names(&["local"]),
            network: names(&["bridge", "host", "none"]),
            log: names(&["json-file", "none"]),
            ..PluginsInfo::default()
        }),
        swarm: Some(SwarmInfo {
            local_node_state: Some(LocalNodeState::INACTIVE),
            ..SwarmInfo::default()
        }),
        // What stands for Docker's `docker-init` is the engine's own program.
        init_binary: Some("tool".to_owned()),
        logging_driver: Some("json-file".to_owned()),
        cgroup_driver: Some(match cgroups.version() {
            Some(_) => SystemInfoCgroupDriverEnum::CGROUPFS,
            None => SystemInfoCgroupDriverEnum::NONE,
        }),
        cgroup_version: Some(match cgroups.is_unified() {
            true => SystemInfoCgroupVersionEnum::_2,
            false => SystemInfoCgroupVersionEnum::_1,
        }),
        kernel_version: Some(kernel()),
        operating_system: Some(
            of_distribution("PRETTY_NAME").unwrap_or_else(|| "Linux".to_owned()),
        ),
        os_type: Some("linux".to_owned()),
        architecture: Some(std::env::consts::ARCH.to_owned()),
        ncpu: thread::available_parallelism()
            .ok()
            .and_then(|count| number(count.get())),
        mem_total: i64::try_from(memory.totalram * u64::from(memory.mem_unit)).ok(),
        index_server_address: Some("https://index.docker.io/v1/".to_owned()),
        name: Some(uname().nodename().to_string_lossy().into_owned()),
        labels: Some(Vec::new()),
        experimental_build: Some(false),
        server_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        live_restore_enabled: Some(true),
        security_options: Some(security),
        warnings: Some(cgroups.refusal().map(str::to_owned).into_iter().collect()),
        ..SystemInfo::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_password_is_not_told() {
        for (address, shown) in [
            ("http://u:p@h:1/x@y", "http://xxxxx:xxxxx@h:1/x@y"),
            ("http://h:1/x@y", "http://h:1/x@y"),
            ("u@h", "xxxxx:xxxxx@h"),
            ("", ""),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }

    #[test]
    fn the_engine_tells_what_it_speaks() {
        let version = version();
        assert_eq!(version.api_version.as_deref(), Some("1.55"));
        assert_eq!(version.min_api_version.as_deref(), Some("1.24"));
        assert_eq!(version.os.as_deref(), Some("linux"));
    }
}
