//! Several who want the same at once, and images that somebody needs.

use std::sync::Barrier;

use serde_json::json;

use crate::fake::{Fake, Parts, archive, noise};
use crate::wire::Fixture;
use crate::{is_empty, post, pull, told};

#[test]
fn two_pulls_at_once_fetch_each_layer_once() {
    let archives: Vec<Vec<u8>> = (0..6)
        .map(|number| archive(&[(&format!("file{number}"), &noise(400_000 + number))]))
        .collect();
    let parts = Parts::of(&archives);
    let registry = Fake::start(move |request| parts.reply(request));
    let fixture = Fixture::new();
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for name in ["a", "a", "b", "b"] {
            let (fixture, barrier) = (&fixture, &barrier);
            let reference = format!("{}/{name}:1", registry.address());
            scope.spawn(move || {
                barrier.wait();
                let lines = pull(fixture, &reference);
                let complete = lines.iter().filter(|line| {
                    line.ends_with(": Pull complete") || line.ends_with(": Already exists")
                });
                assert_eq!(complete.count(), 6, "{lines:?}");
            });
        }
    });
    let layers = registry.asked("/blobs/");
    let mut different = layers.clone();
    different.sort();
    different.dedup_by_key(|target| target.rsplit('/').next().map(str::to_owned));
    // Each pull may ask for the configuration; nobody asks for a layer that another one fetches.
    let mut digests: Vec<&str> = layers
        .iter()
        .filter_map(|target| target.rsplit('/').next())
        .collect();
    digests.sort_unstable();
    let repeated = digests.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert!(
        repeated <= 3,
        "only the configuration is fetched by each: {layers:?}"
    );
    assert_eq!(
        fixture.get("/v1.41/images/json").as_array().map(Vec::len),
        Some(1)
    );
    for name in ["a", "b"] {
        fixture.ask(
            "DELETE",
            &format!("/v1.41/images/{}/{name}:1", registry.address()),
        );
    }
    assert!(is_empty(&fixture));
}

#[test]
fn images_share_layers_and_keep_what_others_need() {
    let shared = archive(&[("shared", b"both")]);
    let images = ["1", "2"]
        .map(|number| Parts::of(&[shared.clone(), archive(&[("own", number.as_bytes())])]));
    let registry = Fake::start(move |request| {
        let image = usize::from(request.target.contains("/second/"));
        images[image].reply(request)
    });
    let fixture = Fixture::new();
    let (first, second) = (
        format!("{}/first:1", registry.address()),
        format!("{}/second:1", registry.address()),
    );
    pull(&fixture, &first);
    let lines = pull(&fixture, &second);
    assert!(lines[1].ends_with(": Already exists"), "{lines:?}");
    let (_, removed) = fixture.ask("DELETE", &format!("/v1.41/images/{first}"));
    assert_eq!(
        removed.matches("Deleted").count(),
        2,
        "the image and its own layer: {removed}"
    );
    let shown = fixture.get(&format!("/v1.41/images/{second}/json"));
    let below = shown["GraphDriver"]["Data"]["LowerDir"]
        .as_str()
        .expect("a directory");
    assert!(std::path::Path::new(below).join("shared").exists());
    fixture.ask("DELETE", &format!("/v1.41/images/{second}"));
    assert!(is_empty(&fixture));
}

#[test]
fn an_image_stays_as_long_as_a_container_needs_it() {
    let fixture = Fixture::new();
    let target = "/v1.41/images/create?fromSrc=-&repo=base&changes=CMD+true";
    let lines = told(&post(&fixture, target, "", &archive(&[("file", b"x")])));
    let id = lines[0].trim_start_matches("sha256:").to_owned();
    let (status, body) = fixture.post(
        "/v1.41/containers/create?name=user",
        &json!({"Image": "base"}),
    );
    assert_eq!(status, "201", "{body}");
    let container = body["Id"].as_str().expect("an id")[..12].to_owned();
    let (status, body) = fixture.ask("DELETE", "/v1.41/images/base");
    assert_eq!(status, "409");
    assert!(
        body.contains(&format!(
            "conflict: unable to remove repository reference \\\"base\\\" (must force) - container {container} is using its \
             referenced image {}",
            &id[..12]
        )),
        "{body}"
    );
    let (status, body) = fixture.ask("DELETE", &format!("/v1.41/images/{id}"));
    assert_eq!(status, "409");
    let text = format!(
        "conflict: unable to delete {} (must be forced) - image is being used by stopped container {container}",
        &id[..12]
    );
    assert!(body.contains(&text), "{body}");
    // By force the name and the image go, and the container keeps its files.
    let directory = crate::files(&fixture, "base");
    let (status, _) = fixture.ask("DELETE", "/v1.41/images/base?force=1");
    assert_eq!(status, "200");
    assert!(directory.join("file").exists());
    let (status, _) = fixture.ask("DELETE", "/v1.41/containers/user");
    assert_eq!(status, "204");
    fixture.ask("POST", "/v1.41/images/prune");
    assert!(!directory.exists());
}
