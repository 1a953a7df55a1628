//! `ps`: list containers. Engine API `GET /containers/json`.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use byname::{Context, ExitStatus, MaybeState, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, ConfigFile, ContainerSummary, ListContainers};
use image_reference::Image;
use listing::{Column, Filters, Format, Listing};
use serde_json::{Value, json};

use crate::ports::ports;

/// How much of a command a table shows.
const COMMAND_WIDTH: usize = 20;

const COLUMNS: [Column; 7] = [
    Column::new("ID", "CONTAINER ID").of_ids(),
    Column::new("Image", "IMAGE"),
    Column::new("Command", "COMMAND"),
    Column::new("RunningFor", "CREATED"),
    Column::new("Status", "STATUS"),
    Column::new("Ports", "PORTS"),
    Column::new("Names", "NAMES").of_names(),
];
const SIZE: Column = Column::new("Size", "SIZE");
const OTHERS: [Column; 9] = [
    Column::new("CreatedAt", "CREATED AT"),
    Column::new("HealthStatus", "HEALTH STATUS"),
    // Called with a label's key.
    Column::new("Label", ""),
    Column::new("Labels", "LABELS"),
    Column::new("LocalVolumes", "LOCAL VOLUMES"),
    Column::new("Mounts", "MOUNTS"),
    Column::new("Networks", "NETWORKS"),
    Column::new("State", "STATE"),
    SIZE,
];

#[derive(Args)]
struct Ps {
    /// Show all containers, not only running ones
    #[arg(short, long)]
    all: bool,
    /// Filter the output: status=exited, name=web, label=a=b, ancestor=IMAGE and so on
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Format the output: json, table, a template such as '{{.Names}}', or a table of one: 'table {{.ID}}\t{{.Names}}'
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show the NUMBER most recently created containers, in any state; -1 for all running ones
    #[arg(
        short = 'n',
        long,
        value_name = "NUMBER",
        default_value = "-1",
        hide_default_value = true
    )]
    last: i64,
    /// Show the most recently created container, in any state
    #[arg(short, long)]
    latest: bool,
    /// Do not truncate values
    #[arg(long)]
    no_trunc: bool,
    /// Show only IDs
    #[arg(short, long)]
    quiet: bool,
    /// Show sizes on disk
    #[arg(short, long)]
    size: bool,
}

/// List containers
#[command(
    "ps",
    alias = "container ls",
    hidden_alias = "container list",
    hidden_alias = "container ps",
    category = "Containers"
)]
fn ps(
    cx: &mut Context,
    Docker(args): Docker<Ps>,
    client: State<Client>,
    configuration: MaybeState<ConfigFile>,
) -> anyhow::Result<ExitStatus> {
    let configured = configuration
        .get()
        .and_then(|file| file.ps_format.as_deref());
    let format = match (&args.format, args.quiet) {
        (format, true) => {
            if format.as_deref().is_some_and(|format| !format.is_empty()) {
                let both = "because both --format and --quiet are set.";
                writeln!(cx.err(), "WARNING: Ignoring custom format, {both}")?;
            }
            "{{.ID}}"
        }
        (format, false) => Format::choose(format.as_deref(), None, configured),
    };
    let format = match format {
        "raw" => raw(args.size),
        format => format.to_owned(),
    };
    let format = Format::parse(&format).map_err(errors::bare)?;
    let filters = Filters::parse(&args.filter).map_err(errors::filter)?;
    let columns = columns(args.size);
    let listing = Listing::new(&columns).with_fields(&OTHERS);
    listing.check(&format).map_err(errors::bare)?;
    let limit = match (args.latest, u64::try_from(args.last)) {
        (true, _) => Some(1),
        (false, limit) => limit.ok(),
    };
    let list = ListContainers {
        all: args.all,
        limit,
        size: args.size || format.needs("Size"),
        filters: (!filters.is_empty()).then(|| filters.to_json()),
    };
    let containers = client.list_containers(&list).map_err(errors::bare)?;
    let shortened = !args.no_trunc;
    let now = SystemTime::now();
    let rows: Vec<Value> = containers
        .iter()
        .map(|container| row(container, shortened, now))
        .collect();
    let width = shortened
        .then(|| cx.streams().out.as_fd().and_then(terminal::size))
        .flatten()
        .map(|size| usize::from(size.columns));
    let text = listing
        .render(&format, &rows, width)
        .map_err(errors::bare)?;
    cx.out().write_text(&text)?;
    Ok(ExitStatus::Success)
}

