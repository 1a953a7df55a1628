//! Pushes images to a registry without an engine: not every engine can push, and none an image of another platform.

use std::net::TcpStream;

use serde_json::{Value, json};

use crate::api::{Answer, SILENCE, exchange};
use crate::engine::split_tag;
use crate::gzip;
use crate::image::{self, Image, digest};
use crate::registry::Registry;

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

impl Registry {
    /// Puts an image of this machine's platform into this registry and returns its reference. No engine knows it.
    ///
    /// # Panics
    /// If the registry refuses.
    #[track_caller]
    pub fn push(&self, image: &Image, name: &str) -> String {
        let (repository, tag) = split_tag(name);
        self.put_image(repository, tag, &image::platform(), image);
        format!("{}/{name}", self.address())
    }

    /// Puts an image for each platform (`OS/ARCHITECTURE[/VARIANT]`) into this registry, with one index of them all,
    /// and returns its reference. The programs in them stay this machine's: only the label says another platform.
    ///
    /// # Panics
    /// If the registry refuses.
    #[track_caller]
    pub fn push_index(&self, images: &[(&str, Image)], name: &str) -> String {
        let (repository, tag) = split_tag(name);
        let manifests: Vec<Value> = images
            .iter()
            .enumerate()
            .map(|(number, (platform, image))| {
                let platform = platform_json(platform);
                let part = format!("{tag}-{number}");
                let mut entry = self.put_image(repository, &part, &platform, image);
                entry["platform"] = platform;
                entry
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.put_manifest(repository, tag, INDEX, &index);
        format!("{}/{name}", self.address())
    }

    /// Puts an image of this machine's platform into this registry that has these layers, the lowest first, compressed as
    /// `gzip` does by default, and returns its reference and the bytes that they are then.
    ///
    /// # Panics
    /// If the registry refuses, or there is no `gzip`.
    #[track_caller]
    pub fn push_layers(&self, layers: &[Image], name: &str) -> (String, usize) {
        let (repository, tag) = split_tag(name);
        let tars: Vec<Vec<u8>> = layers.iter().map(Image::tar).collect();
        let compressed: Vec<Vec<u8>> = tars.iter().map(|tar| gzip::compressed(tar)).collect();
        self.put_layers(repository, tag, &image::platform(), &tars, &compressed);
        let size = compressed.iter().map(Vec::len).sum();
        (format!("{}/{name}", self.address()), size)
    }

    /// Puts an image of one platform here, and returns how an index names it.
    #[track_caller]
    fn put_image(&self, repository: &str, tag: &str, platform: &Value, image: &Image) -> Value {
        let tar = image.tar();
        let layer = gzip::stored(&tar);
        self.put_layers(repository, tag, platform, &[tar], &[layer])
    }

    #[track_caller]
    fn put_layers(
        &self,
        repository: &str,
        tag: &str,
        platform: &Value,
        tars: &[Vec<u8>],
        compressed: &[Vec<u8>],
    ) -> Value {
        let config = image::config(platform, tars).to_string();
        let layers: Vec<Value> = compressed
            .iter()
            .map(|layer| self.put_blob(repository, LAYER, layer))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.put_blob(repository, CONFIG, config.as_bytes()),
            "layers": layers,
        });
        self.put_manifest(repository, tag, MANIFEST, &manifest)
    }

    #[track_caller]
    fn put_blob(&self, repository: &str, kind: &str, content: &[u8]) -> Value {
        let digest = digest(content);
        let begun = self.ask(
            "POST",
            &format!("/v2/{repository}/blobs/uploads/"),
            &[],
            &[],
        );
        let location = begun.header("Location").expect("where to upload");
        // It is a whole address, of which the host is known.
        let at = location.find("/v2/").expect("a path of the registry");
        let path = format!("{}&digest={digest}", &location[at..]);
        let binary = [("Content-Type", "application/octet-stream")];
        self.ask("PUT", &path, &binary, content);
        json!({"mediaType": kind, "digest": digest, "size": content.len()})
    }

    #[track_caller]
    fn put_manifest(&self, repository: &str, tag: &str, kind: &str, manifest: &Value) -> Value {
        let text = manifest.to_string();
        let path = format!("/v2/{repository}/manifests/{tag}");
        self.ask("PUT", &path, &[("Content-Type", kind)], text.as_bytes());
        json!({"mediaType": kind, "digest": digest(text.as_bytes()), "size": text.len()})
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let stream = TcpStream::connect(self.address()).expect("the registry listens");
        stream
            .set_read_timeout(Some(SILENCE))
            .expect("a socket has a time-out");
        let mut headers = headers.to_vec();
        headers.extend(self.login().map(|login| ("Authorization", login)));
        exchange(stream, method, path, &headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
            .expect_success()
    }
}

/// The platform as images and indexes have it.
fn platform_json(platform: &str) -> Value {
    let keys = ["os", "architecture", "variant"];
    let parts = platform.split('/').map(Value::from);
    keys.into_iter().map(str::to_owned).zip(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_has_two_or_three_parts() {
        assert_eq!(
            platform_json("linux/amd64"),
            json!({"os": "linux", "architecture": "amd64"})
        );
        assert_eq!(
            platform_json("linux/arm/v7"),
            json!({"os": "linux", "architecture": "arm", "variant": "v7"})
        );
    }
}
