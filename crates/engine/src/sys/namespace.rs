//! Namespaces.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// The user namespace that a namespace of another kind belongs to (ioctl_ns(2)).
pub(crate) fn owner_of_namespace(namespace: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    // SAFETY: this ioctl takes no argument; on what is no namespace it fails.
    let descriptor = unsafe { libc::ioctl(namespace.as_raw_fd(), libc::NS_GET_USERNS) };
    match descriptor {
        // SAFETY: the kernel just made this descriptor, so nobody else has it; it is closed at exec.
        descriptor if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Gives this process, which has one thread, a user namespace of its own, in which it is nobody until ids are mapped and may
/// do everything.
pub(crate) fn unshare_user() -> io::Result<()> {
    // SAFETY: of what can be unshared, only the table of descriptors would be dangerous, and it is not.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWUSER) }?)
}

/// Gives this process a cgroup namespace of its own, whose root are the cgroups that it is in.
pub(crate) fn unshare_cgroups() -> io::Result<()> {
    // SAFETY: of what can be unshared, only the table of descriptors would be dangerous, and it is not.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWCGROUP) }?)
}
