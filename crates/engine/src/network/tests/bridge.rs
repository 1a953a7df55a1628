//! The bridge, with packets.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bollard_stubs::models::PortBinding;

use super::super::*;
use super::Engine;
use super::world::{MACHINE, NEIGHBOUR, World, endpoint, machine_port};

/// Publishes ports, as `-p ADDRESS:PORT:CONTAINER`.
fn publish(ports: &[(&str, &str, &str)]) -> impl FnOnce(&mut ContainerCreateBody) {
    let mut map: bollard_stubs::models::PortMap = HashMap::new();
    for (address, port, container) in ports {
        map.entry((*container).to_owned())
            .or_default()
            .get_or_insert_default()
            .push(PortBinding {
                host_ip: Some((*address).to_owned()),
                host_port: Some((*port).to_owned()),
            });
    }
    move |body| {
        body.host_config
            .as_mut()
            .expect("a configuration")
            .port_bindings = Some(map);
    }
}

/// Runs proxies on a thread of the machine, until the guard is dropped.
struct Proxying(
    Option<(
        tokio::sync::oneshot::Sender<()>,
        std::thread::JoinHandle<()>,
    )>,
);

impl Proxying {
    fn start(world: &World, proxies: Proxies) -> Proxying {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let machine = world.machine.file();
        let thread = std::thread::spawn(move || {
            rustix::thread::move_into_link_name_space(
                std::os::fd::AsFd::as_fd(&machine),
                Some(rustix::thread::LinkNameSpaceType::Network),
            )
            .expect("the machine");
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a run-time")
                .block_on(async {
                    tokio::select! {
                        () = proxies.run() => {}
                        _ = ended => {}
                    }
                });
        });
        Proxying(Some((end, thread)))
    }
}

impl Drop for Proxying {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            thread.join().expect("no panic");
        }
    }
}

/// What of this engine is left on the machine.
fn leftovers(world: &World, engine: &Engine) -> Vec<String> {
    let _entered = world.machine.enter();
    check(&engine.layout)
        .expect("an answer")
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// Ends an engine; nothing of it is left on the machine then.
fn end(world: &World, engine: &Engine) {
    let _entered = world.machine.enter();
    tear_down(&engine.layout).expect("nobody uses it");
    // The kernel takes its time with the cables of networks that are gone.
    let mut links = String::new();
    for _ in 0..100 {
        links = world.machine.output(&["ip", "-o", "link"]);
        if !links.contains("tool") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(!links.contains("tool"), "{links}");
    let rules = world.machine.output(&["nft", "list", "ruleset"]);
    assert!(!rules.to_lowercase().contains("tool"), "{rules}");
}

#[test]
fn a_container_reaches_the_machine_its_neighbours_and_the_world() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    let one = world
        .container(&engine, "one", |_| {})
        .expect("a container");
    let two = world
        .container(&engine, "two", |_| {})
        .expect("a container");
    assert_ne!(one.address, two.address);
    assert!(one.prepared.warnings().is_empty(), "{:?}", one.prepared);

    let machine = world.machine.serve(7001, 1);
    let gateway: Ipv4Addr = endpoint(&one.prepared)
        .gateway
        .as_deref()
        .expect("a gateway")
        .parse()
        .expect("an address");
    let answer = one.namespace.ask(gateway, 7001).expect("an answer");
    assert_eq!(answer, format!("hello {}", one.address));
    machine.join().expect("no panic");

    let neighbour = world.neighbour.serve(7002, 1);
    let answer = one.namespace.ask(NEIGHBOUR, 7002).expect("an answer");
    assert_eq!(answer, format!("hello {MACHINE}"), "as if from the machine");
    neighbour.join().expect("no panic");

    let other = two.namespace.serve(7003, 2);
    for client in [&one.namespace, &world.machine] {
        client.ask(two.address, 7003).expect("an answer");
    }
    other.join().expect("no panic");

    for id in ["one", "two"] {
        world.release(&engine, id);
    }
    drop((one, two));
    assert!(leftovers(&world, &engine).is_empty());
    end(&world, &engine);
}

#[test]
fn a_container_knows_its_name_and_address() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    let container = world
        .container(&engine, "one", |body| {
            let config = body.host_config.as_mut().expect("a configuration");
            config.extra_hosts = Some(vec!["machine:host-gateway".to_owned()]);
        })
        .expect("a container");
    let hosts = super::text(container.prepared.files().hosts.as_ref());
    let address = container.address;
    assert!(hosts.ends_with(&format!("{address}\tbox\n")), "{hosts}");
    let settings = endpoint(&container.prepared);
    let gateway = settings.gateway.as_deref().expect("a gateway");
    assert!(hosts.contains(&format!("{gateway}\tmachine\n")), "{hosts}");

    let links = container.namespace.output(&["ip", "-o", "link"]);
    let mac = settings.mac_address.as_deref().expect("an address");
    assert!(links.contains(mac), "{links}");
    assert!(links.contains("mtu 1400"), "as the way out: {links}");
    let shown = inspect(container.prepared.settings());
    assert_eq!(shown["IPAddress"], address.to_string());
    assert_eq!(shown["Networks"]["bridge"]["IPPrefixLen"], 16);
    let addresses = container.namespace.output(&["ip", "-o", "address"]);
    assert!(!addresses.contains("fe80"), "{addresses}");
    world.release(&engine, "one");
    drop(container);
    end(&world, &engine);
}

