//! A client of the Docker Engine API over unix sockets, TCP, TLS, ssh, and to an engine in the same process.
//!
//! [`Client`] has one method for each endpoint of the API that is built; each is in a file of its own, with its options
//! and its result. What is sent and received as JSON has the generated types of [`models`]. Calls block; a client is
//! shared by threads, and what takes long (a pull, a wait, an attached stream) can be ended from another thread.
//!
//! The layers, each knowing only those below it (a test over the imports holds that):
//! - endpoint, request, head, answer: what is sent and received, as data.
//! - connection: a socket, whatever carries its bytes; `ssh` and `tls/` are such carriers.
//! - dial: opens a connection to an [`Endpoint`], through `proxy/` where the environment says so.
//! - transport: HTTP with ureq, on dialed connections. Hijacked streams stand beside it, on the same connections.
//! - client: the API version, negotiated once; errors by status; requests and answers.
//! - endpoints: `containers/`, `exec/`, `images/`, `volumes/` and `system/`, one a file.
//!
//! Each request's line, and nothing else of it, is logged as `debug` with the target `engine_client`. ureq logs on its
//! own, under targets that begin with `ureq`: at `trace` it shows whole messages, so a host's logger should leave them
//! out.

mod answer;
mod cancel;
mod client;
mod config_file;
mod connection;
mod container_proxies;
mod containers;
mod context_store;
mod credential_helper;
mod credential_store;
mod credentials;
mod demultiplex;
mod dial;
mod embedded;
mod endpoint;
mod error;
mod exec;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod head;
mod headers;
mod helper_process;
mod hijack;
mod images;
mod input_file;
mod interrupt;
mod json_lines;
mod nullable;
mod ping;
mod proxy;
mod redacted;
mod request;
mod settings;
mod ssh;
mod system;
mod tls;
mod transport;
mod version;
mod volumes;

pub use bollard_stubs::models;
pub use cancel::Canceller;
pub use client::{Client, ClientOptions};
pub use config_file::ConfigFile;
pub use container_proxies::ContainerProxies;
pub use containers::attach::AttachOptions;
pub use containers::create::CreateContainerOptions;
pub use containers::list::{ContainerSummary, ListContainers, Mount, Networks, Port};
pub use containers::logs::{Logs, LogsOptions};
pub use containers::new_container::{MountWords, NewContainer};
pub use containers::remove::RemoveOptions;
pub use containers::stop::StopOptions;
pub use containers::wait::{WaitCondition, Waiting};
pub use context_store::ContextStore;
pub use credential_store::CredentialStore;
pub use credentials::{Credentials, credentials_file};
pub use demultiplex::{Demultiplexer, Stream};
pub use embedded::EmbeddedEngine;
pub use endpoint::{Address, Endpoint};
pub use error::{Error, ErrorKind, os_text};
pub use exec::start::StartExec;
pub use headers::CustomHeaders;
pub use hijack::{Hijacked, HijackedReader, HijackedWriter, ShutdownHandle};
pub use images::create::{CreateImage, ImageProgress, ImageProgressLine, ProgressDetail};
pub use images::list::{ImageSummary, ListImages};
pub use images::remove::{RemoveImage, RemovedImage};
pub use input_file::{PATIENCE, read_file};
pub use interrupt::{Interrupt, Interruption, interruptible};
pub use ping::Ping;
pub use ssh::SshAddress;
pub use tls::{Tls, TlsFiles};
pub use version::ApiVersion;
pub use volumes::{CreateVolume, VolumeSummary};
