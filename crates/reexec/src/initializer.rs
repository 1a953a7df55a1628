//! Initializers and their lookup by name.

use std::env;
use std::ffi::{OsStr, OsString};
use std::panic::Location;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

/// Whether [`init`] ran in this process.
static INITIALIZED: AtomicBool = AtomicBool::new(false);

/// A function that a process of its own runs, and the name it is found by.
#[derive(Debug)]
pub struct Initializer {
    name: &'static str,
    run: fn(&[OsString]) -> u8,
    location: &'static Location<'static>,
}

inventory::collect!(Initializer);

impl Initializer {
    /// Describes an initializer. `run` gets the arguments behind `argv[0]`; what it returns is the process's exit
    /// status.
    ///
    /// The name is compared with the whole of `argv[0]`, so it should be one that nobody calls the program by:
    /// `tool-init`, not `tool`.
    #[track_caller]
    pub const fn new(name: &'static str, run: fn(&[OsString]) -> u8) -> Initializer {
        Initializer {
            name,
            run,
            location: Location::caller(),
        }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where it was described: what an error about it names.
    pub const fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

/// Runs the initializer that `argv[0]` names and ends the process with its status; returns if there is none.
///
/// It is to be called first in `main`, before any thread is started. If two initializers have the name, that is
/// written to standard error and the process ends with status 1.
#[expect(
    clippy::exit,
    reason = "the process was started for the initializer alone, and nothing of `main` may follow it"
)]
pub fn init() {
    INITIALIZED.store(true, Ordering::Relaxed);
    let mut arguments = env::args_os();
    let Some(name) = arguments.next() else {
        return;
    };
    match find(&name) {
        Ok(initializer) => {
            let arguments: Vec<OsString> = arguments.collect();
            process::exit((initializer.run)(&arguments).into())
        }
        Err(Error::Unknown { .. }) => {}
        Err(error) => {
            eprintln!("reexec: {error}");
            process::exit(1)
        }
    }
}

/// Returns whether [`init`] ran in this process.
pub(crate) fn is_initialized() -> bool {
    INITIALIZED.load(Ordering::Relaxed)
}

/// Finds the initializer of that name. There are a handful of them and each start asks once, so the list is scanned
/// and no map is built.
pub(crate) fn find(name: &OsStr) -> Result<&'static Initializer, Error> {
    let mut named = inventory::iter::<Initializer>
        .into_iter()
        .filter(|initializer| name == initializer.name);
    match (named.next(), named.next()) {
        (Some(initializer), None) => Ok(initializer),
        (None, _) => Err(Error::Unknown {
            name: name.to_owned(),
        }),
        (Some(first), Some(second)) => Err(Error::Duplicate {
            name: first.name,
            locations: [first.location, second.location],
        }),
    }
}
