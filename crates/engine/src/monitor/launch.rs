//! From what was asked for to a process that runs: the other modules in their order.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use bollard_stubs::models::{ExecConfig, HostConfig, NetworkSettings};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fcntl_setfl, mkfifoat, open, openat2};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::termios::{Winsize, tcsetwinsize};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::protocol::Size;
use super::streams::Ends;
use super::{clean_up, volumes};
use crate::cgroup::{Cgroup, Host, Limits};
use crate::layout::make_directory;
use crate::runtime::{self, CreateInput, Process, Stdio};
use crate::spec::{
    self, Capabilities, Existing, Input, MountKind, MountPoint, NetworkFiles, Propagation,
};
use crate::state::{Record, Rootfs, State, Store, life};
use crate::{Error, Layout, Result, network, rootfs};

/// Where a container's root is mounted, below its runtime directory.
pub(super) const ROOTFS: &str = "rootfs";

/// What a run makes in that directory.
pub(super) const FILES: [&str; 6] = [STDIN, STDOUT, STDERR, SHARED, SHM, ROOTFS];

const STDIN: &str = "stdin";
const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// Where mounts are put that are shared in both directions.
pub(super) const SHARED: &str = "shared";

/// Where another container's `/dev/shm` is put.
const SHM: &str = "shm";

/// Where a container's files are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) layout: &'a Layout,
    pub(super) record: &'a Record,
    /// The mount namespace that the monitor came from.
    pub(super) home: BorrowedFd<'a>,
}

impl Place<'_> {
    /// What libcontainer keeps of the container.
    pub(super) fn runtime_state(&self) -> PathBuf {
        self.run().join("oci")
    }

    fn run(&self) -> PathBuf {
        self.layout.container_run(&self.record.id)
    }

    fn own(&self) -> PathBuf {
        self.layout.container(&self.record.id)
    }

    /// The specification of the container, and what belongs to it.
    pub(super) fn bundle(&self) -> PathBuf {
        self.own().join("oci")
    }

    fn host_config(&self) -> HostConfig {
        self.record.body.host_config.clone().unwrap_or_default()
    }

    /// Leaves the mount namespace of a run, which ends then unless the container is in it still.
    pub(super) fn go_home(&self) -> Result<()> {
        move_into_link_name_space(self.home, Some(LinkNameSpaceType::Mount))
            .map_err(|error| Error::io("leave the container's mount namespace", error))
    }
}

/// A container that runs.
#[derive(Debug)]
pub(super) struct Launched {
    pub(super) process: Process,
    /// Nothing where none can be made, and no limit asks for one.
    pub(super) cgroup: Option<Cgroup>,
    pub(super) ends: Ends,
    /// What `inspect` shows of its networks.
    pub(super) network: NetworkSettings,
    pub(super) proxies: network::Proxies,
}

/// Starts the container. Nothing is left of it if that fails.
pub(super) fn start(place: &Place<'_>) -> Result<Launched> {
    // What a killed monitor left would be in the way.
    if clean_up::is_needed(place.layout, &place.record.id) {
        clean_up::all(place)?;
    }
    let launched = try_start(place);
    if launched.is_err() {
        // The first failure is the one to tell.
        let _ = clean_up::all(place);
    }
    launched
}

