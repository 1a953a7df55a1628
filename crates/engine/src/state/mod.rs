//! Containers on disk: what was asked for, how it is, what it is called, and who may say so.
//!
//! Everything is a plain file below `ROOT/containers/ID`, written as a temporary file that is renamed over the old one, so
//! that a reader sees one version or the other and needs no lock. `config.json` changes when somebody renames the
//! container, `state.json` has a single writer: whoever holds the [`Lock`], which is the container's monitor while it
//! lives. A monitor cannot leave a lock behind, for it is the kernel's; so a state that says "running" beside a free lock
//! is how a killed monitor is noticed ([`life`]).

mod alive;
mod damaged;
mod exec;
pub(crate) mod file;
pub mod life;
mod lock;
mod moment;
mod names;
mod process;
mod record;
mod status;
mod store;

pub(crate) use alive::is_alive;
pub(crate) use damaged::stand_in;
pub use exec::Exec;
pub use lock::Lock;
pub use moment::Moment;
pub use names::check_name;
pub(crate) use process::Directory;
pub use process::{Proven, Recorded};
pub use record::{Record, Rootfs};
pub use status::{Health, HealthStatus, Probe, State, Status};
pub use store::{Removed, Store};

/// The body of the fuzz target of what is written to be read again, chosen by the first byte: files of containers and what is
/// said to monitors. Whatever is read is written as something that is read as the same.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    use crate::monitor::protocol::{Reply, Request};

    fn again<T>(text: &[u8])
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        if let Ok(value) = serde_json::from_slice::<T>(text) {
            let text = serde_json::to_vec(&value).expect("it is made of text and numbers");
            assert_eq!(
                serde_json::from_slice::<T>(&text).expect("what was written"),
                value
            );
        }
    }

    let Some((kind, text)) = data.split_first() else {
        return;
    };
    match kind {
        b'r' => again::<Record>(text),
        b's' => again::<State>(text),
        b'e' => again::<Exec>(text),
        b'n' => crate::network::fuzz_record(text),
        b'q' => again::<Request>(text),
        _ => again::<Reply>(text),
    }
}
