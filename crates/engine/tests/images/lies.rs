//! Registries that lie, and layers that would like to be elsewhere. Whatever they try, no image comes of it, and nothing
//! of it stays.

use engine::image::Digest;
use harness::{Reply, Request};
use serde_json::{Value, json};

use crate::fake::{Fake, INDEX, MANIFEST, Parts, answer, archive, gzip, manifest, noise};
use crate::wire::Fixture;
use crate::{is_empty, refused};

/// What a pull says in the end, of which nothing may stay.
fn said(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> String {
    let registry = Fake::start(answer);
    let fixture = Fixture::new();
    let (_, text) = refused(&fixture, &format!("{}/lie:1", registry.address()));
    let (_, pruned) = fixture.ask("POST", "/v1.41/images/prune");
    assert!(pruned.contains("SpaceReclaimed"), "{pruned}");
    assert!(is_empty(&fixture), "{text}");
    text
}

fn said_of(parts: Parts) -> String {
    said(move |request| parts.reply(request))
}

fn image() -> Parts {
    Parts::of(&[
        archive(&[("one", &noise(100_000))]),
        archive(&[("two", b"2")]),
    ])
}

#[test]
fn a_layer_is_the_one_that_the_manifest_names() {
    let honest = image();
    let named = honest.clone();
    let text = said(move |request| match named.blob(&request.target) {
        Some(blob) if blob == named.layers[0] => {
            let mut other = gzip(&archive(&[("one", &noise(99_000))]));
            other.resize(blob.len(), 0);
            answer(200, "", &other)
        }
        _ => named.reply(request),
    });
    assert!(
        text.contains(&format!(
            "verification failed for digest {}",
            Digest::of(&honest.layers[0])
        )),
        "{text}"
    );

    let mut short = honest.clone();
    short.manifest["layers"][0]["size"] = json!(10);
    assert!(said_of(short).contains("larger than the 10 bytes"));
    let mut swapped = honest;
    let layers = swapped.manifest["layers"].as_array_mut().expect("layers");
    layers.swap(0, 1);
    assert!(said_of(swapped).ends_with("layers from manifest don't match image configuration"));
}

#[test]
fn a_configuration_goes_with_its_manifest() {
    let mut fewer = image();
    fewer.manifest["layers"]
        .as_array_mut()
        .expect("layers")
        .pop();
    assert!(said_of(fewer).ends_with("layers from manifest don't match image configuration"));

    let other = image();
    let text = said(move |request| match other.blob(&request.target) {
        Some(blob) if blob == other.config => answer(200, "", &vec![b' '; blob.len()]),
        _ => other.reply(request),
    });
    assert!(text.contains("config verification failed"), "{text}");

    for (config, expected) in [
        (json!({"os": "linux"}), "invalid image configuration"),
        (
            json!({"os": "windows", "rootfs": {"type": "layers", "diff_ids": []}}),
            "cannot be used on this platform",
        ),
        (json!("text"), "invalid image configuration"),
    ] {
        let config = config.to_string().into_bytes();
        let text = said_of(Parts {
            manifest: manifest(&config, &[]),
            config,
            layers: Vec::new(),
        });
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn what_has_no_end_is_not_read_to_it() {
    // Four megabytes and one byte, of a manifest that says nothing.
    let endless = format!("{}{{}}", " ".repeat(4 << 20));
    let text = said(move |_| {
        answer(
            200,
            &format!("Content-Type: {MANIFEST}\r\n"),
            endless.as_bytes(),
        )
    });
    assert!(text.contains("longer than 4194304 bytes"), "{text}");

    let mut parts = image();
    parts.manifest["config"]["size"] = json!(1u64 << 40);
    assert!(said_of(parts).contains("longer than 4194304 bytes"));

    let mut parts = image();
    let layer = parts.manifest["layers"][0].clone();
    parts.manifest["layers"] = Value::Array(vec![layer; 1000]);
    assert!(said_of(parts).contains("more than 125 layers"));

    // A bomb: thousands of millions of zeros behind each other, in names that do not end.
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let bomb = [&header.as_bytes()[..], &vec![b'a'; 3 << 20]].concat();
    let text = said_of(Parts::of(&[bomb]));
    assert!(text.contains("more than 1 MiB"), "{text}");
}

#[test]
fn an_index_leads_to_an_image_and_no_further() {
    let entry = |digest: &Digest| {
        json!({"mediaType": INDEX, "digest": digest.to_string(), "size": 1,
               "platform": {"os": "linux", "architecture": "amd64"}})
    };
    let inner = json!({"schemaVersion": 2, "manifests": []}).to_string();
    let outer = json!({"schemaVersion": 2, "manifests": [entry(&Digest::of(inner.as_bytes()))]})
        .to_string();
    let kind = format!("Content-Type: {INDEX}\r\n");
    let text = {
        let (inner, outer, kind) = (inner.clone(), outer.clone(), kind.clone());
        let registry = Fake::start(move |request| match request.target.ends_with("/1") {
            true => answer(200, &kind, outer.as_bytes()),
            false => answer(200, &kind, inner.as_bytes()),
        });
        let fixture = Fixture::new();
        let target = crate::pull_target(
            &format!("{}/lie:1", registry.address()),
            "&platform=linux/amd64",
        );
        let (_, lines) = crate::try_post(&fixture, &target, "", &[]);
        lines[0]["message"].as_str().expect("a message").to_owned()
    };
    assert!(text.contains("an index has another index"), "{text}");

    // What is asked for by its digest is that, or nothing.
    let registry = Fake::start(move |_| answer(200, &kind, inner.as_bytes()));
    let fixture = Fixture::new();
    let digest = Digest::of(b"another");
    let target = format!(
        "/v1.41/images/create?fromImage={}/x&tag={digest}",
        registry.address()
    );
    let (status, lines) = crate::try_post(&fixture, &target, "", &[]);
    assert_eq!(status, 400);
    assert_eq!(
        lines[0]["message"],
        format!("manifest verification failed for digest {digest}")
    );
}

#[test]
fn a_hostile_layer_stays_in_its_place() {
    let hostile = |path: &str, kind: tar::EntryType, link: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o777);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        header.as_bytes().to_vec()
    };
    for (archive, expected) in [
        (
            hostile("../../../../escaped", tar::EntryType::Regular, ""),
            "is outside of it",
        ),
        (
            hostile(".wh...", tar::EntryType::Regular, ""),
            "hides no file",
        ),
        (
            hostile("link", tar::EntryType::Link, "/etc/passwd"),
            "no such file or directory",
        ),
        (b"no archive at all".repeat(100), "wrong checksum"),
    ] {
        let text = said_of(Parts::of(&[archive]));
        assert!(
            text.starts_with("error: failed to register layer: "),
            "{text}"
        );
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn redirections_end_and_lead_to_nobody_without_tls() {
    for (location, expected) in [
        ("/v2/again", "stopped after 10 redirects"),
        ("//", "which is no address"),
        ("ftp://127.0.0.1/x", "unknown scheme: ftp"),
        (
            "http://registry.example/x",
            "registries are spoken to in TLS",
        ),
        ("http://user:pass@127.0.0.1/x", "which is no address"),
    ] {
        let text = said(move |_| answer(307, &format!("Location: {location}\r\n"), b""));
        assert!(text.contains(expected), "{location}: {text}");
        // A layer is asked for elsewhere on most registries, so it is the same there.
        let parts = image();
        let text = said(move |request| match parts.blob(&request.target) {
            Some(_) => answer(302, &format!("Location: {location}\r\n"), b""),
            None if request.target.contains("/manifests/") => parts.reply(request),
            None => answer(302, &format!("Location: {location}\r\n"), b""),
        });
        assert!(text.contains(expected), "{location}: {text}");
    }
}

#[test]
fn answers_that_say_no_may_be_of_any_size_and_shape() {
    for body in [
        Vec::new(),
        vec![b'x'; 8 << 20],
        b"{\"errors\": {}}".to_vec(),
        b"{\"errors\": [{\"message\": 1}]}".to_vec(),
        [&b"[".repeat(100_000)[..], &b"]".repeat(100_000)].concat(),
        b"\xff\xfe\0".to_vec(),
    ] {
        let length = body.len();
        let text = said(move |_| answer(500, "Content-Type: application/json\r\n", &body));
        assert!(!text.is_empty() && text.len() < 2000, "{length}: {text}");
    }
}

#[test]
fn numbers_and_digests_of_manifests_are_looked_at() {
    let zeros = "0".repeat(64);
    for (digest, is_one) in [
        ("sha256:../../../../etc/passwd", false),
        ("sha256:", false),
        (&format!("SHA256:{zeros}"), false),
        (&format!("sha256:{}", "A".repeat(64)), false),
        ("md5:d41d8cd98f00b204e9800998ecf8427e", false),
        (&format!("sha256:{zeros}"), true),
    ] {
        let mut parts = image();
        parts.manifest["layers"][0]["digest"] = json!(digest);
        let text = said_of(parts);
        // What is one is asked for.
        let is_refused = ["invalid image manifest", "is no SHA-256 digest"];
        let is_refused = is_refused.iter().any(|part| text.contains(part));
        assert!(is_refused != is_one, "{digest}: {text}");
    }
    for size in [json!(-1), json!(1.5), json!("1"), json!(null), json!(1e300)] {
        let mut parts = image();
        parts.manifest["layers"][0]["size"] = size.clone();
        let text = said_of(parts);
        assert!(text.contains("invalid image manifest"), "{size}: {text}");
    }
    for manifest in [
        json!([]),
        json!(null),
        json!({"schemaVersion": 1, "fsLayers": []}),
        json!({"schemaVersion": 2}),
        json!({"schemaVersion": 2, "config": {}, "layers": {}}),
        json!({"schemaVersion": 2, "config": {}, "layers": [], "manifests": []}),
    ] {
        let name = manifest.to_string();
        let text = said_of(Parts {
            manifest,
            ..image()
        });
        assert!(text.contains("manifest"), "{name}: {text}");
    }
}

#[test]
fn a_registry_does_not_write_on_the_terminal() {
    let text = said(|_| {
        let body = json!({"errors": [{"code": "UNKNOWN", "message": "\u{1b}[2J\u{7}gone\r\n"}]});
        answer(
            500,
            "Content-Type: application/json\r\n",
            body.to_string().as_bytes(),
        )
    });
    assert_eq!(text, "unknown:  [2J gone  ");
}
