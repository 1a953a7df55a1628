//! The embedded engine: when commands select it, and `engine serve`.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::{Api, Program, Running, Signal};

use crate::tool;

/// An engine's state of a test's own, whose runtime directory goes with it.
pub(crate) struct State {
    pub(crate) tool: Program,
    pub(crate) host: String,
    pub(crate) run: PathBuf,
}

impl State {
    pub(crate) fn new() -> State {
        let tool = tool();
        // An ordinary user's is that.
        let directory = tool.directory().to_owned();
        let tool = tool.with_env("XDG_RUNTIME_DIR", directory);
        let host = format!("embedded://{}", tool.directory().join("state").display());
        let format = [
            "engine",
            "info",
            "--format",
            "{{.Embedded.RuntimeDirectory}}",
        ];
        let outcome = tool.run(["-H", &host].iter().chain(&format));
        assert_eq!(outcome.code, Some(0), "{}", outcome.err());
        let run = PathBuf::from(outcome.out().trim());
        State { tool, host, run }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.tool.directory().join("state")
    }

    /// Starts `engine serve` with these words and waits until it listens.
    pub(crate) fn serve(&self, words: &[&str]) -> Running {
        let mut all = vec!["-H", &self.host, "engine", "serve"];
        all.extend(words);
        let server = self.tool.start(all);
        server.wait_for_err("Listening on unix://");
        server
    }
}

impl Drop for State {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.run);
    }
}

/// Whether an engine answers there that says it is this one.
#[track_caller]
fn assert_served(socket: &Path) {
    let answer = Api::new(socket).get("/_ping");
    assert_eq!((answer.status, answer.text().as_str()), (200, "OK"));
    let version = answer.header("Embedded-Engine").map(str::to_owned);
    assert_eq!(version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_engine_inside_answers_with_its_state_where_it_shall_be() {
    let state = State::new();
    assert!(!state.root().exists(), "looking makes nothing");
    let outcome = state.tool.run([
        "-H",
        &state.host,
        "version",
        "--format",
        "{{.Server.Platform.Name}}",
    ]);
    outcome.assert(0, "tool, the embedded engine\n", "");
    let mode = fs::metadata(state.root())
        .expect("made")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn it_is_chosen_where_nothing_names_another_and_no_socket_is() {
    let state = State::new();
    let info = |words: &[&str]| {
        let format = ["engine", "info", "--format", "{{.Endpoint}} {{.Reason}}"];
        let outcome = state.tool.run(words.iter().chain(&format));
        assert_eq!(outcome.code, Some(0), "{}", outcome.err());
        outcome.out()
    };
    let expected = match Path::new("/var/run/docker.sock").exists() {
        true => "unix:///var/run/docker.sock default, since its socket exists\n",
        false => "embedded:// default, since /var/run/docker.sock does not exist\n",
    };
    assert_eq!(info(&[]), expected);
    assert_eq!(info(&["-H", ""]), expected);
    assert_eq!(info(&["-c", "default"]), expected);
    assert_eq!(info(&["-H", &state.host]), format!("{} -H\n", state.host));
    assert_eq!(
        info(&["-H", "unix:///nowhere/x.sock"]),
        "unix:///nowhere/x.sock -H\n"
    );
}

#[test]
fn a_socket_that_refuses_is_an_error_and_no_change_of_engine() {
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "left out: a_socket_that_refuses_is_an_error_and_no_change_of_engine needs to be root"
        );
        return;
    }
    let state = State::new();
    let run = state.tool.directory().join("run");
    fs::create_dir(&run).expect("a directory");
    drop(UnixListener::bind(run.join("docker.sock")).expect("a socket"));
    let shell = Program::new("/bin/sh")
        .with_env("TOOL", env!("CARGO_BIN_EXE_tool"))
        .with_env("RUN", &run);
    // `/var/run` leads to `/run`.
    let script = r#"unshare --mount sh -c 'mount --bind "$RUN" /run && exec "$TOOL" ps'"#;
    let outcome = shell.run(["-c", script]);
    assert_eq!((outcome.code, outcome.out().as_str()), (Some(1), ""));
    let text = outcome.err();
    assert!(text.contains("/var/run/docker.sock"), "{text}");
    assert!(
        text.contains("with '-H embedded://' the engine inside of this program is used"),
        "{text}"
    );
}

#[test]
fn information_says_why_and_what_is_possible() {
    let state = State::new();
    let outcome = state.tool.run(["-H", &state.host, "engine", "info"]);
    let expected = format!(
        "Engine: {}\n Selected by: -H\n Version: {version}\nEmbedded engine:\n \
         Version: {version}\n Root: {}\n Runtime Directory: {}\n Size: 0B\n Limits: ",
        state.host,
        state.root().display(),
        state.run.display(),
        version = env!("CARGO_PKG_VERSION"),
    );
    assert_eq!((outcome.code, outcome.err()), (Some(0), String::new()));
    assert!(outcome.out().starts_with(&expected), "{}", outcome.out());
    for line in ["\n Overlay: ", "\n Seccomp: ", "\n NAT: ", "\n Rootless: "] {
        assert!(outcome.out().contains(line), "{}", outcome.out());
    }
    let outcome = state
        .tool
        .run(["-H", "unix:///nowhere/x.sock", "engine", "info"]);
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome
            .out()
            .contains("\n Error: failed to connect to the docker API at unix:///nowhere/x.sock"),
        "{}",
        outcome.out()
    );
}

