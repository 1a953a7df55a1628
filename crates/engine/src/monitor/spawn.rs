//! Starting a monitor.
//!
//! Whoever gets the container's lock starts it and hands the lock down, together with the socket, which listens before the
//! monitor runs: nobody has to wait until it does.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

use super::{Connection, silence};
use crate::layout::make_directory;
use crate::runtime::SealedCommand;
use crate::state::Lock;
use crate::{Error, Layout, Result};

/// The name that the program runs under as a monitor. Its arguments are the root, the runtime directory and the
/// container's id; standard input is the socket, standard output the lock, standard error its log.
pub(crate) const NAME: &str = "tool-monitor";

/// The size from which on a monitor's log is begun anew, in bytes.
const LONGEST_LOG: u64 = 64 * 1024;

/// How long a monitor may leave those waiting who come, and what they send.
const QUEUE: Duration = Duration::from_secs(30);

/// Connects to the monitor, starting it if nobody has the lock; nothing if somebody has it and does not listen.
pub(super) fn connect_or_spawn(layout: &Layout, id: &str) -> Result<Option<Connection>> {
    if let Some(connection) = connect(layout, id)? {
        return Ok(Some(connection));
    }
    match Lock::try_acquire(layout, id)? {
        Some(lock) => {
            spawn(layout, id, lock)?;
            connect(layout, id)
        }
        None => Ok(None),
    }
}

/// Connects to the monitor, if there is one.
pub(super) fn connect(layout: &Layout, id: &str) -> Result<Option<Connection>> {
    let Some(directory) = Directory::open(&layout.container_run(id))? else {
        return Ok(None);
    };
    match dial(&directory.socket()) {
        Ok(stream) => Ok(Some(Connection::new(stream))),
        // As many wait for it as may.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            Err(silence::of_container(layout, id))
        }
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::io(
            format_args!("connect {}", directory.path.join(SOCKET).display()),
            error,
        )),
    }
}

/// Connects, and waits no longer than a moment where the queue of those who wait is full.
fn dial(path: &Path) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let start = Instant::now();
    loop {
        match rustix::net::connect(&socket, &address) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if start.elapsed() < QUEUE => {
                thread::sleep(Duration::from_millis(10))
            }
            Err(error) => return Err(error.into()),
        }
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(QUEUE))?;
    Ok(stream)
}

/// Starts the monitor of a container that was just made, beside what its client does before it has it started. Nobody is
/// told if that fails: whoever needs the monitor finds none then, and starts it.
pub(crate) fn spawn_ahead(layout: &Layout, id: &str) {
    let Ok(Some(lock)) = Lock::try_acquire(layout, id) else {
        return;
    };
    // From here on others connect to it.
    let Ok(listener) = listen(layout, id) else {
        return;
    };
    let (layout, id) = (layout.clone(), id.to_owned());
    let _ = apart(move || {
        if let Ok(mut child) = start(&layout, &id, lock, listener) {
            let _ = child.wait();
        }
    });
}

/// Starts the monitor that owns `lock` from now on.
pub(super) fn spawn(layout: &Layout, id: &str, lock: Lock) -> Result<()> {
    let listener = listen(layout, id)?;
    let mut child = start(layout, id, lock, listener)?;
    // A server lives longer than its monitors, which would stay zombies.
    apart(move || {
        let _ = child.wait();
    })
    .map_err(|error| Error::io("start a monitor", error))
}

fn apart(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new()
        .name("reaper".to_owned())
        .stack_size(64 * 1024)
        .spawn(work)
        .map(drop)
}

/// Makes the monitor's socket.
fn listen(layout: &Layout, id: &str) -> Result<UnixListener> {
    let path = layout.container_run(id);
    make_directory(&path)?;
    let directory = Directory::open(&path)?
        .ok_or_else(|| Error::system(format!("{} is gone", path.display())))?;
    let failed = |error: io::Error| {
        Error::io(
            format_args!("listen on {}", path.join(SOCKET).display()),
            error,
        )
    };
    match fs::remove_file(directory.socket()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    UnixListener::bind(directory.socket()).map_err(failed)
}

fn start(layout: &Layout, id: &str, lock: Lock, listener: UnixListener) -> Result<Child> {
    let mut sealed = SealedCommand::new(NAME)?;
    let environment: Vec<_> = sealed
        .environment()
        .map(|(name, path)| (name, path.to_owned()))
        .collect();
    let command = &mut sealed.command;
    let cannot = |error: io::Error| Error::io("start a monitor", error);
    command
        .args([layout.root(), layout.run(), Path::new(id)])
        .arg(layout.named_configuration())
        .env_clear()
        .envs(environment)
        .stdin(OwnedFd::from(listener))
        .stdout(lock.into_descriptor())
        .stderr(log(layout, id)?);
    // What a user sets for `tool` decides where some things are looked for; nothing else of it is the container's.
    for name in ["PATH", "HOME", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.spawn().map_err(cannot)
}

fn log(layout: &Layout, id: &str) -> Result<File> {
    let path = layout.container(id).join("monitor.log");
    let is_long = fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LONGEST_LOG);
    File::options()
        .append(!is_long)
        .write(true)
        .truncate(is_long)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| Error::io(format_args!("open {}", path.display()), error))
}

/// The name of the socket.
pub(super) const SOCKET: &str = "monitor.sock";

/// A directory with a socket in it, named in few letters: the address of a socket has at most 107 bytes, fewer than a
/// runtime directory and an id may have.
struct Directory {
    path: PathBuf,
    descriptor: OwnedFd,
}

impl Directory {
    /// Nothing if there is none.
    fn open(path: &Path) -> Result<Option<Directory>> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat(CWD, path, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Some(Directory {
                path: path.to_owned(),
                descriptor,
            })),
            Err(rustix::io::Errno::NOENT) => Ok(None),
            Err(error) => Err(Error::io(format_args!("open {}", path.display()), error)),
        }
    }

    fn socket(&self) -> PathBuf {
        PathBuf::from(format!(
            "/proc/self/fd/{}/{SOCKET}",
            self.descriptor.as_raw_fd()
        ))
    }
}
