//! `-p` and `--network`

use std::io::Read;
use std::net::TcpStream;

use crate::{engine, tool, until};

#[test]
fn a_published_port_answers() {
    let engine = engine!();
    if !engine.has_bridge() {
        let _: Option<()> = harness::left_out(
            "network::a_published_port_answers",
            "an engine with a bridge",
        );
        return;
    }
    for publish in ["127.0.0.1::80", "127.0.0.1:0:80/tcp"] {
        let words = [
            "run", "-d", "-p", publish, "busybox", "nc", "-l", "-p", "80", "-e", "echo", "hello",
        ];
        let id = tool(engine).run(words).out();
        let id = id.trim();
        let port = until(|| {
            let container = engine.inspect(id);
            let port = &container["NetworkSettings"]["Ports"]["80/tcp"][0]["HostPort"];
            port.as_str().and_then(|port| port.parse::<u16>().ok())
        });
        let answer = until(|| {
            let mut text = String::new();
            TcpStream::connect(("127.0.0.1", port))
                .ok()?
                .read_to_string(&mut text)
                .ok()?;
            (!text.is_empty()).then_some(text)
        });
        assert_eq!(answer, "hello\n");
        engine.remove(id);
    }
}

#[test]
fn without_a_network_there_is_only_loopback() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "--network",
        "none",
        "busybox",
        "ls",
        "/sys/class/net",
    ];
    tool(engine).run(words).assert(0, "lo\n", "");
}

#[test]
fn the_hosts_network_is_ours() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "--network=host",
        "busybox",
        "readlink",
        "/proc/self/ns/net",
    ];
    let outcome = tool(engine).run(words);
    let ours = std::fs::read_link("/proc/self/ns/net").expect("a name space");
    outcome.assert(0, &format!("{}\n", ours.display()), "");
}

#[test]
fn a_network_that_is_not_there_leaves_no_container_that_runs() {
    let engine = engine!();
    let label = "no_such_network";
    let outcome = tool(engine).run([
        "run",
        "--rm",
        "-l",
        label,
        "--network",
        "nosuchnet",
        "busybox",
        "true",
    ]);
    assert_eq!(
        (outcome.code, outcome.out().as_str()),
        (Some(125), ""),
        "{}",
        outcome.err()
    );
    assert!(
        outcome.err().contains("network nosuchnet not found"),
        "{}",
        outcome.err()
    );
    assert!(engine.containers(label).is_empty());
}
