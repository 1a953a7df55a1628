//! The same objects on an engine of one's own, and the questions about them.

use harness::{Answer, Engine, Image};
use serde_json::{Value, json};

use crate::support::until;

/// What is asked: the label that exceptions know it by, and the request.
pub(super) struct Question {
    pub(super) label: &'static str,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Option<Value>,
}

/// An engine with objects of every kind and in every state.
pub(super) struct World {
    engine: Engine,
    execs: Vec<(&'static str, String)>,
}

impl World {
    /// Makes the objects on a fresh engine.
    #[track_caller]
    pub(super) fn new(engine: Engine) -> World {
        let mut world = World {
            engine,
            execs: Vec::new(),
        };
        world.make_images();
        world.make_volumes();
        world.make_containers();
        world
    }

    fn make_images(&self) {
        // Two blocks of zeros are an archive without files.
        let empty = [0; 1024];
        let changes = [
            "CMD [\"a\"]",
            "ENTRYPOINT [\"b\"]",
            "ENV C=d",
            "EXPOSE 80",
            "LABEL e=f",
            "USER nobody",
            "VOLUME /g",
            "WORKDIR /h",
            "HEALTHCHECK CMD true",
            "ONBUILD RUN i",
        ];
        let changes: String = changes
            .iter()
            .map(|change| format!("&changes={}", encoded(change)))
            .collect();
        for (repository, changes) in [("full", changes.as_str()), ("nameless", "")] {
            let path = format!("/images/create?fromSrc=-&repo=shapes/{repository}&tag=1{changes}");
            self.send("POST", &path, "application/x-tar", &empty);
        }
        let archive = Image::bare()
            .with_file("/file", 0o644, "x")
            .archive("shapes/loaded:1");
        self.send("POST", "/images/load", "application/x-tar", &archive);
        // Its name goes to another one.
        self.send(
            "POST",
            "/images/shapes/loaded:1/tag?repo=shapes/nameless&tag=1",
            "",
            &[],
        );
    }

    fn make_volumes(&self) {
        for body in [
            json!({"Name": "plain"}),
            json!({
                "Name": "full",
                "Labels": {"a": "b"},
                "DriverOpts": {"type": "none", "device": "/etc", "o": "bind"},
            }),
        ] {
            self.post("/volumes/create", &body);
        }
    }

    fn make_containers(&mut self) {
        let sleep = ["sleep", "1000"];
        let create = |name: &str, body: Value| {
            let mut whole = json!({"Image": harness::BUSYBOX, "Cmd": sleep});
            for (key, value) in body.as_object().into_iter().flatten() {
                whole[key] = value.clone();
            }
            self.post(&format!("/containers/create?name={name}"), &whole);
        };
        create("made", json!({}));
        create("plain", json!({}));
        // Not every machine lets it start.
        create("privileged", json!({"HostConfig": {"Privileged": true}}));
        create("full", full());
        create("exited", json!({"Cmd": ["sh", "-c", "exit 3"]}));
        create("paused", json!({"HostConfig": {"NetworkMode": "none"}}));
        create(
            "host",
            json!({"HostConfig": {"NetworkMode": "host", "PidMode": "host", "IpcMode": "host"}}),
        );
        create(
            "joined",
            json!({"HostConfig": {"NetworkMode": "container:plain"}}),
        );
        create(
            "terminal",
            json!({"Tty": true, "OpenStdin": true, "HostConfig": {"ReadonlyRootfs": true}}),
        );
        for name in [
            "plain", "full", "exited", "paused", "host", "joined", "terminal",
        ] {
            self.send("POST", &format!("/containers/{name}/start"), "", &[]);
        }
        self.send("POST", "/containers/paused/pause", "", &[]);
        self.send("POST", "/containers/exited/wait", "", &[]);
        until(|| {
            let full = self.engine.inspect("full");
            (full["State"]["Health"]["Log"][0] != Value::Null).then_some(())
        });
        for (name, body) in [
            ("made", json!({"Cmd": ["true"]})),
            (
                "running",
                json!({
                    "Cmd": sleep, "AttachStdin": true, "Tty": true, "User": "0",
                    "DetachKeys": "ctrl-x",
                }),
            ),
            ("ended", json!({"Cmd": ["false"], "AttachStdout": true})),
        ] {
            let exec = self.post("/containers/plain/exec", &body)["Id"].clone();
            let exec = exec.as_str().expect("an id").to_owned();
            if name != "made" {
                let body = json!({"Detach": true, "Tty": name == "running"});
                self.post(&format!("/exec/{exec}/start"), &body);
                until(|| {
                    let shown = self.engine.api().get(&format!("/exec/{exec}/json")).json();
                    (shown["Running"] == (name == "running")).then_some(())
                });
            }
            self.execs.push((name, exec));
        }
    }

