//! Manifests and indexes: which configuration and layers an image has, and which image is for which platform.

use std::str::FromStr;

use libcontainer::oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::image::digest::Digest;
use crate::image::platform::Platform;
use crate::{Error, Result, json};

/// What is asked for, in the header `Accept`.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// The longest manifest that is read, which is Docker's limit.
pub(super) const LONGEST: u64 = 4 << 20;
/// The most layers of an image: Docker's limit, and the kernel could stack few more.
const MOST_LAYERS: usize = 125;

/// What a registry has under a tag or a digest.
#[derive(Debug)]
pub(in crate::image) enum Document {
    /// Images for several platforms.
    Index(Vec<Offer>),
    /// One image.
    Image(Manifest),
}

/// One image of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::image) struct Offer {
    pub(in crate::image) digest: Digest,
    pub(in crate::image) platform: Platform,
}

/// The parts of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::image) struct Manifest {
    pub(in crate::image) config: Blob,
    /// The lowest first.
    pub(in crate::image) layers: Vec<Blob>,
}

/// Something that is found by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::image) struct Blob {
    pub(in crate::image) digest: Digest,
    pub(in crate::image) size: u64,
}

/// What a document is, before it is read as one. Its keys are in any case, as for those who read it with Go: what they take
/// for an index is none here otherwise.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outline {
    media_type: Option<String>,
    schema_version: Option<u64>,
    manifests: Option<IgnoredAny>,
    layers: Option<IgnoredAny>,
    config: Option<IgnoredAny>,
}

/// Reads a manifest or an index. `media_type` is what the registry calls it.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is neither, and
/// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for an old one or an image of something else than a
/// container.
pub(in crate::image) fn parse(media_type: &str, bytes: &[u8]) -> Result<Document> {
    let outline: Outline = json::from_slice(bytes).map_err(|error| invalid(&error))?;
    let own_type = outline.media_type.as_deref().unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if outline.schema_version == Some(1) {
        return Err(Error::not_implemented(
            "the embedded engine does not do Docker image manifest version 2, schema 1; ask the publisher for an image in \
             today's format",
        ));
    }
    // What could be read as either is read differently by different programs, on purpose perhaps.
    let is_image = outline.layers.is_some() || outline.config.is_some();
    let is_index = match (outline.manifests.is_some(), is_image) {
        (true, false) => true,
        (false, true) => false,
        _ => return Err(invalid(&"it is neither that of one image nor an index")),
    };
    for said in [media_type, own_type] {
        if is_index_type(said).is_some_and(|says_index| says_index != is_index) {
            return Err(invalid(&format_args!(
                "it is not of the type {said}, as is said of it"
            )));
        }
    }
    if is_index {
        let index: ImageIndex = json::from_slice(bytes).map_err(|error| invalid(&error))?;
        return Ok(Document::Index(
            index.manifests().iter().filter_map(offer).collect(),
        ));
    }
    let manifest: ImageManifest = json::from_slice(bytes).map_err(|error| invalid(&error))?;
    let config_type = manifest.config().media_type().to_string();
    if !matches!(
        config_type.as_str(),
        "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
            | "application/octet-stream"
    ) {
        return Err(Error::not_implemented(format!(
            "unsupported media type {config_type}: it is not an image for containers"
        )));
    }
    if manifest.layers().len() > MOST_LAYERS {
        return Err(invalid(&format_args!(
            "it has more than {MOST_LAYERS} layers"
        )));
    }
    for layer in manifest.layers() {
        let layer_type = layer.media_type().to_string();
        if !layer_type.contains(".tar") && !layer_type.ends_with("+tar") {
            return Err(Error::not_implemented(format!(
                "unsupported media type {layer_type}: it is not a layer of files"
            )));
        }
    }
    Ok(Document::Image(Manifest {
        config: blob(manifest.config())?,
        layers: manifest.layers().iter().map(blob).collect::<Result<_>>()?,
    }))
}

/// The image for that platform, the one that suits it best if there are several.
///
/// # Errors
///
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) with Docker's text if there is none.
pub(in crate::image) fn choose<'a>(offers: &'a [Offer], platform: &Platform) -> Result<&'a Offer> {
    offers
        .iter()
        .filter_map(|offer| Some((platform.rank(&offer.platform)?, offer)))
        // Of several that suit as well, the first one is meant.
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, offer)| offer)
        .ok_or_else(|| {
            Error::not_found(format!(
                "no matching manifest for {platform} in the manifest list entries"
            ))
        })
}

fn is_index_type(media_type: &str) -> Option<bool> {
    match media_type {
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => Some(true),
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => Some(false),
        _ => None,
    }
}

/// An image that says what it is for. Attestations say that they are for an unknown platform.
fn offer(descriptor: &Descriptor) -> Option<Offer> {
    let platform = descriptor.platform().as_ref()?;
    Some(Offer {
        digest: blob(descriptor).ok()?.digest,
        platform: Platform::new(
            &platform.os().to_string(),
            &platform.architecture().to_string(),
            platform.variant().as_deref().unwrap_or_default(),
        ),
    })
}

