//! `images`: list images. Engine API `GET /images/json`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use byname::{Context, ExitStatus, MaybeState, State, command};
use clap::Args;
use docker_cli::{Docker, errors};
use engine_client::{Client, ConfigFile, ImageSummary, ListImages};
use listing::{Column, Filters, Format, Listing};
use serde_json::{Value, json};

/// What stands for a name that an image does not have.
const NONE: &str = "<none>";

const REPOSITORY: Column = Column::new("Repository", "REPOSITORY");
const TAG: Column = Column::new("Tag", "TAG");
const DIGEST: Column = Column::new("Digest", "DIGEST");
const ID: Column = Column::new("ID", "IMAGE ID").of_ids();
const CREATED: Column = Column::new("CreatedSince", "CREATED");
const SIZE: Column = Column::new("Size", "SIZE");
const OTHERS: [Column; 5] = [
    DIGEST,
    Column::new("Containers", "CONTAINERS"),
    Column::new("CreatedAt", "CREATED AT"),
    Column::new("SharedSize", "SHARED SIZE"),
    Column::new("UniqueSize", "UNIQUE SIZE"),
];

#[derive(Args)]
struct Ls {
    /// Show intermediate images too
    #[arg(short, long)]
    all: bool,
    /// Show the images' registry digests
    #[arg(long)]
    digests: bool,
    /// Filter the output: dangling=true, reference=PATTERN, before=IMAGE, since=IMAGE, label=a=b
    #[arg(short, long, value_name = "KEY=VALUE")]
    filter: Vec<String>,
    /// Format the output: json, table, a template such as '{{.Repository}}:{{.Tag}}', or a table of one
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Do not truncate values
    #[arg(long)]
    no_trunc: bool,
    /// Show only IDs
    #[arg(short, long)]
    quiet: bool,
    /// Only images of this name, with or without a tag; it may have wildcards
    #[arg(value_name = "REPOSITORY[:TAG]")]
    reference: Option<String>,
}

/// List images
#[command(
    "images",
    alias = "image ls",
    hidden_alias = "image list",
    category = "Images"
)]
fn ls(
    cx: &mut Context,
    Docker(args): Docker<Ls>,
    client: State<Client>,
    configuration: MaybeState<ConfigFile>,
) -> anyhow::Result<ExitStatus> {
    let configured = configuration
        .get()
        .and_then(|file| file.images_format.as_deref());
    let quiet = args.quiet.then_some("{{.ID}}");
    let format = Format::choose(args.format.as_deref(), quiet, configured);
    let format = Format::parse(&template(format, &args)).map_err(errors::bare)?;
    let mut filters = Filters::parse(&args.filter).map_err(errors::filter)?;
    if let Some(reference) = &args.reference {
        filters.add("reference", reference);
    }
    let columns: Vec<Column> = if args.digests {
        vec![REPOSITORY, TAG, DIGEST, ID, CREATED, SIZE]
    } else {
        vec![REPOSITORY, TAG, ID, CREATED, SIZE]
    };
    let listing = Listing::new(&columns).with_fields(&OTHERS);
    listing.check(&format).map_err(errors::bare)?;
    let with_digests = args.digests || format.needs("Digest");
    let list = ListImages {
        all: args.all,
        // Engines send them in any case, and Podman refuses to be asked.
        digests: false,
        filters: (!filters.is_empty()).then(|| filters.to_json()),
    };
    let images = client.list_images(&list).map_err(errors::bare)?;
    let now = SystemTime::now();
    let rows: Vec<Value> = images
        .iter()
        .flat_map(|image| {
            let shape = Shape {
                with_digests,
                is_shortened: !args.no_trunc,
                // An image with several names is one image.
                is_once: args.quiet && args.format.is_none(),
            };
            shape.rows(image, now)
        })
        .collect();
    let size = cx.streams().out.as_fd().and_then(terminal::size);
    let width = size.filter(|_| !args.no_trunc);
    let text = listing
        .render(&format, &rows, width.map(|size| usize::from(size.columns)))
        .map_err(errors::bare)?;
    cx.out().write_text(&text)?;
    Ok(ExitStatus::Success)
}

/// The template of a format: of `raw` the fields under each other, and with `--digests` a table has them, whatever else.
fn template(format: &str, args: &Ls) -> String {
    let is_table = format.starts_with("table") && format != "table";
    match format {
        "raw" if args.quiet => "image_id: {{.ID}}".to_owned(),
        "raw" => {
            let names = "repository: {{.Repository}}\ntag: {{.Tag}}\n";
            let digest = if args.digests {
                "digest: {{.Digest}}\n"
            } else {
                ""
            };
            let others = "image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";
            format!("{names}{digest}{others}")
        }
        format if is_table && args.digests && !format.contains("{{.Digest}}") => {
            format!("{format}\t{{{{.Digest}}}}")
        }
        format => format.to_owned(),
    }
}

/// How the rows of an image are made.
struct Shape {
    with_digests: bool,
    is_shortened: bool,
    is_once: bool,
}