    /// Lets the frozen container go on: it could not be killed with its engine.
    fn thaw(&self) {
        let _ = self
            .engine
            .api()
            .request("POST", "/containers/paused/unpause", &[], &[]);
    }

    /// All questions, those that change something last.
    pub(super) fn questions(&self) -> Vec<Question> {
        let mut questions = Vec::new();
        let mut ask = |label, method, path: &str, body| {
            questions.push(Question {
                label,
                method,
                path: path.to_owned(),
                body,
            });
        };
        for (label, path) in [
            ("version", "/version"),
            ("info", "/info"),
            ("containers", "/containers/json?all=1"),
            ("containers", "/containers/json?all=1&size=1"),
            (
                "no containers",
                "/containers/json?filters=%7B%22name%22:%5B%22none%22%5D%7D",
            ),
            ("container", "/containers/full/json?size=1"),
            ("top", "/containers/plain/top"),
            ("top", "/containers/plain/top?ps_args=aux"),
            ("stats", "/containers/plain/stats?stream=0"),
            ("stats", "/containers/plain/stats?stream=0&one-shot=1"),
            ("stats", "/containers/full/stats?stream=0"),
            ("stats of none", "/containers/exited/stats?stream=0"),
            ("images", "/images/json?all=1"),
            ("images", "/images/json?digests=1"),
            (
                "no images",
                "/images/json?filters=%7B%22reference%22:%5B%22none%22%5D%7D",
            ),
            ("image", "/images/busybox/json"),
            ("image", "/images/shapes/full:1/json"),
            ("image", "/images/shapes/nameless:1/json"),
            ("history", "/images/busybox/history"),
            ("history", "/images/shapes/full:1/history"),
            ("volumes", "/volumes"),
            (
                "no volumes",
                "/volumes?filters=%7B%22name%22:%5B%22none%22%5D%7D",
            ),
            ("volume", "/volumes/plain"),
            ("volume", "/volumes/full"),
            ("networks", "/networks"),
            (
                "no networks",
                "/networks?filters=%7B%22name%22:%5B%22nothing%22%5D%7D",
            ),
            ("network", "/networks/bridge"),
            ("network", "/networks/host"),
            ("network", "/networks/none"),
            ("error", "/containers/nope/json"),
            ("error", "/containers/nope/top"),
            ("error", "/containers/exited/top"),
            ("error", "/containers/nope/stats?stream=0"),
            ("error", "/containers/nope/logs?stdout=1"),
            ("error", "/exec/nope/json"),
            ("error", "/images/nope/json"),
            ("error", "/images/nope/history"),
            ("error", "/volumes/nope"),
            ("error", "/networks/nope"),
            ("error", "/nope"),
        ] {
            ask(label, "GET", path, None);
        }
        for name in [
            "made",
            "plain",
            "privileged",
            "full",
            "exited",
            "paused",
            "host",
            "joined",
            "terminal",
        ] {
            ask(
                "container",
                "GET",
                &format!("/containers/{name}/json"),
                None,
            );
        }
        for (_, id) in &self.execs {
            ask("exec", "GET", &format!("/exec/{id}/json"), None);
        }
        let bare = json!({"Image": harness::BUSYBOX});
        ask("created", "POST", "/containers/create", Some(bare));
        let warned = json!({"Image": harness::BUSYBOX, "HostConfig": {"OomKillDisable": true}});
        ask("created", "POST", "/containers/create", Some(warned));
        let missing = json!({"Image": "nope"});
        ask("error", "POST", "/containers/create", Some(missing));
        let exec = json!({"Cmd": ["true"]});
        ask("exec made", "POST", "/containers/plain/exec", Some(exec));
        ask("wait", "POST", "/containers/exited/wait", None);
        ask("error", "POST", "/containers/nope/wait", None);
        ask("error", "POST", "/containers/nope/start", None);
        ask("error", "DELETE", "/containers/plain", None);
        ask("volume made", "POST", "/volumes/create", Some(json!({})));
        ask(
            "error",
            "POST",
            "/volumes/create",
            Some(json!({"Name": "/"})),
        );
        ask("error", "DELETE", "/volumes/nope", None);
        ask("error", "DELETE", "/networks/bridge", None);
        ask("images removed", "DELETE", "/images/shapes/full:1", None);
        ask("error", "DELETE", "/images/nope", None);
        ask("containers pruned", "POST", "/containers/prune", None);
        ask("no containers pruned", "POST", "/containers/prune", None);
        ask("images pruned", "POST", "/images/prune", None);
        ask("no images pruned", "POST", "/images/prune", None);
        ask("volumes pruned", "POST", "/volumes/prune", None);
        ask("no volumes pruned", "POST", "/volumes/prune", None);
        ask("no networks pruned", "POST", "/networks/prune", None);
        questions
    }

