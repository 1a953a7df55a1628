//! The command `run`: create and run a new container from an image, as `docker run` does.
//!
//! Linking this crate registers the command (`use run as _;`); it exports nothing else. A host has to provide an
//! [`engine_client::Client`] as state.
//!
//! The flow, one noun a file: the command line becomes options, these with the client's circumstances a plan
//! that is checked as a whole before the engine hears of it, and the plan is carried out: pull, create, attach, wait,
//! start, pass streams and signals on until the container's status is the command's. The values of options have their
//! parsers in `values/`, pure functions, one kind a file.

#![forbid(unsafe_code)]

mod api_socket;
mod container_id_file;
mod create;
mod deprecated;
mod endpoints;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod host_config;
mod options;
mod plan;
mod pull;
mod run;
mod session;
mod stage;
mod values;
mod wording;