/// A published port as everybody sees it, with or without translation.
fn published_port(hidden: &[&'static str], seen_by_neighbour: fn(Ipv4Addr) -> Ipv4Addr) {
    let Some(world) = World::new() else { return };
    firewall::HIDDEN.set(hidden.to_vec());
    let engine = Engine::new();
    let mut container = world
        .container(
            &engine,
            "one",
            publish(&[("", "8080", "80/tcp"), ("127.0.0.1", "8081", "80/tcp")]),
        )
        .expect("a container");
    let gateway = container.address.to_bits() & 0xffff_0000 | 1;
    let gateway = Ipv4Addr::from_bits(gateway);
    let server = container.namespace.serve(80, 6);
    let proxying = Proxying::start(&world, container.prepared.proxies());

    let answer = world.neighbour.ask(MACHINE, 8080).expect("an answer");
    assert_eq!(answer, format!("hello {}", seen_by_neighbour(gateway)));
    for (address, port) in [
        (IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
        (IpAddr::V4(Ipv4Addr::LOCALHOST), 8081),
        (IpAddr::V6(Ipv6Addr::LOCALHOST), 8080),
    ] {
        let answer = world.machine.ask(address, port).expect("an answer");
        assert_eq!(answer, format!("hello {gateway}"), "{address} {port}");
    }
    world.machine.ask(MACHINE, 8080).expect("an answer");
    // The container itself, by the machine's address.
    container.namespace.ask(MACHINE, 8080).expect("an answer");
    // What is published for the machine alone is nobody else's.
    assert!(world.neighbour.ask(MACHINE, 8081).is_err());
    server.join().expect("no panic");

    world.release(&engine, "one");
    drop((proxying, container));
    assert!(world.neighbour.ask(MACHINE, 8080).is_err());
    assert!(leftovers(&world, &engine).is_empty());
    end(&world, &engine);
}

#[test]
fn a_published_port_is_translated_by_nft() {
    published_port(&["iptables-restore"], |_| NEIGHBOUR);
}

#[test]
fn a_published_port_is_translated_by_iptables() {
    published_port(&["nft"], |_| NEIGHBOUR);
}

#[test]
fn a_published_port_needs_no_translation() {
    published_port(&["nft", "iptables-restore"], |gateway| gateway);
}

#[test]
fn a_machine_without_a_packet_filter_says_so() {
    let Some(world) = World::new() else { return };
    firewall::HIDDEN.set(vec!["nft", "iptables-restore"]);
    let warnings = check_request(&super::body("bridge")).expect("a request");
    assert!(warnings[0].contains("no outbound NAT"), "{warnings:?}");
    let engine = Engine::new();
    let container = world
        .container(&engine, "one", |_| {})
        .expect("a container");
    assert_eq!(container.prepared.warnings(), warnings);
    drop(container);
    world.release(&engine, "one");
    end(&world, &engine);
}

#[test]
fn what_is_not_published_is_not_reached_from_outside() {
    let Some(world) = World::new() else { return };
    for hidden in ["iptables-restore", "nft"] {
        firewall::HIDDEN.set(vec![hidden]);
        let engine = Engine::new();
        let container = world
            .container(&engine, "one", publish(&[("", "8080", "80/tcp")]))
            .expect("a container");
        let server = container.namespace.serve(81, 1);
        world.neighbour.says(
            &format!("ip route replace {} via {MACHINE}", container.address),
            "",
        );
        assert!(world.neighbour.ask(container.address, 81).is_err());
        world
            .machine
            .ask(container.address, 81)
            .expect("the machine itself may");
        server.join().expect("no panic");
        world.release(&engine, "one");
        drop(container);
        end(&world, &engine);
    }
}

#[test]
fn engines_do_not_collide() {
    let Some(world) = World::new() else { return };
    let engines = [Engine::new(), Engine::new()];
    let containers = engines
        .each_ref()
        .map(|engine| world.container(engine, "one", |_| {}).expect("a container"));
    let links = world.machine.output(&["ip", "-o", "link"]);
    for name in ["tool0", "tool1"] {
        assert!(links.contains(name), "{links}");
    }
    assert_ne!(containers[0].address, containers[1].address);
    // One engine's containers are not the other's.
    let server = containers[1].namespace.serve(80, 1);
    assert!(
        containers[0]
            .namespace
            .ask(containers[1].address, 80)
            .is_err()
    );
    // The server ends with its client.
    world
        .machine
        .ask(containers[1].address, 80)
        .expect("an answer");
    server.join().expect("no panic");
    for engine in &engines {
        assert!(leftovers(&world, engine).is_empty());
        world.release(engine, "one");
    }
    drop(containers);
    {
        let _entered = world.machine.enter();
        tear_down(&engines[0].layout).expect("nobody uses it");
    }
    let links = world.machine.output(&["ip", "-o", "link"]);
    assert!(
        !links.contains("tool0") && links.contains("tool1"),
        "{links}"
    );
    end(&world, &engines[1]);
}

/// Each root had its network for good, so that a machine ran out of them.
#[test]
fn a_network_comes_back_from_an_engine_that_is_gone_or_has_no_container() {
    let Some(world) = World::new() else { return };
    // Two are left.
    for network in [
        "172.26.0.0/15",
        "172.25.0.0/16",
        "10.0.0.0/8",
        "192.168.0.0/16",
        "100.64.0.0/10",
    ] {
        let words = format!("ip route add {network} via {NEIGHBOUR}");
        world.machine.says(&words, "");
    }
    let container = |engine: &Engine| world.container(engine, "one", |_| {});
    let address = |container: &super::world::Container| container.address.to_string();
    let first = Engine::new();
    let kept = container(&first).expect("a container");
    assert_eq!(address(&kept), "172.29.0.2");

    let idle = Engine::new();
    let done = container(&idle).expect("a container");
    assert_eq!(address(&done), "172.28.0.2");
    world.release(&idle, "one");
    drop(done);
    let third = Engine::new();
    let done = container(&third).expect("the idle engine's network");
    assert_eq!(address(&done), "172.28.0.2");
    // It has another bridge made when it needs one, and there is none for it now.
    let error = container(&idle).err().expect("none is left").to_string();
    let expected = [first.layout.root(), third.layout.root()]
        .map(|root| root.display().to_string())
        .join(", ");
    let expected = format!("the engines at {expected} have containers on theirs: stop those");
    assert!(error.contains(&expected), "{error}");
    world.release(&third, "one");
    drop(done);
    drop(third);

    let done = container(&idle).expect("the network of the engine that is gone");
    // Addresses of one root go round.
    assert_eq!(address(&done), "172.28.0.3");
    let server = world.neighbour.serve(7000, 2);
    for container in [&kept, &done] {
        container.namespace.ask(NEIGHBOUR, 7000).expect("an answer");
    }
    server.join().expect("no panic");
    world.release(&first, "one");
    world.release(&idle, "one");
}

#[test]
fn a_network_that_the_machine_has_a_way_to_is_left_alone() {
    let Some(world) = World::new() else { return };
    world
        .machine
        .says(&format!("ip route add 172.16.0.0/12 via {NEIGHBOUR}"), "");
    let engine = Engine::new();
    let container = world
        .container(&engine, "one", |_| {})
        .expect("a container");
    assert_eq!(container.address, Ipv4Addr::new(10, 213, 0, 2));
    world.release(&engine, "one");
    drop(container);
    end(&world, &engine);
}

#[test]
fn a_bridge_that_somebody_removed_comes_back() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    for _ in 0..2 {
        let container = world
            .container(&engine, "one", |_| {})
            .expect("a container");
        let server = world.neighbour.serve(7000, 1);
        container.namespace.ask(NEIGHBOUR, 7000).expect("an answer");
        server.join().expect("no panic");
        world.release(&engine, "one");
        world.machine.says("ip link delete tool0", "");
    }
    end(&world, &engine);
}

#[test]
fn rules_that_somebody_flushed_come_back() {
    let Some(world) = World::new() else { return };
    for (hidden, flush) in [
        ("iptables-restore", "nft flush ruleset"),
        ("nft", "iptables -t nat -F"),
    ] {
        firewall::HIDDEN.set(vec![hidden]);
        let engine = Engine::new();
        for id in ["one", "two"] {
            let container = world.container(&engine, id, |_| {}).expect("a container");
            let server = world.neighbour.serve(7000, 1);
            container.namespace.ask(NEIGHBOUR, 7000).expect(hidden);
            server.join().expect("no panic");
            world.machine.says(flush, "");
            world.release(&engine, id);
        }
        end(&world, &engine);
    }
}

#[test]
fn a_machine_that_passed_nothing_on_does_so_for_containers_alone() {
    for hidden in ["iptables-restore", "nft"] {
        let Some(world) = World::new() else { return };
        firewall::HIDDEN.set(vec![hidden]);
        let engine = Engine::new();
        let container = world
            .container(&engine, "one", |_| {})
            .expect("a container");
        world.machine.says("sysctl -n net.ipv4.ip_forward", "1");
        let chain = world.machine.output(&["iptables", "-S", "FORWARD"]);
        assert!(chain.starts_with("-P FORWARD DROP\n"), "{chain}");
        let server = world.neighbour.serve(7000, 1);
        container.namespace.ask(NEIGHBOUR, 7000).expect(hidden);
        server.join().expect("no panic");
        world.release(&engine, "one");
        drop(container);
        end(&world, &engine);
    }
}

#[test]
fn what_others_drop_is_let_through() {
    for hidden in ["iptables-restore", "nft"] {
        let Some(world) = World::new() else { return };
        firewall::HIDDEN.set(vec![hidden]);
        let engine = Engine::new();
        world.machine.says("sysctl -qw net.ipv4.ip_forward=1", "");
        // Before the bridge is there, as dockerd leaves it, and then again, as dockerd does when it is started later.
        for id in ["one", "two"] {
            for words in [
                "-P FORWARD DROP",
                "-F FORWARD",
                "-A FORWARD -o docker0 -j ACCEPT",
            ] {
                world.machine.says(&format!("iptables {words}"), "");
            }
            let container = world
                .container(&engine, id, publish(&[("", "8080", "80/tcp")]))
                .expect("a container");
            let server = world.neighbour.serve(7000, 1);
            container.namespace.ask(NEIGHBOUR, 7000).expect(hidden);
            server.join().expect("no panic");
            let server = container.namespace.serve(80, 1);
            world.neighbour.ask(MACHINE, 8080).expect(hidden);
            server.join().expect("no panic");
            // iptables understands all of it.
            let rules = world.machine.output(&["iptables", "-S"]);
            assert!(rules.contains("-A TOOL0 -i tool0 -j ACCEPT"), "{rules}");
            let jumps = rules.matches("-A FORWARD -j TOOL0").count();
            assert_eq!(jumps, 1, "{rules}");
            world.release(&engine, id);
        }
        end(&world, &engine);
        let rules = world.machine.output(&["iptables", "-S"]);
        assert!(rules.contains("-A FORWARD -o docker0 -j ACCEPT"), "{rules}");
    }
}

#[test]
fn ports_of_containers_are_theirs() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    let one = world
        .container(&engine, "one", publish(&[("", "8080", "80/tcp")]))
        .expect("a container");
    let error = world
        .container(&engine, "two", publish(&[("127.0.0.1", "8080", "80/tcp")]))
        .err()
        .expect("taken");
    let text = error.to_string();
    assert!(
        text.contains("driver failed programming external connectivity on endpoint")
            && text.ends_with("Bind for 127.0.0.1:8080 failed: port is already allocated"),
        "{text}"
    );
    let udp = world
        .container(&engine, "three", publish(&[("", "8080", "80/udp")]))
        .expect("another protocol");
    let any = world
        .container(&engine, "four", publish(&[("", "8080-8081", "80/tcp")]))
        .expect("the next of the range");
    assert_eq!(machine_port(&any.prepared, "80/tcp"), 8081);
    for id in ["one", "two", "three", "four"] {
        world.release(&engine, id);
    }
    drop((one, udp, any));
    end(&world, &engine);
}

