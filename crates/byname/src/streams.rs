//! The three streams of a dispatch: the process's, or ones that a host or test put in their place.

use crate::input::Input;
use crate::output::Output;

/// Input, output and error output. All are cheap handles: a clone writes to the same place.
#[derive(Debug, Clone)]
pub struct Streams {
    /// Where a command reads from.
    pub input: Input,
    /// Where a command's result goes.
    pub out: Output,
    /// Where messages, warnings, progress and errors go.
    pub err: Output,
}

impl Streams {
    /// Three streams of the caller's.
    pub fn new(input: Input, out: Output, err: Output) -> Streams {
        Streams { input, out, err }
    }

    /// The process's standard streams.
    pub fn process() -> Streams {
        Streams {
            input: Input::process(),
            out: Output::process_out(),
            err: Output::process_err(),
        }
    }
}
