//! System calls that no library has a safe form of: the one place of this crate with `unsafe` in it.

#![allow(unsafe_code)]

mod memory;
mod mount;
mod mount_table;
mod namespace;
mod process;
mod signal;

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::unix::AsyncFd;

pub(crate) use memory::release_idle_pages;
pub(crate) use mount::set_mount_attributes;
pub(crate) use mount_table::{MountTable, unescaped};
pub(crate) use namespace::{owner_of_namespace, unshare_cgroups, unshare_user};
pub(crate) use process::{
    Forked, close_all_at_exec, close_all_but, execve, exit_now, fork, join_new_keyring,
    reset_signals, unshare_mounts,
};
pub(crate) use signal::{block_signals, exit_status, send_signal};

/// How much of what was sent on a unix socket the other side has not read, as the kernel counts it: with its own overhead.
pub(crate) fn unread(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the kernel writes one number to where the pointer leads.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    match result {
        0 => Ok(u32::try_from(bytes).unwrap_or(0)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An instruction of a seccomp filter, laid out as the kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instruction {
    pub(crate) code: u16,
    pub(crate) jump_if: u8,
    pub(crate) jump_if_not: u8,
    pub(crate) operand: u32,
}

/// The kernel's `struct sock_fprog`.
#[repr(C)]
struct Program {
    length: u16,
    instructions: *const Instruction,
}

/// Loads a filter of system calls into this thread, `log` and `speculation` being the flags of that name in seccomp(2).
pub(crate) fn load_seccomp_filter(
    instructions: &[Instruction],
    log: bool,
    speculation: bool,
) -> io::Result<()> {
    let program = Program {
        length: u16::try_from(instructions.len())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        instructions: instructions.as_ptr(),
    };
    let mut flags = 0;
    if log {
        flags |= libc::SECCOMP_FILTER_FLAG_LOG;
    }
    if speculation {
        flags |= libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    }
    // SAFETY: the pointers lead to `program` and to as many instructions as it says, which all live until the call
    // returns, and the kernel copies them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const program,
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An instruction of a BPF program, laid out as the kernel's `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BpfInstruction {
    code: u8,
    registers: u8,
    offset: i16,
    number: i32,
}

impl BpfInstruction {
    pub(crate) fn new(
        code: u8,
        target: u8,
        source: u8,
        offset: i16,
        number: i32,
    ) -> BpfInstruction {
        // Two bit fields, in the order of the machine's bytes.
        let registers = if cfg!(target_endian = "little") {
            target | source << 4
        } else {
            target << 4 | source
        };
        BpfInstruction {
            code,
            registers,
            offset,
            number,
        }
    }

    pub(crate) fn code(self) -> u8 {
        self.code
    }

    pub(crate) fn set_offset(&mut self, offset: i16) {
        self.offset = offset;
    }
}

#[cfg(test)]
impl BpfInstruction {
    pub(crate) fn target(self) -> u8 {
        if cfg!(target_endian = "little") {
            self.registers & 15
        } else {
            self.registers >> 4
        }
    }

    pub(crate) fn source(self) -> u8 {
        if cfg!(target_endian = "little") {
            self.registers >> 4
        } else {
            self.registers & 15
        }
    }

    pub(crate) fn offset(self) -> i16 {
        self.offset
    }

    pub(crate) fn number(self) -> i32 {
        self.number
    }
}

/// The beginning of the kernel's `union bpf_attr` for loading a program.
#[repr(C)]
struct LoadProgram {
    kind: u32,
    length: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// The beginning of the kernel's `union bpf_attr` for attaching a program.
#[repr(C)]
struct AttachProgram {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
}

// What <linux/bpf.h> has for these.
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_ATTACH: libc::c_int = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
const BPF_F_ALLOW_MULTI: u32 = 2;

/// Loads a program that decides about devices.
pub(crate) fn load_device_program(instructions: &[BpfInstruction]) -> io::Result<OwnedFd> {
    // The program calls nothing that would ask for another license.
    let license = c"Apache-2.0";
    let attributes = LoadProgram {
        kind: BPF_PROG_TYPE_CGROUP_DEVICE,
        length: u32::try_from(instructions.len())
            .map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?,
        instructions: instructions.as_ptr() as u64,
        license: license.as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
    };
    // SAFETY: the attributes are as large as is said, and the pointers in them lead to as many instructions as they say
    // and to a string that ends; the kernel copies them before it returns.
    let descriptor = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_LOAD,
            &raw const attributes,
            size_of::<LoadProgram>(),
        )
    };
    match i32::try_from(descriptor) {
        // SAFETY: the kernel just made this descriptor, so nobody else has it; it is closed at exec by default.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Attaches such a program to a cgroup of version 2, beside those that are attached above it. It stays when the
/// descriptors are closed, until the cgroup is removed.
pub(crate) fn attach_device_program(cgroup: BorrowedFd<'_>, program: &OwnedFd) -> io::Result<()> {
    let number = |descriptor: i32| u32::try_from(descriptor).map_err(io::Error::other);
    let attributes = AttachProgram {
        target: number(cgroup.as_raw_fd())?,
        program: number(program.as_raw_fd())?,
        kind: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    // SAFETY: the attributes are as large as is said, hold no pointers, and both descriptors are open.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_ATTACH,
            &raw const attributes,
            size_of::<AttachProgram>(),
        )
    };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes it possible to wait for a descriptor on this thread's run-time. It is waited for only while it does not block.
pub(crate) fn watch(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor stays the same and open until it is dropped, and it is handed over here.
    Ok(unsafe { AsyncFd::register(descriptor) }?)
}

/// The listening socket of that number, which the program was started with, closed at exec from here on. It can be had once.
pub(crate) fn handed_down(number: RawFd) -> io::Result<OwnedFd> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(io::Error::other("it was taken already"));
    }
    // SAFETY: fcntl(2) does nothing to the descriptor but mark it, and fails where there is none of that number.
    let result = unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // Where nobody handed one down, something of this process's own may have the number by now, which listens to nobody.
    // SAFETY: it borrows the descriptor for this one call, which only looks at it.
    let there = unsafe { BorrowedFd::borrow_raw(number) };
    if rustix::net::sockopt::socket_acceptconn(there) != Ok(true) {
        return Err(io::Error::other(format!(
            "descriptor {number} is not a socket that is listened on"
        )));
    }
    // SAFETY: it is open, as was just seen. Whoever started the program opened it for this, and the flag above keeps a
    // second owner from being made here.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}
