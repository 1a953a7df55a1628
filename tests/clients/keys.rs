//! Bodies whose keys are not in Docker's case: they mean the same.

use harness::Kind;
use serde_json::{Value, json};

use crate::{Name, engine};

#[test]
fn a_container_has_the_limits_that_keys_in_another_case_give_it() {
    let engine = engine!();
    let name = Name::new(engine);
    let body = json!({
        "image": harness::BUSYBOX,
        "CMD": ["sh", "-c", "grep CapEff /proc/self/status; touch /x 2>/dev/null || echo read-only; cat /e/name"],
        "labels": {"Case": "a", "case": "b"},
        "hostconfig": {
            "memory": 67_108_864,
            "capdrop": ["ALL"],
            "readonlyrootfs": true,
            "tmpfs": {"/e": ""},
            "networkmode": "none",
            "restartpolicy": {"name": "on-failure", "MAXIMUMRETRYCOUNT": 1},
        },
    });
    let target = format!("/v1.41/containers/create?name={}", &*name);
    engine.api().post_json(&target, &body).expect_success();
    let shown = engine.inspect(&name);
    let host_config = &shown["HostConfig"];
    assert_eq!(host_config["Memory"], 67_108_864);
    assert_eq!(host_config["CapDrop"], json!(["ALL"]));
    assert_eq!(host_config["ReadonlyRootfs"], true);
    assert_eq!(host_config["NetworkMode"], "none");
    assert_eq!(
        host_config["RestartPolicy"],
        json!({"Name": "on-failure", "MaximumRetryCount": 1})
    );
    // The keys of a map are its maker's.
    assert_eq!(shown["Config"]["Labels"], json!({"Case": "a", "case": "b"}));
    let start = format!("/v1.41/containers/{}/start", &*name);
    engine.api().post(&start).expect_success();
    let wait = format!("/v1.41/containers/{}/wait", &*name);
    engine.api().post(&wait).expect_success();
    let logs = format!("/v1.41/containers/{}/logs?stdout=1", &*name);
    let logs = engine.api().get(&logs).text();
    assert!(logs.contains("CapEff:\t0000000000000000"), "{logs}");
    assert!(logs.contains("read-only"), "{logs}");
}

/// Docker takes the last one. Who checks a request before it is made must see what the engine does.
#[test]
fn a_key_that_is_given_twice_is_refused_by_name() {
    let engine = engine!();
    if !matches!(engine.kind(), Kind::Embedded | Kind::Rootless) {
        return;
    }
    let body = r#"{"Image": "busybox", "HostConfig": {"CapDrop": ["ALL"], "capdrop": []}}"#;
    let headers = [("Content-Type", "application/json")];
    let answer = engine.api().request(
        "POST",
        "/v1.41/containers/create",
        &headers,
        body.as_bytes(),
    );
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 400);
    let message: Value = answer.json();
    let message = message["message"].as_str().expect("a message");
    assert!(
        message.contains("the key \"capdrop\" is given twice"),
        "{message}"
    );
}
