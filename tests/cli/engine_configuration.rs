//! The engine's configuration file, on real programs: `engine serve --config FILE` and `engine.json` in the engine's root.

use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::thread;

use harness::{Authority, Image, Outcome, Program, Registry, Running};
use serde_json::{Value, json};

use crate::engine::State;

/// The image that containers are made of here, which is loaded.
const IMAGE: &str = "box:1";

/// An engine of a test's own, and the file that it is served with.
struct Configured {
    state: State,
    /// It goes with the server, if there is one.
    server: Option<Running>,
}

impl Configured {
    /// One that is served with `--config`. Nothing, after a line that names the test, where this process is not root.
    fn served(test: &str, configuration: &Value) -> Option<Configured> {
        let state = state(test)?;
        state.tool.file("engine.json", configuration.to_string());
        // A path may be relative.
        let server = Some(state.serve(&["--config", "engine.json"]));
        Some(Configured { state, server })
    }

    /// One that each command has inside, with `engine.json` in its root.
    fn inside(test: &str, configuration: &Value) -> Option<Configured> {
        let state = state(test)?;
        let file = state
            .tool
            .file("state/engine.json", configuration.to_string());
        assert_eq!(file.parent(), Some(&*state.root()));
        Some(Configured {
            state,
            server: None,
        })
    }

    fn host(&self) -> String {
        match self.server {
            Some(_) => format!("unix://{}", self.state.run.join("engine.sock").display()),
            None => self.state.host.clone(),
        }
    }

    #[track_caller]
    fn run(&self, words: &[&str]) -> Outcome {
        let host = self.host();
        self.state.tool.run(["-H", &host].iter().chain(words))
    }

    /// What a command writes that has to succeed.
    #[track_caller]
    fn ok(&self, words: &[&str]) -> String {
        let outcome = self.run(words);
        assert_eq!(outcome.code, Some(0), "{words:?}: {}", outcome.err());
        outcome.out()
    }

    #[track_caller]
    fn json(&self, words: &[&str]) -> Value {
        let text = self.ok(words);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Loads [`IMAGE`].
    #[track_caller]
    fn load(&self) {
        let path = self
            .state
            .tool
            .file("box.tar", Image::busybox().archive(IMAGE));
        self.ok(&[
            "load",
            "-q",
            "-i",
            path.to_str().expect("a path in Unicode"),
        ]);
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        let host = &self.state.host;
        let all = self.state.tool.run(["-H", host, "ps", "-aq"]).out();
        for id in all.lines() {
            self.state.tool.run(["-H", host, "rm", "-f", id]);
        }
        if let Some(server) = self.server.take() {
            server.signal(harness::Signal::TERM);
            server.finish();
        }
        // Without a root, the bridge is nobody's.
        let _ = fs::remove_dir_all(self.state.root());
        let check = ["-H", host, "engine", "check", "--repair"];
        self.state.tool.run(check);
    }
}

fn state(test: &str) -> Option<State> {
    if !rustix::process::geteuid().is_root() {
        return harness::left_out(&format!("engine_configuration::{test}"), "to be root");
    }
    Some(State::new())
}

/// Docker's client with that engine.
fn docker(test: &str, configured: &Configured) -> Option<Program> {
    if harness::find_program("docker").is_none() {
        let test = format!("engine_configuration::{test}");
        return harness::left_out(&test, "a Docker client (Debian: docker.io)");
    }
    Some(Program::new("docker").with_env("DOCKER_HOST", configured.host()))
}

/// Leads to a registry from an address of this machine that is not the loopback's, which needs TLS unless the engine is told.
/// Nothing on a machine without such an address.
fn far(test: &str, registry: &Registry) -> Option<String> {
    // Nothing is sent: the kernel says which address it would be sent from.
    let address = UdpSocket::bind("0.0.0.0:0")
        .and_then(|socket| {
            socket.connect("192.0.2.1:9")?;
            socket.local_addr()
        })
        .ok()
        .map(|address| address.ip())
        .filter(|address| !address.is_loopback());
    let Some(address) = address else {
        let test = format!("engine_configuration::{test}");
        return harness::left_out(&test, "an address that is not the loopback's");
    };
    let listener = TcpListener::bind((address, 0)).expect("a port");
    let here = listener.local_addr().expect("a bound address").to_string();
    let there = registry.address().to_owned();
    // The threads end with their connections, and this one with the process.
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            if let Ok(server) = TcpStream::connect(&there) {
                pass(&client, &server);
                pass(&server, &client);
            }
        }
    });
    Some(here)
}