/// What `raw` stands for: the fields under each other.
fn raw(size: bool) -> String {
    let names = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n";
    let states = "state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\n";
    let others = "labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\n";
    let size = if size { "size: {{.Size}}\n" } else { "" };
    format!("{names}{states}{others}{size}")
}

fn columns(size: bool) -> Vec<Column> {
    COLUMNS.into_iter().chain(size.then_some(SIZE)).collect()
}

/// The fields of a container, in the form of Docker's.
fn row(container: &ContainerSummary, shortened: bool, now: SystemTime) -> Value {
    let ContainerSummary {
        id,
        image,
        command,
        created,
        ..
    } = container;
    let created_at = UNIX_EPOCH + Duration::from_secs(u64::try_from(*created).unwrap_or(0));
    let age = now.duration_since(created_at).unwrap_or_default();
    let networks: Vec<&str> = keys(&container.network_settings.networks);
    let labels: Vec<String> = container
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let local = container
        .mounts
        .iter()
        .filter(|mount| mount.driver == "local");
    json!({
        "ID": if shortened { listing::short_id(id) } else { id },
        "Image": image_name(image, shortened),
        "Command": quoted(command, shortened),
        "CreatedAt": listing::date(*created),
        "RunningFor": format!("{} ago", listing::human_duration(age)),
        "Status": container.status,
        "State": container.state,
        "Ports": ports(&container.ports),
        "Names": names(&container.names, shortened),
        "Size": size(container),
        "HealthStatus": health(&container.status),
        "Label": container.labels,
        "Labels": labels.join(","),
        "LocalVolumes": local.count().to_string(),
        "Mounts": mounts(container, shortened),
        "Networks": networks.join(","),
    })
}

fn keys<V>(map: &std::collections::BTreeMap<String, V>) -> Vec<&str> {
    map.keys().map(String::as_str).collect()
}

/// The name as people know it, without a digest, or the identifier cut short; or all that the engine says.
fn image_name(image: &str, shortened: bool) -> String {
    match image {
        "" => "<no image>".to_owned(),
        image if !shortened => image.to_owned(),
        image if is_id(image) => listing::short_id(image).to_owned(),
        image => match Image::parse(image) {
            Ok(Image::Named(name)) => {
                // It may have been completed with a tag that was not there.
                let (before, _) = image.split_once('@').unwrap_or((image, ""));
                let last = before.rsplit('/').next().unwrap_or_default();
                match name.tag().filter(|_| last.contains(':')) {
                    Some(tag) => format!("{}:{tag}", name.familiar_name()),
                    None => name.familiar_name(),
                }
            }
            _ => image.to_owned(),
        },
    }
}

