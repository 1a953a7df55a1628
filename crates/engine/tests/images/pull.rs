//! Pulls that go well, from a real registry and over connections that break.

use harness::{Image, Reply};
use serde_json::json;

use crate::fake::{Counter, Fake, Parts, answer, archive, header, noise};
use crate::wire::Fixture;
use crate::{files, is_empty, post, pull, pull_target, refused, told};

#[test]
fn an_image_comes_and_goes() {
    let Some(registry) = harness::registry_or_skip("an_image_comes_and_goes") else {
        return;
    };
    let fixture = Fixture::new();
    let image = Image::bare().with_file("etc/name", 0o640, "content");
    let reference = registry.push(&image, "comes/goes:1");
    let lines = pull(&fixture, &reference);
    assert_eq!(lines[0], "1: Pulling from comes/goes");
    assert!(lines[1].ends_with(": Pulling fs layer"), "{lines:?}");
    assert!(
        lines[lines.len() - 3].ends_with(": Pull complete"),
        "{lines:?}"
    );
    let digest = lines[lines.len() - 2].trim_start_matches("Digest: ");
    assert_eq!(
        lines[lines.len() - 1],
        format!("Status: Downloaded newer image for {reference}")
    );
    let file = files(&fixture, &reference).join("etc/name");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "content");

    let repository = reference.trim_end_matches(":1");
    let by_digest = format!("{repository}@{digest}");
    let listed = fixture.get("/v1.41/images/json");
    assert_eq!(listed[0]["RepoTags"], json!([reference]));
    assert_eq!(listed[0]["RepoDigests"], json!([by_digest]));
    let id = listed[0]["Id"].as_str().expect("an id").to_owned();
    for name in [&reference, &by_digest, &id, &id[7..19], &id[7..]] {
        assert_eq!(
            fixture.get(&format!("/v1.41/images/{name}/json"))["Id"],
            id.as_str(),
            "{name}"
        );
    }

    let again = pull(&fixture, &reference);
    assert_eq!(again.len(), 3, "{again:?}");
    assert_eq!(
        again[2],
        format!("Status: Image is up to date for {reference}")
    );

    let (status, _) = fixture.ask(
        "POST",
        &format!("/v1.41/images/{reference}/tag?repo=other&tag=2"),
    );
    assert_eq!(status, "201");
    let (_, removed) = fixture.ask("DELETE", &format!("/v1.41/images/{reference}"));
    assert_eq!(
        removed,
        json!([{"Untagged": reference}, {"Untagged": by_digest}]).to_string()
    );
    assert!(file.exists());
    let (_, removed) = fixture.ask("DELETE", "/v1.41/images/other:2");
    assert!(
        removed.starts_with(&format!(
            r#"[{{"Untagged":"other:2"}},{{"Deleted":"{id}"}},{{"Deleted":"sha256:"#
        )),
        "{removed}"
    );
    assert!(is_empty(&fixture));
    assert_eq!(fixture.get("/v1.41/images/json"), json!([]));
}

#[test]
fn a_platform_chooses_among_those_of_an_index() {
    let Some(registry) = harness::registry_or_skip("a_platform_chooses_among_those_of_an_index")
    else {
        return;
    };
    let fixture = Fixture::new();
    let named = |name: &str| Image::bare().with_file("platform", 0o644, name);
    let images = [
        ("linux/amd64", named("amd64")),
        ("linux/arm64/v8", named("arm64")),
        ("linux/arm/v6", named("arm")),
    ];
    let reference = registry.push_index(&images, "platforms:1");
    for (platform, expected) in [
        ("linux/amd64", "amd64"),
        ("arm64", "arm64"),
        ("linux/arm/v7", "arm"),
        ("linux/amd64", "amd64"),
    ] {
        let target = pull_target(&reference, &format!("&platform={platform}"));
        let lines = told(&post(&fixture, &target, "", &[]));
        assert!(
            lines[lines.len() - 1].contains("newer image"),
            "{platform}: {lines:?}"
        );
        let file = files(&fixture, &reference).join("platform");
        assert_eq!(
            std::fs::read_to_string(file).expect("the file"),
            expected,
            "{platform}"
        );
    }
    let target = pull_target(&reference, "&platform=linux/s390x");
    let (status, lines) = crate::try_post(&fixture, &target, "", &[]);
    assert_eq!(status, 404);
    assert_eq!(
        lines[0]["message"],
        "no matching manifest for linux/s390x in the manifest list entries"
    );
    // An image that is here for another platform is none, so that clients pull.
    let (status, body) = fixture.ask(
        "GET",
        &format!("/v1.49/images/{reference}/json?platform=linux/s390x"),
    );
    assert_eq!(status, "404", "{body}");
    assert!(
        body.contains(
            "its platform (linux/amd64) does not match the specified platform (linux/s390x)"
        ),
        "{body}"
    );
}

