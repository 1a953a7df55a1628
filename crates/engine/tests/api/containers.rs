//! Containers that are made, looked at and renamed; none of them runs here.

use std::fs;

use serde_json::{Value, json};

use crate::wire::Fixture;

/// Makes a container of an empty directory.
pub(crate) fn create(fixture: &Fixture, name: &str, body: Value) -> String {
    let root = fixture.engine.layout().root().join("files");
    fs::create_dir_all(&root).expect("a directory");
    let mut whole = json!({"Image": "", "Rootfs": root, "Cmd": ["echo", "a b"]});
    whole
        .as_object_mut()
        .expect("an object")
        .extend(body.as_object().expect("an object").clone());
    let (status, body) = fixture.post(&format!("/v1.41/containers/create?name={name}"), &whole);
    assert_eq!(status, "201", "{body}");
    assert_eq!(body["Warnings"], json!([]));
    body["Id"].as_str().expect("an id").to_owned()
}

/// Go writes maps so, and who compares two answers counts on it.
#[test]
fn maps_are_in_the_order_of_their_keys() {
    let fixture = Fixture::new();
    let names: Vec<String> = (0..20).map(|n| format!("key{n:02}")).collect();
    let labels: Value = names
        .iter()
        .rev()
        .map(|name| (name.clone(), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let body = json!({
        "Labels": labels,
        "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}}},
    });
    create(&fixture, "ordered", body);
    let shown = fixture.get("/v1.41/containers/ordered/json");
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().expect("a map").keys().cloned().collect()
    };
    assert_eq!(keys(&shown["Config"]["Labels"]), names);
    assert_eq!(
        keys(&shown["HostConfig"]["LogConfig"]["Config"]),
        ["max-file", "max-size"]
    );
    // The fields of a type stay as they are declared.
    assert_eq!(keys(&shown)[..2], ["Id", "Created"]);
    let list = fixture.get("/v1.41/containers/json?all=1");
    assert_eq!(keys(&list[0]["Labels"]), names);
}

#[test]
fn a_container_is_what_was_asked_for_and_what_docker_adds() {
    let fixture = Fixture::new();
    let body = json!({
        "Env": ["A=1"], "Labels": {"l": "v"}, "Tty": true,
        "HostConfig": {"Memory": 16 << 20, "NetworkMode": "none", "RestartPolicy": {"Name": "always"}},
    });
    let id = create(&fixture, "one", body);
    let shown = fixture.get("/v1.41/containers/one/json");
    assert_eq!(shown["Id"], id.as_str());
    assert_eq!(shown["Name"], "/one");
    assert_eq!(
        (&shown["Path"], &shown["Args"]),
        (&json!("echo"), &json!(["a b"]))
    );
    assert_eq!(shown["State"]["Status"], "created");
    assert_eq!(shown["State"]["StartedAt"], "0001-01-01T00:00:00Z");
    assert_eq!(shown["Config"]["Hostname"], &id[..12]);
    assert_eq!(shown["Config"]["Env"], json!(["A=1"]));
    assert_eq!(shown["Config"]["Tty"], true);
    let host_config = &shown["HostConfig"];
    assert_eq!(host_config["ShmSize"], 64 << 20);
    assert_eq!(host_config["MemorySwap"], 32 << 20);
    assert_eq!(host_config["LogConfig"]["Type"], "json-file");
    assert_eq!(host_config["RestartPolicy"]["Name"], "always");
    assert_eq!(host_config["Privileged"], false);
    assert!(
        host_config["MaskedPaths"]
            .as_array()
            .is_some_and(|paths| !paths.is_empty())
    );
    assert!(shown["NetworkSettings"]["Networks"]["none"].is_object());
    assert!(shown.get("SizeRw").is_none());
    let shown = fixture.get("/v1.41/containers/one/json?size=1");
    assert_eq!(shown["SizeRw"], 0);
    // By the beginning of its id, too.
    assert_eq!(
        fixture.get(&format!("/containers/{}/json", &id[..12]))["Id"],
        id.as_str()
    );
}

#[test]
fn names_are_taken_given_and_made_up() {
    let fixture = Fixture::new();
    let id = create(&fixture, "one", json!({}));
    let root = fixture.engine.layout().root().join("files");
    let body = json!({"Rootfs": root, "Cmd": ["true"]});
    let (status, answer) = fixture.post("/containers/create?name=one", &body);
    assert_eq!(status, "409");
    assert_eq!(
        answer["message"],
        format!(
            "Conflict. The container name \"/one\" is already in use by container \"{id}\". You have to remove (or \
             rename) that container to be able to reuse that name."
        )
    );
    let (status, answer) = fixture.post("/containers/create?name=-x", &body);
    assert_eq!(status, "400");
    let text = answer["message"].as_str().expect("a message");
    assert!(text.starts_with("Invalid container name (-x)"), "{text}");
    let (status, _) = fixture.post("/containers/create", &body);
    assert_eq!(status, "201");

    let (status, _) = fixture.ask("POST", "/containers/one/rename?name=two");
    assert_eq!(status, "204");
    assert_eq!(fixture.get("/containers/two/json")["Name"], "/two");
    assert_eq!(fixture.ask("GET", "/containers/one/json").0, "404");
}

#[test]
fn lists_are_filtered() {
    let fixture = Fixture::new();
    let one = create(&fixture, "one", json!({"Labels": {"l": "1"}}));
    let two = create(
        &fixture,
        "two",
        json!({"Labels": {"l": "2"}, "ExposedPorts": {"80/tcp": {}}}),
    );
    let ids = |query: &str| -> Vec<String> {
        let list = fixture.get(&format!("/v1.41/containers/json?{query}"));
        let list = list.as_array().expect("a list");
        let id = |container: &Value| container["Id"].as_str().expect("an id").to_owned();
        list.iter().map(id).collect()
    };
    let newest_first = [two.clone(), one.clone()];
    assert!(ids("").is_empty());
    assert_eq!(ids("all=1"), newest_first);
    // As docker-py says it.
    assert_eq!(ids("all=True&limit=-1&size=False"), newest_first);
    assert_eq!(ids("limit=1"), newest_first[..1]);
    for (filters, expected) in [
        (json!({"status": ["created"]}), &newest_first[..]),
        (json!({"status": ["exited"]}), &[]),
        (json!({"name": ["^one$"]}), &newest_first[1..]),
        (json!({"name": {"/tw": true}}), &newest_first[..1]),
        (json!({"label": ["l=1"]}), &newest_first[1..]),
        (json!({"since": ["one"]}), &newest_first[..1]),
        (json!({"before": [two[..12]]}), &newest_first[1..]),
        (json!({"expose": ["80"]}), &newest_first[..1]),
        (json!({"id": [&one[..20]]}), &newest_first[1..]),
    ] {
        let encoded: String = filters
            .to_string()
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        let found = ids(&format!("all=1&filters={encoded}"));
        assert_eq!(found, expected, "{filters}");
    }
    let list = fixture.get("/containers/json?all=1");
    assert_eq!(list[1]["Names"], json!(["/one"]));
    assert_eq!(list[1]["Command"], "echo 'a b'");
    assert_eq!(
        (&list[1]["State"], &list[1]["Status"]),
        (&json!("created"), &json!("Created"))
    );
    let target = "/containers/json?filters=%7B%22nope%22:[%22x%22]%7D";
    let (status, body) = fixture.ask("GET", target);
    assert_eq!(
        (status.as_str(), body.contains("invalid filter 'nope'")),
        ("400", true)
    );
}

#[test]
fn requests_that_make_no_sense_are_refused_and_leave_nothing() {
    let fixture = Fixture::new();
    let root = fixture.engine.layout().root().join("files");
    fs::create_dir_all(&root).expect("a directory");
    for (body, status, part) in [
        (json!({}), "400", "no image specified"),
        (json!([]), "400", "config cannot be empty"),
        (
            json!({"Image": "nope"}),
            "404",
            "No such image: nope:latest",
        ),
        (json!({"Rootfs": root}), "400", "no command specified"),
        (
            json!({"Rootfs": "/nope/nope", "Cmd": ["x"]}),
            "400",
            "does not exist",
        ),
        (
            json!({"Rootfs": "/", "Cmd": ["x"]}),
            "400",
            "use --rootfs /:O",
        ),
        (
            json!({"Rootfs": root, "Image": "x", "Cmd": ["x"]}),
            "400",
            "cannot both be",
        ),
        (
            json!({"Rootfs": root, "Cmd": ["x"], "Tty": "x"}),
            "400",
            "invalid JSON",
        ),
        (
            json!({"Rootfs": root, "Cmd": ["x"], "HostConfig": {"LogConfig": {"Type": "syslog"}}}),
            "501",
            "--log-driver",
        ),
        (
            json!({"Rootfs": root, "Cmd": ["x"], "HostConfig": {"PidMode": "container:nope"}}),
            // With 404 clients would pull an image.
            "400",
            "No such container: nope",
        ),
    ] {
        let (found, answer) = fixture.post("/v1.41/containers/create", &body);
        let text = answer["message"].as_str().unwrap_or_default();
        assert_eq!(found, status, "{body}: {text}");
        assert!(text.contains(part), "{body}: {text}");
    }
    assert_eq!(fixture.get("/containers/json?all=1"), json!([]));
}

#[test]
fn bodies_have_a_type_and_a_size() {
    let fixture = Fixture::new();
    let answer = fixture.exchange(
        "POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
    );
    assert!(
        answer.contains("unsupported Content-Type header (text/plain)"),
        "{answer}"
    );
    let answer = fixture.exchange("POST /containers/create HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        answer.contains("got EOF while reading request body"),
        "{answer}"
    );
    let large = json!({"Image": "x".repeat(5 << 20)});
    let (status, body) = fixture.post("/containers/create", &large);
    assert_eq!(status, "400");
    assert!(
        body["message"]
            .as_str()
            .is_some_and(|text| text.contains("larger than")),
        "{body}"
    );
}

#[test]
fn what_needs_a_running_container_says_so() {
    let fixture = Fixture::new();
    let id = create(&fixture, "one", json!({}));
    for (method, target, status, part) in [
        ("POST", "/containers/one/stop", "304", ""),
        ("POST", "/containers/one/kill", "409", "is not running"),
        (
            "POST",
            "/containers/one/kill?signal=NOPE",
            "400",
            "invalid signal: NOPE",
        ),
        (
            "POST",
            "/containers/one/resize?h=1&w=1",
            "409",
            "is not running",
        ),
        ("GET", "/containers/one/top", "409", "is not running"),
        ("POST", "/containers/one/unpause", "409", "is not paused"),
        (
            "GET",
            "/containers/one/logs",
            "400",
            "you must choose at least one stream",
        ),
        (
            "GET",
            "/containers/nope/json",
            "404",
            "No such container: nope",
        ),
        (
            "POST",
            "/containers/nope/start",
            "404",
            "No such container: nope",
        ),
        (
            "DELETE",
            "/containers/nope",
            "404",
            "No such container: nope",
        ),
        (
            "GET",
            "/exec/nope/json",
            "404",
            "No such exec instance: nope",
        ),
        (
            "POST",
            "/containers/one/wait?condition=x",
            "400",
            "invalid condition",
        ),
        (
            "POST",
            "/containers/one/update",
            "501",
            "POST /containers/{name}/update",
        ),
    ] {
        let (found, body) = fixture.ask(method, target);
        assert_eq!(found, status, "{target}: {body}");
        assert!(body.contains(part), "{target}: {body}");
    }
    let (status, body) = fixture.post("/containers/one/exec", &json!({"Cmd": ["true"]}));
    assert_eq!(
        (status.as_str(), &body["message"]),
        ("409", &json!(format!("container {id} is not running")))
    );
    // It does not run, so that this wait is over.
    let (status, body) = fixture.ask("POST", "/containers/one/wait");
    assert_eq!(status, "200");
    assert!(body.contains("{\"StatusCode\":0}"), "{body}");
}

#[test]
fn logs_are_framed_cut_and_numbered_by_stream() {
    let fixture = Fixture::new();
    let id = create(&fixture, "one", json!({}));
    let log = fixture.engine.layout().container(&id).join("log");
    let line = |text: &str, stream: &str, second: u32| {
        let time = format!("2024-01-01T00:00:0{second}Z");
        format!("{}\n", json!({"log": text, "stream": stream, "time": time}))
    };
    let lines = [
        line("a\n", "stdout", 1),
        line("b\n", "stderr", 2),
        line("c\n", "stdout", 3),
    ];
    fs::write(log, lines.concat()).expect("written");
    let read = |query: &str| {
        let answer = fixture.exchange(&format!(
            "GET /v1.41/containers/one/logs?{query} HTTP/1.0\r\nHost: x\r\n\r\n"
        ));
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.0 200"), "{head}");
        body.to_owned()
    };
    let frame = |stream: u8, text: &str| {
        let head = [
            stream,
            0,
            0,
            0,
            0,
            0,
            0,
            u8::try_from(text.len()).expect("short"),
        ];
        format!("{}{text}", String::from_utf8_lossy(&head))
    };
    let all = [frame(1, "a\n"), frame(2, "b\n"), frame(1, "c\n")];
    assert_eq!(read("stdout=1&stderr=1"), all.concat());
    assert_eq!(
        read("stdout=1"),
        [all[0].as_str(), all[2].as_str()].concat()
    );
    assert_eq!(read("stdout=1&stderr=1&tail=2"), all[1..].concat());
    assert_eq!(read("stdout=1&stderr=1&tail=0"), "");
    assert_eq!(read("stdout=1&stderr=1&tail=all"), all.concat());
    // 2024-01-01T00:00:02Z
    assert_eq!(
        read("stdout=1&stderr=1&since=1704067202"),
        all[1..].concat()
    );
    assert_eq!(
        read("stdout=1&stderr=1&until=1704067202.5"),
        all[..2].concat()
    );
    assert_eq!(
        read("stderr=1&timestamps=1"),
        frame(2, "2024-01-01T00:00:02.000000000Z b\n")
    );
    // It does not run, so that there is nothing to follow.
    assert_eq!(read("stdout=1&stderr=1&follow=1"), all.concat());
}

/// A name, what is done to the container of that id, and what the check says then.
type Damage<'a> = (&'a str, &'a dyn Fn(&str), &'a str);

