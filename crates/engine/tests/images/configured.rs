//! Registries that the engine's configuration file speaks of.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use harness::{Authority, Image};
use serde_json::{Value, json};

use crate::fake::{Fake, Parts, archive, header, not_found};
use crate::wire::Fixture;
use crate::{post, pull, pull_target, refused, told};

/// An engine with that file.
fn configured(configuration: &Value) -> Fixture {
    let fixture = Fixture::new();
    let path = fixture.engine.layout().root().join("engine.json");
    std::fs::write(path, configuration.to_string()).expect("a file");
    fixture
}

#[test]
fn a_registry_without_a_certificate_that_anybody_knows_has_to_be_declared() {
    const TEST: &str = "a_registry_without_a_certificate_that_anybody_knows_has_to_be_declared";
    let Some(registry) = harness::registry_or_skip(TEST) else {
        return;
    };
    let authority = Authority::new("nobody knows it");
    let certificate = authority.server(&["elsewhere.example"]);
    let secure = registry.over_tls(&certificate).expect("a registry");
    registry.push(&Image::bare().with_file("x", 0o644, "x"), "declared:1");
    // In plain HTTP, too, though TLS is tried first.
    for address in [secure.address(), registry.address()] {
        for insecure in [json!([address]), json!(["127.0.0.0/8"])] {
            let fixture = configured(&json!({ "insecure-registries": insecure }));
            let lines = pull(&fixture, &format!("{address}/declared:1"));
            assert!(lines[lines.len() - 1].contains("newer image"), "{lines:?}");
        }
    }
}

#[test]
fn mirrors_are_asked_first_and_told_nothing() {
    let parts = Parts::of(&[archive(&[("one", b"1")])]);
    let full = Fake::start({
        let parts = parts.clone();
        move |request| parts.reply(request)
    });
    let empty = Fake::start(|_| not_found());
    // Nobody listens there any more.
    let down = Fake::start(|_| not_found()).address();
    let mirrors: Vec<String> = [down.as_str(), &empty.address(), &full.address()]
        .iter()
        .map(|address| format!("http://{address}"))
        .collect();
    let fixture = configured(&json!({ "registry-mirrors": mirrors }));
    let credentials = json!({"username": "me", "password": "sesame", "registrytoken": "token"});
    let headers = format!(
        "X-Registry-Auth: {}\r\n",
        BASE64_URL_SAFE.encode(credentials.to_string())
    );
    let lines = told(&post(
        &fixture,
        &pull_target("team/app:1", ""),
        &headers,
        &[],
    ));
    assert!(
        lines[lines.len() - 1].contains("newer image for team/app:1"),
        "{lines:?}"
    );
    assert_eq!(
        fixture.get("/v1.41/images/json")[0]["RepoTags"],
        json!(["team/app:1"])
    );
    assert!(!empty.asked("/manifests/1").is_empty());
    assert!(!full.asked("/blobs/").is_empty());
    for request in empty.requests().iter().chain(&full.requests()) {
        assert_eq!(header(request, "Authorization"), None, "{}", request.target);
    }

    // They are Docker Hub's, and nobody else's.
    let own = Fake::start(move |request| parts.reply(request));
    let before = full.requests().len();
    pull(&fixture, &format!("{}/team/app:1", own.address()));
    assert_eq!(full.requests().len(), before);
}

#[test]
fn what_the_file_should_not_say_is_told_by_every_pull() {
    let fixture = configured(&json!({ "registry-mirror": [] }));
    let (status, text) = refused(&fixture, "busybox:1");
    assert_eq!(status, 400, "{text}");
    assert!(
        text.contains("engine.json: unknown field `registry-mirror`"),
        "{text}"
    );
    let layout = fixture.engine.layout().clone();
    let error = engine::Engine::open(layout.clone()).expect_err("it is read at the start");
    assert!(error.to_string().contains("registry-mirror"), "{error}");
    let missing = layout.root().join("missing.json");
    let error = engine::Engine::open(layout.with_configuration(&missing)).expect_err("it is named");
    assert!(error.to_string().contains("missing.json"), "{error}");
}
