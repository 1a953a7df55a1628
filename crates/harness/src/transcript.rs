//! Collects everything that a program writes to one stream.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use crate::outcome::TIMEOUT;

/// A stream that is read in the background, so that its writer never waits and a test sees what came so far.
#[derive(Clone, Debug)]
pub(crate) struct Transcript {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Transcript {
    /// Reads `stream` to its end, or to its error, which is how a terminal ends.
    pub(crate) fn of(mut stream: impl Read + Send + 'static) -> Transcript {
        let shared = Arc::new(Shared::default());
        let transcript = Transcript {
            shared: Arc::clone(&shared),
        };
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            loop {
                let count = stream.read(&mut buffer).unwrap_or(0);
                let mut state = shared.state.lock().expect("no holder panics");
                state.bytes.extend_from_slice(&buffer[..count]);
                state.ended = count == 0;
                shared.changed.notify_all();
                if state.ended {
                    return;
                }
            }
        });
        transcript
    }

    /// What came so far.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shared
            .state
            .lock()
            .expect("no holder panics")
            .bytes
            .clone()
    }

    /// What came so far, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    /// Waits until `text` has come, and returns everything that did.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait(|bytes, _| {
            let seen = String::from_utf8_lossy(bytes);
            seen.contains(text).then(|| seen.into_owned())
        })
        .unwrap_or_else(|seen| panic!("{text:?} did not come; there is {seen:?}"))
    }

    /// Waits for the stream's end, and returns everything that came; what came so far if it does not end in time,
    /// as when a program that outlives its parent holds it open.
    pub(crate) fn wait_for_end(&self) -> Vec<u8> {
        self.wait(|bytes, ended| ended.then(|| bytes.to_vec()))
            .unwrap_or_else(|_| self.bytes())
    }

    fn wait<T>(&self, mut found: impl FnMut(&[u8], bool) -> Option<T>) -> Result<T, String> {
        let deadline = Instant::now() + TIMEOUT;
        let mut state = self.shared.state.lock().expect("no holder panics");
        loop {
            if let Some(answer) = found(&state.bytes, state.ended) {
                return Ok(answer);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended {
                return Err(String::from_utf8_lossy(&state.bytes).into_owned());
            }
            state = self
                .shared
                .changed
                .wait_timeout(state, left)
                .expect("no holder panics")
                .0;
        }
    }
}
