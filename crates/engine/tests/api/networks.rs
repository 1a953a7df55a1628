//! `/networks`.

use serde_json::{Value, json};

use crate::wire::Fixture;

#[test]
fn there_are_three_networks() {
    let fixture = Fixture::new();
    let list = fixture.get("/networks");
    let list = list.as_array().expect("a list");
    let shown: Vec<(&str, &str)> = list
        .iter()
        .map(|network| {
            let text = |name: &str| network[name].as_str().expect("text");
            (text("Name"), text("Driver"))
        })
        .collect();
    assert_eq!(
        shown,
        [("bridge", "bridge"), ("host", "host"), ("none", "null")]
    );
    for network in list {
        let id = network["Id"].as_str().expect("an id");
        assert_eq!(id.len(), 64);
        for reference in [id, &id[..12], network["Name"].as_str().expect("a name")] {
            let found = fixture.get(&format!("/v1.41/networks/{reference}"));
            assert_eq!(found["Id"], id);
            assert_eq!(found["Scope"], "local");
            assert_eq!(found["Containers"], json!({}));
        }
    }
    let target = "/networks?filters=%7B%22driver%22%3A%5B%22null%22%5D%7D";
    assert_eq!(fixture.get(target)[0]["Name"], "none");
    let target = "/networks?filters=%7B%22type%22%3A%5B%22custom%22%5D%7D";
    assert_eq!(fixture.get(target), json!([]));
}

#[test]
fn others_are_refused_by_name() {
    let fixture = Fixture::new();
    let (status, answer) = fixture.post("/networks/create", &json!({"Name": "front"}));
    assert_eq!(status, "501");
    assert_eq!(
        answer["message"],
        "the embedded engine does not make the network front: it has the networks bridge, host and none"
    );
    assert_eq!(
        fixture.ask("GET", "/networks/front"),
        (
            "404".to_owned(),
            r#"{"message":"network front not found"}"#.to_owned()
        )
    );
    let (status, body) = fixture.ask("DELETE", "/networks/bridge");
    assert_eq!(status, "403");
    assert!(body.contains("bridge is a pre-defined network and cannot be removed"));
    let connect = json!({"Container": "c"});
    assert_eq!(fixture.post("/networks/bridge/connect", &connect).0, "501");
    let (_, pruned) = fixture.post("/networks/prune", &json!({}));
    assert_eq!(pruned["NetworksDeleted"], Value::Null);
}
