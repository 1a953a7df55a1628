//! Images that come without a registry: imported and loaded, then listed and named.

use engine::image::Digest;
use harness::Image;
use serde_json::{Value, json};

use crate::fake::{Parts, archive, gzip};
use crate::wire::Fixture;
use crate::{files, is_empty, post, told, try_post};

#[test]
fn an_archive_becomes_an_image() {
    let fixture = Fixture::new();
    let target = "/v1.41/images/create?fromSrc=-&repo=made&tag=1&message=by+hand&platform=linux/arm64\
                  &changes=CMD+%5B%22a%22%5D&changes=ENV+A%3D1";
    for body in [
        archive(&[("dir/file", b"content")]),
        gzip(&archive(&[("dir/file", b"content")])),
    ] {
        let lines = told(&post(
            &fixture,
            target,
            "Content-Type: application/x-tar\r\n",
            &body,
        ));
        let shown = fixture.get("/v1.41/images/made:1/json");
        assert_eq!(lines, [shown["Id"].as_str().expect("an id")]);
        assert_eq!(
            (&shown["Architecture"], &shown["Os"]),
            (&json!("arm64"), &json!("linux"))
        );
        assert_eq!(
            (&shown["Comment"], &shown["Size"]),
            (&json!("by hand"), &json!(7))
        );
        assert_eq!(
            (&shown["Config"]["Cmd"], &shown["Config"]["Env"]),
            (&json!(["a"]), &json!(["A=1"]))
        );
        let file = files(&fixture, "made:1").join("dir/file");
        assert_eq!(std::fs::read_to_string(file).expect("the file"), "content");
    }
    // The first has lost its name to the second, and shares its layer.
    assert_eq!(
        fixture
            .get("/v1.41/images/json?filters=%7B%22dangling%22:%5B%22true%22%5D%7D")
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let (_, pruned) = fixture.ask("POST", "/v1.41/images/prune");
    assert_eq!(pruned.matches("Deleted\":\"").count(), 1, "{pruned}");
    fixture.ask("DELETE", "/v1.41/images/made:1");
    assert!(is_empty(&fixture));

    for (target, body, expected) in [
        (
            "/v1.41/images/create?fromSrc=-&repo=UPPER",
            &b""[..],
            "must be lowercase",
        ),
        (
            "/v1.41/images/create?fromSrc=-&changes=RUN+x",
            b"",
            "RUN is not a valid change command",
        ),
        (
            "/v1.41/images/create?fromSrc=-&repo=x",
            b"no archive at all, or is it?",
            "it ends in the middle of a header",
        ),
        (
            "/v1.41/images/create?fromSrc=http://x/y&repo=x",
            b"",
            "does not import from an address",
        ),
    ] {
        let (status, lines) = try_post(&fixture, target, "", body);
        assert!((400..=501).contains(&status), "{status}");
        let text = lines[0]["message"].as_str().expect("a message");
        assert!(text.contains(expected), "{text}");
    }
    assert!(is_empty(&fixture));
}

#[test]
fn what_docker_saved_is_loaded() {
    let fixture = Fixture::new();
    let saved = Image::bare()
        .with_file("etc/name", 0o644, "saved")
        .archive("team/saved:1");
    let lines = told(&post(&fixture, "/v1.41/images/load?quiet=1", "", &saved));
    assert_eq!(lines, ["Loaded image: team/saved:1"]);
    let file = files(&fixture, "team/saved:1").join("etc/name");
    assert_eq!(std::fs::read_to_string(file).expect("the file"), "saved");
    // Once more it is all there, and compressed it is the same.
    let again = told(&post(
        &fixture,
        "/v1.41/images/load?quiet=0",
        "",
        &gzip(&saved),
    ));
    assert_eq!(again, ["Loaded image: team/saved:1"]);
    // Another one takes the name.
    let other = Image::bare()
        .with_file("etc/name", 0o644, "other")
        .archive("team/saved:1");
    let lines = told(&post(&fixture, "/v1.41/images/load", "", &other));
    assert!(lines[0].contains(": Loading layer"), "{lines:?}");
    assert!(
        lines[1].starts_with(
            "The image team/saved:1 already exists, renaming the old one with ID sha256:"
        ),
        "{lines:?}"
    );
    let platform = "/v1.48/images/load?platform=linux/s390x";
    let lines = told(&post(&fixture, platform, "", &other));
    assert_eq!(
        lines,
        ["error: the archive has no image for the platform linux/s390x"]
    );
}

/// A directory in OCI's layout as an archive.
fn layout(parts: &Parts, name: Option<&str>) -> Vec<u8> {
    let manifest = parts.manifest.to_string().into_bytes();
    let mut entry = json!({"mediaType": "application/vnd.docker.distribution.manifest.v2+json",
                           "digest": Digest::of(&manifest).to_string(), "size": manifest.len()});
    if let Some(name) = name {
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": name});
    }
    let index = json!({"schemaVersion": 2, "manifests": [entry]}).to_string();
    let path = |blob: &[u8]| format!("blobs/sha256/{}", Digest::of(blob).hex());
    let blobs: Vec<(String, &[u8])> = parts
        .layers
        .iter()
        .chain([&parts.config, &manifest])
        .map(|blob| (path(blob), blob.as_slice()))
        .collect();
    let mut files = vec![
        ("oci-layout", &b"{\"imageLayoutVersion\":\"1.0.0\"}"[..]),
        ("index.json", index.as_bytes()),
    ];
    files.extend(blobs.iter().map(|(path, blob)| (path.as_str(), *blob)));
    archive(&files)
}

#[test]
fn a_directory_in_ocis_layout_is_loaded() {
    let parts = Parts::of(&[archive(&[("one", b"1")]), archive(&[("two", b"2")])]);
    let fixture = Fixture::new();
    let id = Digest::of(&parts.config);
    for (name, expected) in [
        (
            Some("docker.io/team/oci:1"),
            "Loaded image: team/oci:1".to_owned(),
        ),
        (Some("latest"), format!("Loaded image ID: {id}")),
        (None, format!("Loaded image ID: {id}")),
    ] {
        let lines = told(&post(
            &fixture,
            "/v1.41/images/load?quiet=1",
            "",
            &layout(&parts, name),
        ));
        assert_eq!(lines, [expected]);
    }
    let shown = fixture.get("/v1.41/images/team/oci:1/json");
    assert_eq!(shown["Id"], id.to_string());

    // What is in it is what it says, or it is not loaded.
    let mut lying = parts.clone();
    lying.manifest["layers"][0]["size"] = json!(7);
    let lines = told(&post(
        &Fixture::new(),
        "/v1.41/images/load",
        "",
        &layout(&lying, None),
    ));
    assert!(
        lines[lines.len() - 1].starts_with("error: filesystem layer verification failed"),
        "{lines:?}"
    );
}

/// Nobody but the manifest itself says what its digest is: a name with another one would be taken for what its registry has.
#[test]
fn a_digest_that_an_archive_claims_is_not_believed() {
    let fixture = Fixture::new();
    let parts = Parts::of(&[archive(&[("one", b"1")])]);
    let honest = Digest::of(parts.manifest.to_string().as_bytes());
    let other = format!("sha256:{}01", "0".repeat(62));
    let saved = |name: &str| Image::bare().archive(name);
    let refused = |body: &[u8], expected: &str| {
        let lines = told(&post(&fixture, "/v1.41/images/load?quiet=1", "", body));
        let last = &lines[lines.len() - 1];
        assert!(last.starts_with("error: "), "{lines:?}");
        assert!(last.contains(expected), "{lines:?}");
    };
    for name in [
        format!("alpine:3.20@{other}"),
        format!("alpine@{other}"),
        // Without a manifest there is nothing that it could be the digest of.
        format!("alpine@{honest}"),
    ] {
        refused(
            &saved(&name),
            "refusing to create a tag with a digest reference",
        );
    }
    refused(&saved(&other), "using digest algorithm as name");
    for name in ["sha256:0123", "docker.io/library/sha256:0123"] {
        let expected = "refusing to create an ambiguous tag using digest algorithm as name";
        refused(&saved(name), expected);
        refused(&layout(&parts, Some(name)), expected);
    }
    for name in [
        format!("docker.io/library/alpine:3.20@{other}"),
        format!("alpine@{other}"),
        format!("alpine@sha512:{}", "0".repeat(128)),
    ] {
        let expected = format!("in index.json: the manifest's digest is {honest}");
        refused(&layout(&parts, Some(&name)), &expected);
    }

    // An honest manifest is no help to a configuration that it does not name.
    let mut forged = parts.clone();
    forged.config = Parts::of(&[archive(&[("evil", b"1")])]).config;
    let entry = format!("blobs/sha256/{}", Digest::of(&parts.config).hex());
    let manifest = parts.manifest.to_string();
    let manifest_path = format!("blobs/sha256/{}", honest.hex());
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "digest": honest.to_string(),
        "size": manifest.len(),
        "annotations": {"io.containerd.image.name": format!("alpine@{honest}")},
    }]});
    let layer = format!("blobs/sha256/{}", Digest::of(&parts.layers[0]).hex());
    refused(
        &archive(&[
            ("index.json", index.to_string().as_bytes()),
            (&manifest_path, manifest.as_bytes()),
            (&entry, &forged.config),
            (&layer, &parts.layers[0]),
        ]),
        "image config verification failed for digest sha256:",
    );
    fixture.ask("POST", "/v1.41/images/prune");
    assert!(is_empty(&fixture));

    let name = format!("team/alpine:3.20@{honest}");
    let lines = told(&post(
        &fixture,
        "/v1.41/images/load?quiet=1",
        "",
        &layout(&parts, Some(&name)),
    ));
    assert_eq!(lines, [format!("Loaded image: team/alpine@{honest}")]);
    let shown = fixture.get(&format!("/v1.41/images/{name}/json"));
    assert_eq!(shown["Id"], Digest::of(&parts.config).to_string());
    assert_eq!(shown["RepoTags"], json!([]));
    let (status, body) = fixture.ask(
        "POST",
        &format!("/v1.41/images/{name}/tag?repo=sha256&tag=01"),
    );
    assert_eq!(status, "400", "{body}");
    let (status, body) = fixture.ask("POST", "/v1.41/images/create?fromImage=sha256&tag=0123");
    assert_eq!(status, "400", "{body}");
}

