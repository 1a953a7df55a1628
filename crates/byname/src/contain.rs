//! A panic in a handler becomes an error of that command.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::mem;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Arc;

use crate::context::Context;
use crate::error::StatusError;
use crate::error::add_hint;
use crate::status::ExitStatus;

/// The status of a command that panicked: what a Rust program that panics ends with.
const PANICKED: ExitStatus = ExitStatus::Code(101);

thread_local! {
    /// How many dispatches this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// What the hook saw of the last panic in a dispatch of this thread.
    static SEEN: RefCell<Option<Seen>> = const { RefCell::new(None) };
}

struct Seen {
    location: String,
    backtrace: Backtrace,
}

/// Runs a dispatch and turns a panic into an error that names the command and its origin.
pub(crate) fn contain(
    cx: &mut Context,
    run: impl FnOnce(&mut Context) -> anyhow::Result<ExitStatus>,
) -> anyhow::Result<ExitStatus> {
    DEPTH.set(DEPTH.get() + 1);
    // The context may be in the middle of something, and all that is done with it from here on is to report the error
    // and to put the outer call back.
    let result = panic::catch_unwind(AssertUnwindSafe(|| run(cx)));
    DEPTH.set(DEPTH.get() - 1);
    result.unwrap_or_else(|payload| Err(error(cx, payload, SEEN.take())))
}

fn error(cx: &Context, payload: Box<dyn Any + Send>, seen: Option<Seen>) -> anyhow::Error {
    let message = match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(message) => (*message).to_owned(),
            Err(payload) => {
                // Dropping an unknown value may panic again, and here nothing would catch it.
                mem::forget(payload);
                "a value that is no text".to_owned()
            }
        },
    };
    let who = match cx.command() {
        Some(command) => format!("command '{}'", command.name()),
        None => cx.program().to_owned(),
    };
    let mut error = StatusError::new(PANICKED, format!("{who} panicked: {message}")).into();
    if let Some(Seen {
        location,
        backtrace,
    }) = seen
    {
        error = add_hint(error, format!("It happened at {location}."));
        if backtrace.status() == BacktraceStatus::Captured {
            error = add_hint(error, backtrace.to_string().trim_end().to_owned());
        }
    }
    match cx.command() {
        Some(command) => add_hint(
            error,
            format!(
                "This is a bug in the command, not in how it was called: report it to {}.",
                command.origin()
            ),
        ),
        None => error,
    }
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// While it lives, a panic inside a dispatch prints nothing by itself: the error says it all.
pub(crate) struct QuietHook {
    previous: Arc<Hook>,
}

impl QuietHook {
    /// Replaces the process's panic hook; panics outside of a dispatch still reach the previous one.
    pub(crate) fn install() -> QuietHook {
        let previous: Arc<Hook> = panic::take_hook().into();
        let hook = QuietHook {
            previous: previous.clone(),
        };
        panic::set_hook(Box::new(move |info| {
            if DEPTH.get() == 0 {
                previous(info);
                return;
            }
            let location = info
                .location()
                .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
            // It is captured if RUST_BACKTRACE asks for it.
            let backtrace = Backtrace::capture();
            SEEN.set(Some(Seen {
                location,
                backtrace,
            }));
        }));
        hook
    }
}

impl Drop for QuietHook {
    fn drop(&mut self) {
        // A hook cannot be changed while the thread panics.
        if !std::thread::panicking() {
            let previous = self.previous.clone();
            panic::set_hook(Box::new(move |info| previous(info)));
        }
    }
}
