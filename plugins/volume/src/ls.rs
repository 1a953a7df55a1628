//! `volume ls`: list volumes. Engine API `GET /volumes`.

use byname::{Context, ExitStatus, MaybeState, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, ConfigFile};
use listing::{Column, Filters, Format, Listing, natural};
use serde_json::{Value, json};

const COLUMNS: [Column; 2] = [
    Column::new("Driver", "DRIVER"),
    Column::new("Name", "VOLUME NAME"),
];
const OTHERS: [Column; 9] = [
    Column::new("Availability", "AVAILABILITY"),
    Column::new("Group", "GROUP"),
    // Called with a label's key.
    Column::new("Label", ""),
    Column::new("Labels", "LABELS"),
    Column::new("Links", "LINKS"),
    Column::new("Mountpoint", "MOUNTPOINT"),
    Column::new("Scope", "SCOPE"),
    Column::new("Size", "SIZE"),
    Column::new("Status", "STATUS"),
];

#[derive(Args)]
struct Ls {
    /// Filter the output: dangling=true, driver=local, name=data, label=a=b
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
    configuration: MaybeState<ConfigFile>,
) -> anyhow::Result<ExitStatus> {
    let configured = configuration
        .get()
        .and_then(|file| file.volumes_format.as_deref());
    let quiet = args.quiet.then_some("{{.Name}}");
    let format = match (
        Format::choose(args.format.as_deref(), quiet, configured),
        quiet,
    ) {
        ("raw", None) => "name: {{.Name}}\ndriver: {{.Driver}}\n",
        ("raw", Some(_)) => "name: {{.Name}}",
        (format, _) => format,
    };
    let format = Format::parse(format).map_err(errors::bare)?;
    let filters = Filters::parse(&args.filter).map_err(errors::filter)?;
    let listing = Listing::new(&COLUMNS).with_fields(&OTHERS);
    listing.check(&format).map_err(errors::bare)?;
    let filters = (!filters.is_empty()).then(|| filters.to_json());
    let mut volumes = client
        .list_volumes(filters.as_deref())
        .map_err(errors::bare)?;
    volumes.sort_unstable_by(|a, b| natural(&a.name, &b.name));
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
                "Label": volume.labels,
                "Labels": labels.join(","),
                "Mountpoint": volume.mountpoint,
                "Scope": volume.scope,
                // Only a swarm's volumes have these, and the list has no sizes.
                "Availability": "N/A",
                "Group": "N/A",
                "Links": "N/A",
                "Size": "N/A",
                "Status": "N/A",
            })
        })
        .collect();
    // A name that is cut short could not be used, so this table is as wide as it is.
    let text = listing.render(&format, &rows, None).map_err(errors::bare)?;
    cx.out().write_text(&text)?;
    Ok(ExitStatus::Success)
}
