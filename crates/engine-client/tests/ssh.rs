//! `ssh://`: a real server, and an `ssh` that is a script.

mod containers;

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use engine_client::{Client, ClientOptions, Endpoint, ErrorKind};

fn client(host: &str, path: &Path) -> Client {
    let endpoint: Endpoint = host.parse().expect("an endpoint");
    let rest = std::env::var("PATH").unwrap_or_default();
    let options = ClientOptions {
        environment: vec![(
            OsString::from("PATH"),
            format!("{}:{rest}", path.display()).into(),
        )],
        ..ClientOptions::default()
    };
    Client::new(endpoint, options)
}

/// A directory with an `ssh` that is this script. It has bash's arrays and this machine's programs.
fn scripted(script: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ssh");
    let at = directory.path().display();
    fs::write(&path, format!("#!/bin/sh\ncd {at}\n{script}\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    directory
}

#[test]
fn a_real_server_passes_megabytes_both_ways_at_once() {
    let test = "a_real_server_passes_megabytes_both_ways_at_once";
    let (Some(sshd), Some(engine)) = (harness::sshd_or_skip(test), harness::engine_or_skip(test))
    else {
        return;
    };
    let client = client(&sshd.host(&engine.socket()), &sshd.path());
    containers::megabytes_pass_both_ways(&client);
    containers::output_ends(&client);
    containers::a_shutdown_ends_the_stream(&client);
}

#[test]
fn an_engine_that_is_not_there_is_told_by_the_other_side() {
    let test = "an_engine_that_is_not_there_is_told_by_the_other_side";
    let Some(sshd) = harness::sshd_or_skip(test) else {
        return;
    };
    let client = client(&sshd.host(Path::new("/nowhere/engine.sock")), &sshd.path());
    let error = client.ping().expect_err("no engine");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    let text = error.to_string();
    assert!(text.contains("docker --host=unix:///nowhere/engine.sock system dial-stdio] has exited with exit status 1"), "{text}");
    assert!(text.contains("stderr="), "{text}");
    assert!(text.contains("unix:///nowhere/engine.sock"), "{text}");
}

#[test]
fn a_server_that_is_not_there_is_told_by_ssh() {
    let Some(sshd) = harness::sshd_or_skip("a_server_that_is_not_there_is_told_by_ssh") else {
        return;
    };
    let error = client("ssh://127.0.0.1:9", &sshd.path())
        .ping()
        .expect_err("no server");
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    let text = error.to_string();
    assert!(text.contains("has exited with exit status 255"), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
}

#[test]
fn each_connection_is_a_process_of_its_own_with_docker_s_words() {
    let pong = r"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n";
    let script = format!(
        "for word; do echo \"<$word>\"; done >>words; [ \"$(ps -o sid= -p $$)\" -eq $$ ] && echo own >session\n\
         read -r line; printf '{pong}'; exec cat >/dev/null"
    );
    let directory = scripted(&script);
    let client = client("ssh://me@host:2222/run/x.sock", directory.path());
    client.ping().expect("an answer");
    let words = fs::read_to_string(directory.path().join("words")).expect("words");
    assert_eq!(
        words,
        "<-l>\n<me>\n<-p>\n<2222>\n<-o ConnectTimeout=30>\n<-T>\n<-->\n<host>\n\
         <docker --host=unix:///run/x.sock system dial-stdio>\n"
    );
    // The Ctrl-C at a terminal must not reach it.
    let session = fs::read_to_string(directory.path().join("session")).expect("a session");
    assert_eq!(session, "own\n");
}

#[test]
fn what_ssh_says_is_shown_and_is_fit_for_a_terminal() {
    let directory = scripted("printf 'no\\033[31m way\\nat all\\n' >&2; exit 255");
    let error = client("ssh://host", directory.path())
        .ping()
        .expect_err("a failure");
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(
        error.to_string(),
        "command [ssh -o ConnectTimeout=30 -T -- host docker system dial-stdio] has exited with exit status 255, make \
         sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=no[31m way\nat all"
    );
    // Without end it is cut, and costs no memory.
    let endless = scripted("yes no >&2; exit 1");
    let error = client("ssh://host", endless.path())
        .ping()
        .expect_err("a failure");
    assert!(
        error.to_string().len() < 8192,
        "{}",
        error.to_string().len()
    );
}

#[test]
fn processes_end_with_their_connections() {
    let pong = r"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 0\r\n\r\n";
    // One that ends neither at the end of its input nor when it is asked to.
    let directory = scripted(&format!(
        "trap '' TERM; echo $$ >pid; read -r line; printf '{pong}'; while :; do sleep 0.1; done"
    ));
    let client = client("ssh://host", directory.path());
    client.ping().expect("an answer");
    let pid = fs::read_to_string(directory.path().join("pid")).expect("a number");
    let process = PathBuf::from("/proc").join(pid.trim());
    assert!(process.exists());
    drop(client);
    let start = Instant::now();
    while process.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "it still runs");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn ssh_is_never_taken_from_the_current_directory() {
    let directory = scripted("touch ran; exit 255");
    let endpoint: Endpoint = "ssh://host".parse().expect("an endpoint");
    for path in ["", ".", ":", "relative"] {
        let options = ClientOptions {
            environment: vec![("PATH".into(), path.into())],
            ..ClientOptions::default()
        };
        // The current directory belongs to all tests of this process, so the program is where it would be looked for.
        let error = Client::new(endpoint.clone(), options)
            .ping()
            .expect_err("no ssh");
        assert_eq!(error.kind(), ErrorKind::Connect);
        let text = error.to_string();
        assert!(text.contains("exec: \"ssh\": "), "{text}");
    }
    assert!(!directory.path().join("ran").exists());
}
