//! An engine of one test, and what the API's server would ask of its monitors.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use bollard_stubs::models::{ContainerCreateBody, ExecConfig, HostConfig};
use engine::monitor::protocol::{Attach, Condition, Reply, Request};
use engine::monitor::{self, Connection};
use engine::spec::{self, ImageDefaults};
use engine::state::{Exec, Moment, Record, Rootfs, State, Status, Store};
use engine::{Error, Layout};
use rustix::process::Pid;

/// How long a test waits for what has to happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine and its one container.
pub(crate) struct Client {
    pub(crate) layout: Layout,
    pub(crate) id: String,
    _directory: tempfile::TempDir,
}

impl Client {
    /// A container of busybox that was made as asked.
    pub(crate) fn new(body: ContainerCreateBody) -> Client {
        Client::within(&std::env::temp_dir(), body)
    }

    /// The same, with all files in that directory.
    pub(crate) fn within(parent: &Path, body: ContainerCreateBody) -> Client {
        let directory = tempfile::tempdir_in(parent).expect("a directory");
        let root = directory.path().join("box");
        for name in ["bin", "etc", "tmp", "proc", "sys", "dev"] {
            fs::create_dir_all(root.join(name)).expect("a directory");
        }
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
        for applet in [
            "sh", "cat", "echo", "sleep", "true", "false", "dd", "head", "stty", "kill", "touch",
            "test", "seq",
        ] {
            symlink("busybox", root.join("bin").join(applet)).expect("a link");
        }
        let layout = Layout::at(directory.path().join("state")).expect("a layout");
        layout.create().expect("a root");
        let id = Client::new_id(directory.path().as_os_str().as_encoded_bytes());
        let client = Client {
            layout,
            id: id.clone(),
            _directory: directory,
        };
        let mut body = body;
        body.hostname.get_or_insert_with(|| "box".to_owned());
        let config = body.host_config.get_or_insert_with(HostConfig::default);
        config.network_mode.get_or_insert_with(|| "none".to_owned());
        config
            .cgroup_parent
            .get_or_insert_with(|| "tool-test".to_owned());
        spec::merge(&mut body, &ImageDefaults::default()).expect("a request");
        let record = Record {
            name: format!("test-{}", &id[..8]),
            id,
            created: Moment::now(),
            body,
            image: String::new(),
            rootfs: Rootfs::Directory(root),
            platform: "linux/amd64".to_owned(),
            mounts: Vec::new(),
            anonymous_volumes: Vec::new(),
        };
        Store::new(&client.layout)
            .create(&record)
            .expect("a container");
        client
    }

    /// An id that no other test has.
    fn new_id(seed: &[u8]) -> String {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        (0..4)
            .map(|_| {
                for byte in seed {
                    hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
                }
                format!("{hash:016x}")
            })
            .collect()
    }

    /// The request of a container that runs a shell's script.
    pub(crate) fn script(script: &str) -> ContainerCreateBody {
        ContainerCreateBody {
            cmd: Some(vec!["/bin/sh".into(), "-c".into(), script.into()]),
            ..ContainerCreateBody::default()
        }
    }

    pub(crate) fn run_directory(&self) -> PathBuf {
        self.layout.container_run(&self.id)
    }

    /// Asks for one thing.
    pub(crate) fn ask(&self, request: &Request) -> Result<Reply, Error> {
        monitor::request(&self.layout, &self.id, request).map(|(_, reply)| reply)
    }

    pub(crate) fn start(&self) {
        self.ask(&Request::Start).expect("a start");
    }

    pub(crate) fn state(&self) -> State {
        monitor::observe(&self.layout, &self.id).expect("a state")
    }

    /// Begins to wait.
    pub(crate) fn wait(&self, condition: Condition) -> Connection {
        let (connection, reply) =
            monitor::request(&self.layout, &self.id, &Request::Wait { condition })
                .expect("a monitor");
        assert_eq!(reply, Reply::Waiting);
        connection
    }

    /// Attaches: what was written from now on is to be read from the stream.
    pub(crate) fn attach(&self, request: Attach) -> UnixStream {
        self.session(&Request::Attach(request), b"")
    }

    /// Starts a session, early bytes going before the stream's.
    pub(crate) fn session(&self, request: &Request, early: &[u8]) -> UnixStream {
        let (mut connection, reply) =
            monitor::request(&self.layout, &self.id, request).expect("a session");
        assert_eq!(reply, Reply::Ready);
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let early = harness_base64(early);
        connection
            .send(&Request::Stream { early }, Some(theirs.as_fd()))
            .expect("a monitor");
        // The stream is on its way when the monitor says so.
        connection.receive().expect("a session");
        ours.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        ours
    }

