//! TLS, to real engines that require it and to peers that do not speak it.

mod containers;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;

use engine_client::{Client, ClientOptions, Endpoint, Error, ErrorKind, Tls, TlsFiles};
use harness::{Authority, Certificate, TlsDockerd};

/// A name that only the proxy of a test knows.
const PROXIED: &str = "engine.test";

/// An engine with its authority, and a directory with a client's files.
struct Secured {
    authority: Authority,
    engine: TlsDockerd,
    directory: tempfile::TempDir,
}

impl Secured {
    fn start(server: impl Fn(&Authority) -> Certificate) -> Result<Secured, String> {
        let authority = Authority::new("the engine's authority");
        let engine = TlsDockerd::start(&authority, &server(&authority))
            .map_err(|error| error.to_string())?;
        let directory = tempfile::tempdir().expect("a directory");
        authority.client().write(directory.path(), &authority);
        Ok(Secured {
            authority,
            engine,
            directory,
        })
    }

    /// The engine of all tests here: its certificate is for `localhost` and the proxy's name, not for the address.
    fn shared(test: &str) -> Option<&'static Secured> {
        static SHARED: OnceLock<Result<Secured, String>> = OnceLock::new();
        let shared =
            SHARED.get_or_init(|| Secured::start(|own| own.server(&["localhost", PROXIED])));
        match shared {
            Ok(secured) => Some(secured),
            Err(missing) => harness::left_out(test, missing),
        }
    }

    fn files(&self) -> TlsFiles {
        files(self.directory.path())
    }

    fn client(&self, host: &str, files: &TlsFiles) -> Result<Client, Error> {
        client(&self.engine.host(host), files)
    }

    /// What is said of a ping with these files.
    fn refusal(&self, host: &str, files: &TlsFiles) -> Error {
        let client = self.client(host, files);
        client
            .and_then(|client| client.ping())
            .expect_err("a refusal")
    }
}

fn files(directory: &Path) -> TlsFiles {
    TlsFiles {
        authorities: Some(directory.join("ca.pem")),
        certificate: Some(directory.join("cert.pem")),
        key: Some(directory.join("key.pem")),
        verify: true,
    }
}

fn client(host: &str, files: &TlsFiles) -> Result<Client, Error> {
    let endpoint: Endpoint = host.parse()?;
    let endpoint = endpoint.with_tls(Tls::read(files)?);
    Ok(Client::new(endpoint, ClientOptions::default()))
}

#[track_caller]
fn assert_says(error: &Error, kind: ErrorKind, expected: &str) {
    assert!(error.to_string().contains(expected), "{error}");
    assert_eq!(error.kind(), kind, "{error}");
}

#[test]
fn a_session_passes_megabytes_both_ways_at_once() {
    let Some(secured) = Secured::shared("a_session_passes_megabytes_both_ways_at_once") else {
        return;
    };
    let client = secured
        .client("localhost", &secured.files())
        .expect("files");
    containers::megabytes_pass_both_ways(&client);
    containers::output_ends(&client);
}

#[test]
fn a_proxy_is_passed_without_being_told_anything() {
    let Some(secured) = Secured::shared("a_proxy_is_passed_without_being_told_anything") else {
        return;
    };
    let port = secured.engine.host("");
    let port: u16 = port.trim_start_matches("tcp://:").parse().expect("a port");
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = proxy.local_addr().expect("an address");
    let passing = thread::spawn(move || {
        let (mut client, _) = proxy.accept().expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).expect("a head");
            head.push(byte[0]);
        }
        let mut engine = TcpStream::connect(("127.0.0.1", port)).expect("the engine");
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("room");
        let (mut from, mut to) = (
            client.try_clone().expect("a client"),
            engine.try_clone().expect("an engine"),
        );
        thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
        let _ = std::io::copy(&mut engine, &mut client);
        String::from_utf8(head).expect("text")
    });
    let endpoint: Endpoint = secured.engine.host(PROXIED).parse().expect("an endpoint");
    let endpoint = endpoint.with_tls(Tls::read(&secured.files()).expect("files"));
    let options = ClientOptions {
        environment: vec![("HTTPS_PROXY".into(), format!("http://u:p@{address}").into())],
        ..ClientOptions::default()
    };
    let client = Client::new(endpoint, options);
    client.ping().expect("an answer");
    drop(client);
    let head = passing.join().expect("no panic");
    let connect = format!("CONNECT {PROXIED}:{port} HTTP/1.1\r\n");
    assert!(head.starts_with(&connect), "{head}");
    assert!(
        head.contains("Proxy-Authorization: Basic dTpw\r\n"),
        "{head}"
    );
}

