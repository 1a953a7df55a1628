//! Who wants something of a monitor still.

use std::cell::Cell;
use std::rc::Rc;

use tokio::sync::Notify;

/// A count of those who want something.
#[derive(Clone, Debug, Default)]
pub(super) struct Busy(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    count: Cell<usize>,
    changed: Notify,
}

/// Somebody who wants something until this is dropped.
#[derive(Debug)]
pub(super) struct Guard(Busy);

impl Busy {
    /// Somebody wants something.
    pub(super) fn guard(&self) -> Guard {
        self.0.count.set(self.0.count.get() + 1);
        Guard(self.clone())
    }

    /// Whether nobody wants anything.
    pub(super) fn is_idle(&self) -> bool {
        self.0.count.get() == 0
    }

    /// Waits until somebody has what was wanted.
    pub(super) async fn changed(&self) {
        self.0.changed.notified().await;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let inner = &self.0.0;
        inner.count.set(inner.count.get() - 1);
        inner.changed.notify_one();
    }
}
