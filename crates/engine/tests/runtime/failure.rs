//! Programs that cannot be run, and containers whose monitor dies.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{fs, thread};

use bollard_stubs::models::{ContainerCreateBody, HostConfig};
use engine::cgroup::{Cgroup, Host};
use engine::runtime::{self, Stdio};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, set_child_subreaper, waitpid,
};

use crate::Test;
use crate::machine::{CGROUP_PARENT, Machine, Pipes, assert_no_children, shell};

pub(crate) const TESTS: &[Test] = &[
    ("what_cannot_be_run_is_named", what_cannot_be_run_is_named),
    (
        "a_container_without_a_monitor_ends",
        a_container_without_a_monitor_ends,
    ),
    (
        "a_container_that_is_not_started_ends",
        a_container_that_is_not_started_ends,
    ),
    ("a_mount_that_fails_is_told", a_mount_that_fails_is_told),
    (
        "a_limit_that_is_too_small_is_told",
        a_limit_that_is_too_small_is_told,
    ),
];

fn what_cannot_be_run_is_named() {
    let machine = Machine::new();
    let file = |name: &str, content: &str, mode| {
        let path = machine.root().join("bin").join(name);
        fs::write(&path, content).expect("a file");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    file("plain", "x", 0o644);
    file("text", "no program", 0o755);
    file("script", "#!/bin/nope\n", 0o755);
    file("closed", "#!/bin/sh\n", 0o700);
    for (user, program, code, message) in [
        (
            "",
            "nope",
            127,
            "exec: \"nope\": executable file not found in $PATH",
        ),
        (
            "",
            "plain",
            127,
            "exec: \"plain\": executable file not found in $PATH",
        ),
        (
            "",
            "/bin/nope",
            127,
            "exec: \"/bin/nope\": stat /bin/nope: no such file or directory",
        ),
        (
            "",
            "/bin/plain",
            126,
            "exec: \"/bin/plain\": permission denied",
        ),
        ("", "/etc", 126, "exec: \"/etc\": is a directory"),
        (
            "",
            "/bin/text",
            126,
            "exec: \"/bin/text\": exec format error",
        ),
        (
            "",
            "/bin/script",
            127,
            "exec: \"/bin/script\": no such file or directory",
        ),
        (
            "user",
            "/bin/closed",
            126,
            "exec: \"/bin/closed\": permission denied",
        ),
    ] {
        let error = machine
            .try_run(ContainerCreateBody {
                cmd: Some(vec![program.to_owned()]),
                user: Some(user.to_owned()),
                ..ContainerCreateBody::default()
            })
            .expect_err("nothing runs");
        assert_eq!(
            error.to_string(),
            format!("unable to start container process: {message}")
        );
        assert_eq!(runtime::exit_code(&error), code, "{message}");
    }
}

reexec::submit! { reexec::Initializer::new("runtime-test-monitor", create_and_wait) }

/// A monitor that creates a container, says its number and does no more.
fn create_and_wait(arguments: &[OsString]) -> u8 {
    let directory = Path::new(&arguments[0]);
    let machine = Machine::at(directory);
    let _lock = fs::File::create(directory.join("lock")).expect("a file");
    let body = machine.complete(shell("true"));
    let pipes = Pipes::new();
    let (created, _cgroup) = machine.create(&body, Stdio::Streams(pipes.streams()));
    let created = created.expect("a container");
    println!("{}", created.pid().as_raw_nonzero());
    loop {
        thread::park();
    }
}

/// A container that waits for its start does not outlive its monitor.
fn a_container_without_a_monitor_ends() {
    let directory = tempfile::tempdir().expect("a directory");
    set_child_subreaper(Pid::from_raw(1)).expect("a subreaper");
    let mut monitor = reexec::command("runtime-test-monitor")
        .expect("this program calls init")
        .parent_death_signal(Signal::KILL.as_raw())
        .arg(directory.path())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the monitor starts");
    let mut line = String::new();
    BufReader::new(monitor.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("a number");
    let pid = Pid::from_raw(line.trim().parse().expect("a number")).expect("a number");
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).expect("it waits");
    let held: Vec<String> = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()))
        .expect("descriptors")
        // One may be closed meanwhile.
        .filter_map(|entry| fs::read_link(entry.expect("a descriptor").path()).ok())
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    assert!(
        !held.iter().any(|path| path.ends_with("/lock")),
        "what a monitor locks is its own: {held:?}"
    );
    monitor.kill().expect("the monitor is killed");
    monitor.wait().expect("the monitor ends");
    let ended = poll(
        &mut [PollFd::new(&pidfd, PollFlags::IN)],
        Some(&Timespec {
            tv_sec: 60,
            tv_nsec: 0,
        }),
    );
    assert_eq!(ended, Ok(1), "the container's process is still there");
    waitpid(Some(pid), WaitOptions::empty()).expect("it is ours by now");
    let name = directory
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    let host = Host::detect().expect("cgroups");
    Cgroup::open(&host, Some(CGROUP_PARENT), &name)
        .expect("cgroups")
        .expect("cgroups")
        .remove()
        .expect("nothing is left in the cgroup");
}

fn a_container_that_is_not_started_ends() {
    let machine = Machine::new();
    let body = machine.complete(shell("true"));
    let pipes = Pipes::new();
    let (created, mut cgroup) = machine.create(&body, Stdio::Streams(pipes.streams()));
    let created = created.unwrap_or_else(|error| panic!("{error}"));
    assert!(created.network_namespace().is_ok());
    drop(created);
    assert_no_children();
    cgroup.remove().expect("nothing is left in the cgroup");
}

/// libcontainer says which of its structures it failed at, and not why.
fn a_mount_that_fails_is_told() {
    let machine = Machine::new();
    std::os::unix::fs::symlink("loop", machine.root().join("loop")).expect("a link");
    for (destination, options, reason) in [
        ("/x", "size=much", "size=much: invalid argument"),
        ("/x", "uid=-5", "uid=-5: invalid argument"),
        ("/etc/passwd/x", "", "/etc/passwd/x: not a directory"),
        ("/loop", "", "/loop: too many levels of symbolic links"),
    ] {
        let error = machine
            .try_run(ContainerCreateBody {
                host_config: Some(HostConfig {
                    tmpfs: Some([(destination.to_owned(), options.to_owned())].into()),
                    ..HostConfig::default()
                }),
                ..shell("true")
            })
            .expect_err("it cannot be mounted");
        assert_eq!(
            error.to_string(),
            format!(
                "unable to start container process: error mounting \"tmpfs\" to rootfs at {destination:?}: {reason}"
            )
        );
    }
}

fn a_limit_that_is_too_small_is_told() {
    let machine = Machine::new();
    let error = machine
        .try_run(ContainerCreateBody {
            host_config: Some(HostConfig {
                // Less than what the launcher itself takes.
                memory: Some(6 << 20),
                tmpfs: Some([("/etc/passwd/below".to_owned(), String::new())].into()),
                ..HostConfig::default()
            }),
            ..shell("true")
        })
        .expect_err("there is no such place");
    assert!(error.to_string().contains("/etc/passwd/below"), "{error}");
}
