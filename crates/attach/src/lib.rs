//! An interactive session with a container: streams, terminal, signals, window size.
//!
//! Whatever happens in a session, the container's exit, the end of its output, detach keys, the third Ctrl-C, becomes an
//! event of one queue, [`Events`]; the caller's thread reads that queue and so sees one thing after the other. That
//! thread waits in one place for everything, so signals, the exit and requests to the engine need no threads of their
//! own; only what may block in a foreign call, a read of our input or a write of our output, has one. What follows from
//! which order is decided in one place without any I/O, so that it can be tested without an engine.
//!
//! [`Attachment`] is the whole sequence, from the connection to the end:
//!
//! ```no_run
//! use attach::{Attached, Attachment, End, Events, FORCED_EXIT, Signals};
//! use engine_client::WaitCondition;
//! # fn run(
//! #     client: engine_client::Client, id: String, streams: &byname::Streams, environment: &byname::Environment,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let mut events = Events::new()?;
//! // Caught from here on, so that none can end the process while the terminal is in raw mode.
//! let kill = { let (client, id) = (client.clone(), id.clone()); move |name: &str| client.kill_container(&id, Some(name)) };
//! let _signals = Signals::forward(&events.sender(), kill)?;
//! let attached = Attached { tty: true, stdin: true, stdout: true, stderr: false, detach_keys: None };
//! let attachment = Attachment { client: &client, id: &id, attached, streams, environment };
//! let connected = events.perform(|| attachment.connect(WaitCondition::NextExit)).ok_or(FORCED_EXIT)??;
//! let end = attachment.container(connected, &mut events, |events| {
//!     events.perform(|| client.start_container(&id)).unwrap_or(Ok(()))
//! })?;
//! match end? {
//!     End::Exited(status) => println!("{}", status?.status_code),
//!     End::Detached => {}
//!     _ => return Err(FORCED_EXIT.into()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Threads that block in a foreign call (a write to our standard output that nobody reads, a read of an injected
//! reader) cannot be stopped and are not waited for: they own what they use and end when the call does.

mod activity;
mod attachment;
mod catch;
mod conclusion;
mod detach_keys;
mod error;
mod event;
mod input;
mod mode;
mod output;
mod resize;
mod session;
mod signal_name;
mod signals;
mod stop;

pub use attachment::Attachment;
pub use catch::is_ignored;
pub use conclusion::{End, NoStatus, OutputEnd};
pub use detach_keys::{InvalidDetachKeys, detach_keys};
pub use error::Error;
pub use event::{EventSender, Events, Status};
pub use output::pass_output;
pub use resize::Resizer;
pub use session::{Attached, Session};
pub use signals::{FORCED_EXIT, Signals};
