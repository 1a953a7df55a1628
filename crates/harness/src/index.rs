//! Images for several platforms, which an engine of one platform cannot push.

use std::net::TcpStream;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::{Answer, SILENCE, exchange};
use crate::engine::{Engine, split_tag};
use crate::image::Image;
use crate::registry::Registry;

/// What engines push: Docker's, and Podman's.
const MANIFESTS: &str = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

impl Registry {
    /// Puts an image for each platform (`OS/ARCHITECTURE[/VARIANT]`) into this registry, with one index of them all,
    /// and returns its reference. The programs in them stay this machine's: only the label says another platform.
    ///
    /// # Panics
    /// If engine or registry refuses.
    #[track_caller]
    pub fn push_index(&self, engine: &Engine, images: &[(&str, Image)], name: &str) -> String {
        let (repository, tag) = split_tag(name);
        let manifests: Vec<Value> = images
            .iter()
            .enumerate()
            .map(|(number, (platform, image))| {
                let part = format!("{tag}-{number}");
                self.push(engine, image, &format!("{repository}:{part}"));
                self.label(repository, &part, platform)
            })
            .collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        self.put_manifest(repository, tag, INDEX, &index);
        format!("{}/{name}", self.address())
    }

    /// Gives an image that is here the label of a platform, and returns its entry in an index.
    #[track_caller]
    fn label(&self, repository: &str, tag: &str, platform: &str) -> Value {
        let accept = [("Accept", MANIFESTS)];
        let answer = self.ask("GET", &manifest_path(repository, tag), &accept, &[]);
        let kind = answer.header("Content-Type").expect("a type").to_owned();
        let mut manifest = answer.json();
        let config = manifest["config"]["digest"].as_str().expect("a digest");
        let path = format!("/v2/{repository}/blobs/{config}");
        let mut config = self.ask("GET", &path, &[], &[]).json();
        let platform = platform_json(platform);
        for (key, value) in platform.as_object().expect("an object") {
            config[key] = value.clone();
        }
        let config = config.to_string();
        manifest["config"]["digest"] = self.put_blob(repository, config.as_bytes()).into();
        manifest["config"]["size"] = config.len().into();
        let (digest, size) = self.put_manifest(repository, tag, &kind, &manifest);
        json!({"mediaType": kind, "digest": digest, "size": size, "platform": platform})
    }

    #[track_caller]
    fn put_blob(&self, repository: &str, content: &[u8]) -> String {
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
        let kind = [("Content-Type", "application/octet-stream")];
        self.ask("PUT", &path, &kind, content);
        digest
    }

    #[track_caller]
    fn put_manifest(
        &self,
        repository: &str,
        tag: &str,
        kind: &str,
        manifest: &Value,
    ) -> (String, usize) {
        let text = manifest.to_string();
        let path = manifest_path(repository, tag);
        self.ask("PUT", &path, &[("Content-Type", kind)], text.as_bytes());
        (digest(text.as_bytes()), text.len())
    }

    #[track_caller]
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let stream = TcpStream::connect(self.address()).expect("the registry listens");
        stream
            .set_read_timeout(Some(SILENCE))
            .expect("a socket has a time-out");
        exchange(stream, method, path, headers, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
            .expect_success()
    }
}

fn manifest_path(repository: &str, tag: &str) -> String {
    format!("/v2/{repository}/manifests/{tag}")
}

/// The platform as images and indexes have it.
fn platform_json(platform: &str) -> Value {
    let keys = ["os", "architecture", "variant"];
    let parts = platform.split('/').map(Value::from);
    keys.into_iter().map(str::to_owned).zip(parts).collect()
}

fn digest(content: &[u8]) -> String {
    let hash = Sha256::digest(content);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_named_by_its_kind() {
        assert_eq!(
            digest(b""),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

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
