//! The harness itself: what it starts works and is gone afterwards.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::{BrokenEngine, Engine, Forward, Image, Program, Pty, Reply};
use serde_json::json;

/// Whether any process names this directory in its arguments.
fn is_in_use(directory: &str) -> bool {
    std::fs::read_dir("/proc")
        .expect("/proc")
        .flatten()
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .any(|command| String::from_utf8_lossy(&command).contains(directory))
}

#[test]
fn a_container_runs_and_nothing_is_left() {
    if harness::engine_or_skip("a_container_runs_and_nothing_is_left").is_none() {
        return;
    }
    let engine = Engine::dockerd().expect("a second engine beside the shared one");
    let container = engine
        .api()
        .post_json(
            "/containers/create",
            &json!({"Image": "busybox", "Cmd": ["sleep", "1000"]}),
        )
        .expect_success();
    let id = container.json()["Id"].as_str().expect("an id").to_owned();
    engine
        .api()
        .post(&format!("/containers/{id}/start"))
        .expect_success();
    assert_eq!(engine.inspect(&id)["State"]["Running"], true);
    let directory = engine.socket().parent().expect("a directory").to_owned();
    let name = directory.to_str().expect("a plain name");
    drop(engine);
    assert!(!directory.exists());
    assert!(!is_in_use(name));
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    assert!(!mounts.contains(name), "{mounts}");
}

#[test]
fn an_image_goes_to_the_registry_and_back() {
    const NAME: &str = "an_image_goes_to_the_registry_and_back";
    let Some(engine) = harness::engine_or_skip(NAME) else {
        return;
    };
    let Some(registry) = harness::registry_or_skip(NAME) else {
        return;
    };
    let image = Image::bare().with_file("data", 0o644, vec![7; 100_000]);
    let reference = registry.push(&image, "bare:1");
    let path = format!("/images/{reference}/json");
    assert_eq!(engine.api().get(&path).status, 404);
    engine
        .api()
        .post(&format!("/images/create?fromImage={reference}"))
        .expect_success();
    engine.api().get(&path).expect_success();
}

#[test]
fn the_engine_goes_when_the_test_is_killed() {
    const NAME: &str = "the_engine_goes_when_the_test_is_killed";
    if harness::engine_or_skip(NAME).is_none() {
        return;
    }
    // This very test, in a process of its own that is killed.
    if std::env::var_os("HARNESS_KILLED").is_some() {
        let engine = Engine::dockerd().expect("an engine");
        println!("\nsocket {}", engine.socket().display());
        std::thread::sleep(Duration::from_secs(600));
        return;
    }
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", NAME, "--nocapture"])
        .env("HARNESS_KILLED", "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program starts");
    let lines = std::io::BufRead::lines(std::io::BufReader::new(
        child.stdout.take().expect("a pipe"),
    ));
    let socket = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("socket ").map(std::path::PathBuf::from))
        .expect("the child starts an engine");
    child.kill().expect("the child is killed");
    child.wait().expect("the child is gone");
    let directory = socket.parent().expect("a directory");
    let start = Instant::now();
    while directory.exists() || is_in_use(directory.to_str().expect("a plain name")) {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{} stays",
            directory.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_program_on_a_terminal_is_seen_and_typed_to() {
    let pty = Pty::open(20, 70);
    let script = "test -t 0 && stty size && read -r line && echo \"got $line\"";
    let shell = Program::new("/bin/sh").start_on(&pty, ["-c", script]);
    pty.wait_for("20 70");
    assert!(!pty.modes().is_raw());
    pty.write("word\r");
    pty.wait_for("got word");
    assert_eq!(shell.finish().code, Some(0));
}

#[test]
fn a_program_starts_with_a_fresh_directory_and_environment() {
    let shell = Program::new("/bin/sh").with_env("NEW", "1");
    let script = "cat; echo \"$NEW $CARGO_MANIFEST_DIR\"; pwd; test \"$HOME\" = \"$PWD\" && exit 3";
    let outcome = shell.run_with(["-c", script], "in\n");
    outcome.assert(3, &format!("in\n1 \n{}\n", shell.directory().display()), "");
}

#[test]
fn a_broken_engine_says_what_it_is_told_through_a_port_too() {
    let engine = BrokenEngine::start(|request| match request.target.as_str() {
        "/_ping" => Reply::json(200, "{\"a\":1}"),
        _ => Reply::bytes("nonsense\r\n\r\n"),
    });
    let port = Forward::to(engine.socket());
    let address = port
        .host()
        .strip_prefix("tcp://")
        .expect("a port")
        .to_owned();
    let mut stream = TcpStream::connect(address).expect("the port listens");
    stream
        .write_all(b"GET /_ping HTTP/1.1\r\n\r\nPOST /x HTTP/1.1\r\n\r\n")
        .expect("it takes requests");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("it answers and closes");
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("{\"a\":1}nonsense\r\n\r\n"),
        "{answer:?}"
    );
    assert_eq!(port.request_lines(), ["GET /_ping", "POST /x"]);
    assert_eq!(engine.requests().len(), 2);
}
