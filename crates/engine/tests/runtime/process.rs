//! Processes with terminals, processes that join, and the init process.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;

use bollard_stubs::models::{ContainerCreateBody, ExecConfig};
use engine::runtime::{self, Process, Stdio};
use rustix::process::{Signal, pidfd_send_signal};
use rustix::termios::Winsize;

use crate::Test;
use crate::machine::{Machine, Outcome, Pipes, assert_no_children, shell, wait};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_terminal_is_the_container_s",
        a_terminal_is_the_container_s,
    ),
    ("keys_reach_the_program", keys_reach_the_program),
    ("a_process_joins", a_process_joins),
    (
        "a_joining_process_is_as_restricted",
        a_joining_process_is_as_restricted,
    ),
    ("what_cannot_join_is_named", what_cannot_join_is_named),
    (
        "a_joining_process_has_a_terminal",
        a_joining_process_has_a_terminal,
    ),
    (
        "init_reaps_and_hands_signals_on",
        init_reaps_and_hands_signals_on,
    ),
    (
        "init_tells_what_cannot_be_run",
        init_tells_what_cannot_be_run,
    ),
    (
        "init_leaves_keys_to_the_program",
        init_leaves_keys_to_the_program,
    ),
    (
        "nobody_writes_to_this_program",
        nobody_writes_to_this_program,
    ),
];

const SIZE: Winsize = Winsize {
    ws_row: 33,
    ws_col: 77,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

/// Reads until nobody has the terminal any more, which the kernel calls an error.
fn read_terminal(mut master: File) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    while let Ok(count @ 1..) = master.read(&mut part) {
        bytes.extend_from_slice(&part[..count]);
    }
    String::from_utf8(bytes).expect("text")
}

fn master(process: &mut Process) -> File {
    File::from(process.terminal.take().expect("a terminal"))
}

fn a_terminal_is_the_container_s() {
    let machine = Machine::new();
    let body = machine.complete(ContainerCreateBody {
        user: Some("user".to_owned()),
        tty: Some(true),
        ..shell("stty size; tty; stat -c '%u %t:%T' $(tty); stat -c '%t:%T' /dev/console; echo $TERM; echo x > /dev/tty; ls /proc/self/fd")
    });
    let (created, mut cgroup) = machine.create(&body, Stdio::Terminal(Some(SIZE)));
    let mut process = created
        .and_then(runtime::Created::start)
        .unwrap_or_else(|error| panic!("{error}"));
    let master = master(&mut process);
    assert_eq!(wait(&process), 0);
    assert_eq!(
        read_terminal(master),
        "33 77\r\n/dev/pts/0\r\n1000 88:0\r\n88:0\r\nxterm\r\nx\r\n0  1  2  3\r\n"
    );
    cgroup.remove().expect("nothing is left in the cgroup");
    assert_no_children();
}

fn keys_reach_the_program() {
    let machine = Machine::new();
    let body = machine.complete(ContainerCreateBody {
        tty: Some(true),
        ..shell("trap 'echo interrupted; exit 3' INT; echo ready; while :; do sleep 1; done")
    });
    let (created, mut cgroup) = machine.create(&body, Stdio::Terminal(None));
    let mut process = created
        .and_then(runtime::Created::start)
        .unwrap_or_else(|error| panic!("{error}"));
    let mut master = master(&mut process);
    let mut start = [0; 7];
    master.read_exact(&mut start).expect("it is ready");
    master.write_all(b"\x03").expect("a key");
    assert_eq!(wait(&process), 3);
    assert_eq!(read_terminal(master), "^Cinterrupted\r\n");
    cgroup.remove().expect("nothing is left in the cgroup");
}

/// A container that waits, and its end.
struct Running {
    machine: Machine,
    body: ContainerCreateBody,
    first: Process,
    cgroup: engine::cgroup::Cgroup,
}

impl Running {
    fn new(body: ContainerCreateBody) -> Running {
        let machine = Machine::new();
        let body = machine.complete(ContainerCreateBody {
            cmd: Some(["sleep", "1000"].map(str::to_owned).to_vec()),
            ..body
        });
        let pipes = Pipes::new();
        let (created, cgroup) = machine.create(&body, Stdio::Streams(pipes.streams()));
        let first = created
            .and_then(runtime::Created::start)
            .unwrap_or_else(|error| panic!("{error}"));
        Running {
            machine,
            body,
            first,
            cgroup,
        }
    }

    fn exec(&self, config: &ExecConfig, stdio: Stdio<'_>) -> engine::Result<Process> {
        self.machine
            .exec(&self.body, &self.first, &self.cgroup, config, stdio)
    }

    fn try_run(&self, config: &ExecConfig) -> engine::Result<Outcome> {
        let pipes = Pipes::new();
        let process = self.exec(config, Stdio::Streams(pipes.streams()))?;
        Ok(pipes.read_to_end(&process))
    }

