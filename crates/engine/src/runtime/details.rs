//! What libcontainer logs of a start that fails: its errors name the step and not the reason.

use std::fmt::{self, Write};
use std::rc::Rc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber, level_filters::LevelFilter};

use super::executor::LastSteps;
use super::report::Report;

/// Sends what is logged as an error in this process, and in those that it forks, to the monitor.
pub(super) fn send_errors(steps: &Rc<LastSteps>) {
    let steps = Rc::clone(steps);
    SENDER.with(|sender| sender.replace(Some(steps)));
    // Somebody else's subscriber stays: then there is less to tell.
    let _ = tracing::subscriber::set_global_default(Errors);
}

thread_local! {
    static SENDER: std::cell::RefCell<Option<Rc<LastSteps>>> = const { std::cell::RefCell::new(None) };
}

struct Errors;

impl Subscriber for Errors {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() == Level::ERROR
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::ERROR)
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        SENDER.with_borrow(|sender| {
            if let Some(steps) = sender {
                // Nobody waits for it that could not do without.
                let _ = steps.reporter.send(&Report::Detail(text.0));
            }
        });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let separator = if self.0.is_empty() { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{separator}{value:?}"),
            name => write!(self.0, "{separator}{name}: {value:?}"),
        };
    }
}
