//! Cancels a long request from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorKind};
use crate::transport::Http;

/// Ends the request that it was taken from: a wait or a pull. Clones end the same request.
///
/// It works by shutting the request's connection down, so the thread that reads from it wakes at once.
#[derive(Clone, Debug)]
pub struct Canceller {
    http: Http,
    cancelled: Arc<AtomicBool>,
}

impl Canceller {
    pub(crate) fn new(http: Http) -> Canceller {
        Canceller {
            http,
            cancelled: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Ends the request. Whoever reads its answer gets an error of the kind
    /// [`Cancelled`](crate::ErrorKind::Cancelled), unless the answer was there already.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.http.shutdown();
    }

    /// Says what really happened: a connection that was shut down here looks like one that the engine closed.
    pub(crate) fn explain(&self, error: Error, label: &str) -> Error {
        if self.cancelled.load(Ordering::SeqCst) {
            Error::new(ErrorKind::Cancelled, format!("{label}: cancelled")).with_source(error)
        } else {
            error
        }
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}