    /// Records a process that is to join.
    pub(crate) fn exec(&self, config: ExecConfig) -> String {
        let id = Client::new_id(format!("{config:?}{}", Moment::now()).as_bytes());
        let exec = Exec {
            id: id.clone(),
            container: self.id.clone(),
            config,
            running: false,
            process: Default::default(),
            exit_code: None,
        };
        Store::new(&self.layout)
            .create_exec(&exec)
            .expect("an exec");
        id
    }

    /// What the log has.
    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        for path in monitor::log::files(&self.layout.container(&self.id)) {
            let mut reader = monitor::log::Reader::open(&path).expect("a log");
            while let Some(entry) = reader.next().expect("an entry") {
                text.push_str(&entry.text);
            }
        }
        text
    }

    /// Waits until something is so.
    pub(crate) fn until<T>(&self, what: &str, mut question: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(answer) = question() {
                return answer;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{what}: {:?}; the monitor says: {}",
                Store::new(&self.layout).state(&self.id),
                self.monitor_log()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn until_status(&self, status: Status) -> State {
        self.until(&format!("it is {status}"), || {
            Some(self.state()).filter(|state| state.status == status)
        })
    }

    pub(crate) fn monitor_log(&self) -> String {
        fs::read_to_string(self.layout.container(&self.id).join("monitor.log")).unwrap_or_default()
    }

    /// The number of the monitor.
    pub(crate) fn monitor(&self) -> Pid {
        self.find_monitor().expect("a monitor")
    }

    /// The number of the monitor, if there is one.
    pub(crate) fn find_monitor(&self) -> Option<Pid> {
        fs::read_dir("/proc")
            .expect("/proc")
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .find(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                let words: Vec<&[u8]> = line.split(|&byte| byte == 0).collect();
                words.first() == Some(&&b"tool-monitor"[..]) && words.contains(&self.id.as_bytes())
            })
            .and_then(Pid::from_raw)
    }

    /// The container's cgroups that are there.
    pub(crate) fn cgroups(&self) -> Vec<PathBuf> {
        parents()
            .map(|parent| parent.join(&self.id))
            .filter(|path| path.exists())
            .collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let removed = monitor::remove(&self.layout, &self.id, true, true);
        if !thread::panicking() {
            match removed {
                Err(error) if error.status() != 404 => panic!("{error}"),
                _ => {}
            }
            assert_eq!(self.cgroups(), Vec::<PathBuf>::new());
            assert!(!self.run_directory().exists());
            // Its monitor deletes what it wrote when everybody has been told.
            self.until("everything is deleted", || {
                let mut left = self.layout.containers().read_dir().expect("a directory");
                left.next().is_none().then_some(())
            });
        }
        let _ = fs::remove_dir_all(self.layout.run());
    }
}

/// Where the tests' cgroups are made.
fn parents() -> impl Iterator<Item = PathBuf> {
    let base = PathBuf::from("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(&base)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    hierarchies
        .chain([base])
        .map(|hierarchy| hierarchy.join("tool-test"))
}

/// Removes the parent of all tests' cgroups, unless others have something in it.
pub(crate) fn leave_no_cgroups() {
    for parent in parents() {
        let _ = fs::remove_dir(parent);
    }
}

/// What a session wrote until it ended, without its frames: standard output and standard error.
pub(crate) fn unframed(mut stream: UnixStream) -> (String, String) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("a stream that ends");
    let mut streams = [Vec::new(), Vec::new()];
    let mut rest = &bytes[..];
    while let Some((header, behind)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
        streams[usize::from(header[0] - 1)].extend_from_slice(&behind[..length]);
        rest = &behind[length..];
    }
    let [stdout, stderr] = streams.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (stdout, stderr)
}

/// Everything until the stream ends.
pub(crate) fn raw(mut stream: UnixStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("a stream that ends");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends that, and says that nothing follows.
pub(crate) fn send_all(mut stream: &UnixStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("sent");
    stream.shutdown(Shutdown::Write).expect("half closed");
}

fn harness_base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Who gets what is written.
pub(crate) fn output() -> Attach {
    Attach {
        stdout: true,
        stderr: true,
        stream: true,
        ..Attach::default()
    }
}
