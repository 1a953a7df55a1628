//! Lists of images, and which ones are in them.

use std::collections::HashMap;

use bollard_stubs::models::ImageSummary;
use image_reference::Reference;

use super::digest::Digest;
use super::pattern;
use super::store::{Image, Store};
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

impl Store {
    /// The images, the newest first.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a filter that there is not or a value
    /// that it cannot have, and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an image in one that is not here.
    pub(crate) fn list(&self, filters: &Filters) -> Result<Vec<ImageSummary>> {
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
        let mut names = self.names_by_id()?;

        let pin = self.pin()?;
        let mut summaries = Vec::new();
        for id in self.ids()? {
            let Some(image) = self.image(&id, &pin)? else {
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
            summaries.push(ImageSummary {
                id: id.to_string(),
                repo_tags,
                repo_digests,
                created,
                size: signed(image.size()),
                shared_size: -1,
                labels,
                // As with Docker, nobody counts them for a list.
                containers: -1,
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
