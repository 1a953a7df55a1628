//! Registries that want to know who asks, and to whom that is told.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use harness::{Image, Registry};
use serde_json::json;

use crate::fake::{Counter, Fake, Parts, answer, archive, header};
use crate::wire::Fixture;
use crate::{post, pull_target, told, try_post};

/// The header with these credentials.
fn auth(credentials: &serde_json::Value) -> String {
    format!(
        "X-Registry-Auth: {}\r\n",
        BASE64_URL_SAFE.encode(credentials.to_string())
    )
}

#[test]
fn a_registry_with_passwords_lets_in_who_has_one() {
    let Some(registry) =
        harness::login_registry_or_skip("a_registry_with_passwords_lets_in_who_has_one")
    else {
        return;
    };
    let fixture = Fixture::new();
    let reference = registry.push(&Image::bare().with_file("x", 0o644, "x"), "secret:1");
    let target = pull_target(&reference, "");
    for (headers, expected) in [
        (String::new(), "no basic auth credentials"),
        (auth(&json!({})), "no basic auth credentials"),
        (
            auth(&json!({"username": Registry::USER, "password": "wrong"})),
            "unauthorized: authentication required",
        ),
        // One that cannot be read is none.
        (
            "X-Registry-Auth: undefined\r\n".to_owned(),
            "no basic auth credentials",
        ),
    ] {
        let (status, lines) = try_post(&fixture, &target, &headers, &[]);
        let text = lines[0]["message"].as_str().expect("a message");
        assert!(text.contains(expected), "{text}");
        assert!((400..=401).contains(&status), "{status}");
    }
    let credentials = auth(&json!({"username": Registry::USER, "password": Registry::PASSWORD}));
    let lines = told(&post(&fixture, &target, &credentials, &[]));
    assert!(lines[lines.len() - 1].contains("newer image"), "{lines:?}");
}

/// A registry that sends for tokens to itself, each of which is good for so many requests.
fn with_tokens(parts: Parts, good_for: usize) -> Fake {
    let address: Arc<OnceLock<String>> = Arc::default();
    let known = Arc::clone(&address);
    let (tokens, uses) = (Counter::default(), Counter::default());
    let registry = Fake::start(move |request| {
        if request.target.starts_with("/token") {
            let body = json!({"token": format!("token-{}", tokens.next()), "expires_in": 60});
            return answer(200, "", body.to_string().as_bytes());
        }
        let authorization = header(request, "Authorization").unwrap_or_default();
        let expected = format!(
            "Bearer token-{}",
            uses.next_if(|used| used / good_for, authorization)
        );
        if authorization != expected {
            let address = known.get().expect("it is known by now");
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"http://{address}/token\",service=\"tests\",scope=\"repository:team/app:pull\"\r\n"
            );
            return answer(
                401,
                &challenge,
                br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
            );
        }
        parts.reply(request)
    });
    address.set(registry.address()).expect("it is set once");
    registry
}

impl Counter {
    /// What the function makes of how often this was called with an authorization before.
    fn next_if(&self, of: impl Fn(usize) -> usize, authorization: &str) -> usize {
        match authorization {
            "" => 0,
            _ => of(self.next()),
        }
    }
}

fn image() -> Parts {
    Parts::of(&[archive(&[("one", b"1")])])
}

#[test]
fn a_token_is_fetched_and_used() {
    let registry = with_tokens(image(), 100);
    let fixture = Fixture::new();
    let target = pull_target(&format!("{}/team/app:1", registry.address()), "");
    let credentials = auth(&json!({"username": "me", "password": "sesame"}));
    post(&fixture, &target, &credentials, &[]);
    let asked = registry.asked("/token");
    assert_eq!(
        asked,
        ["/token?account=me&scope=repository%3Ateam%2Fapp%3Apull&service=tests"]
    );
    let requests = registry.requests();
    let token = requests
        .iter()
        .find(|request| request.target.starts_with("/token"))
        .expect("it was asked");
    assert_eq!(header(token, "Authorization"), Some("Basic bWU6c2VzYW1l"));
    // The password is for tokens, and tokens are for the rest.
    let others = requests
        .iter()
        .filter(|request| request.target.starts_with("/v2/"));
    for request in others.skip(1) {
        assert_eq!(
            header(request, "Authorization"),
            Some("Bearer token-0"),
            "{}",
            request.target
        );
    }
}

#[test]
fn a_token_that_expires_is_replaced() {
    // One is good for a single request here.
    let registry = with_tokens(image(), 1);
    let fixture = Fixture::new();
    let target = pull_target(&format!("{}/team/app:1", registry.address()), "");
    // The try with the old token counts as a use of the next one, so some are thrown away.
    let (_, lines) = try_post(&fixture, &target, "", &[]);
    assert!(registry.asked("/token").len() > 1, "{lines:?}");
}

#[test]
fn an_identity_token_is_exchanged() {
    let registry = with_tokens(image(), 100);
    let fixture = Fixture::new();
    let target = pull_target(&format!("{}/team/app:1", registry.address()), "");
    post(
        &fixture,
        &target,
        &auth(&json!({"identitytoken": "long/lived"})),
        &[],
    );
    let requests = registry.requests();
    let token = requests
        .iter()
        .find(|request| request.target.starts_with("/token"))
        .expect("it was asked");
    assert_eq!(
        (token.method.as_str(), token.target.as_str()),
        ("POST", "/token")
    );
    assert_eq!(
        String::from_utf8_lossy(&token.body),
        "grant_type=refresh_token&refresh_token=long%2Flived&service=tests&client_id=tool&scope=repository%3Ateam%2Fapp%3Apull"
    );
    // A registry's own token goes to it as it is.
    let registry = with_tokens(image(), 100);
    let target = pull_target(&format!("{}/team/app:1", registry.address()), "");
    post(
        &fixture,
        &target,
        &auth(&json!({"registrytoken": "token-0"})),
        &[],
    );
    assert!(registry.asked("/token").is_empty());
}

#[test]
fn another_host_is_not_told_who_asks() {
    let parts = image();
    let content = parts.clone();
    let store = Fake::start(move |request| content.reply(request));
    let place = store.address();
    let registry = Fake::start(move |request| {
        if header(request, "Authorization").is_none() {
            return answer(401, "WWW-Authenticate: Basic realm=\"x\"\r\n", b"");
        }
        match request.target.contains("/blobs/") {
            true => answer(
                307,
                &format!("Location: http://{place}{}\r\n", request.target),
                b"",
            ),
            false => parts.reply(request),
        }
    });
    let fixture = Fixture::new();
    let target = pull_target(&format!("{}/team/app:1", registry.address()), "");
    let credentials = auth(&json!({"username": "me", "password": "sesame"}));
    post(&fixture, &target, &credentials, &[]);
    assert_eq!(store.requests().len(), 2);
    assert!(
        store
            .requests()
            .iter()
            .all(|request| header(request, "Authorization").is_none())
    );
}

#[test]
fn a_realm_without_tls_is_for_this_machine_alone() {
    let registry = Fake::start(|_| {
        answer(
            401,
            "WWW-Authenticate: Bearer realm=\"http://registry.example/token\"\r\n",
            b"",
        )
    });
    let fixture = Fixture::new();
    let target = pull_target(&format!("{}/x:1", registry.address()), "");
    let (_, lines) = try_post(
        &fixture,
        &target,
        &auth(&json!({"username": "me", "password": "sesame"})),
        &[],
    );
    let text = lines[0]["message"].as_str().expect("a message");
    assert!(text.contains("in TLS"), "{text}");
    assert!(!text.contains("sesame"), "{text}");
}
