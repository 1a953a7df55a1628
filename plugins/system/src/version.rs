//! `version`: print the versions of client and engine. Engine API `GET /version`.

use std::fmt::Write as _;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use docker_types::VERSIONS;
use engine_client::{ApiVersion, Client};
use listing::Inspection;
use serde_json::{Map, Value, json};

#[derive(Args)]
struct Version {
    /// Format the output: json, or a template such as '{{.Server.Version}}'
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Show the versions of client and engine
///
/// Without an engine, the client's version is still shown and the status is 1.
#[command("version", category = "System")]
fn version(
    cx: &mut Context,
    Docker(args): Docker<Version>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let mut inspection =
        Inspection::parse_single(args.format.as_deref()).map_err(errors::template)?;
    let answer = client.engine_version();
    let spoken = client.version().unwrap_or(ApiVersion::MAXIMUM);
    let versions = json!({
        "Client": client_version(Some(spoken)),
        "Server": answer.as_ref().ok().cloned().map(with_engine),
    });
    let text = match &args.format {
        Some(_) => inspection.add(versions, VERSIONS).map_err(errors::bare)?,
        None => described(&versions),
    };
    cx.out().write_text(&text)?;
    match answer {
        Ok(_) => Ok(ExitStatus::Success),
        Err(error) => Err(errors::bare(error)),
    }
}

/// The engine's part, in which the engine itself is a component: not all of them say so.
fn with_engine(mut server: Value) -> Value {
    let components = server["Components"].as_array().into_iter().flatten();
    if components
        .into_iter()
        .any(|component| component["Name"] == "Engine")
    {
        return server;
    }
    let details = ["ApiVersion", "MinAPIVersion", "Os", "Arch"];
    let details: Map<String, Value> = details
        .into_iter()
        .map(|name| (name.to_owned(), server[name].clone()))
        .collect();
    let engine = json!({"Name": "Engine", "Version": server["Version"], "Details": details});
    match &mut server["Components"] {
        Value::Array(components) => components.push(engine),
        components => *components = json!([engine]),
    }
    server
}

/// The client's part, with the version of the API that it speaks, if that is known.
pub(crate) fn client_version(spoken: Option<ApiVersion>) -> Value {
    json!({
        "Version": env!("CARGO_PKG_VERSION"),
        "ApiVersion": spoken.map(|version| version.to_string()),
        "DefaultAPIVersion": ApiVersion::MAXIMUM.to_string(),
        "Os": std::env::consts::OS,
        "Arch": architecture(),
    })
}

/// In the words of images, as the engine has its own.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Both parts in lines.
fn described(versions: &Value) -> String {
    let mut text = String::new();
    let client = &versions["Client"];
    part(
        &mut text,
        "Client",
        &[
            ("Version", &client["Version"]),
            ("API version", &client["ApiVersion"]),
            ("OS/Arch", &platform(client)),
        ],
    );
    let server = &versions["Server"];
    if !server.is_null() {
        let name = match &server["Platform"]["Name"] {
            Value::String(name) if !name.is_empty() => format!("\nServer: {name}"),
            _ => "\nServer".to_owned(),
        };
        part(
            &mut text,
            &name,
            &[
                ("Version", &server["Version"]),
                ("API version", &server["ApiVersion"]),
                ("Minimum API version", &server["MinAPIVersion"]),
                ("Git commit", &server["GitCommit"]),
                ("Built", &server["BuildTime"]),
                ("OS/Arch", &platform(server)),
                ("Kernel", &server["KernelVersion"]),
            ],
        );
        for component in server["Components"].as_array().into_iter().flatten() {
            // The engine itself is a component of its own.
            if component["Version"] == server["Version"] {
                continue;
            }
            let name = component["Name"].as_str().unwrap_or("unknown");
            part(
                &mut text,
                &format!(" {name}"),
                &[("Version", &component["Version"])],
            );
        }
    }
    text
}

fn platform(part: &Value) -> Value {
    let text = |field: &str| part[field].as_str().unwrap_or("unknown").to_owned();
    format!("{}/{}", text("Os"), text("Arch")).into()
}

fn part(text: &mut String, name: &str, fields: &[(&str, &Value)]) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{name}:");
    for (label, value) in fields {
        if let Value::String(value) = value
            && !value.is_empty()
        {
            let _ = writeln!(
                text,
                " {:21}{}",
                format!("{label}:"),
                terminal::printable(value)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_a_component() {
        let server = with_engine(json!({"Version": "4", "Os": "linux"}));
        assert_eq!(server["Components"][0]["Name"], "Engine");
        assert_eq!(server["Components"][0]["Details"]["Os"], "linux");
        let told = json!({"Components": [{"Name": "Engine", "Version": "28"}]});
        assert_eq!(with_engine(told.clone()), told);
    }

    #[test]
    fn what_an_engine_does_not_tell_is_left_out() {
        let versions = json!({
            "Client": {"Version": "1", "ApiVersion": "1.53", "Os": "linux", "Arch": "x86_64"},
            "Server": {
                "Version": "20", "ApiVersion": "1.41", "Os": "linux", "Arch": "amd64", "GitCommit": "",
                "Components": [{"Name": "Engine", "Version": "20"}, {"Name": "runc", "Version": "1.1"}],
            },
        });
        let expected = "Client:\n Version:             1\n API version:         1.53\n OS/Arch:             linux/x86_64\n\
            \nServer:\n Version:             20\n API version:         1.41\n OS/Arch:             linux/amd64\n\
            \x20runc:\n Version:             1.1\n";
        assert_eq!(described(&versions), expected);
    }
}
