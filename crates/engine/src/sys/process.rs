//! Processes: forking, what a fork lets go of, and becoming another program.

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::process::Pid;
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// What `fork` returns in which process.
#[derive(Debug)]
pub(crate) enum Forked {
    /// The caller, with its new child.
    Parent {
        /// The number of the child.
        pid: Pid,
        /// The child itself, closed at exec.
        pidfd: OwnedFd,
    },
    /// The child.
    Child,
}

/// The kernel's `struct clone_args`.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// The one of <linux/sched.h>, which libc has in a type that is too narrow.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// Forks this process, which must have one thread: of others a child has the locks and not the thread that would
/// release them. With a directory of cgroup version 2 the child starts in that.
///
/// Nothing that the child inherits is dropped unless it returns from where it was forked, which it must not.
pub(crate) fn fork(cgroup: Option<BorrowedFd<'_>>) -> io::Result<Forked> {
    let mut descriptor: RawFd = -1;
    let mut arguments = CloneArguments {
        flags: libc::CLONE_PIDFD as u64,
        pidfd: (&raw mut descriptor) as u64,
        exit_signal: libc::SIGCHLD as u64,
        ..CloneArguments::default()
    };
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::try_from(cgroup.as_raw_fd()).map_err(io::Error::other)?;
    }
    // SAFETY: without CLONE_VM the child has a copy of all memory and goes on on the same stack, as after fork(2). The
    // arguments are as large as is said; the one pointer in them leads to a descriptor's worth of memory.
    let result = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut arguments,
            size_of::<CloneArguments>(),
        )
    };
    match i32::try_from(result) {
        Ok(0) => Ok(Forked::Child),
        Ok(number) => match Pid::from_raw(number) {
            // SAFETY: the kernel just made this descriptor, so nobody else has it.
            Some(pid) if number > 0 => Ok(Forked::Parent {
                pid,
                pidfd: unsafe { OwnedFd::from_raw_fd(descriptor) },
            }),
            _ => Err(io::Error::last_os_error()),
        },
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Ends this process at once: nothing is dropped or flushed, and no handler runs.
pub(crate) fn exit_now(status: i32) -> ! {
    // SAFETY: the call takes an integer and does not return.
    unsafe { libc::_exit(status) }
}

/// Closes all descriptors of this process from 3 on, but for those in `keep`.
///
/// Only for a process that was forked and that never again uses a descriptor from before: whatever owns one still, in
/// this process, owns a number that may stand for something else.
pub(crate) fn close_all_but(keep: &mut [RawFd]) -> io::Result<()> {
    keep.sort_unstable();
    let mut first: libc::c_uint = 3;
    for descriptor in keep
        .iter()
        .filter_map(|&kept| libc::c_uint::try_from(kept).ok())
    {
        if descriptor > first {
            close_range(first, descriptor - 1, 0)?;
        }
        first = first.max(descriptor + 1);
    }
    close_range(first, libc::c_uint::MAX, 0)
}

/// Has all descriptors of this process from 3 on closed when it becomes another program.
pub(crate) fn close_all_at_exec() -> io::Result<()> {
    close_range(3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
}

fn close_range(first: libc::c_uint, last: libc::c_uint, flags: libc::c_uint) -> io::Result<()> {
    // SAFETY: the call takes integers; who calls sees to it that nobody uses the descriptors any more.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Gives all signals their default action and lets all of them through.
pub(crate) fn reset_signals() -> io::Result<()> {
    // The C library keeps two signals for itself and refuses to touch them, so it is the kernel that is asked. Its
    // structure for an action is all zeros for the default, in whatever order the fields are.
    let action = [0_u64; 8];
    let set = 0_u64;
    for signal in 1..=64 {
        if signal == libc::SIGKILL || signal == libc::SIGSTOP {
            continue;
        }
        // SAFETY: the kernel reads an action, which is smaller than what the pointer leads to, and writes nothing. No
        // handler of ours has anything to do that would be missed, as the process becomes another program.
        let result = unsafe {
            libc::syscall(
                libc::SYS_rt_sigaction,
                signal,
                action.as_ptr(),
                ptr::null_mut::<u64>(),
                size_of::<u64>(),
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    // SAFETY: the kernel reads a set of 64 signals, which is what the pointer leads to, and writes nothing.
    let result = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            &raw const set,
            ptr::null_mut::<u64>(),
            size_of::<u64>(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Becomes that program; returns why not.
pub(crate) fn execve(path: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let arguments = pointers(arguments);
    let environment = pointers(environment);
    // SAFETY: all pointers lead to strings that end, and both lists end with a null pointer; all of them live here.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings
        .iter()
        .map(|string| string.as_ptr())
        .chain([ptr::null()])
        .collect()
}

/// Gives this process a session keyring of its own.
pub(crate) fn join_new_keyring() -> io::Result<()> {
    // SAFETY: the call takes a null pointer for a keyring without a name.
    let result = unsafe {
        libc::syscall(
            libc::SYS_keyctl,
            libc::KEYCTL_JOIN_SESSION_KEYRING,
            ptr::null::<c_char>(),
        )
    };
    if result >= 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Gives this process, which has one thread, a mount namespace of its own, a copy of the one that it had.
pub(crate) fn unshare_mounts() -> io::Result<()> {
    // SAFETY: of what can be unshared, only the table of descriptors would be dangerous, and it is not.
    Ok(unsafe { unshare_unsafe(UnshareFlags::NEWNS) }?)
}
