//! `volume create`: create a volume. Engine API `POST /volumes/create`.

use std::collections::BTreeMap;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, CreateVolume};

#[derive(Args)]
struct Create {
    /// Driver of the volume
    #[arg(short, long, value_name = "DRIVER", default_value = "local")]
    driver: String,
    /// Set a label: NAME=VALUE, or NAME alone for an empty one
    #[arg(long = "label", value_name = "NAME=VALUE")]
    labels: Vec<String>,
    /// Set an option of the driver
    #[arg(short, long = "opt", value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// Name of the volume, as the argument gives it
    #[arg(long = "name", value_name = "NAME", hide = true)]
    name: Option<String>,
    /// Name of the volume [default: one that the engine makes up]
    #[arg(value_name = "NAME")]
    volume: Option<String>,
}

/// Create a volume
///
/// Prints its name. A volume that exists already is left as it is.
#[command("volume create", category = "Volumes")]
fn create(
    cx: &mut Context,
    Docker(args): Docker<Create>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    // The option is older than the argument. An empty one is as good as none.
    let named = args.name.filter(|name| !name.is_empty());
    if named.is_some() && args.volume.is_some() {
        return Err(errors::bare(
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
        ));
    }
    let volume = CreateVolume {
        name: args.volume.or(named),
        driver: Some(args.driver),
        driver_opts: pairs("option", &args.options)?,
        labels: pairs("label", &args.labels)?,
    };
    let name = client.create_volume(&volume).map_err(errors::bare)?;
    cx.out().write_text(&format!("{name}\n"))?;
    Ok(ExitStatus::Success)
}

/// Names with their values; of a name given twice the last value counts.
fn pairs(what: &str, texts: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    texts
        .iter()
        .map(|text| match text.split_once('=').unwrap_or((text, "")) {
            ("", _) => Err(errors::bare(format!(
                "invalid {what} {text:?}: it has no name"
            ))),
            (name, value) => Ok((name.to_owned(), value.to_owned())),
        })
        .collect()
}