fn try_start(place: &Place<'_>) -> Result<Launched> {
    let record = place.record;
    let run = place.run();
    make_directory(&run)?;
    // From here on there is something to clean up.
    let target = run.join(ROOTFS);
    make_directory(&target)?;

    let others = Others::of(place)?;
    let mut mounts = enter(place, &others)?;
    let root = match record.rootfs.clone() {
        Rootfs::Layers(layers) => rootfs::Source::Layers(layers),
        Rootfs::Directory(directory) => rootfs::Source::Directory(directory),
        Rootfs::Overlay(directory) => rootfs::Source::Overlay(directory),
    };
    let mounted = rootfs::mount(&root, &place.own(), &target)?;
    let staging = run.join(SHARED);
    let root = directory(&target)?;
    volumes::set_up(
        place.layout,
        &record.id,
        &mut mounts,
        root.as_fd(),
        &staging,
    )?;
    let mut network = network::prepare(place.layout, &record.id, &record.body)?;
    let host = Host::detect()?;
    let built = build(place, &host, &others, &mounts, network.files())?;
    let (cgroup, pids_limit) = make_cgroup(place, &host, &built)?;

    let (theirs, mut ends) = match record.tty() {
        true => (None, Ends::default()),
        false => {
            let (theirs, ends) = fifos(&run, record.open_stdin())?;
            (Some(theirs), ends)
        }
    };
    let created = runtime::create(&CreateInput {
        bundle: &place.bundle(),
        state: &place.runtime_state(),
        built: &built,
        cgroup: cgroup.as_ref(),
        pids_limit,
        stdio: match &theirs {
            Some(theirs) => theirs.stdio(),
            None => Stdio::Terminal(console_size(&place.host_config())),
        },
    })?;
    network.connect(created.network_namespace()?.as_fd())?;
    let mut process = created.start()?;
    ends.terminal = process.terminal.take();
    let warnings = mounted.warnings.iter().chain(&built.warnings);
    for warning in warnings.chain(network.warnings()) {
        log::warn!("{warning}");
    }
    Ok(Launched {
        process,
        cgroup,
        ends,
        network: network.settings().clone(),
        proxies: network.proxies(),
    })
}

/// Enters a mount namespace of its own, and returns the container's mounts as they are to be named there.
fn enter(place: &Place<'_>, others: &Others) -> Result<Vec<MountPoint>> {
    let mut mounts = place.record.mounts.clone();
    for point in &mounts {
        make_source(point)?;
    }
    place.go_home()?;
    // In a namespace of our own, which the machine's mounts show in and whose mounts do not show outside, sharing goes
    // one way. So what is shared both ways is taken before, and put where the specification can name it.
    let is_shared = |point: &MountPoint| {
        point.kind == MountKind::Bind
            && matches!(
                point.propagation,
                Propagation::Shared | Propagation::Rshared
            )
    };
    let sources: Vec<PathBuf> = mounts
        .iter()
        .filter(|point| is_shared(point))
        .map(|point| point.source.clone())
        .chain(others.shm())
        .collect();
    let paths: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
    let mut trees = runtime::enter_mount_namespace(&paths)?.into_iter();
    let run = place.run();
    let staging = run.join(SHARED);
    for (number, point) in mounts
        .iter_mut()
        .filter(|point| is_shared(point))
        .enumerate()
    {
        if number == 0 {
            make_directory(&staging)?;
        }
        let staged = staging.join(number.to_string());
        make_mount_point(&staged, point.source.is_dir())?;
        if let Some(tree) = trees.next() {
            runtime::attach(&tree, &staged)?;
        }
        point.source = staged;
    }
    if let Some(tree) = trees.next() {
        make_directory(&run.join(SHM))?;
        runtime::attach(&tree, &run.join(SHM))?;
    }
    Ok(mounts)
}

pub(super) fn make_mount_point(path: &Path, is_directory: bool) -> Result<()> {
    let made = match is_directory {
        true => fs::create_dir(path),
        false => fs::File::create_new(path).map(drop),
    };
    made.map_err(|error| Error::io(format_args!("make {}", path.display()), error))
}

/// Docker makes the missing source of a bind when the container starts.
fn make_source(point: &MountPoint) -> Result<()> {
    if point.kind != MountKind::Bind || !point.create_source {
        return Ok(());
    }
    fs::create_dir_all(&point.source).or_else(|error| match point.source.exists() {
        // It is a file.
        true => Ok(()),
        false => Err(Error::io(
            format_args!("make the bind source {}", point.source.display()),
            error,
        )),
    })
}

fn build(
    place: &Place<'_>,
    host: &Host,
    others: &Others,
    mounts: &[MountPoint],
    files: &NetworkFiles,
) -> Result<spec::Built> {
    let rootfs = place.run().join(ROOTFS);
    let root = directory(&rootfs)?;
    let shm = others.shm().map(|_| place.run().join(SHM));
    let init = match place.host_config().init.unwrap_or(false) {
        true => Some(
            fs::read_link("/proc/self/exe")
                .map_err(|error| Error::io("read /proc/self/exe", error))?,
        ),
        false => None,
    };
    let available = Capabilities::available()?;
    spec::build(&Input {
        body: &place.record.body,
        rootfs: &rootfs,
        root: root.as_fd(),
        mounts,
        files,
        existing: &others.existing(),
        cgroup: host.refusal().is_none(),
        unified: host.is_unified(),
        shm: shm.as_deref(),
        init: init.as_deref(),
        user_namespace: None,
        available,
        may_raise_limits: available.contains("CAP_SYS_RESOURCE"),
    })
}

