//! Endpoints about the engine itself.

mod info;
mod version;