#[test]
fn a_session_ends_from_another_thread_and_with_its_halves() {
    let test = "a_session_ends_from_another_thread_and_with_its_halves";
    let Some(secured) = Secured::shared(test) else {
        return;
    };
    let client = secured
        .client("localhost", &secured.files())
        .expect("files");
    containers::a_shutdown_ends_the_stream(&client);
}

#[test]
fn another_authority_is_refused() {
    let Some(secured) = Secured::shared("another_authority_is_refused") else {
        return;
    };
    let other = Authority::new("another authority");
    let directory = tempfile::tempdir().expect("a directory");
    secured.authority.client().write(directory.path(), &other);
    let error = secured.refusal("localhost", &files(directory.path()));
    let expected =
        "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    assert_says(&error, ErrorKind::Connect, expected);
    assert!(
        error
            .to_string()
            .contains(&secured.engine.host("localhost")),
        "{error}"
    );
}

#[test]
fn another_name_is_refused() {
    let Some(secured) = Secured::shared("another_name_is_refused") else {
        return;
    };
    let error = secured.refusal("127.0.0.1", &secured.files());
    let expected = "x509: certificate is valid for localhost, engine.test, not 127.0.0.1";
    assert_says(&error, ErrorKind::Connect, expected);
}

#[test]
fn an_expired_certificate_is_refused() {
    let secured = match Secured::start(|own| own.expired_server(&["localhost"])) {
        Ok(secured) => secured,
        Err(missing) => {
            return harness::left_out("an_expired_certificate_is_refused", &missing)
                .unwrap_or_default();
        }
    };
    let error = secured.refusal("localhost", &secured.files());
    let expected = "x509: certificate has expired or is not yet valid: ";
    assert_says(&error, ErrorKind::Connect, expected);
    // Without verification nobody asks.
    let files = TlsFiles {
        verify: false,
        ..secured.files()
    };
    let client = secured.client("localhost", &files).expect("files");
    client.ping().expect("an answer");
}

#[test]
fn a_client_without_a_certificate_of_the_authority_is_refused() {
    let test = "a_client_without_a_certificate_of_the_authority_is_refused";
    let Some(secured) = Secured::shared(test) else {
        return;
    };
    let none = TlsFiles {
        certificate: None,
        key: None,
        ..secured.files()
    };
    let error = secured.refusal("localhost", &none);
    let expected = "the server probably has client authentication (--tlsverify) enabled; check your TLS client \
                    certification settings: remote error: tls: ";
    assert_says(&error, ErrorKind::Connect, expected);

    let directory = tempfile::tempdir().expect("a directory");
    let other = Authority::new("another authority");
    other.client().write(directory.path(), &secured.authority);
    let error = secured.refusal("localhost", &files(directory.path()));
    assert_says(&error, ErrorKind::Connect, expected);
}

#[test]
fn without_verification_the_name_is_not_looked_at_but_the_client_is() {
    let test = "without_verification_the_name_is_not_looked_at_but_the_client_is";
    let Some(secured) = Secured::shared(test) else {
        return;
    };
    let files = TlsFiles {
        verify: false,
        ..secured.files()
    };
    let client = secured.client("127.0.0.1", &files).expect("files");
    client.ping().expect("an answer");
    let anonymous = TlsFiles {
        certificate: None,
        ..files
    };
    assert_says(
        &secured.refusal("127.0.0.1", &anonymous),
        ErrorKind::Connect,
        "client authentication",
    );
}

#[test]
fn plain_requests_to_an_engine_with_tls_get_a_hint() {
    let Some(secured) = Secured::shared("plain_requests_to_an_engine_with_tls_get_a_hint") else {
        return;
    };
    let endpoint: Endpoint = secured
        .engine
        .host("localhost")
        .parse()
        .expect("an endpoint");
    let client = Client::new(endpoint, ClientOptions::default());
    let error = client.ping().expect_err("an error");
    let text = error.to_string();
    assert!(
        text.contains("Client sent an HTTP request to an HTTPS server"),
        "{text}"
    );
    let hint = "are you trying to connect to a TLS-enabled daemon without TLS?";
    assert!(text.contains(hint), "{text}");
}

#[test]
fn tls_to_an_engine_without_it_gets_a_hint() {
    let Some(secured) = Secured::shared("tls_to_an_engine_without_it_gets_a_hint") else {
        return;
    };
    let plain = harness::Forward::to(secured.engine.engine().socket());
    let error = client(&plain.host(), &secured.files())
        .and_then(|client| client.ping())
        .expect_err("an error");
    let expected = "http: server gave HTTP response to HTTPS client";
    assert_says(&error, ErrorKind::Connect, expected);
}