fn make_cgroup(
    place: &Place<'_>,
    host: &Host,
    built: &spec::Built,
) -> Result<(Option<Cgroup>, Option<i64>)> {
    let host_config = place.host_config();
    // The user was warned when the container was made.
    let mut warnings = Vec::new();
    let limits = Limits::of(&host_config, host, &mut warnings)?;
    if host.refusal().is_some() {
        return Ok((None, None));
    }
    let parent = host_config.cgroup_parent.as_deref();
    let cgroup = Cgroup::create(host, parent, &place.record.id, &limits, &built.device_rules)?;
    Ok((Some(cgroup), limits.pids))
}

/// Whether processes of the container may be left when its first one has ended: they are not in a namespace of their own,
/// which would end with that.
pub(super) fn outlives_its_first_process(record: &Record) -> bool {
    record
        .body
        .host_config
        .as_ref()
        .and_then(|config| config.pid_mode.as_deref())
        .is_some_and(|mode| !matches!(mode, "" | "private"))
}

fn console_size(host_config: &HostConfig) -> Option<Winsize> {
    match host_config.console_size.as_deref() {
        Some(&[height, width]) => winsize(Size {
            height: u16::try_from(height).ok()?,
            width: u16::try_from(width).ok()?,
        }),
        _ => None,
    }
}

/// A terminal of no size is one whose size is not known.
fn winsize(size: Size) -> Option<Winsize> {
    (size.height > 0 || size.width > 0).then_some(Winsize {
        ws_row: size.height,
        ws_col: size.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    })
}