#[test]
fn what_a_killed_monitor_had_is_found_and_given_back() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    let killed = world
        .container(&engine, "one", publish(&[("", "8080", "80/tcp")]))
        .expect("a container");
    assert!(leftovers(&world, &engine).is_empty(), "it runs");
    let address = killed.address;
    drop(killed);
    // A process that another test is starting at this moment has all that is open here until it is a program.
    for _ in 0..500 {
        if !leftovers(&world, &engine).is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(
        leftovers(&world, &engine),
        [format!(
            "address {address} of container one, which does not run"
        )]
    );
    // Its port is free for whoever asks.
    let next = world
        .container(&engine, "two", publish(&[("", "8080", "80/tcp")]))
        .expect("a container");
    assert_ne!(next.address, address, "addresses go round");
    // The kernel takes the killed one's cable away in its own time, and by now it is nobody's.
    let start = std::time::Instant::now();
    while !leftovers(&world, &engine).is_empty() && start.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(leftovers(&world, &engine), [""; 0]);
    drop(next);
    {
        let _entered = world.machine.enter();
        for leftover in check(&engine.layout).expect("an answer") {
            leftover.remove(&engine.layout).expect("removed");
        }
    }
    assert!(leftovers(&world, &engine).is_empty());
    end(&world, &engine);
}

