//! The program that carries a container's packets for an engine that is not root: it translates between a device in the
//! container's network and sockets of its own.

use std::fs::{self, File};
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, access};
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::network::mac::MacAddress;
use crate::network::subnet::Subnet;
use crate::program;
use crate::state::Recorded;
use crate::{Error, Result, sys, user_namespace};

/// The container's address, the way out and the server of names, which both programs agree on.
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 100);
pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 2);
pub(crate) const NAME_SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 2, 3);

/// The network that it is in.
pub(crate) fn subnet() -> Subnet {
    Subnet::new(ADDRESS, 24)
}

/// The device in the container.
const DEVICE: &str = "eth0";

/// The kernel's device for devices of this kind.
const TUN: &str = "/dev/net/tun";

/// How long a program may take to set its device up.
const PATIENCE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

/// A program that can do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Pasta(PathBuf),
    Slirp(PathBuf),
}

/// The program to use.
///
/// # Errors
///
/// The sentence for the user who has none.
pub(crate) fn find() -> std::result::Result<Program, String> {
    if access(TUN, Access::READ_OK | Access::WRITE_OK).is_err() {
        return Err(format!(
            "This user may not open {TUN}, so the container has no network beyond itself: use --network host or none"
        ));
    }
    program::find("pasta")
        .map(Program::Pasta)
        .or_else(|| program::find("slirp4netns").map(Program::Slirp))
        .ok_or_else(|| {
            "There is neither pasta nor slirp4netns on this machine, so the container has no network beyond itself: \
             install passt, or use --network host or none"
                .to_owned()
        })
}

/// One that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Helper(Recorded);

impl Helper {
    /// The one that has that number now, which it said itself or which is a child.
    fn of(pid: i32) -> Result<Helper> {
        Pid::from_raw(pid)
            .and_then(|pid| Recorded::of(pid).ok())
            .map(Helper)
            .ok_or_else(|| Error::system("the program that carries packets ended at once"))
    }

    /// Ends it, if it runs still: neither program sees that a container is gone.
    pub(crate) fn end(&self) {
        if let Ok(process) = self.0.open() {
            let _ = process.signal(libc::SIGKILL);
        }
    }
}

impl Program {
    /// Where it lies.
    pub(crate) fn into_path(self) -> PathBuf {
        match self {
            Program::Pasta(path) | Program::Slirp(path) => path,
        }
    }

    /// Connects that network. `directory` is a private one for a file of a moment.
    pub(crate) fn start(
        &self,
        network: BorrowedFd<'_>,
        mac: MacAddress,
        directory: &Path,
    ) -> Result<Helper> {
        let failed = |error: io::Error| Error::io("connect the container's network", error);
        let user = sys::owner_of_namespace(network).map_err(failed)?;
        let network = network.try_clone_to_owned().map_err(failed)?;
        // They name namespaces by path, and cannot look at another process's descriptors.
        let path = |file: &OwnedFd| format!("/proc/self/fd/{}", file.as_raw_fd());
        for file in [&network, &user] {
            fcntl_setfd(file, FdFlags::empty()).map_err(|error| failed(error.into()))?;
        }
        // Nobody can enter the user namespace that they are in.
        let user_path = match user_namespace::is_own(&user).map_err(failed)? {
            true => None,
            false => Some(path(&user)),
        };
        let user_path = user_path.as_deref();
        match self {
            Program::Pasta(program) => pasta(program, &path(&network), user_path, mac, directory),
            Program::Slirp(program) => slirp(program, &path(&network), user_path, mac),
        }
    }
}

/// It goes into the background when its device is set up.
fn pasta(
    program: &Path,
    network: &str,
    user: Option<&str>,
    mac: MacAddress,
    directory: &Path,
) -> Result<Helper> {
    let file = directory.join("pasta.pid");
    let file_path = file.display().to_string();
    let subnet = subnet();
    let mac = mac.to_string();
    let address = ADDRESS.to_string();
    let prefix = subnet.prefix().to_string();
    let gateway = GATEWAY.to_string();
    let name_server = NAME_SERVER.to_string();
    let mut arguments = vec![
        "--config-net",
        "--quiet",
        "--ipv4-only",
        // The way out is no way to what listens on the machine's loopback interface alone.
        "--no-map-gw",
        "--tcp-ports",
        "none",
        "--udp-ports",
        "none",
        "--tcp-ns",
        "none",
        "--udp-ns",
        "none",
        "--ns-ifname",
        DEVICE,
        "--ns-mac-addr",
        &mac,
        "--address",
        &address,
        "--netmask",
        &prefix,
        "--gateway",
        &gateway,
        "--dns-forward",
        &name_server,
        "--pid",
        &file_path,
        "--netns",
        network,
    ];
    match user {
        Some(user) => arguments.extend(["--userns", user]),
        None => arguments.push("--netns-only"),
    }
    program::run(program, &arguments, "")?;
    let text = fs::read_to_string(&file)
        .map_err(|error| Error::io(format_args!("read {file_path}"), error))?;
    let _ = fs::remove_file(&file);
    match text.trim().parse() {
        Ok(pid) => Helper::of(pid),
        Err(_) => Err(Error::system(format!(
            "{file_path} holds no number: {text}"
        ))),
    }
}

/// It says when its device is set up, and stays in the foreground.
fn slirp(program: &Path, network: &str, user: Option<&str>, mac: MacAddress) -> Result<Helper> {
    // Its sandbox needs a group that not every user namespace has.
    let mut failure = None;
    for sandbox in [&["--enable-sandbox"][..], &[]] {
        match try_slirp(program, network, user, mac, sandbox) {
            Ok(helper) => return Ok(helper),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.unwrap_or_else(|| Error::system("slirp4netns was not started")))
}

fn try_slirp(
    program: &Path,
    network: &str,
    user: Option<&str>,
    mac: MacAddress,
    sandbox: &[&str],
) -> Result<Helper> {
    let failed = |error: io::Error| Error::io(format_args!("run {}", program.display()), error);
    let (ready, says_ready) =
        pipe_with(PipeFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    fcntl_setfd(&says_ready, FdFlags::empty()).map_err(|error| failed(error.into()))?;
    let mut command = program::command(program);
    command
        .args([
            "--configure",
            "--mtu=65520",
            "--disable-host-loopback",
            "--enable-seccomp",
            "--netns-type=path",
        ])
        .args(sandbox)
        .args(user.map(|user| format!("--userns-path={user}")))
        .arg(format!("--ready-fd={}", says_ready.as_raw_fd()))
        .arg(format!("--macaddress={mac}"))
        .args([network, DEVICE])
        // It tells much, and what goes wrong is seen by whether it is ready.
        .stderr(std::process::Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    drop((command, says_ready));
    if is_ready(ready) {
        return Helper::of(i32::try_from(child.id()).unwrap_or(0));
    }
    let _ = child.kill();
    let status = child.wait().map_err(failed)?;
    Err(Error::system(format!(
        "{} did not connect the container's network: {status}",
        program.display()
    )))
}

fn is_ready(ready: OwnedFd) -> bool {
    let mut waited = [PollFd::new(&ready, PollFlags::IN)];
    loop {
        match poll(&mut waited, Some(&PATIENCE)) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(0) | Err(_) => return false,
            Ok(_) => break,
        }
    }
    let mut byte = [0];
    matches!(File::from(ready).read(&mut byte), Ok(1))
}