/// One bad record hid itself, or failed the whole list, so that `rm $(ps -aq)` could not be had.
#[test]
fn a_damaged_container_is_listed_marked_and_removed() {
    let fixture = Fixture::new();
    let layout = fixture.engine.layout().clone();
    let whole = create(&fixture, "whole", json!({}));
    let file = |id: &str, name: &str| layout.container(id).join(name);
    let ways: [Damage<'_>; 5] = [
        (
            "torn",
            &|id| fs::write(file(id, "config.json"), "{\"id\":").expect("a file"),
            "is damaged",
        ),
        (
            "missing",
            &|id| fs::remove_file(file(id, "config.json")).expect("a file"),
            "what it was made from is missing",
        ),
        (
            "stateless",
            &|id| fs::remove_file(file(id, "state.json")).expect("a file"),
            "No such container",
        ),
        (
            "garbled",
            &|id| fs::write(file(id, "state.json"), [0xff, 0]).expect("a file"),
            "is damaged",
        ),
        (
            "senseless",
            &|id| {
                let text = fs::read_to_string(file(id, "config.json")).expect("a file");
                let mut record: Value = serde_json::from_str(&text).expect("JSON");
                record["body"]["ExposedPorts"] = json!({"x": {}});
                fs::write(file(id, "config.json"), record.to_string()).expect("a file");
            },
            "what it was made from makes no sense",
        ),
    ];
    for (name, damage, problem) in ways {
        let id = create(&fixture, name, json!({}));
        damage(&id);
        for target in [
            "/v1.41/containers/json?all=1",
            "/v1.41/containers/json?all=1&size=1",
            "/v1.41/containers/json?all=1&filters=%7B%22id%22:%5B%22.%22%5D%7D",
        ] {
            let listed = fixture.get(target);
            let listed = listed.as_array().expect("a list");
            assert_eq!(listed.len(), 2, "{name}: {listed:?}");
            let found = |id: &str| {
                let found = listed.iter().find(|one| one["Id"] == id);
                found.expect("it is shown").clone()
            };
            assert_eq!(found(&whole)["Status"], "Created");
            let damaged = found(&id);
            let status = damaged["Status"].as_str().expect("a status");
            assert!(status.ends_with(" (damaged)"), "{name}: {status}");
            assert_eq!(damaged["Names"], json!([format!("/{name}")]));
        }
        // A filter that it does not fit is no error either.
        for filter in [
            "network%22:%5B%22bridge",
            "publish%22:%5B%2280",
            "volume%22:%5B%22/x",
        ] {
            fixture.get(&format!(
                "/v1.41/containers/json?all=1&filters=%7B%22{filter}%22%5D%7D"
            ));
        }
        fixture.get("/v1.41/info");
        fixture.get("/v1.41/networks");
        let findings = fixture.check();
        let named = findings.iter().find(|finding| finding.subject == id);
        let named = named.unwrap_or_else(|| panic!("{name}: {findings:?}"));
        assert!(named.problem.contains(problem), "{name}: {named}");
        // What it wrote is not thrown away unless it is named.
        let (status, body) = fixture.ask(
            "POST",
            "/v1.41/containers/prune?filters=%7B%22label%22:%5B%22x%22%5D%7D",
        );
        assert_eq!(status, "200", "{body}");
        assert!(layout.container(&id).is_dir());
        let (status, body) = fixture.ask("DELETE", &format!("/v1.41/containers/{id}"));
        assert_eq!(status, "204", "{name}: {body}");
        assert!(!layout.container(&id).exists());
        let (status, body) = fixture.ask("GET", &format!("/v1.41/containers/{id}/json"));
        assert_eq!(status, "404", "{body}");
    }
    let listed = fixture.get("/v1.41/containers/json?all=1");
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
}
