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