#[test]
fn what_is_nothing_to_load_is_refused() {
    let fixture = Fixture::new();
    let entry = |config: &str, layers: &[&str]| {
        json!([{"Config": config, "RepoTags": ["x:1"], "Layers": layers}]).to_string()
    };
    let config = String::from_utf8(Parts::of(&[archive(&[])]).config).expect("text");
    let outside = entry("../../../../etc/passwd", &[]);
    let missing = entry("config.json", &["none/layer.tar"]);
    let fewer = entry("config.json", &[]);
    for (files, expected) in [
        (vec![], "it has no manifest.json and no index.json"),
        (vec![("manifest.json", "rubbish")], "invalid manifest.json"),
        (vec![("index.json", "{}")], "invalid index.json"),
        (
            vec![("manifest.json", outside.as_str())],
            "the archive has no \"../../../../etc/passwd\"",
        ),
        (
            vec![
                ("manifest.json", missing.as_str()),
                ("config.json", &config),
            ],
            "the archive has no \"none/layer.tar\"",
        ),
        (
            vec![("manifest.json", fewer.as_str()), ("config.json", &config)],
            "layers length mismatch",
        ),
    ] {
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(path, text)| (*path, text.as_bytes()))
            .collect();
        let lines = told(&post(&fixture, "/v1.41/images/load", "", &archive(&files)));
        assert!(lines[lines.len() - 1].contains(expected), "{lines:?}");
    }
    let (status, _) = try_post(&fixture, "/v1.41/images/load", "", b"rubbish");
    assert_eq!(status, 400);
    fixture.ask("POST", "/v1.41/images/prune");
    assert!(is_empty(&fixture));
}