#[test]
fn it_is_served_on_a_private_socket_that_goes_with_the_server() {
    for signal in [Signal::TERM, Signal::INT] {
        let state = State::new();
        let server = state.serve(&[]);
        let socket = state.run.join("engine.sock");
        assert_served(&socket);
        let mode = fs::metadata(&socket).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let outcome = state.tool.run([
            "-H",
            &format!("unix://{}", socket.display()),
            "version",
            "--format",
            "{{.Server.Platform.Name}}",
        ]);
        outcome.assert(0, "tool, the embedded engine\n", "");
        server.signal(signal);
        let outcome = server.finish();
        let line = format!("Listening on unix://{}\n", socket.display());
        outcome.assert(0, "", &line);
        assert!(!socket.exists());
    }
}

#[test]
fn a_server_in_the_background_of_a_script_ignores_sigint() {
    let state = State::new();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "trap '' INT; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_tool"),
        ])
        .args(["-H", &state.host, "engine", "serve"])
        .env("XDG_RUNTIME_DIR", state.tool.directory())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut server = Running::start(&mut command);
    server.wait_for_err("Listening on");
    server.signal(Signal::INT);
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.is_running());
    server.signal(Signal::TERM);
    assert_eq!(server.finish().code, Some(0));
}

#[test]
fn a_dead_servers_socket_is_replaced_and_a_living_ones_is_not() {
    let state = State::new();
    let path = state.tool.directory().join("socket");
    // A path may be relative.
    let first = state.serve(&["--socket", "socket"]);
    assert_served(&path);
    let second = state
        .tool
        .run(["-H", &state.host, "engine", "serve", "--socket", "socket"]);
    let expected = format!("somebody listens on {} already", path.display());
    second.assert_err_contains(1, "", &expected);
    assert_served(&path);
    first.signal(Signal::KILL);
    first.finish();
    assert!(path.exists(), "nobody could remove it");
    let third = state.serve(&["--socket", "socket"]);
    assert_served(&path);
    third.signal(Signal::TERM);
    assert_eq!(third.finish().code, Some(0));
    assert!(!path.exists());
}

#[test]
fn a_socket_that_is_handed_down_is_served_and_left() {
    let state = State::new();
    let path = state.tool.directory().join("socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    // As a service manager: the socket is descriptor 3, and the variables name the process.
    let script = r#"exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec "$@""#;
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh", env!("CARGO_BIN_EXE_tool")])
        .args(["-H", &state.host, "engine", "serve"])
        .env("XDG_RUNTIME_DIR", state.tool.directory())
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let server = Running::start(&mut command);
    assert_served(&path);
    server.signal(Signal::TERM);
    let outcome = server.finish();
    let line = format!("Listening on unix://{}\n", path.display());
    outcome.assert(0, "", &line);
    // It is the service manager's.
    assert!(path.exists());
}

#[test]
fn what_names_two_sockets_or_another_engine_is_refused() {
    let state = State::new();
    let both = state
        .tool
        .run(["-H", "unix:///a", "engine", "serve", "--socket", "b"]);
    both.assert(
        1,
        "",
        "conflicting options: -H unix:// and --socket both name a socket\n",
    );
    let other = state.tool.run(["-H", "tcp://a:1", "engine", "serve"]);
    other.assert(
        1,
        "",
        "'tool engine serve' is about the engine inside of this program, and tcp://a:1 is another; -H embedded:///DIR \
         names the directory of its state\n",
    );
}

#[test]
fn what_a_crash_left_is_shown_and_with_repair_removed() {
    let state = State::new();
    let orphan = state.run.join("containers").join("0".repeat(64));
    // Cgroups and links are shared by all engines of a machine, and others may have left some.
    let check = |words: &[&str]| {
        let all = ["-H", &state.host, "engine", "check"];
        let outcome = state.tool.run(all.iter().chain(words));
        assert_eq!(outcome.err(), "");
        let path = orphan.display().to_string();
        let lines = outcome.out();
        let ours: Vec<String> = lines
            .lines()
            .filter(|line| line.contains(&path))
            .map(str::to_owned)
            .collect();
        (ours, outcome.code)
    };
    assert_eq!(check(&[]).0, [""; 0]);
    fs::create_dir_all(&orphan).expect("a directory");
    let line = format!(
        "directory {}: its container does not exist",
        orphan.display()
    );
    assert_eq!(check(&[]), (vec![line.clone()], Some(1)));
    assert_eq!(check(&["--repair"]).0, [format!("{line} (repaired)")]);
    assert_eq!(check(&[]).0, [""; 0]);
    assert!(!orphan.exists());
}
