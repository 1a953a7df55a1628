//! Endpoints below `/volumes`.

mod create;
mod inspect;
mod list;
mod remove;

pub use create::CreateVolume;
pub use list::VolumeSummary;
