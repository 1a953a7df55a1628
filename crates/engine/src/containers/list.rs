//! Lists of containers, and which ones are in them.

use regex::Regex;
use serde_json::Value;

use super::{Container, summary};
use crate::api::Filters;
use crate::state::{HealthStatus, Moment, Status, Store};
use crate::{Engine, Error, Result, network};

/// What a list shall have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListOptions {
    /// Those that do not run, too.
    pub(crate) all: bool,
    /// So many of the newest, whether they run or not; 0 for all.
    pub(crate) limit: usize,
    /// How much each wrote.
    pub(crate) size: bool,
    /// Which.
    pub(crate) filters: Filters,
}

const FILTERS: [&str; 16] = [
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "label!",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];

/// The containers, the newest first.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a filter that there is not, or a value that it
/// cannot have, and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a container in one that does not exist.
pub(crate) fn list(engine: &Engine, options: &ListOptions) -> Result<Vec<Value>> {
    let wanted = Wanted::of(engine, options)?;
    let mut summaries = Vec::new();
    let now = Moment::now();
    for container in newest_first(engine)? {
        if options.limit > 0 && summaries.len() == options.limit {
            break;
        }
        if wanted.has(&container)? {
            summaries.push(summary::of(engine, &container, now, options.size)?);
        }
    }
    Ok(summaries)
}

/// All containers, the newest first.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the directory of containers cannot be read.
pub(super) fn newest_first(engine: &Engine) -> Result<Vec<Container>> {
    let mut containers = Vec::new();
    for id in Store::new(engine.layout()).ids()? {
        // One that cannot be read hides neither itself nor the others; `inspect` says what is wrong with it.
        containers.extend(Container::of_id_or_damaged(engine, &id));
    }
    containers.sort_by(|one, other| {
        (other.record.created, other.id()).cmp(&(one.record.created, one.id()))
    });
    Ok(containers)
}

/// How many containers there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Those that run, frozen ones aside.
    pub(crate) running: usize,
    /// Those whose processes are frozen.
    pub(crate) paused: usize,
    /// All others.
    pub(crate) stopped: usize,
}

impl Counts {
    /// All together.
    pub(crate) fn all(self) -> usize {
        self.running + self.paused + self.stopped
    }
}

/// Counts the containers.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the directory of containers cannot be read.
pub(crate) fn count(engine: &Engine) -> Result<Counts> {
    let mut counts = Counts::default();
    for container in newest_first(engine)? {
        match container.state.status {
            Status::Running | Status::Restarting => counts.running += 1,
            Status::Paused => counts.paused += 1,
            _ => counts.stopped += 1,
        }
    }
    Ok(counts)
}

/// What is asked for, checked.
struct Wanted<'a> {
    engine: &'a Engine,
    filters: &'a Filters,
    all: bool,
    ids: Patterns,
    names: Patterns,
    before: Option<Moment>,
    since: Option<Moment>,
    statuses: Vec<Status>,
    exited: Vec<i64>,
    ancestors: Vec<String>,
    publish: Vec<PortRange>,
    expose: Vec<PortRange>,
}

impl<'a> Wanted<'a> {
    fn of(engine: &'a Engine, options: &'a ListOptions) -> Result<Wanted<'a>> {
        let filters = &options.filters;
        filters.check(&FILTERS)?;
        let created = |name: &str| -> Result<Option<Moment>> {
            let Some(reference) = filters.get(name).last() else {
                return Ok(None);
            };
            let store = Store::new(engine.layout());
            let record = store.record(&store.find(reference)?)?;
            Ok(Some(record.created))
        };
        let invalid =
            |name: &str, value: &str| Error::invalid(format!("invalid filter '{name}={value}'"));
        let statuses = filters
            .get("status")
            .iter()
            .map(|word| status(word).ok_or_else(|| invalid("status", word)))
            .collect::<Result<Vec<_>>>()?;
        let exited = filters
            .get("exited")
            .iter()
            .map(|code| code.parse().map_err(|_| invalid("exited", code)))
            .collect::<Result<Vec<_>>>()?;
        for word in filters.get("health") {
            if !matches!(word.as_str(), "none" | "starting" | "healthy" | "unhealthy") {
                return Err(invalid("health", word));
            }
        }
        let ports = |name: &str| -> Result<Vec<PortRange>> {
            let values = filters.get(name).iter();
            values
                .map(|value| PortRange::parse(value).ok_or_else(|| invalid(name, value)))
                .collect()
        };
        Ok(Wanted {
            engine,
            filters,
            all: options.all || options.limit > 0 || !statuses.is_empty(),
            ids: Patterns::of(filters, "id")?,
            names: Patterns::of(filters, "name")?,
            before: created("before")?,
            since: created("since")?,
            statuses,
            exited,
            ancestors: ancestors(engine, filters),
            publish: ports("publish")?,
            expose: ports("expose")?,
        })
    }

    fn has(&self, container: &Container) -> Result<bool> {
        let Container { record, state, .. } = container;
        let up = state.is_running();
        if !self.all && !up {
            return Ok(false);
        }
        let labels = record.body.labels.as_ref();
        let health = state
            .health
            .as_ref()
            .map_or("none", |health| match health.status {
                HealthStatus::Starting => "starting",
                HealthStatus::Healthy => "healthy",
                HealthStatus::Unhealthy => "unhealthy",
            });
        let is_exited_with = self.exited.is_empty()
            || state.status == Status::Exited && self.exited.contains(&state.exit_code);
        let is_descendant = !self.filters.has("ancestor")
            || self.ancestors.contains(&record.image)
            || self
                .filters
                .get("ancestor")
                .contains(&summary::image(self.engine, record));
        Ok(self.ids.fit(&[&record.id])
            && self
                .names
                .fit(&[&record.name, &format!("/{}", record.name)])
            && self.before.is_none_or(|moment| record.created < moment)
            && self.since.is_none_or(|moment| record.created > moment)
            && (self.statuses.is_empty() || self.statuses.contains(&state.status))
            && is_exited_with
            && is_descendant
            && self.filters.any("health", |word| word == health)
            && self.filters.any("isolation", |word| word == "default")
            && self.filters.flag("is-task")? != Some(true)
            && self
                .filters
                .labels(|name| labels?.get(name).map(String::as_str))
            && self.has_volume(container)
            && self.has_network(container)
            && self.has_ports(container))
    }

    fn has_volume(&self, container: &Container) -> bool {
        self.filters.any("volume", |wanted| {
            container.record.mounts.iter().any(|point| {
                point.destination == wanted
                    || match point.name.as_str() {
                        "" => point.source.as_os_str() == wanted,
                        name => name == wanted,
                    }
            })
        })
    }

    /// By a network's name, or by how its id begins.
    fn has_network(&self, container: &Container) -> bool {
        if !self.filters.has("network") {
            return true;
        }
        let settings = summary::network_settings(container).unwrap_or_default();
        settings.networks.iter().flatten().any(|(name, _)| {
            let id = network::network_id(self.engine.layout(), name);
            self.filters
                .any("network", |wanted| wanted == name || id.starts_with(wanted))
        })
    }

    fn has_ports(&self, container: &Container) -> bool {
        if self.publish.is_empty() && self.expose.is_empty() {
            return true;
        }
        let settings = summary::network_settings(container).unwrap_or_default();
        // By the machine's port.
        let mut published = Vec::new();
        for (port, bindings) in settings.ports.iter().flatten() {
            let (_, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            let bound = bindings.iter().flatten();
            published.extend(
                bound
                    .filter_map(|binding| binding.host_port.as_deref())
                    .map(|port| format!("{port}/{protocol}")),
            );
        }
        let exposed = container.record.body.exposed_ports.iter().flatten();
        let fits = |wanted: &[PortRange], ports: Vec<String>| {
            wanted.is_empty()
                || ports
                    .iter()
                    .any(|port| wanted.iter().any(|range| range.has(port)))
        };
        fits(&self.publish, published) && fits(&self.expose, exposed.cloned().collect())
    }
}