fn blob(descriptor: &Descriptor) -> Result<Blob> {
    Ok(Blob {
        digest: Digest::from_str(descriptor.digest().as_ref())?,
        size: descriptor.size(),
    })
}

fn invalid(what: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("invalid image manifest: {what}"))
}

/// The body of this module's fuzz target.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    for media_type in ["", "application/vnd.oci.image.index.v1+json"] {
        match parse(media_type, data) {
            Ok(Document::Image(manifest)) => assert!(manifest.layers.len() <= MOST_LAYERS),
            Ok(Document::Index(offers)) => {
                if let Ok(platform) = Platform::own() {
                    let _ = choose(&offers, &platform);
                }
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn descriptor(media_type: &str, content: &[u8]) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(content).to_string(), "size": content.len()})
    }

    fn manifest(layers: usize) -> Value {
        let layer = descriptor(
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            b"layer",
        );
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": descriptor("application/vnd.docker.container.image.v1+json", b"config"),
            "layers": vec![layer; layers],
        })
    }

    fn parsed(value: &Value) -> Result<Document> {
        parse("", value.to_string().as_bytes())
    }

    #[test]
    fn an_image_has_parts() {
        let Document::Image(found) = parsed(&manifest(2)).expect("a manifest") else {
            panic!("it is of one image");
        };
        assert_eq!(
            found.config,
            Blob {
                digest: Digest::of(b"config"),
                size: 6
            }
        );
        assert_eq!(
            found.layers,
            vec![
                Blob {
                    digest: Digest::of(b"layer"),
                    size: 5
                };
                2
            ]
        );
    }

    #[test]
    fn an_index_offers_platforms() {
        let entry = |content: &[u8], platform: Value| {
            let mut entry = descriptor("application/vnd.oci.image.manifest.v1+json", content);
            entry["platform"] = platform;
            entry
        };
        let index = json!({"schemaVersion": 2, "manifests": [
            entry(b"attestation", json!({"os": "unknown", "architecture": "unknown"})),
            descriptor("application/vnd.oci.image.manifest.v1+json", b"for nobody"),
            entry(b"v6", json!({"os": "linux", "architecture": "arm", "variant": "v6"})),
            entry(b"arm64", json!({"os": "linux", "architecture": "arm64", "variant": "v8"})),
            entry(b"amd64", json!({"os": "linux", "architecture": "amd64", "os.version": "1"})),
        ]});
        let Document::Index(offers) = parsed(&index).expect("an index") else {
            panic!("it is an index");
        };
        for (platform, content) in [
            ("amd64", &b"amd64"[..]),
            ("arm64", b"arm64"),
            ("arm/v7", b"v6"),
        ] {
            let platform = Platform::parse(&format!("linux/{platform}")).expect("a platform");
            assert_eq!(
                choose(&offers, &platform).expect("one").digest,
                Digest::of(content)
            );
        }
        let platform = Platform::parse("linux/s390x").expect("a platform");
        let error = choose(&offers, &platform).expect_err("none");
        assert_eq!(
            (error.status(), error.to_string().as_str()),
            (
                404,
                "no matching manifest for linux/s390x in the manifest list entries"
            )
        );
    }

    #[test]
    fn keys_have_no_case() {
        let text = manifest(1).to_string();
        let text = text
            .replace("\"layers\"", "\"LAYERS\"")
            .replace("\"digest\"", "\"Digest\"");
        let Document::Image(image) = parse("", text.as_bytes()).expect("a manifest") else {
            panic!("it is that of one image");
        };
        assert_eq!(image.layers.len(), 1);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let mut both = manifest(1);
        both["manifests"] = json!([]);
        let mut other_case = json!({"schemaVersion": 2, "manifests": []});
        other_case["Layers"] = manifest(1)["layers"].take();
        let mut digest = manifest(1);
        digest["layers"][0]["digest"] = json!("sha256:../../../etc/passwd");
        let mut negative = manifest(1);
        negative["layers"][0]["size"] = json!(-1);
        let mut chart = manifest(1);
        chart["config"]["mediaType"] = json!("application/vnd.cncf.helm.config.v1+json");
        let mut attestation = manifest(1);
        attestation["layers"][0]["mediaType"] = json!("application/vnd.in-toto+json");
        let old = json!({"schemaVersion": 1, "fsLayers": []});
        for (value, text) in [
            (both, "neither that of one image nor an index"),
            (digest, "etc/passwd"),
            (negative, "-1"),
            (chart, "helm"),
            (attestation, "in-toto"),
            (old, "schema 1"),
            (manifest(126), "more than 125 layers"),
            (json!({}), "neither"),
            (json!([]), "invalid type"),
            (json!("x"), "invalid type"),
            (other_case, "neither that of one image nor an index"),
        ] {
            let error = parsed(&value).expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
        let index = "application/vnd.oci.image.index.v1+json; charset=utf-8";
        let error = parse(index, manifest(1).to_string().as_bytes()).expect_err("it is none");
        assert!(error.to_string().contains("as is said of it"), "{error}");
        assert!(parse("", b"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn anything_is_read_or_refused(data: Vec<u8>) {
            fuzz(&data);
        }
    }
}