    fn run(&self, config: &ExecConfig) -> Outcome {
        self.try_run(config)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn end(mut self) {
        pidfd_send_signal(&self.first.pidfd, Signal::KILL).expect("it is killed");
        assert_eq!(wait(&self.first), 128 + 9);
        self.cgroup.remove().expect("nothing is left in the cgroup");
        let left: Vec<_> = std::fs::read_dir(self.machine.state().join("container"))
            .expect("files")
            .map(|entry| entry.expect("a file").file_name())
            .filter(|name| name.to_string_lossy().starts_with("tenant-"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
        assert!(!self.machine.state().join("process.json").exists());
        runtime::clean_up(&self.machine.state()).expect("files are removed");
        assert_no_children();
    }
}

fn script(script: &str) -> ExecConfig {
    ExecConfig {
        cmd: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        ..ExecConfig::default()
    }
}

fn a_process_joins() {
    let running = Running::new(ContainerCreateBody {
        env: Some(vec!["A=container".to_owned()]),
        working_dir: Some("/srv".to_owned()),
        ..ContainerCreateBody::default()
    });
    let outcome = running.run(&ExecConfig {
        env: Some(vec!["B=exec".to_owned()]),
        ..script("echo $A $B $HOSTNAME; pwd; hostname; cat /proc/1/comm; for kind in mnt pid ipc uts net cgroup; do \
                  test $(readlink /proc/1/ns/$kind) = $(readlink /proc/self/ns/$kind) && echo $kind; done; \
                  cmp /proc/1/cgroup /proc/self/cgroup && echo same; echo err >&2; exit 9")
    });
    assert_eq!(
        outcome,
        Outcome {
            status: 9,
            stdout: "container exec box\n/srv\nbox\nsleep\nmnt\npid\nipc\nuts\nnet\ncgroup\nsame\n"
                .to_owned(),
            stderr: "err\n".to_owned(),
        }
    );
    running.end();
}

fn a_joining_process_is_as_restricted() {
    let running = Running::new(ContainerCreateBody::default());
    let status = "grep -E '^(SigBlk|SigIgn|CapEff|CapBnd|Seccomp|Umask):' /proc/self/status | while read name value; do echo $value; done; \
                  ls /proc/self/fd; id -u; id -G";
    assert_eq!(
        running.run(&script(status)).stdout,
        "0022\n0000000000000000\n0000000000000000\n00000000a80425fb\n00000000a80425fb\n2\n0\n1\n2\n3\n0\n0\n"
    );
    let outcome = running.run(&ExecConfig {
        user: Some("user".to_owned()),
        ..script(&format!("{status}; echo x > /dev/stdout"))
    });
    assert_eq!(
        outcome.stdout,
        "0022\n0000000000000000\n0000000000000000\n0000000000000000\n00000000a80425fb\n2\n0\n1\n2\n3\n1000\n1000 2000\nx\n"
    );
    let outcome = running.run(&ExecConfig {
        privileged: Some(true),
        ..script("mount -t tmpfs t /tmp 2>/dev/null; grep CapEff /proc/self/status")
    });
    let available = engine::spec::Capabilities::available().expect("capabilities");
    assert_eq!(
        outcome.stdout,
        format!("CapEff:\t{:016x}\n", available.bits())
    );
    running.end();
}

fn what_cannot_join_is_named() {
    let running = Running::new(ContainerCreateBody::default());
    for (program, code, message) in [
        (
            "nope",
            127,
            "exec: \"nope\": executable file not found in $PATH",
        ),
        (
            "/etc/passwd",
            126,
            "exec: \"/etc/passwd\": permission denied",
        ),
        ("/etc", 126, "exec: \"/etc\": is a directory"),
    ] {
        let error = running
            .try_run(&ExecConfig {
                cmd: Some(vec![program.to_owned()]),
                ..ExecConfig::default()
            })
            .expect_err("nothing runs");
        assert_eq!(
            error.to_string(),
            format!("unable to start container process: {message}")
        );
        assert_eq!(runtime::exit_code(&error), code);
        // Nobody is left to wait for but the container itself.
        let children =
            std::fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()))
                .expect("children");
        assert_eq!(
            children.trim(),
            running.first.pid.as_raw_nonzero().to_string()
        );
    }
    running.end();
}

fn a_joining_process_has_a_terminal() {
    let running = Running::new(ContainerCreateBody::default());
    let config = ExecConfig {
        tty: Some(true),
        ..script("stty size; tty; ls /dev/console")
    };
    let mut process = running
        .exec(&config, Stdio::Terminal(Some(SIZE)))
        .unwrap_or_else(|error| panic!("{error}"));
    let master: OwnedFd = process.terminal.take().expect("a terminal");
    wait(&process);
    assert_eq!(
        read_terminal(master.into()),
        "33 77\r\n/dev/pts/0\r\nls: /dev/console: No such file or directory\r\n"
    );
    running.end();
}

/// A machine whose containers have an init process.
fn with_init() -> Machine {
    let mut machine = Machine::new();
    let init = machine.path("init");
    runtime::stage_init(&init).unwrap_or_else(|error| panic!("{error}"));
    machine.init = Some(init);
    machine
}

fn init_reaps_and_hands_signals_on() {
    let machine = with_init();
    let outcome = machine.sh(
        "echo $$ $(cat /proc/1/comm); (sh -c 'exit 5' & exec true); sleep 0.2; \
                              grep -l -E '^State:.Z' /proc/[0-9]*/status; exit 6",
    );
    assert_eq!(
        outcome,
        Outcome {
            status: 6,
            stdout: "2 docker-init\n".to_owned(),
            stderr: String::new(),
        }
    );
    assert_eq!(machine.sh("kill -9 $$").status, 128 + 9);

    for (signal, status) in [(Signal::TERM, 15), (Signal::USR1, 33), (Signal::INT, 34)] {
        let body = machine.complete(shell(
            "trap 'exit 33' USR1; trap 'exit 34' INT; echo ready; while :; do sleep 0.05; done",
        ));
        let pipes = Pipes::new();
        let (created, mut cgroup) = machine.create(&body, Stdio::Streams(pipes.streams()));
        let process = created
            .and_then(runtime::Created::start)
            .unwrap_or_else(|error| panic!("{error}"));
        pipes.wait_for_output("ready\n");
        pidfd_send_signal(&process.pidfd, signal).expect("a signal");
        let expected = if signal == Signal::TERM {
            128 + status
        } else {
            status
        };
        assert_eq!(wait(&process), expected);
        cgroup.remove().expect("nothing is left in the cgroup");
    }
    assert_no_children();
}

fn init_tells_what_cannot_be_run() {
    let machine = with_init();
    for (program, status, message) in [
        (
            "nope",
            127,
            "/sbin/docker-init: exec nope: No such file or directory (os error 2)\n",
        ),
        (
            "/etc/passwd",
            126,
            "/sbin/docker-init: exec /etc/passwd: Permission denied (os error 13)\n",
        ),
    ] {
        let outcome = machine.run(ContainerCreateBody {
            cmd: Some(vec![program.to_owned()]),
            ..ContainerCreateBody::default()
        });
        assert_eq!((outcome.status, outcome.stderr.as_str()), (status, message));
    }
}

fn init_leaves_keys_to_the_program() {
    let machine = with_init();
    let body = machine.complete(ContainerCreateBody {
        tty: Some(true),
        ..shell("trap 'echo interrupted; exit 3' INT; read line; echo $line; while :; do sleep 0.05; done")
    });
    let (created, mut cgroup) = machine.create(&body, Stdio::Terminal(None));
    let mut process = created
        .and_then(runtime::Created::start)
        .unwrap_or_else(|error| panic!("{error}"));
    let mut master = master(&mut process);
    master.write_all(b"line\n").expect("keys");
    let mut start = [0; 12];
    master.read_exact(&mut start).expect("it read the line");
    assert_eq!(&start, b"line\r\nline\r\n");
    master.write_all(b"\x03").expect("a key");
    assert_eq!(wait(&process), 3);
    assert_eq!(read_terminal(master), "^Cinterrupted\r\n");
    cgroup.remove().expect("nothing is left in the cgroup");
}

reexec::submit! { reexec::Initializer::new("runtime-test-sealed", run_sealed) }

/// What a monitor that was started as monitors are has its container run: the monitor's own program, by way of a script.
fn run_sealed(arguments: &[std::ffi::OsString]) -> u8 {
    let machine = Machine::at(std::path::Path::new(&arguments[0]));
    let script = machine.root().join("bin/again");
    std::fs::write(&script, "#!/proc/self/exe\n").expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, mode).expect("a mode");
    let init = machine.path("init");
    runtime::stage_init(&init).unwrap_or_else(|error| panic!("{error}"));
    let outcome = machine.run(ContainerCreateBody {
        cmd: Some(vec!["/bin/again".to_owned()]),
        env: Some(vec!["RUNTIME_TEST_TELL=1".to_owned()]),
        ..ContainerCreateBody::default()
    });
    print!("{}", outcome.stdout);
    0
}

/// What this program does when a container has it run once more: it tells how it got its own file. As long as somebody runs
/// it, the kernel lets nobody write; afterwards it is this that counts.
pub(crate) fn tell_about_own_program() {
    let own = rustix::fs::statvfs("/proc/self/exe").expect("the file");
    let read_only = own.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY);
    println!("{}", if read_only { "read-only" } else { "writable" });
}

fn nobody_writes_to_this_program() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut sealed = runtime::SealedCommand::new("runtime-test-sealed")
        .unwrap_or_else(|error| panic!("{error}"));
    let environment: Vec<_> = sealed
        .environment()
        .map(|(name, path)| (name, path.to_owned()))
        .collect();
    let output = sealed
        .command
        .arg(directory.path())
        .envs(environment)
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("a monitor");
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(said, "read-only\n");
}