#[test]
fn keys_may_be_in_any_of_the_three_formats() {
    let Some(secured) = Secured::shared("keys_may_be_in_any_of_the_three_formats") else {
        return;
    };
    let path = |name: &str| secured.directory.path().join(name);
    let openssl = |arguments: &[&str]| {
        let status = std::process::Command::new("openssl")
            .args(arguments)
            .current_dir(secured.directory.path())
            .output()
            .expect("openssl");
        assert!(status.status.success(), "{status:?}");
    };
    // PKCS #8 is what the other tests have.
    openssl(&["ec", "-in", "key.pem", "-out", "sec1.pem"]);
    let sec1 = TlsFiles {
        key: Some(path("sec1.pem")),
        ..secured.files()
    };
    let text = std::fs::read_to_string(path("sec1.pem")).expect("a key");
    assert!(text.contains("BEGIN EC PRIVATE KEY"), "{text}");
    let client = secured.client("localhost", &sec1).expect("files");
    client.ping().expect("an answer");

    // PKCS #1 is of RSA alone, whose certificates the authority does not make here: the key is understood, and then it
    // is another one's.
    openssl(&["genrsa", "-traditional", "-out", "pkcs1.pem", "2048"]);
    let text = std::fs::read_to_string(path("pkcs1.pem")).expect("a key");
    assert!(text.contains("BEGIN RSA PRIVATE KEY"), "{text}");
    let pkcs1 = TlsFiles {
        key: Some(path("pkcs1.pem")),
        ..secured.files()
    };
    let error = secured.refusal("localhost", &pkcs1);
    assert_says(
        &error,
        ErrorKind::Connect,
        "pkcs1.pem: it is not the key of ",
    );

    openssl(&[
        "ec",
        "-in",
        "key.pem",
        "-out",
        "secret.pem",
        "-aes128",
        "-passout",
        "pass:swordfish",
    ]);
    let encrypted = TlsFiles {
        key: Some(path("secret.pem")),
        ..secured.files()
    };
    let error = secured.refusal("localhost", &encrypted);
    assert_says(&error, ErrorKind::Connect, "secret.pem: it is encrypted");
}

#[test]
fn files_that_are_none_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = Authority::new("an authority");
    authority.client().write(directory.path(), &authority);
    let write = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let error_of = |files: &TlsFiles| {
        // Nobody listens there, so it is the files that fail.
        let (listener, host) = silent();
        let error = client(&host, files)
            .and_then(|client| client.ping())
            .expect_err("an error");
        drop(listener);
        error
    };
    let good = files(directory.path());
    let missing = TlsFiles {
        authorities: Some(directory.path().join("nope.pem")),
        ..good.clone()
    };
    let error = error_of(&missing);
    assert_says(
        &error,
        ErrorKind::Input,
        "nope.pem: no such file or directory",
    );
    for (name, text) in [("empty.pem", ""), ("text.pem", "hello")] {
        let path = Some(write(name, text));
        let expected = format!("{name}: it holds no certificate");
        let authorities = TlsFiles {
            authorities: path.clone(),
            ..good.clone()
        };
        assert_says(&error_of(&authorities), ErrorKind::Connect, &expected);
        let certificate = TlsFiles {
            certificate: path.clone(),
            ..good.clone()
        };
        assert_says(&error_of(&certificate), ErrorKind::Connect, &expected);
        let key = TlsFiles {
            key: path,
            ..good.clone()
        };
        let expected = format!("{name}: it holds no private key");
        assert_says(&error_of(&key), ErrorKind::Connect, &expected);
    }
}

/// A port that takes connections and says nothing.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, format!("tcp://{address}"))
}

#[test]
fn a_handshake_that_does_not_end_is_a_time_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = Authority::new("an authority");
    authority.client().write(directory.path(), &authority);
    let (_listener, host) = silent();
    let endpoint: Endpoint = host.parse().expect("an endpoint");
    let tls = Tls::read(&files(directory.path())).expect("files");
    let options = ClientOptions {
        connect_timeout: std::time::Duration::from_millis(200),
        ..ClientOptions::default()
    };
    let client = Client::new(endpoint.with_tls(tls), options);
    let error = client.ping().expect_err("silence");
    assert_says(
        &error,
        ErrorKind::Timeout,
        "took the connection but does not answer in TLS",
    );
}

#[test]
fn garbage_and_an_early_end_are_errors() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = Authority::new("an authority");
    authority.client().write(directory.path(), &authority);
    for answer in [
        &b""[..],
        b"\x16\x03\x03\x00\x02\x02",
        b"\x16\x03\x03\xff\xff",
        b"\0\0\0\0\0\0\0\0",
    ] {
        let (listener, host) = silent();
        let serving = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        });
        let error = client(&host, &files(directory.path()))
            .and_then(|client| client.ping())
            .expect_err("an error");
        assert!(
            matches!(error.kind(), ErrorKind::Connect | ErrorKind::Closed),
            "{error:?}"
        );
        serving.join().expect("no panic");
    }
}
