//! Lists for commands: `--format`, `--filter`, tables, human-readable sizes and times.
//!
//! A listing is rows of named fields. What is printed of them is always a [`Template`], in the words of Docker's
//! templates: the default table of a command is `table {{.ID}}\t{{.Names}}`, `json` is `{{json .}}`, and what a user
//! types stands beside them as an equal. A format is read, and its fields are looked up, before anything is asked of an engine,
//! so that a mistyped field never prints half a list.
//!
//! ```
//! use listing::{Column, Format, Listing};
//! use serde_json::json;
//!
//! let columns = [Column::new("ID", "CONTAINER ID"), Column::new("Names", "NAMES")];
//! let listing = Listing::new(&columns);
//! let rows = [json!({"ID": "4c01db0b339c", "Names": "web"})];
//! let table = listing.render(&Format::parse("")?, &rows, None)?;
//! assert_eq!(table, "CONTAINER ID   NAMES\n4c01db0b339c   web\n");
//! let names = listing.render(&Format::parse("{{upper .Names}}")?, &rows, None)?;
//! assert_eq!(names, "WEB\n");
//! # Ok::<(), listing::TemplateError>(())
//! ```

#![forbid(unsafe_code)]

mod filter;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod identifier;
mod inspection;
mod moment;
mod natural;
mod shape;
mod size;
mod table;
mod template;
mod time;

pub use filter::{Filters, InvalidFilter};
pub use format::{Column, Format, Listing};
pub use identifier::{ellipsis, short_id};
pub use inspection::Inspection;
pub use moment::{InvalidMoment, date, moment};
pub use natural::natural;
pub use shape::{Field, Shape, TEXT_MAP, TEXTS};
pub use size::{human_size, precise_human_size};
pub use template::{Template, TemplateError};
pub use time::human_duration;