#[test]
fn a_broken_connection_is_gone_on_with() {
    let content = noise(3 << 20);
    let parts = Parts::of(&[archive(&[("noise", &content)])]);
    let size = parts.layers[0].len();
    let served = parts.clone();
    let breaks = Counter::default();
    // Each connection breaks after a megabyte, and the first in the middle of its head.
    let registry = Fake::start(move |request| {
        let Some(blob) = served
            .blob(&request.target)
            .filter(|blob| blob.len() > 1 << 20)
        else {
            return served.reply(request);
        };
        if breaks.next() == 0 {
            return Reply::bytes("HTTP/1.1 200 O");
        }
        let start: usize = match header(request, "Range") {
            Some(range) => range
                .trim_start_matches("bytes=")
                .trim_end_matches('-')
                .parse()
                .expect("a number"),
            None => 0,
        };
        let status = if start > 0 { 206 } else { 200 };
        let end = blob.len().min(start + (1 << 20));
        let head = format!(
            "HTTP/1.1 {status} Some Reason\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{}\r\n\r\n",
            blob.len() - start,
            blob.len() - 1,
            blob.len()
        );
        Reply::bytes([head.as_bytes(), &blob[start..end]].concat())
    });
    let fixture = Fixture::new();
    let reference = format!("{}/broken:1", registry.address());
    pull(&fixture, &reference);
    let unpacked = std::fs::read(files(&fixture, &reference).join("noise")).expect("the file");
    assert!(unpacked == content);
    let ranges: Vec<String> = registry
        .requests()
        .iter()
        .filter_map(|request| header(request, "Range").map(str::to_owned))
        .collect();
    let expected: Vec<String> = (1..=size >> 20)
        .map(|number| format!("bytes={}-", number << 20))
        .collect();
    assert_eq!(ranges, expected);
}

#[test]
fn a_server_without_ranges_sends_all_once_more() {
    let parts = Parts::of(&[archive(&[("noise", &noise(1 << 20))])]);
    let served = parts.clone();
    let tries = Counter::default();
    let registry = Fake::start(move |request| match served.blob(&request.target) {
        Some(blob) if blob.len() > 1 << 20 && tries.next() == 0 => {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", blob.len());
            Reply::bytes([head.as_bytes(), &blob[..500_000]].concat())
        }
        _ => served.reply(request),
    });
    let fixture = Fixture::new();
    let reference = format!("{}/whole:1", registry.address());
    let lines = pull(&fixture, &reference);
    assert!(lines[lines.len() - 1].contains("newer image"), "{lines:?}");
    assert_eq!(registry.asked("/blobs/").len(), 3);
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    let fixture = Fixture::new();
    let (status, text) = refused(&fixture, "127.0.0.1:1/nowhere:1");
    assert_eq!(status, 500);
    assert_eq!(
        text,
        "Get \"http://127.0.0.1:1/v2/nowhere/manifests/1\": connection refused"
    );
    let registry = Fake::start(|_| answer(503, "", b"<html>later</html>"));
    let (_, text) = refused(&fixture, &format!("{}/x:1", registry.address()));
    assert!(
        text.ends_with("received unexpected HTTP status: 503"),
        "{text}"
    );
    let registry = Fake::start(|_| crate::fake::not_found());
    let reference = format!("{}/x:1", registry.address());
    let (status, text) = refused(&fixture, &reference);
    assert_eq!(
        (status, text),
        (
            404,
            format!("manifest for {reference} not found: manifest unknown: manifest unknown")
        )
    );
    let target = format!("/v1.41/images/create?fromImage={}/x", registry.address());
    let (status, lines) = crate::try_post(&fixture, &target, "", &[]);
    assert_eq!(status, 501);
    assert!(
        lines[0]["message"]
            .as_str()
            .is_some_and(|text| text.contains("--all-tags")),
        "{lines:?}"
    );
}

#[test]
fn layers_in_zstd_and_without_compression_come_too() {
    let archives = [archive(&[("one", b"1")]), archive(&[("two", b"2")])];
    let mut parts = Parts::of(&archives);
    parts.layers = vec![
        ruzstd::encoding::compress_to_vec(
            archives[0].as_slice(),
            ruzstd::encoding::CompressionLevel::Fastest,
        ),
        archives[1].clone(),
    ];
    parts.manifest = crate::fake::manifest(&parts.config, &parts.layers);
    parts.manifest["mediaType"] = json!("application/vnd.oci.image.manifest.v1+json");
    parts.manifest["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
    for (layer, kind) in [(0, "tar+zstd"), (1, "tar")] {
        parts.manifest["layers"][layer]["mediaType"] =
            json!(format!("application/vnd.oci.image.layer.v1.{kind}"));
    }
    let served = parts.clone();
    let registry = Fake::start(
        move |request| match request.target.contains("/manifests/") {
            true => answer(
                200,
                "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n",
                served.manifest.to_string().as_bytes(),
            ),
            false => served.reply(request),
        },
    );
    let fixture = Fixture::new();
    let reference = format!("{}/oci:1", registry.address());
    pull(&fixture, &reference);
    let shown = fixture.get(&format!("/v1.41/images/{reference}/json"));
    assert_eq!(shown["RootFS"]["Layers"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&shown["Created"], &shown["Size"]),
        (&json!("2024-01-02T03:04:05.5Z"), &json!(2))
    );
    assert_eq!(shown["Config"]["Cmd"], json!(["/bin/sh"]));
    let steps = fixture.get(&format!("/v1.41/images/{reference}/history"));
    assert_eq!(
        (&steps[0]["CreatedBy"], &steps[0]["Tags"]),
        (&json!("made"), &json!([reference]))
    );
    assert_eq!(steps[0]["Id"], shown["Id"]);
}
