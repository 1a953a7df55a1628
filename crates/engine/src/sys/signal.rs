//! Signals, and how processes ended.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Sends a signal of that number, the real-time ones too.
pub(crate) fn send_signal(process: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: the descriptor is open, and the null pointer stands for what kill(2) would say about the sender.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            process.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Blocks all signals for this thread and those that it starts, and returns a descriptor that is readable when a child
/// ended.
pub(crate) fn block_signals() -> io::Result<OwnedFd> {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut ends = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the calls initialize the sets that they are given, all of them before they are read, and no pointer is kept.
    let descriptor = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::sigemptyset(ends.as_mut_ptr());
        libc::sigaddset(ends.as_mut_ptr(), libc::SIGCHLD);
        if libc::sigprocmask(libc::SIG_BLOCK, all.as_ptr(), std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        libc::signalfd(-1, ends.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
    };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made this descriptor, so nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// How a process ended that need not be a child, as wait(2) would have it; nothing if it was not reaped yet or the kernel
/// is older than Linux 6.15.
pub(crate) fn exit_status(process: BorrowedFd<'_>) -> Option<i32> {
    // SAFETY: the structure is made of integers, for each of which zero is a value.
    let mut information: libc::pidfd_info = unsafe { std::mem::zeroed() };
    information.mask = libc::PIDFD_INFO_EXIT.into();
    // SAFETY: the request carries the size of what the pointer leads to, and the kernel writes no more than that.
    let result = unsafe {
        libc::ioctl(
            process.as_raw_fd(),
            libc::PIDFD_GET_INFO,
            &raw mut information,
        )
    };
    let known = information.mask & u64::from(libc::PIDFD_INFO_EXIT) != 0;
    (result == 0 && known).then_some(information.exit_code)
}
