//! `inspect`: describe objects of any kind.

use std::io::Write;

use byname::{Context, ExitStatus, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use docker_types::{CONTAINER, IMAGE, VOLUME};
use engine_client::{Client, Error};
use listing::{Inspection, Shape};
use serde_json::Value;

#[derive(Args)]
struct Inspect {
    /// Format the output: json, or a template such as '{{.Id}}' [default: one JSON array]
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show the containers' size on disk too
    #[arg(short, long)]
    size: bool,
    /// Look only for objects of this type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Containers, images or volumes, by name or ID
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// A kind of thing that an engine has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Container,
    Image,
    Volume,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Container, Kind::Image, Kind::Volume];

    fn parse(text: &str) -> anyhow::Result<Kind> {
        let found = Kind::ALL.into_iter().find(|kind| kind.name() == text);
        found.ok_or_else(|| {
            errors::bare(format!(
                "unknown type: {text:?}: the types are container, image and volume"
            ))
        })
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Container => "container",
            Kind::Image => "image",
            Kind::Volume => "volume",
        }
    }

    fn shape(self) -> Shape {
        match self {
            Kind::Container => CONTAINER,
            Kind::Image => IMAGE,
            Kind::Volume => VOLUME,
        }
    }

    fn describe(self, client: &Client, name: &str, size: bool) -> Result<Value, Error> {
        match self {
            Kind::Container => client.describe_container(name, size),
            Kind::Image => client.describe_image(name),
            Kind::Volume => client.describe_volume(name),
        }
    }
}

/// Display detailed information on containers, images or volumes
///
/// A name is looked up among containers first, then images, then volumes.
#[command("inspect", category = "System")]
fn inspect(
    cx: &mut Context,
    Docker(args): Docker<Inspect>,
    client: State<Client>,
) -> anyhow::Result<ExitStatus> {
    let mut inspection = Inspection::parse(args.format.as_deref()).map_err(errors::template)?;
    let kind = args.kind.as_deref().map(Kind::parse).transpose()?;
    if let Some(kind) = kind
        && args.size
        && kind != Kind::Container
    {
        let ignored = format!("WARNING: --size ignored for {}", kind.name());
        writeln!(cx.err(), "{ignored}")?;
    }
    let kinds = match &kind {
        Some(kind) => std::slice::from_ref(kind),
        None => &Kind::ALL,
    };
    let status = byname::for_each_operand(cx, args.names, |cx, name| {
        let (kind, description) = find(kinds, &client, &name, args.size)?;
        let text = inspection
            .add(description, kind.shape())
            .map_err(errors::bare)?;
        Ok(cx.out().write_text(&text)?)
    })?;
    cx.out().write_text(&inspection.finish())?;
    Ok(status)
}

/// The first thing of this name. A name that one kind cannot have may be another's.
fn find(kinds: &[Kind], client: &Client, name: &str, size: bool) -> anyhow::Result<(Kind, Value)> {
    for &kind in kinds {
        match kind.describe(client, name, size) {
            Ok(value) => return Ok((kind, value)),
            Err(error) if is_ambiguous(&error) => return Err(errors::bare(error)),
            Err(error) if kinds.len() > 1 && is_none_such(&error) => {}
            Err(error) => return Err(errors::bare(error)),
        }
    }
    Err(errors::bare(format!("Error: No such object: {name}")))
}

/// Several things begin like that: none of another kind is meant.
fn is_ambiguous(error: &Error) -> bool {
    error.to_string().contains("multiple IDs found")
}

fn is_none_such(error: &Error) -> bool {
    matches!(error.status(), Some(400 | 404)) || error.kind() == engine_client::ErrorKind::Input
}
