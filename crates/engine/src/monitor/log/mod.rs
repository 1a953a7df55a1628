//! What a container wrote, on disk: the log driver `json-file`, its options, and reading it again.
//!
//! The files are `log`, and `log.1` to `log.N` for what was rotated away, the highest number being the oldest. Lines and
//! options are dockerd's, so that whatever reads its files reads ours.

mod entry;
mod options;
mod reader;
mod writer;

pub use entry::{Entry, Stream};
pub use options::LogOptions;
pub use reader::{Reader, files};
pub(crate) use writer::Writer;