impl Shape {
    /// A row for each name of an image.
    fn rows(&self, image: &ImageSummary, now: SystemTime) -> Vec<Value> {
        let created = UNIX_EPOCH + Duration::from_secs(u64::try_from(image.created).unwrap_or(0));
        let age = now.duration_since(created).unwrap_or_default();
        let containers = match image.containers {
            -1 => "N/A".to_owned(),
            count => count.to_string(),
        };
        let size = |size: i64| match u64::try_from(size) {
            Ok(size) => listing::precise_human_size(size),
            Err(_) => "N/A".to_owned(),
        };
        let unique = match image.shared_size {
            -1 => -1,
            shared => image.size - shared,
        };
        let names = names(image, self.with_digests);
        let count = if self.is_once { 1 } else { names.len() };
        names
            .into_iter()
            .take(count)
            .map(|name| {
                json!({
                    "Repository": name.repository,
                    "Tag": name.tag,
                    "Digest": name.digest,
                    "ID": if self.is_shortened { listing::short_id(&image.id) } else { &image.id },
                    "CreatedSince": format!("{} ago", listing::human_duration(age)),
                    "CreatedAt": listing::date(image.created),
                    "Size": listing::human_size(u64::try_from(image.size).unwrap_or(0)),
                    "SharedSize": size(image.shared_size),
                    "UniqueSize": size(unique),
                    "Containers": containers,
                })
            })
            .collect()
    }
}

/// A repository without the names that stand for themselves where there are none: other engines write them all out.
fn familiar(repository: &str) -> &str {
    let Some(path) = repository.strip_prefix("docker.io/") else {
        return repository;
    };
    match (path.strip_prefix("library/"), path.split_once('/')) {
        (Some(name), _) if !name.contains('/') => name,
        // What would be taken for another registry's stays whole.
        (_, Some((first, _))) if first.contains(['.', ':']) || first == "localhost" => repository,
        _ => path,
    }
}

/// A name of an image, in its parts.
#[derive(Debug, PartialEq, Eq)]
struct Name<'a> {
    repository: &'a str,
    tag: &'a str,
    digest: &'a str,
}

/// The names of an image: its tags, each with the digest of its repository if digests are shown, then repositories that
/// only a digest is known of. An image without a name has one that says so.
fn names(image: &ImageSummary, with_digests: bool) -> Vec<Name<'_>> {
    let digests: Vec<(&str, &str)> = image
        .repo_digests
        .iter()
        .filter_map(|text| text.split_once('@'))
        .filter(|(repository, _)| *repository != NONE)
        .map(|(repository, digest)| (familiar(repository), digest))
        .collect();
    let tags: Vec<(&str, &str)> = image
        .repo_tags
        .iter()
        .filter_map(|text| text.rsplit_once(':'))
        .filter(|(repository, _)| *repository != NONE)
        .map(|(repository, tag)| (familiar(repository), tag))
        .collect();
    let mut names: Vec<Name<'_>> = Vec::new();
    for (repository, tag) in &tags {
        let of_repository = digests.iter().filter(|(name, _)| name == repository);
        let mut of_repository: Vec<&str> = of_repository.map(|(_, digest)| *digest).collect();
        if !with_digests || of_repository.is_empty() {
            of_repository = vec![NONE];
        }
        names.extend(of_repository.into_iter().map(|digest| Name {
            repository,
            tag,
            digest,
        }));
    }
    let untagged = digests
        .iter()
        .filter(|(repository, _)| !tags.iter().any(|(name, _)| name == repository));
    names.extend(untagged.map(|(repository, digest)| Name {
        repository,
        tag: NONE,
        digest: if with_digests { digest } else { NONE },
    }));
    if names.is_empty() {
        names.push(Name {
            repository: NONE,
            tag: NONE,
            digest: NONE,
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(tags: &[&str], digests: &[&str]) -> ImageSummary {
        let value =
            json!({"Id": "sha256:0123456789abcdef", "RepoTags": tags, "RepoDigests": digests});
        serde_json::from_value(value).expect("an image")
    }

    fn texts(tags: &[&str], digests: &[&str], with_digests: bool) -> Vec<String> {
        names(&image(tags, digests), with_digests)
            .iter()
            .map(|name| format!("{} {} {}", name.repository, name.tag, name.digest))
            .collect()
    }

    #[test]
    fn repositories_go_by_their_short_names() {
        for (repository, expected) in [
            ("busybox", "busybox"),
            ("docker.io/library/busybox", "busybox"),
            ("docker.io/user/name", "user/name"),
            ("docker.io/library/a/b", "library/a/b"),
            ("docker.io/a.b/c", "docker.io/a.b/c"),
            ("quay.io/library/busybox", "quay.io/library/busybox"),
        ] {
            assert_eq!(familiar(repository), expected);
        }
    }

    #[test]
    fn every_name_is_a_row() {
        assert_eq!(
            texts(&["a:1", "localhost:5000/a:2"], &["a@sha256:x"], false),
            ["a 1 <none>", "localhost:5000/a 2 <none>"]
        );
        assert_eq!(
            texts(&["a:1", "b:2"], &["a@sha256:x"], true),
            ["a 1 sha256:x", "b 2 <none>"]
        );
        assert_eq!(texts(&[], &["a@sha256:x"], true), ["a <none> sha256:x"]);
        for (tags, digests) in [
            (&[][..], &[][..]),
            (&["<none>:<none>"][..], &["<none>@<none>"][..]),
        ] {
            assert_eq!(texts(tags, digests, false), ["<none> <none> <none>"]);
        }
    }

    #[test]
    fn an_identifier_stands_once() {
        let shape = Shape {
            with_digests: false,
            is_shortened: true,
            is_once: true,
        };
        let rows = shape.rows(&image(&["a:1", "a:2"], &[]), UNIX_EPOCH);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["ID"], "0123456789ab");
    }
}
