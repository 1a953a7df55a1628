//! Filters of system calls: Docker's profile, profiles in Docker's format, and how they get into the kernel.
//!
//! A [`Profile`] says what is allowed; a [`Filter`] is the program that the kernel runs at each call, made for one set
//! of capabilities and this machine. It is loaded just before a container's program starts and before its
//! capabilities are dropped: without `no_new_privs`, which would take the meaning from every set-user-id program, the
//! kernel loads filters for `CAP_SYS_ADMIN` alone.
//!
//! Three differences to Docker are left. Programs of the x32 ABI, which next to no kernel runs, find no system calls. An
//! argument is compared by as many bits as the kernel reads of it, where libseccomp compares all 64. And under the builtin
//! profile the i386 call `socketcall` makes no sockets (`ENOSYS`): the family lies in memory, where a filter cannot look.

mod architecture;
mod builtin;
mod compile;
mod json;
mod profile;
mod width;

use std::io;

pub use profile::Profile;

use crate::spec::{Capabilities, Seccomp};
use crate::{Error, Result, sys};

/// What a refused call returns unless a profile says otherwise.
const EPERM: u32 = 1;

/// A program for the kernel, ready to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    program: Vec<sys::Instruction>,
    log: bool,
    speculation: bool,
}

impl Filter {
    /// The filter of a container that has these capabilities.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a profile that is not one, and
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for one that wants what this engine lacks.
    pub fn new(seccomp: &Seccomp, capabilities: Capabilities) -> Result<Filter> {
        match seccomp {
            Seccomp::Builtin => Filter::of(&Profile::builtin(), capabilities),
            Seccomp::Unconfined => Ok(Filter::none()),
            Seccomp::Custom(json) => Filter::of(&Profile::from_json(json)?, capabilities),
        }
    }

    /// The filter of a profile for who has these capabilities.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a profile of more rules than the kernel
    /// takes.
    pub fn of(profile: &Profile, capabilities: Capabilities) -> Result<Filter> {
        Ok(Filter {
            program: compile::compile(profile, capabilities)?,
            log: profile.log,
            speculation: profile.speculation,
        })
    }

    /// No filter.
    pub fn none() -> Filter {
        Filter {
            program: Vec::new(),
            log: false,
            speculation: false,
        }
    }

    /// Loads the filter into this thread: from here on it holds for it and all that it starts.
    ///
    /// # Errors
    ///
    /// The kernel's: `EACCES` for a thread with neither `CAP_SYS_ADMIN` in its user namespace nor `no_new_privs`, and
    /// `EINVAL` on a kernel that was built without filters.
    pub fn load(&self) -> io::Result<()> {
        match self.is_empty() {
            true => Ok(()),
            false => sys::load_seccomp_filter(&self.program, self.log, self.speculation),
        }
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.program.is_empty()
    }

    /// How many instructions there are.
    pub fn len(&self) -> usize {
        self.program.len()
    }
}

/// Whether the kernel runs filters at all.
pub fn is_supported() -> bool {
    std::path::Path::new("/proc/sys/kernel/seccomp/actions_avail").exists()
}

/// The body of the fuzz target: a profile is refused or becomes a program that the kernel would take.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let text = str::from_utf8(data).unwrap_or_default();
    if let Ok(profile) = Profile::from_json(text)
        && let Ok(filter) = Filter::of(&profile, Capabilities::none())
    {
        assert!(compile::ends_well(&filter.program));
    }
}

fn invalid(message: impl std::fmt::Display) -> Error {
    Error::invalid(format!("invalid seccomp profile: {message}"))
}

#[cfg(test)]
mod tests;