#[test]
fn a_container_whose_monitor_was_killed_gets_its_ports_back() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    let mut container = world
        .container(&engine, "one", publish(&[("127.0.0.1", "8080", "80/tcp")]))
        .expect("a container");
    drop(container.prepared.proxies());
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert!(world.machine.ask(address, 8080).is_err());
    let server = container.namespace.serve(80, 1);
    let proxies = world
        .machine
        .run(|| adopt(&engine.layout, "one").expect("proxies"));
    let proxying = Proxying::start(&world, proxies);
    world.machine.ask(address, 8080).expect("an answer");
    server.join().expect("no panic");
    world.release(&engine, "one");
    drop((proxying, container));
    end(&world, &engine);
}

#[test]
fn the_bridge_of_an_engine_that_is_gone_is_found_and_removed() {
    let Some(world) = World::new() else { return };
    let gone = Engine::new();
    let container = world.container(&gone, "one", |_| {}).expect("a container");
    let root = gone.layout.root().to_owned();
    drop((container, gone));
    let engine = Engine::new();
    assert_eq!(
        leftovers(&world, &engine),
        [format!(
            "bridge tool0 of the engine at {}, which is not there",
            root.display()
        )]
    );
    {
        let _entered = world.machine.enter();
        for leftover in check(&engine.layout).expect("an answer") {
            leftover.remove(&engine.layout).expect("removed");
        }
    }
    assert!(leftovers(&world, &engine).is_empty());
    end(&world, &engine);
}

