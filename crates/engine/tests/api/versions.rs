//! Answers, parameters and bodies by version of the API, beside what Docker's published history of it says: between which
//! versions a field is there. Below 1.42 the binary's test `clients::shapes` has dockerd's own answers for a measure.

use serde_json::{Value, json};

use crate::wire::Fixture;

/// The number behind the dot of the oldest version, and of the newest.
const OLDEST: u16 = 24;
const NEWEST: u16 = 55;

/// From which version to which an answer has a field: the question, the field, and the numbers behind the dots.
const RECORDED: &[(&str, &str, u16, u16)] = &[
    // 1.42: "omits the KernelMemory and KernelMemoryTCP if they are not set".
    (
        "/containers/made/json",
        "/HostConfig/KernelMemory",
        OLDEST,
        41,
    ),
    (
        "/containers/made/json",
        "/HostConfig/KernelMemoryTCP",
        OLDEST,
        41,
    ),
    (
        "/containers/made/json",
        "/HostConfig/Memory",
        OLDEST,
        NEWEST,
    ),
    // 1.44: "a new field named DNSNames"; 1.48: "returns a GwPriority field".
    (
        "/containers/made/json",
        "/NetworkSettings/Networks/bridge/DNSNames",
        44,
        NEWEST,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/Networks/bridge/GwPriority",
        48,
        NEWEST,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/Networks/bridge/IPAddress",
        OLDEST,
        NEWEST,
    ),
    // 1.52: "no longer returns the deprecated ..."
    (
        "/containers/made/json",
        "/NetworkSettings/Bridge",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/HairpinMode",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/LinkLocalIPv6Address",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/LinkLocalIPv6PrefixLen",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/SecondaryIPAddresses",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/SecondaryIPv6Addresses",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/EndpointID",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/Gateway",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/GlobalIPv6Address",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/GlobalIPv6PrefixLen",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/IPAddress",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/IPPrefixLen",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/IPv6Gateway",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/MacAddress",
        OLDEST,
        51,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/Ports",
        OLDEST,
        NEWEST,
    ),
    (
        "/containers/made/json",
        "/NetworkSettings/SandboxKey",
        OLDEST,
        NEWEST,
    ),
    ("/containers/made/json", "/Config/OnBuild", OLDEST, 51),
    ("/containers/made/json", "/Config/MacAddress", OLDEST, 51),
    ("/containers/made/json", "/Config/Labels", OLDEST, NEWEST),
    // 1.46: "returns the annotations of containers".
    (
        "/containers/json?all=1",
        "/0/HostConfig/Annotations",
        46,
        NEWEST,
    ),
    (
        "/containers/json?all=1",
        "/0/HostConfig/NetworkMode",
        OLDEST,
        NEWEST,
    ),
    // 1.44, 1.45, 1.50 and 1.52.
    ("/images/bare:1/json", "/VirtualSize", OLDEST, 43),
    ("/images/bare:1/json", "/Container", OLDEST, 44),
    ("/images/bare:1/json", "/ContainerConfig", OLDEST, 44),
    ("/images/bare:1/json", "/Config/Hostname", OLDEST, 49),
    ("/images/bare:1/json", "/Config/Domainname", OLDEST, 49),
    ("/images/bare:1/json", "/Config/AttachStdin", OLDEST, 49),
    ("/images/bare:1/json", "/Config/AttachStdout", OLDEST, 49),
    ("/images/bare:1/json", "/Config/AttachStderr", OLDEST, 49),
    ("/images/bare:1/json", "/Config/Tty", OLDEST, 49),
    ("/images/bare:1/json", "/Config/OpenStdin", OLDEST, 49),
    ("/images/bare:1/json", "/Config/StdinOnce", OLDEST, 49),
    ("/images/bare:1/json", "/Config/Image", OLDEST, 49),
    ("/images/bare:1/json", "/Config/Cmd", OLDEST, 51),
    ("/images/bare:1/json", "/Config/Entrypoint", OLDEST, 51),
    ("/images/bare:1/json", "/Config/Env", OLDEST, 51),
    ("/images/bare:1/json", "/Config/Labels", OLDEST, 51),
    ("/images/bare:1/json", "/Config/OnBuild", OLDEST, 51),
    ("/images/bare:1/json", "/Config/User", OLDEST, 51),
    ("/images/bare:1/json", "/Config/Volumes", OLDEST, 51),
    ("/images/bare:1/json", "/Config/WorkingDir", OLDEST, 51),
    ("/images/bare:1/json", "/Parent", OLDEST, 51),
    ("/images/bare:1/json", "/DockerVersion", OLDEST, 51),
    ("/images/bare:1/json", "/Author", OLDEST, 51),
    ("/images/bare:1/json", "/Comment", OLDEST, NEWEST),
    ("/images/bare:1/json", "/Size", OLDEST, NEWEST),
    ("/images/bare:1/json", "/GraphDriver", OLDEST, NEWEST),
    ("/images/bare:1/json", "/Metadata", OLDEST, NEWEST),
    // What is not empty stays.
    ("/images/said:1/json", "/Config/Env", OLDEST, NEWEST),
    ("/images/said:1/json", "/Config/Cmd", OLDEST, NEWEST),
    ("/images/said:1/json", "/Config/User", OLDEST, NEWEST),
    ("/images/said:1/json", "/Config/Tty", OLDEST, 49),
    ("/images/json", "/0/VirtualSize", OLDEST, 43),
    ("/images/json", "/0/Size", OLDEST, NEWEST),
    // 1.42, 1.44, 1.49 and 1.50.
    ("/info", "/KernelMemory", OLDEST, 41),
    ("/info", "/KernelMemoryTCP", OLDEST, 41),
    ("/info", "/CDISpecDirs", 44, NEWEST),
    (
        "/info",
        "/RegistryConfig/AllowNondistributableArtifactsCIDRs",
        OLDEST,
        48,
    ),
    (
        "/info",
        "/RegistryConfig/AllowNondistributableArtifactsHostnames",
        OLDEST,
        48,
    ),
    ("/info", "/RegistryConfig/Mirrors", OLDEST, NEWEST),
    ("/info", "/ContainerdCommit/Expected", OLDEST, 48),
    ("/info", "/RuncCommit/Expected", OLDEST, 48),
    ("/info", "/InitCommit/Expected", OLDEST, 48),
    ("/info", "/BridgeNfIptables", OLDEST, 49),
    ("/info", "/BridgeNfIp6tables", OLDEST, 49),
    // 1.48: "EnableIPv4"; 1.52: "now includes a Status field".
    ("/networks", "/0/EnableIPv4", 48, NEWEST),
    ("/networks/bridge", "/EnableIPv4", 48, NEWEST),
    ("/networks/bridge", "/EnableIPv6", OLDEST, NEWEST),
    ("/networks/bridge", "/Status", 52, NEWEST),
];

