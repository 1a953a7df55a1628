//! Packets that pasta or slirp4netns carries, ports without either, and nothing left over.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bollard_stubs::models::{ContainerCreateBody, HostConfig, PortBinding, PortMap};
use engine::network::{self, Prepared, Proxies};
use engine::{Layout, state};

use super::Test;

pub(crate) const TESTS: &[Test] = &[
    ("pasta_carries", &["slirp4netns"], || carries("passt")),
    ("slirp4netns_carries", &["pasta"], || carries("slirp4netns")),
    (
        "without_either_there_are_ports_alone",
        &["pasta", "slirp4netns"],
        without_either,
    ),
    (
        "without_a_network_there_is_a_loopback_interface",
        &[],
        without_a_network,
    ),
    (
        "what_a_killed_monitor_had_is_given_back",
        &[],
        killed_monitor,
    ),
];

/// The machine's address on the way out.
const MACHINE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

struct Engine {
    _directory: tempfile::TempDir,
    layout: Layout,
}

impl Engine {
    fn new() -> Engine {
        let directory = tempfile::tempdir().expect("a directory");
        let layout = Layout::at(directory.path().join("root")).expect("a layout");
        layout.create().expect("directories");
        Engine {
            _directory: directory,
            layout,
        }
    }

    fn container(&self, mode: &str, ports: &[(&str, u16)]) -> Container {
        fs::create_dir_all(self.layout.container("one")).expect("a directory");
        // As the container's monitor would.
        let lock = state::Lock::try_acquire(&self.layout, "one")
            .expect("a lock")
            .expect("nobody else's");
        let map: PortMap = ports
            .iter()
            .map(|(port, number)| {
                let binding = PortBinding {
                    host_ip: None,
                    host_port: Some(number.to_string()),
                };
                ((*port).to_owned(), Some(vec![binding]))
            })
            .collect::<HashMap<_, _>>();
        let body = ContainerCreateBody {
            hostname: Some("box".to_owned()),
            host_config: Some(HostConfig {
                network_mode: Some(mode.to_owned()),
                port_bindings: Some(map),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let warnings = network::check_request(&body).expect("a request");
        let mut prepared = network::prepare(&self.layout, "one", &body).expect("a network");
        if mode == "bridge" {
            assert_eq!(prepared.warnings(), warnings);
        }
        let mut process = Command::new("unshare")
            .args([
                "--user",
                "--map-root-user",
                "--net",
                "sh",
                "-c",
                "echo; exec cat",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let mut line = [0];
        let stdout = process.stdout.as_mut().expect("a pipe");
        stdout.read_exact(&mut line).expect("a namespace");
        let namespace = File::open(format!("/proc/{}/ns/net", process.id())).expect("a namespace");
        prepared.connect(namespace.as_fd()).expect("a connection");
        Container {
            process,
            _proxying: Proxying::start(prepared.proxies()),
            prepared,
            _lock: lock,
        }
    }

    fn leftovers(&self) -> Vec<String> {
        network::check(&self.layout)
            .expect("an answer")
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.layout.run());
    }
}

struct Container {
    process: Child,
    prepared: Prepared,
    _proxying: Proxying,
    _lock: state::Lock,
}

impl Container {
    /// What a command says in the container.
    fn output(&self, words: &[&str]) -> String {
        let output = self.command(words).output().expect("nsenter");
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--preserve-credentials", "--user", "--net", "--target"])
            .arg(self.process.id().to_string())
            .args(words);
        command
    }

    /// A server in the container that answers one client.
    fn serve(&self, protocol: &str, port: u16) -> Child {
        let listen = format!("{protocol}-LISTEN:{port},reuseaddr");
        let mut child = self
            .command(&["socat", &listen, "EXEC:cat"])
            .spawn()
            .expect("socat");
        // It listens when the kernel says so.
        let table = if protocol == "UDP" { "udp" } else { "tcp" };
        let wanted = format!(":{port:04X} 00000000:0000");
        for _ in 0..1000 {
            let path = format!("/proc/net/{table}");
            if self.output(&["cat", &path]).contains(&wanted) {
                return child;
            }
        }
        let _ = child.kill();
        panic!("socat does not listen: {:?}", child.wait());
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Proxies on a thread, until the guard is dropped.
struct Proxying(Option<(tokio::sync::oneshot::Sender<()>, JoinHandle<()>)>);

impl Proxying {
    fn start(proxies: Proxies) -> Proxying {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let thread = thread::spawn(move || {
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
            let _ = thread.join();
        }
    }
}

/// Whether this user runs a program whose name begins like that. There is no such user but for these tests.
fn runs(name: &str) -> bool {
    let user = format!("\nUid:\t{}\t", rustix::process::geteuid().as_raw());
    fs::read_dir("/proc")
        .expect("processes")
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path().join("status")).ok())
        .any(|status| {
            status.starts_with(&format!("Name:\t{name}"))
                && status.contains(&user)
                && !status.contains("\nState:\tZ")
        })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn ask(port: u16) -> String {
    let mut client = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time");
    client.write_all(b"hello").expect("written");
    client.shutdown(Shutdown::Write).expect("an end");
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    answer
}

fn ask_by_datagram(port: u16) -> String {
    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    client.connect(("127.0.0.1", port)).expect("an address");
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a time");
    client.send(b"hello").expect("sent");
    let mut buffer = [0; 64];
    let length = client.recv(&mut buffer).expect("an answer");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

/// The name is that of the process: pasta is another name of passt.
fn carries(program: &str) {
    let engine = Engine::new();
    let (tcp, udp) = (free_port(), free_port());
    let container = engine.container("bridge", &[("80/tcp", tcp), ("53/udp", udp)]);
    assert!(container.prepared.warnings().is_empty());
    assert!(runs(program), "{program} carries");

    // Out.
    let machine = TcpListener::bind((MACHINE, 0)).expect("a port");
    let to = format!("TCP:{}", machine.local_addr().expect("an address"));
    let serving = thread::spawn(move || {
        let (mut client, _) = machine.accept().expect("a client");
        client.write_all(b"from the machine").expect("written");
    });
    assert_eq!(
        container.output(&["socat", "-u", &to, "-"]),
        "from the machine"
    );
    serving.join().expect("no panic");

    // In.
    let mut server = container.serve("TCP", 80);
    assert_eq!(ask(tcp), "hello");
    server.wait().expect("an end");
    let mut server = container.serve("UDP", 53);
    assert_eq!(ask_by_datagram(udp), "hello");
    let _ = server.kill();
    server.wait().expect("an end");

    // What listens on the machine's loopback interface alone is not for containers.
    let private = TcpListener::bind("127.0.0.1:0").expect("a port");
    private.set_nonblocking(true).expect("a socket");
    let port = private.local_addr().expect("an address").port();
    for address in ["10.0.2.2", "10.0.2.3"] {
        let to = format!("TCP:{address}:{port},connect-timeout=1");
        container.output(&["socat", "-u", &to, "-"]);
    }
    assert!(private.accept().is_err(), "a container came in");

    // What the container knows.
    let hosts = fs::read_to_string(container.prepared.files().hosts.as_ref().expect("a file"));
    assert!(hosts.expect("a file").ends_with("10.0.2.100\tbox\n"));
    let addresses = container.output(&["ip", "-o", "address"]);
    assert!(
        addresses.contains("eth0    inet 10.0.2.100/24"),
        "{addresses}"
    );
    let shown = network::inspect(container.prepared.settings());
    assert_eq!(shown["IPAddress"], "10.0.2.100");
    assert_eq!(shown["Gateway"], "10.0.2.2");
    let mac = shown["MacAddress"].as_str().expect("an address").to_owned();
    assert!(container.output(&["ip", "-o", "link"]).contains(&mac));

    assert!(engine.leftovers().is_empty());
    network::release(&engine.layout, "one").expect("released");
    for _ in 0..1000 {
        if !runs(program) {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert!(!runs(program), "{program} ended");
    drop(container);
    assert!(engine.leftovers().is_empty());
}

fn without_either() {
    let engine = Engine::new();
    let port = free_port();
    let container = engine.container("bridge", &[("80/tcp", port)]);
    let warnings = container.prepared.warnings();
    assert!(
        warnings[0].contains("neither pasta nor slirp4netns"),
        "{warnings:?}"
    );
    let mut server = container.serve("TCP", 80);
    assert_eq!(ask(port), "hello");
    server.wait().expect("an end");
    let hosts = fs::read_to_string(container.prepared.files().hosts.as_ref().expect("a file"));
    assert!(!hosts.expect("a file").contains("box"));
    network::release(&engine.layout, "one").expect("released");
    drop(container);
    assert!(engine.leftovers().is_empty());
}

fn without_a_network() {
    let engine = Engine::new();
    let container = engine.container("none", &[]);
    let addresses = container.output(&["ip", "-o", "address"]);
    assert!(addresses.contains("inet 127.0.0.1/8"), "{addresses}");
    assert!(!addresses.contains("eth0"), "{addresses}");
}

fn killed_monitor() {
    let engine = Engine::new();
    let container = engine.container("bridge", &[]);
    assert!(runs("passt"));
    drop(container);
    assert_eq!(
        engine.leftovers(),
        ["address 10.0.2.100 of container one, which does not run"]
    );
    for leftover in network::check(&engine.layout).expect("an answer") {
        leftover.remove(&engine.layout).expect("removed");
    }
    for _ in 0..1000 {
        if !runs("passt") {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    assert!(!runs("passt"));
    assert!(engine.leftovers().is_empty());
}
