//! All that is known of an image.

use bollard_stubs::models::{
    DriverData, ImageHistoryResponseItem, ImageInspect, ImageInspectRootFs,
};
use serde_json::{Value, json};

use super::list::{familiar, seconds, signed};
use super::store::Store;
use crate::state::Moment;
use crate::{Error, Result};

impl Store {
    /// Describes an image.
    ///
    /// It is JSON and not a model: the models leave out what clients of old versions look for.
    ///
    /// # Errors
    ///
    /// Those of [`Store::resolve`].
    pub(crate) fn inspect(&self, name: &str, platform: Option<&str>) -> Result<Value> {
        let image = self.resolve(name, platform)?;
        let (repo_tags, repo_digests) = familiar(&self.names.of(image.id())?);
        let config = image.config();
        let some = |text: &String| Some(text.clone());
        let directories: Vec<String> = image
            .layers()
            .iter()
            .rev()
            .map(|layer| layer.directory.display().to_string())
            .collect();
        let beside = |name: &str| {
            let layer = image.layers().last()?;
            Some(layer.directory.with_file_name(name).display().to_string())
        };
        // The keys of Docker's driver, by which people find the files; nothing is mounted at two of them.
        let data = [
            ("MergedDir", beside("merged")),
            ("WorkDir", beside("work")),
            ("UpperDir", directories.first().cloned()),
            (
                "LowerDir",
                Some(
                    directories
                        .iter()
                        .skip(1)
                        .cloned()
                        .collect::<Vec<_>>()
                        .join(":"),
                ),
            ),
        ];
        let model = ImageInspect {
            id: Some(image.id().to_string()),
            repo_tags: Some(repo_tags),
            repo_digests: Some(repo_digests),
            comment: some(&config.comment),
            created: Some(config.created.clone()).filter(|created| !created.is_empty()),
            author: some(&config.author),
            config: Some(config.config.clone()),
            architecture: some(&config.architecture),
            variant: Some(config.variant.clone()).filter(|variant| !variant.is_empty()),
            os: some(&config.os),
            size: Some(signed(image.size())),
            graph_driver: Some(DriverData {
                name: "overlay2".to_owned(),
                data: data
                    .into_iter()
                    .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                    .filter(|(_, value)| !value.is_empty())
                    .collect(),
            }),
            root_fs: Some(ImageInspectRootFs {
                typ: "layers".to_owned(),
                layers: Some(
                    config
                        .rootfs
                        .diff_ids
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                ),
            }),
            ..ImageInspect::default()
        };
        let mut shown = serde_json::to_value(model).map_err(|error| {
            Error::system(format!("show the image: {error}")).with_source(error)
        })?;
        shown["Parent"] = json!("");
        shown["DockerVersion"] = json!(config.docker_version);
        // Nobody writes down when a name was given.
        shown["Metadata"] = json!({ "LastTagTime": Moment::NEVER });
        Ok(shown)
    }

    /// How an image came about, the newest step first.
    ///
    /// # Errors
    ///
    /// Those of [`Store::resolve`].
    pub(crate) fn history(
        &self,
        name: &str,
        platform: Option<&str>,
    ) -> Result<Vec<ImageHistoryResponseItem>> {
        let image = self.resolve(name, platform)?;
        let mut layers = image.layers().iter();
        let mut steps = Vec::new();
        for step in &image.config().history {
            let layer = if step.empty_layer {
                None
            } else {
                layers.next()
            };
            steps.push(ImageHistoryResponseItem {
                // Which image a step led to is known of the last one alone.
                id: "<missing>".to_owned(),
                created: seconds(&step.created),
                created_by: step.created_by.clone(),
                tags: Vec::new(),
                size: signed(layer.map_or(0, |layer| layer.size)),
                comment: step.comment.clone(),
            });
        }
        steps.reverse();
        if let Some(last) = steps.first_mut() {
            last.id = image.id().to_string();
            last.tags = familiar(&self.names.of(image.id())?).0;
        }
        Ok(steps)
    }
}