/// Sets the size of a terminal.
pub(super) fn resize(terminal: BorrowedFd<'_>, size: Size) -> Result<()> {
    let size = Winsize {
        ws_row: size.height,
        ws_col: size.width,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(terminal, size).map_err(|error| Error::io("resize the terminal", error))
}

/// The processes of other containers whose namespaces this one joins.
#[derive(Debug, Default)]
struct Others {
    pid: Option<PathBuf>,
    ipc: Option<PathBuf>,
    network: Option<PathBuf>,
    shm: Option<OwnedFd>,
}

impl Others {
    fn of(place: &Place<'_>) -> Result<Others> {
        let config = place.host_config();
        let namespace = |mode: &Option<String>, what: &str, file: &str| {
            let Some(other) = mode
                .as_deref()
                .and_then(|mode| mode.strip_prefix("container:"))
            else {
                return Ok(None);
            };
            let pid = process_of(place.layout, other, what)?;
            Ok(Some((pid, PathBuf::from(format!("/proc/{pid}/ns/{file}")))))
        };
        let ipc = namespace(&config.ipc_mode, "IPC", "ipc")?;
        let path = |found: Option<(i32, PathBuf)>| found.map(|(_, path)| path);
        Ok(Others {
            shm: match &ipc {
                Some((pid, _)) => Some(shm_of(*pid)?),
                None => None,
            },
            ipc: path(ipc),
            pid: path(namespace(&config.pid_mode, "PID", "pid")?),
            network: path(namespace(&config.network_mode, "network", "net")?),
        })
    }

    fn existing(&self) -> Existing {
        Existing {
            pid: self.pid.clone(),
            ipc: self.ipc.clone(),
            network: self.network.clone(),
        }
    }

    fn shm(&self) -> Option<PathBuf> {
        use std::os::fd::AsRawFd;
        let shm = self.shm.as_ref()?;
        Some(PathBuf::from(format!("/proc/self/fd/{}", shm.as_raw_fd())))
    }
}

fn process_of(layout: &Layout, reference: &str, what: &str) -> Result<i32> {
    let store = Store::new(layout);
    let id = store.find(reference)?;
    let state = super::observe(layout, &id)?;
    if state.pid == 0 || !state.is_running() {
        return Err(Error::conflict(format!(
            "cannot join {what} of a non running container: {id}"
        )));
    }
    Ok(state.pid)
}

/// The other container's `/dev/shm`: what lies on the way is its own to choose.
fn shm_of(pid: i32) -> Result<OwnedFd> {
    let root = directory(Path::new(&format!("/proc/{pid}/root")))?;
    openat2(
        root,
        "dev/shm",
        OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )
    .map_err(|error| Error::io("open the other container's /dev/shm", error))
}

fn directory(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(path, flags, Mode::empty())
        .map_err(|error| Error::io(format_args!("open {}", path.display()), error))
}

/// A process's ends of its streams.
#[derive(Debug)]
struct Theirs {
    stdin: OwnedFd,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl Theirs {
    fn stdio(&self) -> Stdio<'_> {
        Stdio::Streams(runtime::Streams {
            stdin: self.stdin.as_fd(),
            stdout: self.stdout.as_fd(),
            stderr: self.stderr.as_fd(),
        })
    }
}

/// Makes the container's streams: fifos, which have names, so that a new monitor can open them. What the container writes
/// to it also holds open for reading, so that it is not told that nobody reads when its monitor dies.
fn fifos(run: &Path, open_stdin: bool) -> Result<(Theirs, Ends)> {
    let make = |name: &str| {
        let path = run.join(name);
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR)
            .map_err(|error| Error::io(format_args!("make {}", path.display()), error))?;
        Ok(path)
    };
    let output = |name: &str| {
        let path = make(name)?;
        Ok((open_fifo(&path, OFlags::RDWR)?, reading_end(&path)?))
    };
    let (stdout, our_stdout) = output(STDOUT)?;
    let (stderr, our_stderr) = output(STDERR)?;
    let (stdin, our_stdin) = match open_stdin {
        true => {
            let path = make(STDIN)?;
            let stdin = open_fifo(&path, OFlags::RDONLY | OFlags::NONBLOCK)?;
            let ours = writing_end(&path)?;
            // That it does not wait was for us; to whom it goes it would be a surprise.
            fcntl_setfl(&stdin, OFlags::empty())
                .map_err(|error| Error::io("set up standard input", error))?;
            (stdin, Some(ours))
        }
        false => (null()?, None),
    };
    let theirs = Theirs {
        stdin,
        stdout,
        stderr,
    };
    let ends = Ends {
        stdin: our_stdin,
        stdout: Some(our_stdout),
        stderr: Some(our_stderr),
        terminal: None,
    };
    Ok((theirs, ends))
}

fn reading_end(path: &Path) -> Result<OwnedFd> {
    open_fifo(path, OFlags::RDONLY | OFlags::NONBLOCK)
}

fn writing_end(path: &Path) -> Result<OwnedFd> {
    open_fifo(path, OFlags::WRONLY | OFlags::NONBLOCK)
}

/// Opens a fifo, and nothing else that may lie there.
fn open_fifo(path: &Path, flags: OFlags) -> Result<OwnedFd> {
    let failed = |error: Errno| Error::io(format_args!("open {}", path.display()), error);
    let opened = open(
        path,
        flags | OFlags::CLOEXEC | OFlags::NOFOLLOW,
        Mode::empty(),
    )
    .map_err(failed)?;
    let status = rustix::fs::fstat(&opened).map_err(failed)?;
    match FileType::from_raw_mode(status.st_mode) {
        FileType::Fifo => Ok(opened),
        _ => Err(Error::system(format!("{} is no fifo", path.display()))),
    }
}

fn null() -> Result<OwnedFd> {
    open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| Error::io("open /dev/null", error))
}

/// A container that ran on without its monitor.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) process: OwnedFd,
    pub(super) cgroup: Option<Cgroup>,
    pub(super) ends: Ends,
    pub(super) proxies: network::Proxies,
}