    /// Asks one question at a version of the API.
    #[track_caller]
    pub(super) fn ask(&self, version: &str, question: &Question) -> Answer {
        let path = format!("/v{version}{}", question.path);
        let api = self.engine.api();
        let answer = match &question.body {
            Some(body) => api.request(
                question.method,
                &path,
                &[("Content-Type", "application/json")],
                body.to_string().as_bytes(),
            ),
            None => api.request(question.method, &path, &[], &[]),
        };
        answer.unwrap_or_else(|error| panic!("{} {path}: {error}", question.method))
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.engine.api().post_json(&format!("/v1.41{path}"), body);
        let answer = answer.expect_success();
        match answer.body.is_empty() {
            true => Value::Null,
            false => answer.json(),
        }
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, content_type: &str, body: &[u8]) {
        let headers = [("Content-Type", content_type)];
        let headers = match content_type {
            "" => &[][..],
            _ => &headers[..],
        };
        self.engine
            .api()
            .request(method, &format!("/v1.41{path}"), headers, body)
            .expect("an answer")
            .expect_success();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.thaw();
    }
}

/// A container with as much of everything as both engines do.
fn full() -> Value {
    json!({
        "Hostname": "h", "Domainname": "d", "User": "0:0", "AttachStdout": true, "AttachStderr": true,
        "ExposedPorts": {"80/tcp": {}, "81/udp": {}}, "Env": ["A=1"], "WorkingDir": "/tmp",
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_000_000_000_u64},
        "Volumes": {"/anonymous": {}}, "Labels": {"l": "v"}, "StopSignal": "SIGTERM", "StopTimeout": 1,
        "MacAddress": "02:00:00:00:00:07", "HostConfig": full_host_config(),
    })
}

fn full_host_config() -> Value {
    let mut config = json!({
        "Binds": ["/etc:/host:ro", "plain:/named"],
        "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}]},
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
        "CapAdd": ["NET_ADMIN"], "CapDrop": ["MKNOD"], "GroupAdd": ["7"], "OomScoreAdj": 100,
        "Dns": ["192.0.2.1"], "DnsOptions": ["ndots:1"], "DnsSearch": ["example"],
        "ExtraHosts": ["a:192.0.2.2"], "SecurityOpt": ["no-new-privileges"], "Tmpfs": {"/t": "size=1m"},
        "Sysctls": {"net.ipv4.ip_forward": "0"},
    });
    config["Devices"] = json!([
        {"PathOnHost": "/dev/null", "PathInContainer": "/dev/other", "CgroupPermissions": "rwm"},
    ]);
    config["Ulimits"] = json!([{"Name": "nofile", "Soft": 100, "Hard": 100}]);
    config["Mounts"] = json!([
        {"Type": "volume", "Source": "plain", "Target": "/m", "VolumeOptions": {"Labels": {"a": "b"}}},
        {"Type": "tmpfs", "Target": "/tm", "TmpfsOptions": {"SizeBytes": 1 << 20}},
        {"Type": "bind", "Source": "/etc", "Target": "/bm", "ReadOnly": true,
            "BindOptions": {"Propagation": "rprivate"}},
    ]);
    for (name, number) in [
        ("ShmSize", 1 << 20),
        ("Memory", 64 << 20),
        ("MemoryReservation", 32 << 20),
        ("NanoCpus", 500_000_000),
        ("PidsLimit", 100),
    ] {
        config[name] = json!(number);
    }
    config
}

/// A value as it stands in a query.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
