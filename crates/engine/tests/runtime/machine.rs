//! A place for one test's container, and its way from a request to a program that ran.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use bollard_stubs::models::{ContainerCreateBody, ExecConfig, HostConfig};
use engine::cgroup::{Cgroup, Host, Limits};
use engine::runtime::{self, CreateInput, Created, Process, Stdio, Streams};
use engine::spec::{self, Built, Capabilities, Existing, ImageDefaults, Input, NetworkFiles};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{WaitOptions, set_child_subreaper, waitpid};

/// One container's directories.
pub(crate) struct Machine {
    directory: PathBuf,
    _temporary: Option<tempfile::TempDir>,
    host: Host,
    pub(crate) existing: Existing,
    pub(crate) init: Option<PathBuf>,
}

/// The parent of the tests' cgroups.
pub(crate) const CGROUP_PARENT: &str = "tool-test";

/// What a program did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Machine {
    /// An empty machine with a file system of busybox; this process becomes a container's monitor.
    pub(crate) fn new() -> Machine {
        let temporary = tempfile::tempdir().expect("a directory");
        let machine = Machine::at(temporary.path());
        Machine {
            _temporary: Some(temporary),
            ..machine
        }
    }

    /// The same in a directory that the caller removes.
    pub(crate) fn at(directory: &Path) -> Machine {
        set_child_subreaper(rustix::process::Pid::from_raw(1)).expect("a subreaper");
        runtime::enter_mount_namespace(&[]).expect("a mount namespace");
        let root = directory.join("rootfs");
        for name in ["bin", "etc", "tmp", "home/user", "data"] {
            fs::create_dir_all(root.join(name)).expect("a directory");
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
        for applet in [
            "sh", "true", "cat", "id", "ls", "mknod", "touch", "sleep", "stty", "tty", "env",
            "grep", "dd", "mount", "kill", "readlink", "stat", "hostname", "ps", "mkdir", "test",
            "head", "wc", "unshare", "cmp", "rm", "rmdir",
        ] {
            symlink("busybox", root.join("bin").join(applet)).expect("a link");
        }
        fs::write(
            root.join("etc/passwd"),
            "root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n",
        )
        .expect("a file");
        fs::write(
            root.join("etc/group"),
            "root:x:0:\nuser:x:1000:\nextra:x:2000:user\n",
        )
        .expect("a file");
        fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).expect("a mode");
        Machine {
            directory: directory.to_owned(),
            _temporary: None,
            host: Host::detect().expect("cgroups"),
            existing: Existing::default(),
            init: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.join("rootfs")
    }

    pub(crate) fn bundle(&self) -> PathBuf {
        self.directory.join("bundle")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.join("state")
    }

    /// The request as the engine would complete it.
    pub(crate) fn complete(&self, mut body: ContainerCreateBody) -> ContainerCreateBody {
        body.hostname.get_or_insert_with(|| "box".to_owned());
        let config = body.host_config.get_or_insert_with(HostConfig::default);
        config.network_mode.get_or_insert_with(|| "none".to_owned());
        spec::merge(&mut body, &ImageDefaults::default()).expect("a request");
        body
    }

    pub(crate) fn build(&self, body: &ContainerCreateBody) -> Built {
        let root = File::open(self.root()).expect("the root");
        spec::build(&Input {
            body,
            rootfs: &self.root(),
            root: root.as_fd(),
            mounts: &spec::mount_points(body, Vec::new()).expect("mounts"),
            files: &NetworkFiles::default(),
            existing: &self.existing,
            cgroup: true,
            unified: self.host.is_unified(),
            shm: None,
            init: self.init.as_deref(),
            ids: None,
            owns_network: true,
            available: Capabilities::available().expect("capabilities"),
            may_raise_limits: false,
        })
        .expect("a specification")
    }

    pub(crate) fn cgroup(&self, body: &ContainerCreateBody, built: &Built) -> Cgroup {
        let id = self
            .directory
            .file_name()
            .expect("a name")
            .to_string_lossy();
        let config = body.host_config.clone().unwrap_or_default();
        let limits = Limits::of(&config, &self.host, &mut Vec::new()).expect("limits");
        Cgroup::create(
            &self.host,
            Some(CGROUP_PARENT),
            &id,
            &limits,
            &built.device_rules,
        )
        .expect("a cgroup")
    }

    /// Creates a container; its cgroup lives as long as the caller keeps it.
    pub(crate) fn create(
        &self,
        body: &ContainerCreateBody,
        stdio: Stdio<'_>,
    ) -> (engine::Result<Created>, Cgroup) {
        let built = self.build(body);
        let cgroup = self.cgroup(body, &built);
        let created = runtime::create(&CreateInput {
            bundle: &self.bundle(),
            state: &self.state(),
            built: &built,
            cgroup: Some(&cgroup),
            pids_limit: body
                .host_config
                .as_ref()
                .and_then(|config| config.pids_limit),
            stdio,
        });
        (created, cgroup)
    }

    /// Runs a container to its end, without a terminal and without input.
    pub(crate) fn try_run(&self, body: ContainerCreateBody) -> engine::Result<Outcome> {
        let body = self.complete(body);
        let pipes = Pipes::new();
        let (created, mut cgroup) = self.create(&body, Stdio::Streams(pipes.streams()));
        let process = created.and_then(Created::start);
        let outcome = process.map(|process| pipes.read_to_end(&process));
        cgroup.remove().expect("nothing is left in the cgroup");
        runtime::clean_up(&self.state()).expect("files are removed");
        assert_no_children();
        outcome
    }

    /// Starts a process in a running container.
    pub(crate) fn exec(
        &self,
        container: &ContainerCreateBody,
        first: &Process,
        cgroup: &Cgroup,
        config: &ExecConfig,
        stdio: Stdio<'_>,
    ) -> engine::Result<Process> {
        let root =
            File::open(format!("/proc/{}/root", first.pid.as_raw_nonzero())).expect("the root");
        let built = spec::process(&spec::ExecInput {
            config,
            container,
            root: root.as_fd(),
            ids: None,
            available: Capabilities::available().expect("capabilities"),
            may_raise_limits: false,
        })?;
        runtime::exec(&runtime::ExecInput {
            bundle: &self.bundle(),
            state: &self.state(),
            built: &built,
            cgroup: Some(cgroup),
            stdio,
        })
    }

    pub(crate) fn run(&self, body: ContainerCreateBody) -> Outcome {
        self.try_run(body).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a script of the shell.
    pub(crate) fn sh(&self, script: &str) -> Outcome {
        self.run(shell(script))
    }
}

/// A request for a script of the shell.
pub(crate) fn shell(script: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        cmd: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
        ..ContainerCreateBody::default()
    }
}