fn is_id(image: &str) -> bool {
    let hex = image.strip_prefix("sha256:").unwrap_or(image);
    hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// In quotes, so that it is seen where it ends.
fn quoted(command: &str, shortened: bool) -> String {
    let command = if shortened {
        listing::ellipsis(command, COMMAND_WIDTH)
    } else {
        command.to_owned()
    };
    format!(
        "\"{}\"",
        command.escape_debug().to_string().replace("\\'", "'")
    )
}

/// The names without their slash. Those that other containers link to it by have a second one; a table leaves them out.
fn names(names: &[String], shortened: bool) -> String {
    let names: Vec<&str> = names
        .iter()
        .map(|name| name.strip_prefix('/').unwrap_or(name))
        .filter(|name| !shortened || !name.contains('/'))
        .collect();
    names.join(",")
}

fn size(container: &ContainerSummary) -> String {
    let human = |size: Option<i64>| {
        listing::human_size(u64::try_from(size.unwrap_or_default()).unwrap_or(0))
    };
    let written = human(container.size_rw);
    match container.size_root_fs {
        Some(whole) if whole > 0 => format!("{written} (virtual {})", human(Some(whole))),
        _ => written,
    }
}

/// How a container does by its own check, which its status says in parentheses.
fn health(status: &str) -> &str {
    let Some((_, health)) = status.split_once('(') else {
        return "";
    };
    let health = health.strip_suffix(')').unwrap_or_default();
    match health.strip_prefix("health: ").unwrap_or(health) {
        health @ ("healthy" | "unhealthy" | "starting") => health,
        _ => "",
    }
}

fn mounts(container: &ContainerSummary, shortened: bool) -> String {
    let mounts: Vec<String> = container
        .mounts
        .iter()
        .map(|mount| match mount.name.as_str() {
            "" => &mount.source,
            name => name,
        })
        .map(|name| match shortened {
            true => listing::ellipsis(name, 15),
            false => name.to_owned(),
        })
        .collect();
    mounts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(value: Value) -> ContainerSummary {
        serde_json::from_value(value).expect("a container")
    }

    #[test]
    fn a_row_is_shortened_for_a_table() {
        let id = "4c01db0b339c4c01db0b339c4c01db0b339c4c01db0b339c4c01db0b339c4c01";
        let container = container(json!({
            "Id": id, "Names": ["/web", "/other/alias"], "Image": format!("sha256:{id}"),
            "Command": "sh -c 'echo \"hello\" world'", "Created": 1_700_000_000, "State": "running",
            "Status": "Up 2 hours", "Labels": {"b": "2", "a": "1"}, "SizeRw": 12, "SizeRootFs": 1_240_000,
            "Mounts": [{"Type": "volume", "Name": "data", "Driver": "local"}, {"Type": "bind", "Source": "/a/rather/long/path"}],
            "NetworkSettings": {"Networks": {"bridge": {}}},
        }));
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + 7200);
        let short = row(&container, true, now);
        for (field, expected) in [
            ("ID", "4c01db0b339c"),
            ("Image", "4c01db0b339c"),
            ("Command", r#""sh -c 'echo \"hello\"…""#),
            ("RunningFor", "2 hours ago"),
            ("Status", "Up 2 hours"),
            ("Names", "web"),
            ("HealthStatus", ""),
            ("Size", "12B (virtual 1.24MB)"),
            ("Labels", "a=1,b=2"),
            ("LocalVolumes", "1"),
            ("Mounts", "data,/a/rather/long…"),
            ("Networks", "bridge"),
        ] {
            assert_eq!(short[field], expected, "{field}");
        }
        let whole = row(&container, false, now);
        assert_eq!(whole["ID"], id);
        assert_eq!(whole["Names"], "web,other/alias");
        assert_eq!(whole["Command"], r#""sh -c 'echo \"hello\" world'""#);
    }

    #[test]
    fn images_go_by_their_short_names() {
        let digest = format!("@sha256:{}", "0".repeat(64));
        for (image, expected) in [
            ("busybox", "busybox"),
            ("busybox:1", "busybox:1"),
            ("docker.io/library/busybox:latest", "busybox:latest"),
            (&format!("busybox{digest}"), "busybox"),
            (&format!("r:5000/a/b:1{digest}"), "r:5000/a/b:1"),
            ("r:5000/a", "r:5000/a"),
            ("Not A Name", "Not A Name"),
            ("", "<no image>"),
        ] {
            assert_eq!(image_name(image, true), expected);
        }
        assert_eq!(
            image_name("docker.io/library/x", false),
            "docker.io/library/x"
        );
    }

    #[test]
    fn a_status_says_how_healthy_a_container_is() {
        for (status, expected) in [
            ("Up 2 hours (healthy)", "healthy"),
            ("Up 2 hours (unhealthy)", "unhealthy"),
            ("Up 2 seconds (health: starting)", "starting"),
            ("Up 2 hours (Paused)", ""),
            ("Exited (0) 2 hours ago", ""),
            ("Up 2 hours", ""),
        ] {
            assert_eq!(health(status), expected, "{status}");
        }
    }

    #[test]
    fn every_field_of_a_row_is_known_to_the_listing() {
        let row = row(&ContainerSummary::default(), true, UNIX_EPOCH);
        let columns = columns(true);
        let listing = Listing::new(&columns).with_fields(&OTHERS);
        for field in row.as_object().expect("an object").keys() {
            let format = Format::parse(&format!("{{{{.{field}}}}}")).expect("a format");
            listing
                .check(&format)
                .unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
