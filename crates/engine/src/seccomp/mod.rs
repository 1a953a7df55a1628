//! Filters of system calls: Docker's profile, profiles in Docker's format, and how they get into the kernel.
//!
//! A [`Profile`] says what is allowed; [`Filters`] are the programs that the kernel runs at each call, made for one set
//! of capabilities and this machine. They are loaded just before a container's program starts and before its
//! capabilities are dropped: without `no_new_privs`, which would take the meaning from every set-user-id program, the
//! kernel loads filters for `CAP_SYS_ADMIN` alone.
//!
//! seccompiler makes the programs. One of its filters knows one action beside its default and one architecture, so
//! there is a stack of them: of the answers of several filters the kernel takes the strictest.
//!
//! A difference to Docker is left: programs of the x32 ABI, which next to no kernel runs, find no system calls.

mod architecture;
mod builtin;
mod compile;
mod json;
mod profile;

use std::io;

pub use profile::Profile;

use crate::spec::{Capabilities, Seccomp};
use crate::{Error, Result, sys};

/// What a refused call returns unless a profile says otherwise.
const EPERM: u32 = 1;

/// Programs for the kernel, ready to be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filters {
    programs: Vec<Vec<sys::Instruction>>,
    log: bool,
    speculation: bool,
}

impl Filters {
    /// The filters of a container that has these capabilities.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a profile that is not one, and
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for one that wants what this engine lacks.
    pub fn new(seccomp: &Seccomp, capabilities: Capabilities) -> Result<Filters> {
        match seccomp {
            Seccomp::Builtin => Filters::of(&Profile::builtin(), capabilities),
            Seccomp::Unconfined => Ok(Filters::none()),
            Seccomp::Custom(json) => Filters::of(&Profile::from_json(json)?, capabilities),
        }
    }

    /// The filters of a profile for who has these capabilities.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a profile of more rules than the kernel
    /// takes.
    pub fn of(profile: &Profile, capabilities: Capabilities) -> Result<Filters> {
        Ok(Filters {
            programs: compile::compile(profile, capabilities)?,
            log: profile.log,
            speculation: profile.speculation,
        })
    }

    /// No filter.
    pub fn none() -> Filters {
        Filters {
            programs: Vec::new(),
            log: false,
            speculation: false,
        }
    }

    /// Loads the filters into this thread: from here on they hold for it and all that it starts.
    ///
    /// # Errors
    ///
    /// The kernel's: `EACCES` for a thread with neither `CAP_SYS_ADMIN` in its user namespace nor `no_new_privs`, and
    /// `EINVAL` on a kernel that was built without filters.
    pub fn load(&self) -> io::Result<()> {
        for program in &self.programs {
            sys::load_seccomp_filter(program, self.log, self.speculation)?;
        }
        Ok(())
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// How many instructions there are.
    pub fn len(&self) -> usize {
        self.programs.iter().map(Vec::len).sum()
    }
}

/// Whether the kernel runs filters at all.
pub fn is_supported() -> bool {
    std::path::Path::new("/proc/sys/kernel/seccomp/actions_avail").exists()
}

/// The body of the fuzz target: a profile is refused or becomes programs that the kernel would take.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let text = str::from_utf8(data).unwrap_or_default();
    if let Ok(profile) = Profile::from_json(text)
        && let Ok(filters) = Filters::of(&profile, Capabilities::none())
    {
        assert!(filters.programs.iter().all(|program| {
            !program.is_empty() && program.len() <= compile::LONGEST && compile::ends_well(program)
        }));
    }
}

fn invalid(message: impl std::fmt::Display) -> Error {
    Error::invalid(format!("invalid seccomp profile: {message}"))
}

#[cfg(test)]
mod tests;