/// Docker reads the lists of archives with keys in any case, too.
#[test]
fn an_archive_is_loaded_whatever_case_its_keys_have() {
    let fixture = Fixture::new();
    let layer = archive(&[("x", b"x")]);
    let config = Parts::of(std::slice::from_ref(&layer)).config;
    let list = json!([{"config": "c.json", "REPOTAGS": ["other-case:1"], "layers": ["1.tar"]}])
        .to_string();
    let saved = archive(&[
        ("c.json", &config),
        ("1.tar", &layer),
        ("manifest.json", list.as_bytes()),
    ]);
    let lines = told(&post(&fixture, "/v1.41/images/load", "", &saved));
    assert!(lines[lines.len() - 1].contains("other-case:1"), "{lines:?}");
    let shown = fixture.get("/v1.41/images/other-case:1/json");
    assert_eq!(shown["RepoTags"], json!(["other-case:1"]));
}

/// An image that a fault took a part of was hidden, with its names.
#[test]
fn a_damaged_image_is_listed_marked_and_removed() {
    let fixture = Fixture::new();
    let good = Image::bare()
        .with_file("a", 0o644, "good")
        .archive("good:1");
    let torn = Image::bare()
        .with_file("a", 0o644, "torn")
        .archive("torn:1");
    for archive in [&good, &torn] {
        post(&fixture, "/v1.41/images/load?quiet=1", "", archive);
    }
    let id = fixture.get("/v1.41/images/torn:1/json")["Id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let blobs = fixture.engine.layout().blobs().join("sha256");
    std::fs::write(blobs.join(id.trim_start_matches("sha256:")), "{").expect("a file");
    let listed = fixture.get("/v1.41/images/json");
    let listed = listed.as_array().expect("a list");
    assert_eq!(listed.len(), 2, "{listed:?}");
    let found = listed.iter().find(|image| image["Id"] == id.as_str());
    let found = found.expect("it is shown");
    assert_eq!(found["RepoTags"], json!(["torn:1"]));
    let mark = found["Labels"]["damaged"].as_str().expect("a mark");
    assert!(mark.contains("a part of this image is missing"), "{mark}");
    let findings = fixture.check();
    assert!(
        findings.iter().any(|finding| finding.subject == id),
        "{findings:?}"
    );
    let (status, body) = fixture.ask("DELETE", "/v1.41/images/torn:1");
    assert_eq!(status, "200", "{body}");
    let listed = fixture.get("/v1.41/images/json");
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
}

fn encoded(value: &Value) -> String {
    percent_encoding::utf8_percent_encode(&value.to_string(), percent_encoding::NON_ALPHANUMERIC)
        .to_string()
}

#[test]
fn lists_have_what_is_asked_for() {
    let fixture = Fixture::new();
    for (name, change) in [
        ("one:1", "LABEL+a%3D1"),
        ("team/two:2", "LABEL+a%3D2"),
        ("host:5000/three:3", "CMD+x"),
    ] {
        let target = format!("/v1.41/images/create?fromSrc=-&repo={name}&changes={change}");
        post(
            &fixture,
            &target,
            "",
            &archive(&[(name.split(':').next().unwrap_or_default(), b"")]),
        );
    }
    let names = |filters: Value| {
        let listed = fixture.get(&format!("/v1.41/images/json?filters={}", encoded(&filters)));
        let mut names: Vec<String> = listed
            .as_array()
            .expect("a list")
            .iter()
            .map(|image| image["RepoTags"][0].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    };
    for (filters, expected) in [
        (json!({}), vec!["host:5000/three:3", "one:1", "team/two:2"]),
        (json!({"reference": ["one"]}), vec!["one:1"]),
        (json!({"reference": {"*": true}}), vec!["one:1"]),
        (
            json!({"reference": ["*/*"]}),
            vec!["host:5000/three:3", "team/two:2"],
        ),
        (
            json!({"reference": ["team/two:2", "one:2"]}),
            vec!["team/two:2"],
        ),
        (json!({"label": ["a"]}), vec!["one:1", "team/two:2"]),
        (json!({"label": ["a=2"]}), vec!["team/two:2"]),
        (json!({"dangling": ["true"]}), vec![]),
        (
            json!({"dangling": ["false"]}),
            vec!["host:5000/three:3", "one:1", "team/two:2"],
        ),
    ] {
        assert_eq!(names(filters.clone()), expected, "{filters}");
    }
    let (status, body) = fixture.ask(
        "GET",
        "/v1.41/images/json?filters=%7B%22nope%22:%5B%221%22%5D%7D",
    );
    assert_eq!(
        (status.as_str(), body.as_str()),
        ("400", r#"{"message":"invalid filter 'nope'"}"#)
    );
    let (status, body) = fixture.ask("POST", "/v1.41/images/one:1/tag?repo=UPPER");
    assert_eq!(status, "400", "{body}");
    let (status, body) = fixture.ask("POST", "/v1.41/images/none/tag?repo=x");
    assert_eq!(
        (status.as_str(), body.as_str()),
        ("404", r#"{"message":"No such image: none:latest"}"#)
    );
    // By its id, an image with several names has to be forced.
    fixture.ask("POST", "/v1.41/images/one:1/tag?repo=another");
    let id = fixture.get("/v1.41/images/one:1/json")["Id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (status, body) = fixture.ask("DELETE", &format!("/v1.41/images/{id}"));
    assert_eq!(status, "409");
    assert!(
        body.contains("(must be forced) - image is referenced in multiple repositories"),
        "{body}"
    );
    let (status, body) = fixture.ask("DELETE", &format!("/v1.41/images/{id}?force=1"));
    assert_eq!(status, "200");
    assert!(
        body.starts_with(r#"[{"Untagged":"another:latest"},{"Untagged":"one:1"},{"Deleted":"#),
        "{body}"
    );
}
