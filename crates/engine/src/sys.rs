//! System calls that no library has a safe form of: the one place of this crate with `unsafe` in it.

#![allow(unsafe_code)]

use std::io;

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
