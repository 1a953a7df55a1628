//! `volume ls`: list volumes. Engine API `GET /volumes`.

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use engine_client::Client;
use flags::Docker;
use listing::{Column, Filters, Format, Listing};
use serde_json::{Value, json};

use crate::errors;

const COLUMNS: [Column; 2] = [
    Column::new("Driver", "DRIVER"),
    Column::new("Name", "VOLUME NAME"),
];
const OTHERS: [Column; 3] = [
    Column::new("Labels", "LABELS"),
    Column::new("Mountpoint", "MOUNTPOINT"),
    Column::new("Scope", "SCOPE"),
];

#[derive(Args)]
struct Ls {
    /// Show only what this holds for: dangling=true, driver=local, name=data, label=a=b
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Format the output: json, table, a template such as '{{.Name}}', or a table of one
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show only names
    #[arg(short, long)]
    quiet: bool,
}

/// List volumes
#[command("volume ls", hidden_alias = "volume list", category = "Volumes")]
fn ls(
    cx: &mut Context,
    Docker(args): Docker<Ls>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let format = match (&args.format, args.quiet) {
        (None, true) => "{{.Name}}",
        (None, false) => "",
        (Some(format), _) => format,
    };
    let format = Format::parse(format).map_err(errors::bare)?;
    let filters = Filters::parse(&args.filter).map_err(errors::filter)?;
    let listing = Listing::new(&COLUMNS).with_fields(&OTHERS);
    listing.check(&format).map_err(errors::bare)?;
    let filters = (!filters.is_empty()).then(|| filters.to_json());
    let mut volumes = client
        .list_volumes(filters.as_deref())
        .map_err(errors::bare)?;
    volumes.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let rows: Vec<Value> = volumes
        .iter()
        .map(|volume| {
            let labels = volume.labels.iter();
            let labels: Vec<String> = labels
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            json!({
                "Driver": volume.driver,
                "Name": volume.name,
                "Labels": labels.join(","),
                "Mountpoint": volume.mountpoint,
                "Scope": volume.scope,
            })
        })
        .collect();
    // A name that is cut short could not be used, so this table is as wide as it is.
    let text = listing.render(&format, &rows, None).map_err(errors::bare)?;
    cx.out().write_text(&text)?;
    Ok(ExitStatus::Success)
}
