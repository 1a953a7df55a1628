use std::future::Future;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::AbortHandle;

use super::*;

const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Runs a test as the monitor would.
fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a run-time")
        .block_on(async {
            timeout(Duration::from_secs(60), test)
                .await
                .expect("an end in time");
        });
}

/// The way to this machine.
fn way() -> Way {
    Way {
        container: Ipv4Addr::LOCALHOST,
        door: None,
    }
}

/// A proxy of TCP to that address, and its own.
async fn proxy(to: SocketAddr) -> (SocketAddr, AbortHandle) {
    let listener = TcpListener::bind(LOCAL).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let task = tokio::spawn(accept(listener, way(), to.port()));
    (address, task.abort_handle())
}

#[test]
fn each_direction_ends_by_itself() {
    run(async {
        let server = TcpListener::bind(LOCAL).await.expect("a port");
        let to = server.local_addr().expect("an address");
        let (address, _) = proxy(to).await;
        let serving = tokio::spawn(async move {
            let (mut connection, _) = server.accept().await.expect("a connection");
            let mut said = String::new();
            connection
                .read_to_string(&mut said)
                .await
                .expect("the client's end");
            connection
                .write_all(said.to_uppercase().as_bytes())
                .await
                .expect("an answer after the client's end");
        });
        let mut client = TcpStream::connect(address).await.expect("a connection");
        client.write_all(b"half").await.expect("written");
        client.shutdown().await.expect("an end");
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.expect("an answer");
        assert_eq!(answer, "HALF");
        serving.await.expect("no panic");
    });
}

#[test]
fn much_is_carried_both_ways_at_once() {
    const LENGTH: usize = 8 << 20;
    run(async {
        let server = TcpListener::bind(LOCAL).await.expect("a port");
        let to = server.local_addr().expect("an address");
        let (address, _) = proxy(to).await;
        tokio::spawn(async move {
            let (connection, _) = server.accept().await.expect("a connection");
            let (mut from, mut to) = connection.into_split();
            tokio::io::copy(&mut from, &mut to).await.expect("an echo");
        });
        let client = TcpStream::connect(address).await.expect("a connection");
        let (mut from, mut to) = client.into_split();
        let sending = tokio::spawn(async move {
            let chunk = vec![7; 1 << 16];
            for _ in 0..LENGTH / chunk.len() {
                to.write_all(&chunk).await.expect("written");
            }
            to.shutdown().await.expect("an end");
        });
        let mut length = 0;
        let mut buffer = vec![0; 1 << 16];
        loop {
            match from.read(&mut buffer).await.expect("data") {
                0 => break,
                more => length += more,
            }
        }
        assert_eq!(length, LENGTH);
        sending.await.expect("no panic");
    });
}

#[test]
fn a_container_that_does_not_listen_ends_the_connection() {
    run(async {
        let nobody = TcpListener::bind(LOCAL).await.expect("a port");
        let to = nobody.local_addr().expect("an address");
        drop(nobody);
        let (address, _) = proxy(to).await;
        let mut client = TcpStream::connect(address).await.expect("a connection");
        let mut answer = Vec::new();
        let ended = client.read_to_end(&mut answer).await;
        assert!(!matches!(ended, Ok(length) if length > 0));
        // The next one is taken all the same.
        TcpStream::connect(address).await.expect("a connection");
    });
}

#[test]
fn connections_end_with_the_proxy() {
    run(async {
        let server = TcpListener::bind(LOCAL).await.expect("a port");
        let to = server.local_addr().expect("an address");
        let (address, task) = proxy(to).await;
        let mut client = TcpStream::connect(address).await.expect("a connection");
        let (_connection, _) = server.accept().await.expect("a connection");
        task.abort();
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer).await;
        assert!(TcpStream::connect(address).await.is_err());
    });
}

/// A proxy of UDP to that address, and its own.
async fn datagrams(to: SocketAddr, idle: Duration) -> SocketAddr {
    let socket = UdpSocket::bind(LOCAL).await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(carry_datagrams(socket, way(), to.port(), idle));
    address
}

async fn exchange(client: &UdpSocket, server: &UdpSocket, word: &[u8]) -> SocketAddr {
    client.send(word).await.expect("sent");
    let mut buffer = [0; 16];
    let (length, from) = server.recv_from(&mut buffer).await.expect("a datagram");
    assert_eq!(&buffer[..length], word);
    server.send_to(b"answer", from).await.expect("sent");
    let length = client.recv(&mut buffer).await.expect("an answer");
    assert_eq!(&buffer[..length], b"answer");
    from
}

#[test]
fn answers_go_to_the_client_that_asked() {
    run(async {
        let server = UdpSocket::bind(LOCAL).await.expect("a port");
        let to = server.local_addr().expect("an address");
        let address = datagrams(to, UDP_IDLE).await;
        let mut ways = Vec::new();
        for word in [b"one".as_slice(), b"two"] {
            let client = UdpSocket::bind(LOCAL).await.expect("a port");
            client.connect(address).await.expect("an address");
            let way = exchange(&client, &server, word).await;
            // The same client comes the same way again.
            assert_eq!(exchange(&client, &server, word).await, way);
            ways.push(way);
        }
        assert_ne!(ways[0], ways[1]);
    });
}

#[test]
fn ways_that_nobody_uses_are_forgotten() {
    run(async {
        let server = UdpSocket::bind(LOCAL).await.expect("a port");
        let to = server.local_addr().expect("an address");
        let socket = Arc::new(UdpSocket::bind(LOCAL).await.expect("a port"));
        let its = way().connect_datagrams(to.port()).await.expect("a way");
        let its = Arc::new(its);
        let client = socket.local_addr().expect("an address");
        let ways = Ways::default();
        locked(&ways).insert(client, Arc::clone(&its));
        let idle = Duration::from_millis(1);
        carry_answers(socket, its, client, Arc::clone(&ways), idle).await;
        assert!(locked(&ways).is_empty());
    });
}
