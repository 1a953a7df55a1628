//! A machine with a neighbour, as network namespaces: what a bridge needs around it.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::super::*;
use super::namespace::Namespace;
use super::{Engine, body};
use crate::state::Lock;

/// The machine's address on the way out, and the neighbour's.
pub(super) const MACHINE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
pub(super) const NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// How long an answer may take that comes; what does not come takes as long.
const PATIENCE: Duration = Duration::from_millis(1500);

pub(super) struct World {
    pub(super) machine: Namespace,
    pub(super) neighbour: Namespace,
}

impl World {
    /// A new one, or nothing for a user who may make none.
    pub(super) fn new() -> Option<World> {
        let world = World {
            machine: Namespace::new()?,
            neighbour: Namespace::new()?,
        };
        let pid = world.neighbour.pid().to_string();
        for words in [
            format!("ip link add up0 type veth peer name eth0 netns {pid}"),
            format!("ip address add {MACHINE}/24 dev up0"),
            "ip link set up0 up mtu 1400".to_owned(),
            "ip link set lo up".to_owned(),
        ] {
            world.machine.says(&words, "");
        }
        for words in [
            format!("ip address add {NEIGHBOUR}/24 dev eth0"),
            "ip link set eth0 up".to_owned(),
        ] {
            world.neighbour.says(&words, "");
        }
        // A new namespace may have what the machine has.
        world.machine.says("sysctl -qw net.ipv4.ip_forward=0", "");
        let words = format!("ip route add default via {NEIGHBOUR}");
        world.machine.says(&words, "");
        Some(world)
    }

    /// Gives back what a container has, whose processes are gone or about to.
    pub(super) fn release(&self, engine: &Engine, id: &str) {
        let _entered = self.machine.enter();
        let released = release(&engine.layout, id).expect("released");
        released.cut().expect("cut");
    }

    /// A container on the bridge of that engine, with these options in its request.
    pub(super) fn container(
        &self,
        engine: &Engine,
        id: &str,
        change: impl FnOnce(&mut ContainerCreateBody),
    ) -> Result<Container> {
        let mut body = body("bridge");
        change(&mut body);
        let _entered = self.machine.enter();
        let mut prepared = engine.prepare(id, &body)?;
        // As the container's monitor would.
        let lock = Lock::try_acquire(&engine.layout, id)?.expect("nobody else's");
        let namespace = Namespace::new().expect("a namespace");
        prepared.connect(namespace.fd())?;
        Ok(Container {
            address: address(&prepared),
            namespace,
            prepared,
            _lock: lock,
        })
    }
}

/// A container, as far as its network goes.
pub(super) struct Container {
    pub(super) namespace: Namespace,
    pub(super) prepared: Prepared,
    pub(super) address: Ipv4Addr,
    _lock: Lock,
}

fn address(prepared: &Prepared) -> Ipv4Addr {
    endpoint(prepared)
        .ip_address
        .as_deref()
        .expect("an address")
        .parse()
        .expect("an address")
}

pub(super) fn endpoint(prepared: &Prepared) -> &bollard_stubs::models::EndpointSettings {
    &prepared.settings().networks.as_ref().expect("networks")["bridge"]
}

/// The port of the machine that a container's port has.
pub(super) fn machine_port(prepared: &Prepared, port: &str) -> u16 {
    let ports = prepared.settings().ports.as_ref().expect("ports");
    let bindings = ports[port].as_ref().expect("published");
    bindings[0]
        .host_port
        .as_deref()
        .expect("a port")
        .parse()
        .expect("a number")
}

impl Namespace {
    /// Runs a command that has to say just this.
    #[track_caller]
    pub(super) fn says(&self, words: &str, expected: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(self.output(&words).trim(), expected, "{words:?}");
    }

    /// A server of TCP in this network that tells each of so many clients who it is.
    pub(super) fn serve(&self, port: u16, clients: usize) -> std::thread::JoinHandle<()> {
        let listener =
            self.run(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).expect("a port"));
        std::thread::spawn(move || {
            for _ in 0..clients {
                let (mut client, from) = listener.accept().expect("a client");
                let mut said = String::new();
                client.read_to_string(&mut said).expect("a word");
                let _ = write!(client, "{said} {}", from.ip());
            }
        })
    }

    /// What the server there says to a client in this network.
    pub(super) fn ask(&self, address: impl Into<IpAddr>, port: u16) -> std::io::Result<String> {
        let address = SocketAddr::new(address.into(), port);
        self.run(|| {
            let mut client = TcpStream::connect_timeout(&address, PATIENCE)?;
            client.set_read_timeout(Some(PATIENCE))?;
            client.write_all(b"hello")?;
            client.shutdown(Shutdown::Write)?;
            let mut answer = String::new();
            client.read_to_string(&mut answer)?;
            Ok(answer)
        })
    }
}