/// Takes a container over. Its terminal, if it had one, went with its monitor.
pub(super) fn adopt(place: &Place<'_>, state: &State) -> Result<Adopted> {
    let gone = || Error::system("the container's first process is gone");
    let pid = Pid::from_raw(state.pid).ok_or_else(gone)?;
    let process = pidfd_open(pid, PidfdFlags::NONBLOCK)
        .map_err(|error| Error::io("open the container's first process", error))?;
    // Now the number is that process's for as long as it is open; it may have been another's when it was looked at.
    if life::process_started(state.pid) != Some(state.pid_started) {
        return Err(gone());
    }
    let host = Host::detect()?;
    let cgroup = match host.refusal() {
        Some(_) => None,
        None => {
            let config = place.host_config();
            Cgroup::open(&host, config.cgroup_parent.as_deref(), &place.record.id)?
        }
    };
    let run = place.run();
    let ends = match place.record.tty() {
        true => Ends::default(),
        false => Ends {
            stdout: Some(reading_end(&run.join(STDOUT))?),
            stderr: Some(reading_end(&run.join(STDERR))?),
            // It has read the end of its input when its monitor died, and may have closed it.
            stdin: match place.record.open_stdin() {
                true => writing_end(&run.join(STDIN)).ok(),
                false => None,
            },
            terminal: None,
        },
    };
    Ok(Adopted {
        process,
        cgroup,
        ends,
        proxies: network::adopt(place.layout, &place.record.id)?,
    })
}

/// Starts a process in the container whose first one has that number.
pub(super) fn exec(
    place: &Place<'_>,
    pid: i32,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
    size: Option<Size>,
) -> Result<(Process, Ends)> {
    if config.tty.unwrap_or(false) {
        let size = size.and_then(winsize).or_else(|| {
            let size = config.console_size.as_deref()?;
            let &[height, width] = size else { return None };
            winsize(Size {
                height: u16::try_from(height).ok()?,
                width: u16::try_from(width).ok()?,
            })
        });
        let mut process = join(place, pid, cgroup, config, Stdio::Terminal(size))?;
        let ends = Ends {
            terminal: process.terminal.take(),
            ..Ends::default()
        };
        return Ok((process, ends));
    }
    let output = |is_wanted: Option<bool>| match is_wanted.unwrap_or(false) {
        true => pipe().map(|(ours, theirs)| (Some(ours), theirs)),
        false => Ok((None, null()?)),
    };
    let (stdout, their_stdout) = output(config.attach_stdout)?;
    let (stderr, their_stderr) = output(config.attach_stderr)?;
    let (their_stdin, stdin) = match config.attach_stdin.unwrap_or(false) {
        true => pipe().map(|(theirs, ours)| (theirs, Some(ours)))?,
        false => (null()?, None),
    };
    let theirs = Theirs {
        stdin: their_stdin,
        stdout: their_stdout,
        stderr: their_stderr,
    };
    let process = join(place, pid, cgroup, config, theirs.stdio())?;
    let ends = Ends {
        stdin,
        stdout,
        stderr,
        terminal: None,
    };
    Ok((process, ends))
}

/// Starts a process in the container, and returns what it writes.
pub(super) fn probe(
    place: &Place<'_>,
    pid: i32,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
) -> Result<(Process, OwnedFd)> {
    let (ours, theirs) = pipe()?;
    let null = null()?;
    let stdio = Stdio::Streams(runtime::Streams {
        stdin: null.as_fd(),
        stdout: theirs.as_fd(),
        stderr: theirs.as_fd(),
    });
    let process = join(place, pid, cgroup, config, stdio)?;
    Ok((process, ours))
}

/// The end to read from and the end to write to.
fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::io("make a pipe", error))
}

fn join(
    place: &Place<'_>,
    pid: i32,
    cgroup: Option<&Cgroup>,
    config: &ExecConfig,
    stdio: Stdio<'_>,
) -> Result<Process> {
    let root = directory(Path::new(&format!("/proc/{pid}/root")))?;
    let available = Capabilities::available()?;
    let built = spec::process(&spec::ExecInput {
        config,
        container: &place.record.body,
        root: root.as_fd(),
        user_namespace: None,
        available,
        may_raise_limits: available.contains("CAP_SYS_RESOURCE"),
    })?;
    runtime::exec(&runtime::ExecInput {
        bundle: &place.bundle(),
        state: &place.runtime_state(),
        built: &built,
        cgroup,
        stdio,
    })
}