#[test]
fn who_shares_a_network_does_not_keep_its_address() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    let one = world
        .container(&engine, "one", |_| {})
        .expect("a container");
    engine
        .prepare("two", &super::body("container:one"))
        .expect("a network");
    world.release(&engine, "one");
    // The namespace is there still.
    let links = one.namespace.output(&["ip", "-o", "link"]);
    assert!(!links.contains("eth0"), "{links}");
    world.release(&engine, "two");
    drop(one);
    assert!(leftovers(&world, &engine).is_empty());
    end(&world, &engine);
}

#[test]
fn a_damaged_record_is_made_good() {
    let Some(world) = World::new() else { return };
    let engine = Engine::new();
    let one = world
        .container(&engine, "one", |_| {})
        .expect("a container");
    std::fs::write(engine.layout.networks().join("bridge.json"), "{").expect("a file");
    let two = world
        .container(&engine, "two", |_| {})
        .expect("a container");
    assert_ne!(one.address, two.address);
    let links = world.machine.output(&["ip", "-o", "link"]);
    assert!(!links.contains("tool1"), "{links}");
    assert!(leftovers(&world, &engine).is_empty());
    for id in ["one", "two"] {
        world.release(&engine, id);
    }
    drop((one, two));
    end(&world, &engine);
}