/// Passes on what one sends, and that it ends.
fn pass(from: &TcpStream, to: &TcpStream) {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a descriptor");
    let (mut from, mut to) = (clone(from), clone(to));
    thread::spawn(move || {
        // Either end may go at any time.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[test]
fn a_mirror_has_the_images_of_docker_hub() {
    const TEST: &str = "a_mirror_has_the_images_of_docker_hub";
    let Some(registry) = harness::registry_or_skip(&format!("engine_configuration::{TEST}")) else {
        return;
    };
    for name in ["mirrored/one:1", "mirrored/two:1", "mirrored/three:1"] {
        let image = Image::busybox().with_file("etc/name", 0o644, name);
        registry.push(&image, name);
    }
    let mirror = format!("http://{}", registry.address());
    let configuration = json!({ "registry-mirrors": [mirror] });
    let Some(served) = Configured::served(TEST, &configuration) else {
        return;
    };
    let cat_name = ["cat", "/etc/name"];
    let cat = |name| {
        let options = ["run", "--rm", "-q", "--network", "none"];
        [&options[..], &[name], &cat_name].concat()
    };
    assert_eq!(served.ok(&cat("mirrored/one:1")), "mirrored/one:1");
    if let Some(docker) = docker(TEST, &served) {
        let pulled = docker.run(["pull", "-q", "mirrored/two:1"]);
        pulled.assert(0, "docker.io/mirrored/two:1\n", "");
        let ran = docker.run(
            [
                &["run", "--rm", "--network", "none", "mirrored/two:1"],
                &cat_name[..],
            ]
            .concat(),
        );
        ran.assert(0, "mirrored/two:1", "");
        let info = docker.run(["info"]).out();
        assert!(
            info.contains(&format!("\n Registry Mirrors:\n  {mirror}/\n")),
            "{info}"
        );
    }
    let info = served.ok(&["info"]);
    assert!(
        info.contains(&format!("\n Registry Mirrors:\n  {mirror}/\n")),
        "{info}"
    );
    // The images are Docker Hub's, and go by its names.
    let listed = served.ok(&["images", "--format", "{{.Repository}}"]);
    assert!(listed.contains("mirrored/one\n"), "{listed}");

    let inside = Configured::inside(TEST, &configuration).expect("to be root still");
    assert_eq!(inside.ok(&cat("mirrored/three:1")), "mirrored/three:1");
    let registries = inside.json(&["info", "--format", "{{json .RegistryConfig}}"]);
    let mirrors = json!([format!("{mirror}/")]);
    assert_eq!(registries["Mirrors"], mirrors);
    assert_eq!(registries["IndexConfigs"]["docker.io"]["Mirrors"], mirrors);
}

#[test]
fn a_registry_whose_certificate_nobody_signed_is_declared_insecure() {
    const TEST: &str = "a_registry_whose_certificate_nobody_signed_is_declared_insecure";
    let Some(registry) = harness::registry_or_skip(&format!("engine_configuration::{TEST}")) else {
        return;
    };
    let image = Image::busybox().with_file("etc/name", 0o644, "declared");
    registry.push(&image, "declared-insecure:1");
    let certificate = Authority::new("nobody knows it").server(&["elsewhere.example"]);
    let secure = registry.over_tls(&certificate).expect("a registry");
    let Some(address) = far(TEST, &secure) else {
        return;
    };
    let reference = format!("{address}/declared-insecure:1");
    let words = ["run", "--rm", "-q", "--network", "none"];
    let cat = [&words[..], &[&reference, "cat", "/etc/name"]].concat();

    let Some(strict) = Configured::served(TEST, &json!({})) else {
        return;
    };
    let refused = strict.run(&cat);
    refused.assert_err_contains(125, "", "certificate");
    // What the file says holds from the next pull on.
    let (host, _) = address.rsplit_once(':').expect("a port");
    for insecure in [address.clone(), format!("{host}/32")] {
        let content = json!({ "insecure-registries": [insecure] });
        strict.state.tool.file("engine.json", content.to_string());
        assert_eq!(strict.ok(&cat), "declared");
        strict.ok(&["rmi", &reference]);
        let registries = strict.json(&["info", "--format", "{{json .RegistryConfig}}"]);
        let named = &registries["IndexConfigs"][&address]["Secure"];
        let networks = registries["InsecureRegistryCIDRs"]
            .as_array()
            .expect("a list");
        match insecure.contains('/') {
            false => assert_eq!(named, false, "{registries}"),
            true => assert!(networks.contains(&json!(insecure)), "{registries}"),
        }
        if let Some(docker) = docker(TEST, &strict) {
            let info = docker.run(["info"]).out();
            let expected = format!("\n Insecure Registries:\n  {insecure}\n");
            assert!(info.contains(&expected), "{info}");
        }
    }
    // Whatever it says now, the engine goes on and tells.
    strict
        .state
        .tool
        .file("engine.json", r#"{"insecure-registry": []}"#);
    strict
        .run(&cat)
        .assert_err_contains(125, "", "engine.json: unknown field `insecure-registry`");
    let info = strict.run(&["info"]);
    assert_eq!(info.code, Some(0));
    assert!(
        info.err().contains("unknown field `insecure-registry`"),
        "{}",
        info.err()
    );

    let declared = json!({ "insecure-registries": [address] });
    let inside = Configured::inside(TEST, &declared).expect("to be root still");
    assert_eq!(inside.ok(&cat), "declared");
}

#[test]
fn options_of_logs_are_those_of_containers_that_say_nothing() {
    const TEST: &str = "options_of_logs_are_those_of_containers_that_say_nothing";
    let configuration = json!({"log-opts": {"max-size": "2k", "max-file": "2"}});
    for start in [Configured::served, Configured::inside] {
        let Some(engine) = start(TEST, &configuration) else {
            return;
        };
        engine.load();
        for (options, log, files) in [
            (&[][..], json!({"max-size": "2k", "max-file": "2"}), 2),
            (
                &["--log-opt", "max-file=4"],
                json!({"max-size": "2k", "max-file": "4"}),
                4,
            ),
            (
                &["--log-opt", "max-size=1m"],
                json!({"max-size": "1m", "max-file": "2"}),
                1,
            ),
            (&["--log-driver", "none"], json!({}), 0),
        ] {
            // Some 20 KB of lines as JSON.
            let words = [
                &["run", "--name", "made", "--network", "none"],
                options,
                &[IMAGE, "seq", "300"],
            ]
            .concat();
            engine.ok(&words);
            let inspected = engine.json(&["inspect", "made"]);
            assert_eq!(
                inspected[0]["HostConfig"]["LogConfig"]["Config"], log,
                "{options:?}"
            );
            let id = inspected[0]["Id"].as_str().expect("an id");
            let found = logs(&engine.state.root().join("containers").join(id));
            assert_eq!(found.len(), files, "{options:?}: {found:?}");
            if files > 1 {
                // A file is followed by another when a line made it too long.
                assert!(found.iter().all(|size| *size < 3 << 10), "{found:?}");
                assert!(engine.ok(&["logs", "made"]).ends_with("\n300\n"));
            }
            engine.ok(&["rm", "made"]);
        }
    }
}

/// The sizes of the files of a container's log.
fn logs(directory: &Path) -> Vec<u64> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"log"))
        .map(|entry| entry.metadata().expect("metadata").len())
        .collect()
}

#[test]
fn the_bridges_network_is_of_the_pools() {
    const TEST: &str = "the_bridges_network_is_of_the_pools";
    // Nobody else's: harness takes 10.200.0.0 to 10.239.255.255, and dockerd and engines without pools others.
    let pools = json!({"default-address-pools": [{"base": "10.247.0.0/16", "size": 26}]});
    for start in [Configured::served, Configured::inside] {
        let Some(engine) = start(TEST, &pools) else {
            return;
        };
        engine.load();
        let run = ["run", "-d", "--name", "made", IMAGE, "sleep", "1000"];
        let outcome = engine.run(&run);
        assert_eq!(outcome.code, Some(0), "{}", outcome.err());
        let inspected = engine.json(&["inspect", "made"]);
        let network = &inspected[0]["NetworkSettings"]["Networks"]["bridge"];
        let address = network["IPAddress"].as_str().expect("an address");
        assert!(address.starts_with("10.247."), "{network}");
        assert_eq!(network["IPPrefixLen"], 26);
        // It is so in the container, and the machine reaches it there.
        let shown = engine.ok(&["exec", "made", "ip", "-4", "address", "show", "eth0"]);
        assert!(shown.contains(&format!("inet {address}/26 ")), "{shown}");
        let gateway = network["Gateway"].as_str().expect("an address");
        engine.ok(&["exec", "made", "ping", "-c", "1", "-w", "10", gateway]);
    }
}

#[test]
fn a_file_that_makes_no_sense_starts_nothing() {
    let state = State::new();
    let directory = state.tool.directory().display().to_string();
    fs::create_dir(state.tool.directory().join("folder")).expect("a directory");
    for (content, expected) in [
        (
            r#"{"registry-mirror": []}"#,
            "unknown field `registry-mirror`, expected one of `registry-mirrors`, `insecure-registries`, \
             `default-address-pools`, `log-opts` at line 1 column 18",
        ),
        (
            r#"{"registry-mirrors": "https://mirror.example"}"#,
            "registry-mirrors: invalid type: string \"https://mirror.example\", expected a sequence",
        ),
        (
            r#"{"registry-mirrors": ["mirror.example"]}"#,
            "registry-mirrors: invalid mirror \"mirror.example\": it has to begin with http:// or https://",
        ),
        (
            r#"{"insecure-registries": ["http://r.example"]}"#,
            "insecure-registries: invalid insecure registry \"http://r.example\": write a host, HOST:PORT or a network as \
             10.0.0.0/8",
        ),
        (
            r#"{"default-address-pools": {"base": "10.0.0.0/16", "size": 24}}"#,
            "default-address-pools: invalid type: map, expected a sequence",
        ),
        (
            r#"{"log-opts": {"max-file": 3}}"#,
            "log-opts: invalid type: integer `3`, expected a string",
        ),
        (
            r#"{"log-opts": {"max-sizes": "1m"}}"#,
            "log-opts: unknown log opt 'max-sizes' for json-file log driver; write options that --log-opt takes",
        ),
        (
            "[]",
            "invalid type: sequence, expected an object with keys of daemon.json",
        ),
        ("registry-mirrors:\n", "expected value at line 1 column 1"),
    ] {
        state.tool.file("f.json", content);
        assert_refused(&state, "f.json", &format!("{directory}/f.json: {expected}"));
    }
    let missing = format!(
        "read the configuration file {directory}/missing.json: it does not exist; name one that does, or leave it out for \
         engine.json in {directory}/state\n"
    );
    assert_refused(&state, "missing.json", &missing);
    let folder = format!("{directory}/folder: it is not a regular file");
    assert_refused(&state, "folder", &folder);

    // The root's own is read by every command.
    let own = state.tool.file("state/engine.json", r#"{"log-opt": {}}"#);
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(state.root(), mode).expect("a mode");
    let expected = format!("{}: unknown field `log-opt`", own.display());
    let outcome = state.tool.run(["-H", &state.host, "ps"]);
    outcome.assert_err_contains(1, "", &expected);
    let outcome = state.tool.run(["-H", &state.host, "engine", "serve"]);
    outcome.assert_err_contains(1, "", &expected);
}

/// Asserts that an engine with that file is not served, and that nothing was made for it.
#[track_caller]
fn assert_refused(state: &State, file: &str, expected: &str) {
    let serve = ["-H", &state.host, "engine", "serve", "--config", file];
    let outcome = state.tool.run(serve);
    outcome.assert_err_contains(1, "", expected);
    assert_eq!(outcome.err().lines().count(), 1, "{}", outcome.err());
    assert!(!state.root().exists(), "{expected}");
    assert!(!state.run.join("engine.sock").exists(), "{expected}");
}
