//! `/volumes`.

use serde_json::{Value, json};

use crate::wire::Fixture;

fn names(list: &Value) -> Vec<&str> {
    list["Volumes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|volume| volume["Name"].as_str().expect("a name"))
        .collect()
}

#[test]
fn a_volume_is_made_shown_listed_and_removed() {
    let fixture = Fixture::new();
    // As docker's own client sends it.
    let body = json!({
        "Name": "data", "Driver": "local", "DriverOpts": {}, "Labels": {"a": "b"}, "ClusterVolumeSpec": null,
    });
    let (status, made) = fixture.post("/v1.50/volumes/create", &body);
    assert_eq!(status, "201", "{made}");
    assert_eq!(made["Name"], "data");
    assert_eq!(made["Driver"], "local");
    assert_eq!(made["Scope"], "local");
    assert_eq!(made["Labels"], json!({"a": "b"}));
    assert_eq!(made["Options"], Value::Null);
    let mountpoint = made["Mountpoint"].as_str().expect("a path");
    assert!(std::path::Path::new(mountpoint).is_dir(), "{mountpoint}");
    assert!(made["CreatedAt"].as_str().expect("a time").ends_with('Z'));

    assert_eq!(fixture.get("/volumes/data"), made);
    assert_eq!(names(&fixture.get("/volumes")), ["data"]);
    let (status, body) = fixture.ask("DELETE", "/volumes/data");
    assert_eq!((status.as_str(), body.as_str()), ("204", ""));
    let (status, body) = fixture.ask("DELETE", "/volumes/data");
    assert_eq!(status, "404");
    assert_eq!(body, r#"{"message":"get data: no such volume"}"#);
    assert_eq!(fixture.ask("DELETE", "/volumes/data?force=1").0, "204");
}

#[test]
fn lists_are_filtered() {
    let fixture = Fixture::new();
    for body in [
        json!({"Name": "one", "Labels": {"color": "red"}}),
        json!({"Name": "two"}),
        json!({}),
    ] {
        assert_eq!(fixture.post("/volumes/create", &body).0, "201");
    }
    for (filters, expected) in [
        (json!({"label": ["color"]}), 1),
        (json!({"label": ["color=blue"]}), 0),
        (json!({"name": ["o"]}), 2),
        (json!({"dangling": ["true"]}), 3),
        (json!({"dangling": {"false": true}}), 0),
        (json!({"driver": ["local"]}), 3),
        (json!({"driver": ["nfs"]}), 0),
    ] {
        let list = fixture.get(&format!("/volumes?filters={}", encoded(&filters)));
        assert_eq!(names(&list).len(), expected, "{filters}");
    }
    let target = format!("/volumes?filters={}", encoded(&json!({"nope": ["1"]})));
    let (status, body) = fixture.ask("GET", &target);
    assert_eq!(status, "400");
    assert!(body.contains("invalid filter 'nope'"), "{body}");

    // Only what nobody named, unless all are meant.
    let (_, pruned) = fixture.post("/volumes/prune", &json!({}));
    assert_eq!(
        pruned["VolumesDeleted"].as_array().expect("a list").len(),
        1
    );
    let target = format!("/volumes/prune?filters={}", encoded(&json!({"all": ["1"]})));
    let (_, pruned) = fixture.post(&target, &json!({}));
    assert_eq!(pruned["VolumesDeleted"], json!(["one", "two"]));
}

fn encoded(filters: &Value) -> String {
    filters
        .to_string()
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect()
}

#[test]
fn what_cannot_be_is_refused() {
    let fixture = Fixture::new();
    for (body, status, word) in [
        (json!({"Name": "a/b"}), "400", "includes invalid characters"),
        (json!({"Name": "x"}), "400", "too short"),
        (json!({"Driver": "nfs"}), "501", "nfs"),
        (
            json!({"DriverOpts": {"type": "tmpfs", "device": "tmpfs"}}),
            "501",
            "tmpfs",
        ),
        (json!({"ClusterVolumeSpec": {}}), "501", "cluster"),
        (json!({"Name": 1}), "400", ""),
    ] {
        let (got, answer) = fixture.post("/volumes/create", &body);
        assert_eq!(got, status, "{body}: {answer}");
        let message = answer["message"].as_str().expect("a message");
        assert!(message.contains(word), "{message}");
    }
    assert!(names(&fixture.get("/volumes")).is_empty());
}

#[test]
fn a_container_uses_its_volumes() {
    let fixture = Fixture::new();
    let body = json!({
        "Rootfs": "/:O", "Cmd": ["true"], "Volumes": {"/anonymous": {}},
        "HostConfig": {"NetworkMode": "none", "Binds": ["data:/data:ro"]},
    });
    let (status, made) = fixture.post("/containers/create?name=user", &body);
    assert_eq!(status, "201", "{made}");
    let id = made["Id"].as_str().expect("an id");
    let shown = fixture.get("/containers/user/json");
    let mounts = shown["Mounts"].as_array().expect("a list");
    assert_eq!(mounts.len(), 2, "{mounts:?}");
    let data = mounts
        .iter()
        .find(|mount| mount["Destination"] == "/data")
        .expect("a mount");
    assert_eq!(data["Type"], "volume");
    assert_eq!(data["Name"], "data");
    assert_eq!(data["RW"], false);
    assert_eq!(data["Source"], fixture.get("/volumes/data")["Mountpoint"]);

    let (status, body) = fixture.ask("DELETE", "/volumes/data");
    assert_eq!(status, "409");
    assert_eq!(
        body,
        format!(r#"{{"message":"remove data: volume is in use - [{id}]"}}"#)
    );
    let (_, pruned) = fixture.post("/volumes/prune", &json!({}));
    assert_eq!(pruned["VolumesDeleted"], json!([]));
}

#[test]
fn a_container_that_cannot_be_made_leaves_no_volume() {
    let fixture = Fixture::new();
    let body = |volume: &str| {
        json!({
            "Rootfs": "/:O", "Cmd": ["true"], "Volumes": {"/anonymous": {}},
            "HostConfig": {"NetworkMode": "none", "Binds": [volume]},
        })
    };
    let target = "/containers/create?name=taken";
    assert_eq!(fixture.post(target, &body("data:/data")).0, "201");
    assert_eq!(names(&fixture.get("/volumes")).len(), 2);
    assert_eq!(fixture.post(target, &body("data:/data")).0, "409");
    assert_eq!(
        fixture.post("/containers/create", &body("a/b:/data")).0,
        "400"
    );
    assert_eq!(names(&fixture.get("/volumes")).len(), 2);
}

#[test]
fn a_damaged_volume_is_listed_marked_and_removed() {
    let fixture = Fixture::new();
    for name in ["good", "torn"] {
        let (status, body) = fixture.post("/volumes/create", &json!({ "Name": name }));
        assert_eq!(status, "201", "{body}");
    }
    let directory = fixture.engine.layout().volumes().join("torn");
    std::fs::write(directory.join("volume.json"), "{").expect("a file");
    let listed = fixture.get("/v1.41/volumes");
    assert_eq!(names(&listed), ["good", "torn"]);
    let torn = &listed["Volumes"][1];
    assert_eq!(torn["Driver"], "local (damaged)");
    let error = torn["Status"]["Error"].as_str().expect("a reason");
    assert!(error.contains("volume.json is damaged"), "{error}");
    let warning = listed["Warnings"][0].as_str().expect("a warning");
    assert!(warning.starts_with("volume torn: "), "{warning}");
    // Nobody knows what it was, so it goes if it is named and not otherwise.
    let (status, body) = fixture.ask("POST", "/v1.41/volumes/prune");
    assert_eq!(status, "200", "{body}");
    assert!(directory.exists());
    let findings = fixture.check();
    let path = directory.display().to_string();
    assert!(
        findings.iter().any(|finding| finding.subject == path),
        "{findings:?}"
    );
    let (status, body) = fixture.ask("DELETE", "/v1.41/volumes/torn");
    assert_eq!(status, "204", "{body}");
    assert!(!directory.exists());
}
