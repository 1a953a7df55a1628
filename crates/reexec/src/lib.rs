//! Initializers by name: a program starts itself again under another `argv[0]`.
//!
//! Some work needs a fresh process, though not another program: what runs between `fork` and a container's own
//! process must be single-threaded, and a monitor must outlive the command that started it. Such a piece of code is
//! an *initializer*. It registers itself under a name, as commands do, from whatever crate is linked; [`init`], first
//! in `main`, looks at `argv[0]` and runs it if that is its name; [`command`] starts the program under that name.
//!
//! ```no_run
//! use std::ffi::OsString;
//!
//! reexec::submit! { reexec::Initializer::new("tool-greet", greet) }
//!
//! fn greet(arguments: &[OsString]) -> u8 {
//!     println!("Hello {}", arguments[0].display());
//!     0
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     reexec::init();
//!     let status = reexec::command("tool-greet")?.arg("world").status()?;
//!     assert!(status.success());
//!     Ok(())
//! }
//! ```
//!
//! The program is `/proc/self/exe`, so it is the very file that runs now, even if it was replaced or removed since.
//! That file has to be one that calls [`init`]: a test harness or a host without it would run its own `main` under
//! the initializer's name, and perhaps start itself again, without end. So [`command`] is an error unless [`init`]
//! ran in this process.

mod command;
mod error;
mod initializer;

pub use command::{Command, command, command_at};
pub use error::Error;
pub use initializer::{Initializer, init};

#[doc(hidden)]
pub use inventory;

/// Registers an [`Initializer`]: `reexec::submit! { Initializer::new("name", function) }`, outside of any function.
#[macro_export]
macro_rules! submit {
    ($initializer:expr $(,)?) => {
        $crate::inventory::submit! { $initializer }
    };
}
