//! Containers over TLS and ssh.

use harness::{Authority, TlsDockerd};

use crate::{engine, program};

#[test]
fn run_in_tls() {
    let authority = Authority::new("authority");
    let server = authority.server(&["localhost", "127.0.0.1"]);
    let engine = match TlsDockerd::start(&authority, &server) {
        Ok(engine) => engine,
        Err(missing) => {
            return harness::left_out("run_in_tls", &missing.to_string()).unwrap_or_default();
        }
    };
    let program = program().with_env("DOCKER_HOST", engine.host("localhost"));
    authority
        .client()
        .write(&program.directory().join("certificates"), &authority);
    let certificates = program.directory().join("certificates");
    let by_variables = program
        .with_env("DOCKER_TLS_VERIFY", "1")
        .with_env("DOCKER_CERT_PATH", certificates);
    let words = ["run", "--rm", "-i", "busybox", "sh", "-c", "cat; exit 7"];
    let outcome = by_variables.start(words).feed("hello\n").finish();
    outcome.assert(7, "hello\n", "");

    let by_options = crate::program();
    authority
        .client()
        .write(&by_options.directory().join(".docker"), &authority);
    let host = engine.host("127.0.0.1");
    let outcome = by_options.run(["--tlsverify", "-H", &host, "run", "--rm", "busybox", "true"]);
    outcome.assert(0, "", "");
    let outcome = by_options.run(["-H", &host, "run", "busybox", "true"]);
    outcome.assert_err_contains(125, "", "Client sent an HTTP request to an HTTPS server");
}

#[test]
fn run_through_ssh() {
    let engine = engine!();
    let Some(sshd) = harness::sshd_or_skip("transports::run_through_ssh") else {
        return;
    };
    let path = std::env::var("PATH").unwrap_or_default();
    let program = program()
        .with_env("DOCKER_HOST", sshd.host(&engine.socket()))
        .with_env("PATH", format!("{}:{path}", sshd.path().display()));
    let words = ["run", "--rm", "-i", "busybox", "sh", "-c", "cat; exit 7"];
    let outcome = program.start(words).feed("hello\n").finish();
    outcome.assert(7, "hello\n", "");
    let outcome = program.run(["run", "--rm", "busybox", "echo", "there"]);
    outcome.assert(0, "there\n", "");
}
