//! The engine inside of the program for an ordinary user. As root each test runs itself again as one, whom
//! `tests/ordinary-user.sh` makes; whoever is an ordinary user already needs none.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::{Program, TIMEOUT};

use crate::tool;

/// Which user it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    /// One with further ids and a network.
    WithIds,
    /// One with nothing but its own id.
    Alone,
}

/// Whether the test has to go on here: as root it runs again as that user, and is over then.
#[track_caller]
fn is_ordinary(test: &str, user: User) -> bool {
    if !rustix::process::geteuid().is_root() {
        let info = output(&program(), &["engine", "info"]);
        let is_alone = info.contains("with this user's id alone") && info.contains(" NAT: no");
        let is_so = is_alone == (user == User::Alone);
        if !is_so {
            harness::left_out::<()>(test, &format!("another user ({user:?})"));
        }
        return is_so;
    }
    for program in ["unshare", "setpriv", "newuidmap", "newgidmap"] {
        if harness::find_program(program).is_none() {
            let missing = format!("{program} (Debian: util-linux, uidmap)");
            harness::left_out::<()>(test, &missing);
            return false;
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/ordinary-user.sh");
    let mut command = Command::new(script);
    if user == User::Alone {
        command
            .env("ORDINARY_USER_IDS", "one")
            .env("ORDINARY_USER_NETWORK", "none");
    }
    let output = command
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", &format!("ordinary_user::{test}"), "--nocapture"])
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    false
}

/// The program with a runtime directory of its own.
fn program() -> Program {
    let tool = tool();
    let run = tool.directory().join("run");
    tool.with_env("XDG_RUNTIME_DIR", run)
}

const EMBEDDED: [&str; 2] = ["-H", "embedded://"];

#[track_caller]
fn output(tool: &Program, words: &[&str]) -> String {
    let outcome = tool.run(EMBEDDED.iter().chain(words));
    assert_eq!(outcome.code, Some(0), "{words:?}: {}", outcome.err());
    outcome.out()
}

/// Nothing is left that has no owner, and nobody is left in the namespace.
#[track_caller]
fn assert_clean(tool: &Program) {
    assert_eq!(output(tool, &["engine", "check"]), "");
    let directory = tool.directory().join("run/tool/namespace");
    until(|| fs::read_dir(&directory).is_ok_and(|entries| entries.count() == 0));
}

#[track_caller]
fn until(mut is_so: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < TIMEOUT, "it did not come to that in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_machines_root_is_run_with_the_users_own_id() {
    if !is_ordinary(
        "the_machines_root_is_run_with_the_users_own_id",
        User::Alone,
    ) {
        return;
    }
    let tool = program();
    let words = ["run", "--rm", "--network=none", "--rootfs", "/:O"];
    let run = |more: &[&str]| tool.run(EMBEDDED.iter().chain(&words).chain(more));
    run(&["echo", "hello"]).assert(0, "hello\n", "");
    run(&["sh", "-c", "id -u; exit 3"]).assert(3, "0\n", "");
    // Files of others are as closed as they are outside, and what is written is thrown away.
    let script = "cat /etc/shadow || echo x >/etc/mine && cat /etc/mine";
    run(&["sh", "-c", script]).assert_err_contains(0, "x\n", "Permission denied");
    assert!(!Path::new("/etc/mine").exists());
    assert_clean(&tool);
}

#[test]
fn who_has_one_id_is_told_so() {
    if !is_ordinary("who_has_one_id_is_told_so", User::Alone) {
        return;
    }
    let tool = program();
    let words = [
        "run",
        "--rm",
        "--network=none",
        "--user=33",
        "--rootfs",
        "/:O",
        "id",
    ];
    let part = "user 33 is not mapped: containers of this user have 1 user ids; give the user more in /etc/subuid and /etc/subgid";
    tool.run(EMBEDDED.iter().chain(&words))
        .assert_err_contains(125, "", part);
    // Nor is there a way out.
    let words = ["run", "--rm", "--rootfs", "/:O", "true"];
    let part = "WARNING: This user may not open /dev/net/tun, so the container has no network beyond itself: use --network host or none";
    tool.run(EMBEDDED.iter().chain(&words))
        .assert_err_contains(0, "", part);
    let words = ["run", "--memory=32m", "--rootfs", "/:O", "true"];
    let outcome = tool.run(EMBEDDED.iter().chain(&words));
    if outcome.code != Some(0) {
        let part = "an ordinary user needs cgroup v2";
        let other = "no cgroup v2 tree is delegated to this user";
        let err = outcome.err();
        assert!(err.contains(part) || err.contains(other), "{err}");
        assert_eq!(outcome.code, Some(125));
    }
    let info = output(&tool, &["engine", "info"]);
    let line = " Rootless: yes, user namespaces, with this user's id alone: /etc/subuid has no range for it\n";
    assert!(info.contains(line), "{info}");
}

#[test]
fn further_ids_are_those_of_the_machine() {
    if !is_ordinary("further_ids_are_those_of_the_machine", User::WithIds) {
        return;
    }
    let tool = program();
    let directory = tool.directory().display().to_string();
    let volume = format!("{directory}:/here");
    let words = ["run", "--rm", "-v", &volume, "--rootfs", "/:O", "sh", "-c"];
    let script = "touch /here/own && touch /here/other && chown 33:44 /here/other && id -u";
    let outcome = tool.run(EMBEDDED.iter().chain(&words).chain(&[script]));
    outcome.assert(0, "0\n", "");
    let owner = |name: &str| {
        let metadata = fs::metadata(tool.directory().join(name)).expect("a file");
        (metadata.uid(), metadata.gid())
    };
    let own = (
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw(),
    );
    assert_eq!(owner("own"), own);
    let other = owner("other");
    assert!(other.0 != own.0 && other.0 > 33, "{other:?}");
    assert_eq!(other.1 - other.0, 44 - 33);
    // Only who is in the namespace may remove that again.
    let script = "rm /here/other";
    tool.run(EMBEDDED.iter().chain(&words).chain(&[script]))
        .assert(0, "", "");
    assert_clean(&tool);
}

#[test]
fn what_is_the_machines_is_shared_as_far_as_it_goes() {
    if !is_ordinary(
        "what_is_the_machines_is_shared_as_far_as_it_goes",
        User::WithIds,
    ) {
        return;
    }
    let tool = program();
    let run = |options: &[&str], script: &str| {
        let end = ["--rootfs", "/:O", "sh", "-c", script];
        tool.run([&EMBEDDED[..], &["run", "--rm"], options, &end].concat())
    };
    let own = std::process::id().to_string();
    let script = format!("cat /proc/{own}/comm >/dev/null && echo seen");
    run(&["--pid=host"], &script).assert(0, "seen\n", "");
    run(&["--ipc=host", "--uts=host"], "echo up").assert(0, "up\n", "");
    run(&["--network=host"], "cat /sys/class/net/lo/ifindex").assert(0, "1\n", "");
    // The machine's /sbin is closed, so its place is another one.
    run(&["--init"], "cat /proc/1/comm").assert(0, "docker-init\n", "");
    let part = "--oom-score-adj -999: an ordinary user may not go below ";
    run(&["--oom-score-adj=-999"], "true").assert_err_contains(125, "", part);
    run(&["--device=/dev/null:/dev/nil"], "echo x >/dev/nil").assert(0, "", "");
    let part = "--device /dev/null:r: only root can have the kernel keep a container from a device";
    run(&["--device=/dev/null:/dev/nil:r"], "true").assert_err_contains(125, "", part);
    assert_clean(&tool);
}

#[test]
fn commands_share_a_namespace_and_outlive_one_another() {
    if !is_ordinary(
        "commands_share_a_namespace_and_outlive_one_another",
        User::WithIds,
    ) {
        return;
    }
    let tool = program();
    let start = [
        "run",
        "-d",
        "--name=one",
        "--hostname=first",
        "--rootfs",
        "/:O",
    ];
    output(&tool, &[&start[..], &["sleep", "1000"]].concat());
    let word = |words: &[&str]| output(&tool, words).trim().to_owned();
    assert_eq!(word(&["exec", "one", "hostname"]), "first");
    assert_eq!(word(&["exec", "-u", "33", "one", "id", "-u"]), "33");
    // Another container joins its network and its processes.
    let join = [
        "run",
        "--rm",
        "--network=container:one",
        "--pid=container:one",
    ];
    let script = "kill -0 1 && cat /proc/net/dev | grep -c eth0";
    let words = [&join[..], &["--rootfs", "/:O", "sh", "-c", script]].concat();
    assert_eq!(word(&words), "1");

    // Its monitor is killed: the next command takes it over.
    for process in processes(&tool, b"tool-monitor\0") {
        let number = process
            .file_name()
            .and_then(|name| name.to_str()?.parse().ok());
        let pid = number
            .and_then(rustix::process::Pid::from_raw)
            .expect("a number");
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
    let format = ["ps", "--format", "{{.Names}} {{.State}}"];
    assert_eq!(word(&format), "one running");
    assert_eq!(word(&["exec", "-u", "33", "one", "id", "-u"]), "33");
    assert_eq!(word(&["stop", "-t", "0", "one"]), "one");
    let format = ["inspect", "--format", "{{.State.ExitCode}}", "one"];
    assert_eq!(word(&format), "137");
    assert_eq!(word(&["rm", "one"]), "one");
    assert_clean(&tool);
}

#[test]
fn a_killed_command_leaves_nobody_behind() {
    if !is_ordinary("a_killed_command_leaves_nobody_behind", User::WithIds) {
        return;
    }
    let tool = program();
    let words = ["run", "--rm", "--network=none", "--rootfs", "/:O"];
    let script = ["sh", "-c", "echo up; exec sleep 1000"];
    let running = tool.start(EMBEDDED.iter().chain(&words).chain(&script));
    running.wait_for_out("up\n");
    let helpers = || processes(&tool, b"tool-namespace\0");
    assert_eq!(helpers().len(), 1);
    running.signal(harness::Signal::KILL);
    until(|| helpers().is_empty());
    let id = output(&tool, &["ps", "-q"]);
    output(&tool, &["rm", "-f", id.trim()]);
    assert_clean(&tool);
}

#[test]
fn others_are_served() {
    if !is_ordinary("others_are_served", User::WithIds) {
        return;
    }
    let tool = program();
    let server = tool.start(EMBEDDED.iter().chain(&["engine", "serve"]));
    server.wait_for_err("Listening on unix://");
    let socket = tool.directory().join("run/tool/engine.sock");
    let host = format!("unix://{}", socket.display());
    let words = ["-H", &host, "run", "--rm", "--rootfs", "/:O", "id", "-u"];
    tool.run(words).assert(0, "0\n", "");
    server.signal(harness::Signal::TERM);
    assert_eq!(server.finish().code, Some(0));
    assert!(!socket.exists());
    assert_clean(&tool);
}

/// The engine is in the namespace, and containers' monitors beside it: all of them read the file that the server was given.
#[test]
fn a_server_keeps_to_the_file_that_it_is_given() {
    if !is_ordinary("a_server_keeps_to_the_file_that_it_is_given", User::Alone) {
        return;
    }
    let tool = program();
    let serve = [
        &EMBEDDED[..],
        &["engine", "serve", "--config", "given.json"],
    ]
    .concat();
    let refused = tool.run(&serve);
    refused.assert_err_contains(1, "", "/given.json: it does not exist; name one that does");
    for made in [".local", "run"] {
        assert!(!tool.directory().join(made).exists(), "{made}");
    }
    tool.file(
        "given.json",
        r#"{"log-opts": {"max-size": "2k", "max-file": "2"}, "registry-mirrors": ["https://m.example"]}"#,
    );
    let server = tool.start(&serve);
    server.wait_for_err("Listening on unix://");
    let host = format!("unix://{}/run/tool/engine.sock", tool.directory().display());
    let ok = |words: &[&str]| {
        let outcome = tool.run(["-H", &host].iter().chain(words));
        assert_eq!(outcome.code, Some(0), "{words:?}: {}", outcome.err());
        outcome.out()
    };
    let options = ["run", "--name=made", "--network=none", "--rootfs", "/:O"];
    ok(&[&options[..], &["seq", "300"]].concat());
    let format = "--format={{json .HostConfig.LogConfig.Config}}";
    let log = ok(&["inspect", format, "made"]);
    assert_eq!(log, "{\"max-file\":\"2\",\"max-size\":\"2k\"}\n");
    let kept = ok(&["logs", "made"]);
    assert!(
        !kept.starts_with("1\n") && kept.ends_with("\n300\n"),
        "{kept}"
    );
    let mirrors = ok(&["info", "--format={{json .RegistryConfig.Mirrors}}"]);
    assert_eq!(mirrors, "[\"https://m.example/\"]\n");
    ok(&["rm", "made"]);
    server.signal(harness::Signal::TERM);
    assert_eq!(server.finish().code, Some(0));
    assert_clean(&tool);
}

/// The processes whose command line begins so and names the program's directory.
fn processes(tool: &Program, name: &[u8]) -> Vec<PathBuf> {
    fs::read_dir("/proc")
        .expect("processes")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let line = fs::read(path.join("cmdline")).unwrap_or_default();
            line.starts_with(name)
                && String::from_utf8_lossy(&line).contains(&*tool.directory().to_string_lossy())
        })
        .collect()
}
