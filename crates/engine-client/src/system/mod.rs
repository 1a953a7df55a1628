//! Endpoints that are about the engine itself.

mod info;
mod version;
