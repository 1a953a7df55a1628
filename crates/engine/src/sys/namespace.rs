//! Namespaces.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

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