/// The pipes of a process.
pub(crate) struct Pipes {
    stdin: File,
    stdout: (OwnedFd, OwnedFd),
    stderr: (OwnedFd, OwnedFd),
}

impl Pipes {
    pub(crate) fn new() -> Pipes {
        let pipe = || pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        Pipes {
            stdin: File::open("/dev/null").expect("/dev/null"),
            stdout: pipe(),
            stderr: pipe(),
        }
    }

    pub(crate) fn streams(&self) -> Streams<'_> {
        Streams {
            stdin: self.stdin.as_fd(),
            stdout: self.stdout.1.as_fd(),
            stderr: self.stderr.1.as_fd(),
        }
    }

    /// Waits until this is written first to standard output.
    pub(crate) fn wait_for_output(&self, text: &str) {
        let mut bytes = vec![0; text.len()];
        let mut reader = File::from(self.stdout.0.try_clone().expect("a pipe"));
        reader.read_exact(&mut bytes).expect("output");
        assert_eq!(bytes, text.as_bytes());
    }

    /// Reads what was written, which has to fit into the pipes, and waits for the end.
    pub(crate) fn read_to_end(self, process: &Process) -> Outcome {
        let status = wait(process);
        let read = |(reader, writer): (OwnedFd, OwnedFd)| {
            drop(writer);
            let mut text = String::new();
            File::from(reader).read_to_string(&mut text).expect("text");
            text
        };
        Outcome {
            status,
            stdout: read(self.stdout),
            stderr: read(self.stderr),
        }
    }
}

/// Waits for a child; an end by a signal counts as 128 and its number.
pub(crate) fn wait(process: &Process) -> i32 {
    let (_, status) = waitpid(Some(process.pid), WaitOptions::empty())
        .expect("a child")
        .expect("an end");
    status
        .exit_status()
        .or(status.terminating_signal().map(|signal| 128 + signal))
        .expect("an end")
}

/// Neither launchers nor their helpers stay behind.
pub(crate) fn assert_no_children() {
    let children = fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()))
        .expect("children");
    assert_eq!(children, "", "children are left");
}