fn status(word: &str) -> Option<Status> {
    [
        Status::Created,
        Status::Running,
        Status::Paused,
        Status::Restarting,
        Status::Removing,
        Status::Exited,
        Status::Dead,
    ]
    .into_iter()
    .find(|status| status.as_str() == word)
}

/// The ids of the images that are named.
fn ancestors(engine: &Engine, filters: &Filters) -> Vec<String> {
    let images = engine.images();
    filters
        .get("ancestor")
        .iter()
        // Of one that is not here any more there may be containers still, found by what they were made of.
        .filter_map(|name| images.resolve(name, None).ok())
        .map(|image| image.id().to_string())
        .collect()
}

/// Texts of which one has to be found, each a text or a regular expression, as Docker has them.
struct Patterns {
    texts: Vec<String>,
    expressions: Vec<Regex>,
}

impl Patterns {
    fn of(filters: &Filters, name: &str) -> Result<Patterns> {
        let texts = filters.get(name).to_vec();
        let expressions = texts
            .iter()
            .map(|text| {
                Regex::new(text).map_err(|error| {
                    Error::invalid(format!("invalid filter '{name}={text}': {error}"))
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Patterns { texts, expressions })
    }

    fn fit(&self, values: &[&str]) -> bool {
        self.texts.is_empty()
            || values.iter().any(|value| {
                self.texts.iter().any(|text| text == value)
                    || self
                        .expressions
                        .iter()
                        .any(|expression| expression.is_match(value))
            })
    }
}

/// `80`, `80/udp` or `80-90/tcp`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PortRange {
    first: u16,
    last: u16,
    protocol: String,
}

impl PortRange {
    fn parse(text: &str) -> Option<PortRange> {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        Some(PortRange {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            protocol: protocol.to_owned(),
        })
    }

    fn has(&self, port: &str) -> bool {
        PortRange::parse(port).is_some_and(|port| {
            port.protocol == self.protocol && self.first <= port.first && port.last <= self.last
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_texts_or_expressions() {
        let filters = |text: &str| Filters::parse(Some(text)).expect("filters");
        let patterns = |text: &str| Patterns::of(&filters(text), "name").expect("patterns");
        let names = ["web_1", "/web_1"];
        for (text, expected) in [
            ("{}", true),
            (r#"{"name":["web"]}"#, true),
            (r#"{"name":["^web_1$"]}"#, true),
            (r#"{"name":["^/web_1$"]}"#, true),
            (r#"{"name":["^web$"]}"#, false),
            (r#"{"name":["db","w.b"]}"#, true),
        ] {
            assert_eq!(patterns(text).fit(&names), expected, "{text}");
        }
        let error = Patterns::of(&filters(r#"{"name":["("]}"#), "name").err();
        assert_eq!(error.map(|error| error.status()), Some(400));
    }

    #[test]
    fn ports_are_in_ranges() {
        let range = |text: &str| PortRange::parse(text).expect("a range");
        assert!(range("80").has("80/tcp"));
        assert!(!range("80").has("80/udp"));
        assert!(range("80-90/udp").has("85/udp"));
        assert!(!range("80-90").has("91/tcp"));
        assert_eq!(PortRange::parse("http"), None);
    }
}