/// An engine with two images and a container.
fn fixture() -> Fixture {
    let fixture = Fixture::new();
    for (name, changes) in [
        (
            "said",
            "&changes=ENV%20A%3Db&changes=CMD%20c&changes=USER%20d",
        ),
        ("bare", ""),
    ] {
        import(&fixture, &format!("repo={name}&tag=1{changes}"));
    }
    let body = json!({
        "Image": "bare:1", "Cmd": ["true"],
        "HostConfig": {"Annotations": {"a": "b"}},
        "NetworkingConfig": {"EndpointsConfig": {"bridge": {"MacAddress": "02:00:00:00:00:07"}}},
    });
    let (status, answer) = fixture.post("/v1.55/containers/create?name=made", &body);
    assert_eq!(status, "201", "{answer}");
    fixture
}

/// An image without files: two blocks of zeros are an archive.
fn import(fixture: &Fixture, query: &str) {
    let archive = "\0".repeat(1024);
    let answer = fixture.exchange(&format!(
        "POST /images/create?fromSrc=-&{query} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-tar\r\n\
         Content-Length: 1024\r\n\r\n{archive}"
    ));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn fields_are_there_in_the_versions_that_dockers_history_names() {
    let fixture = fixture();
    let mut wrong = Vec::new();
    let mut questions: Vec<&str> = RECORDED.iter().map(|(question, ..)| *question).collect();
    questions.dedup();
    for minor in OLDEST..=NEWEST {
        for question in &questions {
            let answer = fixture.get(&format!("/v1.{minor}{question}"));
            for (_, field, first, last) in RECORDED.iter().filter(|(of, ..)| of == question) {
                let expected = (*first..=*last).contains(&minor);
                if answer.pointer(field).is_some() != expected {
                    wrong.push(format!("1.{minor} {question} {field}: {}", !expected));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn values_are_those_of_the_version() {
    let fixture = fixture();
    // The name goes to another image.
    import(&fixture, "repo=bare&tag=1&changes=ENV%20other%3D1");
    let nameless = |minor: u16| -> Value {
        let list = fixture.get(&format!("/v1.{minor}/images/json"));
        let mut images = list.as_array().cloned().unwrap_or_default().into_iter();
        let is_nameless = |image: &Value| {
            let tags = &image["RepoTags"];
            *tags == json!([]) || *tags == json!(["<none>:<none>"])
        };
        images.find(is_nameless).expect("an image without a name")
    };
    for (minor, tags, digests, containers) in [
        (42, json!(["<none>:<none>"]), json!(["<none>@<none>"]), -1),
        (43, json!([]), json!([]), -1),
        (50, json!([]), json!([]), -1),
        (51, json!([]), json!([]), 1),
    ] {
        let image = nameless(minor);
        assert_eq!(image["RepoTags"], tags, "1.{minor}");
        assert_eq!(image["RepoDigests"], digests, "1.{minor}");
        assert_eq!(image["Containers"], containers, "1.{minor}");
    }
    let registries = "/RegistryConfig/AllowNondistributableArtifactsCIDRs";
    for (minor, expected) in [(47, json!([])), (48, Value::Null)] {
        let info = fixture.get(&format!("/v1.{minor}/info"));
        assert_eq!(info.pointer(registries), Some(&expected), "1.{minor}");
    }
    let image = fixture.get("/v1.43/images/bare:1/json");
    assert_eq!(image["VirtualSize"], image["Size"]);
    for (minor, expected) in [
        (41, json!({"StatusCode": 0, "Error": null})),
        (42, json!({"StatusCode": 0})),
    ] {
        let (status, body) = fixture.ask("POST", &format!("/v1.{minor}/containers/made/wait"));
        // It comes in chunks, each with its length before it.
        let body = body
            .lines()
            .find(|line| line.starts_with('{'))
            .expect("JSON");
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!((status.as_str(), body), ("200", expected), "1.{minor}");
    }
}

#[test]
fn parameters_mean_what_they_meant_in_their_version() {
    let fixture = fixture();
    let names = |target: &str| -> usize {
        let list = fixture.get(target);
        list.as_array().map_or(0, Vec::len)
    };
    assert_eq!(names("/v1.40/images/json?filter=said"), 1);
    assert_eq!(names("/v1.41/images/json?filter=said"), 2);
    for (target, minor, message) in [
        (
            "/images/json?identity=1",
            54,
            "identity requires manifests=1",
        ),
        (
            "/containers/made/logs?stdout=1&format=x",
            54,
            "unsupported log format",
        ),
        (
            "/images/bare:1/json?platform=%7B",
            49,
            "failed to parse platform",
        ),
        (
            "/images/bare:1/json?platform=%7B%22os%22:%22plan9%22,%22architecture%22:%22z%22%7D",
            49,
            "plan9",
        ),
        (
            "/images/bare:1/history?platform=%7B",
            48,
            "failed to parse platform",
        ),
    ] {
        let ask = |minor: u16| fixture.ask("GET", &format!("/v1.{minor}{target}"));
        assert_eq!(ask(minor - 1).0, "200", "1.{} {target}", minor - 1);
        let (status, body) = ask(minor);
        assert!(
            status.starts_with('4') && body.contains(message),
            "{target}: {status} {body}"
        );
    }
    let shared = |minor: u16| {
        fixture.get(&format!("/v1.{minor}/images/json?shared-size=1"))[0]["SharedSize"].clone()
    };
    assert_eq!(shared(41), -1);
    assert!(shared(42).as_i64().is_some_and(|size| size >= 0));
    // Below 1.41 whatever there is serves.
    let body = json!({"Image": "bare:1", "Cmd": ["true"]});
    let create = |minor: u16| {
        fixture
            .post(
                &format!("/v1.{minor}/containers/create?platform=linux/s390x"),
                &body,
            )
            .0
    };
    assert_eq!(create(40), "201");
    assert_eq!(create(41), "404");
}

#[test]
fn volumes_with_names_go_with_the_others_for_old_clients_alone() {
    let fixture = Fixture::new();
    for (minor, expected) in [(42, json!([])), (41, json!(["named"]))] {
        fixture.post("/v1.41/volumes/create", &json!({"Name": "named"}));
        let (_, body) = fixture.ask("POST", &format!("/v1.{minor}/volumes/prune"));
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(body["VolumesDeleted"], expected, "1.{minor}");
    }
}

#[test]
fn fields_of_a_body_mean_what_they_meant_in_their_version() {
    let fixture = fixture();
    let create = |minor: u16, host_config: Value| -> Result<Value, String> {
        let body = json!({"Image": "bare:1", "Cmd": ["true"], "HostConfig": host_config});
        let (status, answer) = fixture.post(&format!("/v1.{minor}/containers/create"), &body);
        if status != "201" {
            return Err(format!("{status} {}", answer["message"]));
        }
        let id = answer["Id"].as_str().expect("an id");
        Ok(fixture.get(&format!("/v1.55/containers/{id}/json"))["HostConfig"].clone())
    };
    let field = |minor: u16, name: &str, value: Value| {
        create(minor, json!({ name: value })).expect("made")[name].clone()
    };
    assert_eq!(field(42, "Annotations", json!({"a": "b"})), Value::Null);
    assert_eq!(
        field(43, "Annotations", json!({"a": "b"})),
        json!({"a": "b"})
    );
    assert_eq!(field(41, "ConsoleSize", json!([1, 2])), json!([0, 0]));
    assert_eq!(field(42, "ConsoleSize", json!([1, 2])), json!([1, 2]));
    assert_eq!(field(39, "IpcMode", json!("")), "shareable");
    assert_eq!(field(40, "IpcMode", json!("")), "private");
    let mount =
        json!({"Mounts": [{"Type": "tmpfs", "Target": "/t", "VolumeOptions": {"NoCopy": true}}]});
    assert!(create(41, mount.clone()).is_ok());
    let error = create(42, mount).expect_err("refused");
    assert!(error.starts_with("400"), "{error}");
    let mount = json!({"Mounts": [
        {"Type": "volume", "Source": "named", "Target": "/t", "VolumeOptions": {"Subpath": "s"}},
    ]});
    let error = create(44, mount.clone()).expect_err("refused");
    assert!(error.contains("needs API v1.45"), "{error}");
    create(45, mount).expect("made");
}

#[test]
fn a_hardware_address_is_the_containers_then_the_endpoints() {
    let fixture = fixture();
    let address = "02:00:00:00:00:09";
    let create = |minor: u16, more: Value| -> (String, Value) {
        let mut body = json!({"Image": "bare:1", "Cmd": ["true"]});
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        fixture.post(&format!("/v1.{minor}/containers/create"), &body)
    };
    let shown = |answer: &Value| -> Value {
        let id = answer["Id"].as_str().expect("an id");
        let whole = fixture.get(&format!("/v1.55/containers/{id}/json"));
        whole["NetworkSettings"]["Networks"]["bridge"]["MacAddress"].clone()
    };
    let own = json!({ "MacAddress": address });
    let endpoints = json!({ "bridge": { "MacAddress": address } });
    let endpoint = json!({ "NetworkingConfig": { "EndpointsConfig": endpoints } });
    for (minor, warnings) in [(43, 0), (44, 1), (51, 1)] {
        let (status, answer) = create(minor, own.clone());
        assert_eq!(status, "201", "1.{minor}: {answer}");
        assert_eq!(shown(&answer), address, "1.{minor}");
        let told = answer["Warnings"].as_array().map(|warnings| {
            let is_about_it = |text: &&Value| text.to_string().contains("MacAddress");
            warnings.iter().filter(is_about_it).count()
        });
        assert_eq!(told, Some(warnings), "1.{minor}: {answer}");
    }
    let (status, answer) = create(52, own);
    assert_eq!(status, "400", "{answer}");
    for (minor, expected) in [(43, ""), (44, address), (55, address)] {
        let (status, answer) = create(minor, endpoint.clone());
        assert_eq!(status, "201", "1.{minor}: {answer}");
        assert_eq!(shown(&answer), expected, "1.{minor}");
    }
}
