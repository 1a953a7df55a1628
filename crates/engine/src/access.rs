//! How this user gets at an engine: in this process as root, and otherwise through one in a user namespace.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};

use once_cell::sync::OnceCell;

use crate::engine::check_named_configuration;
use crate::user_namespace::{self, Inside, Purpose, Reply, Request};
use crate::{Engine, Error, Finding, Layout, Restored, Result, api, check, restore};

/// The engine of a layout, for whoever may be an ordinary user.
///
/// Nothing is opened or started before it is needed.
///
/// ```no_run
/// let access = engine::Access::new(engine::Layout::default_for_user()?);
/// let client = access.connect().unwrap();
/// # drop(client);
/// # Ok::<(), engine::Error>(())
/// ```
#[derive(Debug)]
pub struct Access {
    layout: Layout,
    way: OnceCell<Way>,
}

#[derive(Debug)]
enum Way {
    Here(Engine),
    Inside(Inside),
}

impl Access {
    /// The way to the engine of that layout.
    pub fn new(layout: Layout) -> Access {
        Access {
            layout,
            way: OnceCell::new(),
        }
    }

    /// Makes the engine's directories where they are missing, and starts what is needed to use it.
    ///
    /// # Errors
    ///
    /// Those of [`Layout::create`], and [`ErrorKind::System`](crate::ErrorKind::System) if this is an ordinary user, who can
    /// make no user namespace.
    pub fn open(&self) -> Result<()> {
        self.way().map(drop)
    }

    /// A new connection to the engine. It is answered until it is closed, or this process ends.
    ///
    /// # Errors
    ///
    /// Those of [`Access::open`], as the source of an [`io::Error`], and those of the system.
    pub fn connect(&self) -> io::Result<UnixStream> {
        match self.way().map_err(io::Error::other)? {
            Way::Here(engine) => {
                let (client, server) = UnixStream::pair()?;
                api::serve_apart(server, engine.for_one_command())?;
                Ok(client)
            }
            Way::Inside(inside) => inside.connect().map_err(io::Error::other),
        }
    }

    /// Answers all clients of a socket, for as long as they can be accepted.
    ///
    /// # Errors
    ///
    /// Those of [`Access::open`] and of the socket.
    pub fn listen(&self, socket: &UnixListener) -> Result<()> {
        match self.way()? {
            Way::Here(engine) => {
                api::listen(socket, engine).map_err(|error| Error::io("accept clients", error))
            }
            Way::Inside(inside) => inside.ask(&Request::Listen, Some(socket.as_fd())).map(drop),
        }
    }

    /// Looks for what the engine made and has no owner, and removes it if `repair` says so.
    ///
    /// # Errors
    ///
    /// Those of [`Access::open`], and [`ErrorKind::System`](crate::ErrorKind::System) if this machine or the engine's state
    /// cannot be looked at. What cannot be repaired is an [`Outcome`](crate::Outcome).
    pub fn check(&self, repair: bool) -> Result<Vec<Finding>> {
        if !user_namespace::is_needed() {
            return check::check(&self.layout, repair);
        }
        match self.ask(&Request::Check { repair })? {
            Reply::Checked(findings) => Ok(findings),
            reply => Err(user_namespace::unexpected(&reply)),
        }
    }

    /// Starts all containers that do not run and that their restart policies want to run, and removes those that were to
    /// be removed at their end. Each failure is told and does not keep the others from being done.
    ///
    /// # Errors
    ///
    /// Those of [`Access::open`], and [`ErrorKind::System`](crate::ErrorKind::System) if the containers cannot be listed.
    pub fn restore(&self) -> Result<Vec<Restored>> {
        if !user_namespace::is_needed() {
            return restore::restore(&self.layout);
        }
        match self.ask(&Request::Restore)? {
            Reply::Restored(restored) => Ok(restored),
            reply => Err(user_namespace::unexpected(&reply)),
        }
    }

    fn ask(&self, request: &Request) -> Result<Reply> {
        match self.way()? {
            Way::Inside(inside) => inside.ask(request, None),
            Way::Here(_) => Err(Error::system("this user needs no user namespace")),
        }
    }

    fn way(&self) -> Result<&Way> {
        self.way.get_or_try_init(|| {
            Ok(match user_namespace::is_needed() {
                true => {
                    // The process in the namespace makes directories before it opens the engine.
                    check_named_configuration(&self.layout)?;
                    Way::Inside(Inside::start(&self.layout, Purpose::Engine)?)
                }
                false => Way::Here(Engine::open(self.layout.clone())?),
            })
        })
    }
}
