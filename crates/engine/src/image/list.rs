//! Lists of images, and which ones are in them.

use std::collections::{HashMap, HashSet};

use bollard_stubs::models::ImageSummary;
use image_reference::Reference;
use serde_json::Value;

use super::digest::Digest;
use super::pattern;
use super::store::{Image, Store};
use super::users;
use crate::api::Filters;
use crate::state::Moment;
use crate::{Error, Result};

const FILTERS: [&str; 7] = [
    "before",
    "dangling",
    "label",
    "label!",
    "reference",
    "since",
    "until",
];

/// When an image that does not say was made, as the API has it.
const UNKNOWN: i64 = 0;

/// What a list shall have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListOptions {
    /// Which.
    pub(crate) filters: Filters,
    /// How much of each is in layers that others have, too.
    pub(crate) shared_size: bool,
}

impl Store {
    /// The images, the newest first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a filter that there is not or a value
    /// that it cannot have, and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an image in one that is not here.
    pub(crate) fn list(&self, options: &ListOptions) -> Result<Vec<Value>> {
        let filters = &options.filters;
        let users = users::all(self.layout())?.known;
        let shared = match options.shared_size {
            true => Some(self.shared_layers()?),
            false => None,
        };
        let of_image = |summary: ImageSummary| {
            let has_labels = !summary.labels.is_empty();
            let mut shown = serde_json::to_value(summary).map_err(|error| {
                Error::system(format!("show the image: {error}")).with_source(error)
            })?;
            if !has_labels {
                shown["Labels"] = Value::Null;
            }
            Ok(shown)
        };
        let summaries = self.summaries(filters, |image| {
            let id = image.id().to_string();
            let containers = users.iter().filter(|user| user.image == id).count();
            let shared = shared.as_ref().map(|shared| {
                let layers = image.layers().iter();
                layers
                    .filter(|layer| shared.contains(&layer.chain))
                    .map(|layer| layer.size)
                    .sum()
            });
            (
                i64::try_from(containers).unwrap_or(i64::MAX),
                shared.map_or(-1, signed),
            )
        })?;
        summaries.into_iter().map(of_image).collect()
    }

    /// The layers that several images have.
    fn shared_layers(&self) -> Result<HashSet<Digest>> {
        let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
        let pin = self.pin()?;
        for id in self.ids()? {
            let Some(image) = self.image(&id, &pin)? else {
                continue;
            };
            for layer in image.layers() {
                if !seen.insert(layer.chain.clone()) {
                    shared.insert(layer.chain.clone());
                }
            }
        }
        Ok(shared)
    }

    /// The images that fit, the newest first; `counts` says of each how many containers it has and how many bytes it
    /// shares.
    pub(super) fn summaries(
        &self,
        filters: &Filters,
        counts: impl Fn(&Image) -> (i64, i64),
    ) -> Result<Vec<ImageSummary>> {
        filters.check(&FILTERS)?;
        let dangling = filters.flag("dangling")?;
        let created_of = |name: &str| -> Result<Option<i64>> {
            let names = filters.get(name);
            let created = names
                .iter()
                .map(|name| Ok(created(&self.resolve(name, None)?)));
            Ok(created.collect::<Result<Vec<_>>>()?.into_iter().min())
        };
        let (before, since) = (created_of("before")?, created_of("since")?);
        let until = moments(filters.get("until"))?;
        // A filter asks for what nobody knows of one that is damaged.
        let is_plain = FILTERS.iter().all(|name| !filters.has(name));
        let mut names = self.names_by_id()?;

        let pin = self.pin()?;
        let mut summaries = Vec::new();
        for id in self.ids()? {
            let Some(image) = self.image(&id, &pin)? else {
                let references = names.remove(&id).unwrap_or_default();
                // One without any name is a pull that did not come to its end, which goes by itself.
                let is_wanted = !references.is_empty() && is_plain && self.image_path(&id).exists();
                if is_wanted {
                    summaries.push(damaged(&id, &references));
                }
                continue;
            };
            let created = created(&image);
            let labels = image.config().labels();
            let mut references = names.remove(&id).unwrap_or_default();
            let is_dangling = references.iter().all(|reference| reference.tag().is_none());
            if dangling.is_some_and(|dangling| dangling != is_dangling)
                || before.is_some_and(|before| created >= before)
                || since.is_some_and(|since| created <= since)
                || until.iter().any(|until| created >= *until)
                || !filters.labels(|name| labels.get(name).map(String::as_str))
            {
                continue;
            }
            if filters.has("reference") {
                references
                    .retain(|reference| filters.any("reference", |wanted| is(wanted, reference)));
                if references.is_empty() {
                    continue;
                }
            }
            let (repo_tags, repo_digests) = familiar(&references);
            let (containers, shared_size) = counts(&image);
            summaries.push(ImageSummary {
                id: id.to_string(),
                repo_tags,
                repo_digests,
                created,
                size: signed(image.size()),
                shared_size,
                labels,
                containers,
                ..ImageSummary::default()
            });
        }
        summaries.sort_by_key(|summary| std::cmp::Reverse(summary.created));
        Ok(summaries)
    }

    fn names_by_id(&self) -> Result<HashMap<Digest, Vec<Reference>>> {
        let mut names: HashMap<_, Vec<_>> = HashMap::new();
        for name in self.names.all()? {
            names.entry(name.id).or_default().push(name.reference);
        }
        Ok(names)
    }
}

/// An image of which a part is missing: it is of no use, but has names, and can be removed.
fn damaged(id: &Digest, references: &[Reference]) -> ImageSummary {
    let (repo_tags, repo_digests) = familiar(references);
    ImageSummary {
        id: id.to_string(),
        repo_tags,
        repo_digests,
        created: UNKNOWN,
        labels: [(
            "damaged".to_owned(),
            "a part of this image is missing: pull it again, or remove it".to_owned(),
        )]
        .into(),
        shared_size: -1,
        containers: -1,
        ..ImageSummary::default()
    }
}

/// When an image was made, in seconds since 1970.
pub(super) fn created(image: &Image) -> i64 {
    seconds(&image.config().created)
}

pub(super) fn seconds(text: &str) -> i64 {
    text.parse::<Moment>().map_or(UNKNOWN, Moment::unix_seconds)
}

/// Names with tags, and names with digests, as people know them.
pub(super) fn familiar(references: &[Reference]) -> (Vec<String>, Vec<String>) {
    let familiar = |has_digest: bool| {
        references
            .iter()
            .filter(|reference| reference.digest().is_some() == has_digest)
            .map(Reference::familiar)
            .collect()
    };
    (familiar(false), familiar(true))
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Whether a name is meant by a pattern of it, with its tag or without.
fn is(wanted: &str, reference: &Reference) -> bool {
    pattern::fits(wanted, &reference.familiar())
        || pattern::fits(wanted, &reference.familiar_name())
        || pattern::fits(wanted, &reference.repository())
}

/// Points in time: seconds since 1970, a date, or how long ago.
fn moments(values: &[String]) -> Result<Vec<i64>> {
    let parse = |value: &String| {
        if let Ok(seconds) = value.parse() {
            return Ok(seconds);
        }
        if let Ok(moment) = value.parse::<Moment>() {
            return Ok(moment.unix_seconds());
        }
        Err(Error::invalid(format!("invalid filter 'until={value}'")))
    };
    values.iter().map(parse).collect()
}
