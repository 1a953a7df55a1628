//! The socket that other programs reach the engine on.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process;

use rustix::fs::{FlockOperation, Mode, fchmod, flock};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
    sockopt,
};

use crate::{Error, ErrorKind, Result, sys};

/// How many clients may wait until they are accepted.
const BACKLOG: i32 = 1024;

/// The first descriptor that systemd hands down (sd_listen_fds(3)).
const FIRST_HANDED_DOWN: i32 = 3;

/// A unix socket that is listened on. One that was made here goes when this is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    made: Option<Made>,
}

/// A socket's file, by which it is known from one that another process has put in its place since.
#[derive(Debug)]
struct Made {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Listener {
    /// The socket that the service manager opened for this process, if it did (`LISTEN_FDS`, `LISTEN_PID`).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`] if it is more than one, or none that can be listened on.
    pub fn handed_down() -> Result<Option<Listener>> {
        let number = |name: &str| -> Option<u32> { env::var(name).ok()?.parse().ok() };
        // The variables may be a parent's, and about that.
        if number("LISTEN_PID") != Some(process::id()) {
            return Ok(None);
        }
        match number("LISTEN_FDS") {
            None | Some(0) => return Ok(None),
            Some(1) => {}
            Some(count) => {
                return Err(Error::invalid(format!(
                    "{count} sockets were handed down (LISTEN_FDS), and the engine listens on one"
                )));
            }
        }
        let socket = sys::handed_down(FIRST_HANDED_DOWN)
            .map_err(|error| Error::io("take the socket of LISTEN_FDS", error))?;
        let is_unix = sockopt::socket_domain(&socket) == Ok(AddressFamily::UNIX);
        if !is_unix || sockopt::socket_acceptconn(&socket) != Ok(true) {
            return Err(Error::invalid(
                "what was handed down (LISTEN_FDS) is not a unix socket that is listened on",
            ));
        }
        let socket = UnixListener::from(socket);
        // A service manager's is, for all that it knows of us.
        socket
            .set_nonblocking(false)
            .map_err(|error| Error::io("set up the socket of LISTEN_FDS", error))?;
        Ok(Some(Listener { socket, made: None }))
    }

    /// Makes a socket of mode 0600 at `path`. One that nobody listens on any more is replaced.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Conflict`] if somebody listens there or something else than a socket is there, and
    /// [`ErrorKind::System`] if it cannot be made.
    pub fn bind(path: &Path) -> Result<Listener> {
        let failed =
            |error: io::Error| Error::io(format_args!("listen on {}", path.display()), error);
        let address = SocketAddrUnix::new(path).map_err(|errno| match errno {
            Errno::NAMETOOLONG => Error::invalid(format!(
                "unix socket path \"{}\" is too long",
                path.display()
            )),
            errno => failed(errno.into()),
        })?;
        // Two that start at once must not both find an abandoned socket.
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let directory = File::open(parent.unwrap_or(Path::new("."))).map_err(failed)?;
        flock(&directory, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
        remove_abandoned(path, &address)?;
        let socket = make(&address).map_err(failed)?;
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        Ok(Listener {
            socket: socket.into(),
            made: Some(Made {
                path: path.to_owned(),
                device: metadata.dev(),
                inode: metadata.ino(),
            }),
        })
    }

    /// The socket, to accept clients from.
    pub fn socket(&self) -> &UnixListener {
        &self.socket
    }

    /// Where clients find it, if it has a name.
    pub fn path(&self) -> Option<PathBuf> {
        let address = self.socket.local_addr().ok()?;
        address.as_pathname().map(Path::to_owned)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Some(made) = &self.made else { return };
        let is_ours = fs::symlink_metadata(&made.path)
            .is_ok_and(|now| (now.dev(), now.ino()) == (made.device, made.inode));
        if is_ours {
            // One that stays is replaced by whoever listens next.
            let _ = fs::remove_file(&made.path);
        }
    }
}

/// Makes the socket with its mode from the start: a socket's own mode is what its file is made with (unix(7) does not
/// say so, net/unix/af_unix.c does, since Linux 2.6). A change afterwards would leave a moment for others to connect.
fn make(address: &SocketAddrUnix) -> io::Result<OwnedFd> {
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Removes a socket that nobody listens on.
fn remove_abandoned(path: &Path, address: &SocketAddrUnix) -> Result<()> {
    let failed = |error: io::Error| Error::io(format_args!("listen on {}", path.display()), error);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(Error::conflict(format!(
                "{} exists and is not a socket",
                path.display()
            )));
        }
        Ok(_) => {}
    }
    // It does not wait: a server whose queue is full is a server.
    let socket = socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
    .map_err(|errno| failed(errno.into()))?;
    match connect(socket.as_fd(), address) {
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(failed),
        Err(Errno::NOENT) => Ok(()),
        Err(error @ (Errno::ACCESS | Errno::PERM)) => Err(failed(error.into())),
        _ => Err(Error::new(
            ErrorKind::Conflict,
            format!("somebody listens on {} already", path.display()),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_socket_is_private_and_goes_with_its_listener() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        let listener = Listener::bind(&path).expect("a socket");
        assert_eq!(listener.path().as_deref(), Some(path.as_path()));
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let client = UnixStream::connect(&path).expect("somebody listens");
        let (_, _) = listener.socket().accept().expect("a client");
        drop((client, listener));
        assert!(!path.exists());
    }

    #[test]
    fn an_abandoned_socket_is_replaced_and_another_servers_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        drop(UnixListener::bind(&path).expect("a socket"));
        assert!(path.exists(), "the standard library leaves it");
        let listener = Listener::bind(&path).expect("it is abandoned");
        let error = Listener::bind(&path).expect_err("it is listened on");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(
            error.to_string(),
            format!("somebody listens on {} already", path.display())
        );
        // What another process put there is not ours to remove.
        fs::remove_file(&path).expect("removed");
        let other = UnixListener::bind(&path).expect("a socket");
        drop(listener);
        assert!(path.exists());
        drop(other);
    }

    #[test]
    fn a_file_is_not_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        fs::write(&path, "kept").expect("a file");
        let error = Listener::bind(&path).expect_err("a file");
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(fs::read(&path).expect("a file"), b"kept");
        let error = Listener::bind(&directory.path().join("x".repeat(120))).expect_err("too long");
        assert!(error.to_string().ends_with("\" is too long"), "{error}");
        let error = Listener::bind(&directory.path().join("a/b")).expect_err("no directory");
        assert!(
            error.to_string().ends_with("no such file or directory"),
            "{error}"
        );
    }

    #[test]
    fn one_of_many_that_start_at_once_listens() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("socket");
        drop(UnixListener::bind(&path).expect("a socket"));
        let listeners: Vec<Result<Listener>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Listener::bind(&path)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        assert_eq!(listeners.iter().filter(|made| made.is_ok()).count(), 1);
        UnixStream::connect(&path).expect("the one listens");
    }
}
