//! `info`: describe the engine. Engine API `GET /info`.

use std::fmt::Write as _;
use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use docker_types::INFO;
use engine_client::Client;
use listing::Inspection;
use serde_json::{Value, json};

use crate::version::client_version;

#[derive(Args)]
struct Info {
    /// Format the output: json, or a template such as '{{.Driver}}'
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Display information about the engine and its configuration
#[command("info", alias = "system info", category = "System")]
fn info(
    cx: &mut Context,
    Docker(args): Docker<Info>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let mut inspection =
        Inspection::parse_single(args.format.as_deref()).map_err(errors::template)?;
    let info = client.describe_engine().map_err(errors::bare)?;
    let text = match &args.format {
        Some(_) => inspection
            .add(with_client(info.clone()), INFO)
            .map_err(errors::bare)?,
        None => described(&info),
    };
    cx.out().write_text(&text)?;
    for warning in info["Warnings"].as_array().into_iter().flatten() {
        writeln!(
            cx.err(),
            "{}",
            terminal::printable(warning.as_str().unwrap_or_default())
        )?;
    }
    Ok(ExitStatus::Success)
}

/// The engine's description, with the client's beside it.
fn with_client(mut info: Value) -> Value {
    if let Value::Object(fields) = &mut info {
        let mut client = client_version(None);
        client["Plugins"] = json!([]);
        fields.insert("ClientInfo".to_owned(), client);
    }
    info
}

/// What is shown, in this order, and the field that it comes from.
const LINES: [(&str, &str); 25] = [
    ("Containers", "Containers"),
    (" Running", "ContainersRunning"),
    (" Paused", "ContainersPaused"),
    (" Stopped", "ContainersStopped"),
    ("Images", "Images"),
    ("Server Version", "ServerVersion"),
    ("Storage Driver", "Driver"),
    ("Logging Driver", "LoggingDriver"),
    ("Cgroup Driver", "CgroupDriver"),
    ("Cgroup Version", "CgroupVersion"),
    ("Default Runtime", "DefaultRuntime"),
    ("Init Binary", "InitBinary"),
    ("Security Options", "SecurityOptions"),
    ("Kernel Version", "KernelVersion"),
    ("Operating System", "OperatingSystem"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
    ("CPUs", "NCPU"),
    ("Total Memory", "MemTotal"),
    ("Name", "Name"),
    ("ID", "ID"),
    ("Root Dir", "DockerRootDir"),
    ("Debug Mode", "Debug"),
    ("Experimental", "ExperimentalBuild"),
    ("Live Restore Enabled", "LiveRestoreEnabled"),
];

fn described(info: &Value) -> String {
    let mut text = "Server:\n".to_owned();
    for (label, field) in LINES {
        let value = match &info[field] {
            Value::Null => continue,
            Value::String(value) if value.is_empty() => continue,
            Value::String(value) => value.clone(),
            Value::Number(size) if field == "MemTotal" => {
                listing::human_size(size.as_u64().unwrap_or_default())
            }
            Value::Array(values) => {
                let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
                values.join(" ")
            }
            value => value.to_string(),
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, " {label}: {}", terminal::printable(&value));
    }
    let registries = &info["RegistryConfig"];
    for (label, values) in [
        ("Insecure Registries", insecure(registries)),
        ("Registry Mirrors", texts(&registries["Mirrors"])),
    ] {
        if !values.is_empty() {
            let _ = writeln!(text, " {label}:");
        }
        for value in values {
            let _ = writeln!(text, "  {}", terminal::printable(value));
        }
    }
    text
}

/// Registries that need no TLS: those with names, then networks.
fn insecure(registries: &Value) -> Vec<&str> {
    let indexes = registries["IndexConfigs"].as_object().into_iter().flatten();
    let named = indexes
        .filter(|(_, index)| index["Secure"] == false)
        .map(|(name, _)| name.as_str());
    let networks = texts(&registries["InsecureRegistryCIDRs"]);
    named.chain(networks).collect()
}

fn texts(list: &Value) -> Vec<&str> {
    let values = list.as_array().into_iter().flatten();
    values.filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_engine_does_not_tell_is_left_out() {
        let info = json!({
            "Containers": 2, "Driver": "overlay2", "MemTotal": 25_000_000_000_u64, "Name": "",
            "SecurityOptions": ["name=seccomp,profile=default"], "Debug": false,
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["10.0.0.0/8"],
                "IndexConfigs": {"docker.io": {"Secure": true}, "r.example": {"Secure": false}},
                "Mirrors": ["https://m.example/\u{1b}"],
            },
        });
        assert_eq!(
            described(&info),
            "Server:\n Containers: 2\n Storage Driver: overlay2\n Security Options: name=seccomp,profile=default\n \
             Total Memory: 25GB\n Debug Mode: false\n Insecure Registries:\n  r.example\n  10.0.0.0/8\n \
             Registry Mirrors:\n  https://m.example/\n"
        );
    }
}
