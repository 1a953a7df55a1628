//! `tool run` end to end: the binary, a real engine, real containers; and engines that misbehave.

mod api_socket;
mod attach;
mod cidfile;
mod credentials;
mod detach;
mod device;
mod interrupted;
mod job_control;
mod mount;
mod namespaces;
mod network;
mod options;
mod pull;
mod recording;
mod refusals;
mod remove;
mod requests;
mod robust;
mod rootfs;
mod signals;
mod status;
mod stdin;
mod terminal;
mod transports;
mod trouble;
mod users;
mod volumes;

#[path = "../support.rs"]
mod support;

use support::{api_minor, engine, program, tool, until, until_running};
