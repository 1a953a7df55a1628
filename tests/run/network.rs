//! `-p` and `--network`

use std::io::Read;
use std::net::TcpStream;

use harness::{Engine, Kind};

use crate::{api_minor, engine, tool, until};

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
fn parameters_of_an_interface_are_set_when_it_is_there() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "--network",
        "bridge",
        "--sysctl",
        "net.ipv4.conf.eth0.rp_filter=2",
        "busybox",
        "cat",
        "/proc/sys/net/ipv4/conf/eth0/rp_filter",
    ];
    tool(engine).run(words).assert(0, "2\n", "");
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
    let text = match engine.kind() {
        Kind::Dockerd | Kind::Embedded | Kind::Rootless => "network nosuchnet not found",
        Kind::Podman => "unable to find network with name or ID nosuchnet",
    };
    assert!(outcome.err().contains(text), "{}", outcome.err());
    assert!(engine.containers(label).is_empty());
}

/// A network of this engine's own, and how its addresses begin. Where containers can have none, that is said.
fn network(engine: &Engine, name: &str, test: &str) -> Option<String> {
    let made = if engine.has_bridge() {
        engine.create_network(name)
    } else {
        None
    };
    made.or_else(|| harness::left_out(&format!("network::{test}"), "an engine with a bridge"))
}

#[test]
fn an_endpoint_is_as_its_fields_or_options_say() {
    let engine = engine!();
    let test = "an_endpoint_is_as_its_fields_or_options_say";
    let Some(prefix) = network(engine, "fields", test) else {
        return;
    };
    let address = format!("{prefix}.77");
    let fields = format!("--network=name=fields,alias=first,alias=second,ip={address}");
    let script = "ip -o -4 addr show eth0 | grep -o '10[^ ]*'; sleep 1000";
    for (name, options) in [
        ("endpoint-1", &[&*fields][..]),
        (
            "endpoint-2",
            &[
                "--net",
                "fields",
                "--net-alias=first",
                "--network-alias",
                "second",
                "--ip",
                &address,
            ],
        ),
    ] {
        let words = ["run", "--rm", "--name", name];
        let command = ["busybox", "sh", "-c", script];
        let running = tool(engine).start(words.iter().chain(options).chain(&command));
        running.wait_for_out(&format!("{address}/24\n"));
        let container = engine.inspect(name);
        let endpoint = &container["NetworkSettings"]["Networks"]["fields"];
        let aliases = endpoint["Aliases"].as_array().expect("aliases");
        for alias in ["first", "second"] {
            assert!(aliases.contains(&alias.into()), "{aliases:?}");
        }
        engine.remove(name);
        assert_eq!(running.finish().code, Some(137));
    }
}

#[test]
fn a_hardware_address_is_the_containers() {
    let engine = engine!();
    assert_hardware_address(engine, &["--mac-address", "02-42-0A-D5-08-4D"]);
}

#[test]
fn a_hardware_address_is_that_of_a_network() {
    let engine = engine!();
    if network(
        engine,
        "hardware",
        "a_hardware_address_is_that_of_a_network",
    )
    .is_none()
    {
        return;
    }
    for options in [
        &["--network", "hardware", "--mac-address=02:42:0a:d5:08:4d"][..],
        &["--network", "name=hardware,mac-address=0242.0ad5.084d"],
    ] {
        assert_hardware_address(engine, options);
    }
}

#[track_caller]
fn assert_hardware_address(engine: &Engine, options: &[&str]) {
    if !engine.has_bridge() {
        let _: Option<()> = harness::left_out(
            "network::a_hardware_address_is_the_containers",
            "an engine with a bridge",
        );
        return;
    }
    let words = ["run", "--rm"];
    let command = ["busybox", "cat", "/sys/class/net/eth0/address"];
    let outcome = tool(engine).run(words.iter().chain(options).chain(&command));
    outcome.assert(0, "02:42:0a:d5:08:4d\n", "");
}

#[test]
fn several_networks_need_an_engine_that_has_them() {
    let engine = engine!();
    let label = "several_networks";
    let words = [
        "run",
        "-l",
        label,
        "--network",
        "a",
        "--network",
        "b",
        "busybox",
        "true",
    ];
    let minor = api_minor(engine);
    let outcome = tool(engine).run(words);
    if minor >= 44 {
        outcome.assert_err_contains(125, "", "network a not found");
    } else {
        let text = format!(
            "\"--network NETWORK --network NETWORK\" requires API version 1.44, but the Docker daemon API version is 1.{minor}\n"
        );
        outcome.assert(1, "", &text);
    }
    assert!(engine.containers(label).is_empty());
}

#[test]
fn networks_that_contradict_each_other_create_nothing() {
    let engine = engine!();
    let label = "networks_that_contradict";
    let tail = "\n\nRun 'tool run --help' for more information\n";
    for (options, text) in [
        (
            &["--network=name=a,alias=x", "--network-alias=y"][..],
            "conflicting options: cannot specify both --network-alias and per-network alias",
        ),
        (
            &["--network-alias=y"],
            "network-scoped aliases are only supported for user-defined networks",
        ),
        (
            &["--network=a", "--mac-address=x"],
            "x is not a valid mac address",
        ),
    ] {
        let words = ["run", "-l", label];
        let outcome = tool(engine).run(words.iter().chain(options).chain(&["busybox"]));
        outcome.assert(125, "", &format!("tool: {text}{tail}"));
    }
    for (option, value, text) in [
        ("--ip", "x", "failed to parse IP: \"x\""),
        ("--link", "a:b:c", "bad format for links: a:b:c"),
        ("--network", "name=a,foo=b", "invalid field key foo"),
        ("--gpus", "foo=bar", "unexpected key 'foo' in 'foo=bar'"),
    ] {
        let outcome = tool(engine).run(["run", "-l", label, option, value, "busybox"]);
        let text = format!("invalid argument {value:?} for {option:?} flag: {text}\n");
        outcome.assert_err_contains(125, "", &text);
    }
    assert!(engine.containers(label).is_empty());
}

#[test]
fn a_link_is_the_engines() {
    let engine = engine!();
    let words = [
        "run",
        "--rm",
        "--link",
        "nosuchcontainer:x",
        "busybox",
        "true",
    ];
    let outcome = tool(engine).run(words);
    outcome.assert_err_contains(125, "", "could not get container for nosuchcontainer");
}
