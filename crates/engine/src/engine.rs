//! The engine: who answers requests.

use std::sync::Arc;

use bollard_stubs::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig};

use crate::configuration::Configuration;
use crate::monitor::log::LogOptions;
use crate::{Error, Layout, Result, image};

/// An engine over the state that lies under a [`Layout`].
///
/// Nothing but that is in it, so there may be several of one layout, in this and in other processes: what one of them
/// does, the others see. It is cheap to clone.
///
/// ```no_run
/// let engine = engine::Engine::open(engine::Layout::default_for_user()?)?;
/// let (client, server) = std::os::unix::net::UnixStream::pair().unwrap();
/// std::thread::spawn(move || engine::api::serve(server, &engine));
/// # drop(client);
/// # Ok::<(), engine::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
    starts_what_it_makes: bool,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
}

impl Engine {
    /// The engine of that layout, whose directories are made if they are not there.
    ///
    /// # Errors
    ///
    /// Those of [`Layout::create`], [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a configuration
    /// file that cannot be understood, and [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for one that the layout names
    /// and that does not exist.
    pub fn open(layout: Layout) -> Result<Engine> {
        check_named_configuration(&layout)?;
        layout.create()?;
        // What is wrong in it is told at once, and not by the first pull. The root is known to be this user's now.
        check_configuration(&layout)?;
        Ok(Engine {
            inner: Arc::new(Inner { layout }),
            starts_what_it_makes: false,
        })
    }

    /// The same engine for the client of one command: it makes a container to start it, so that the monitor may as well be
    /// on its way.
    pub(crate) fn for_one_command(&self) -> Engine {
        Engine {
            starts_what_it_makes: true,
            ..self.clone()
        }
    }

    pub(crate) fn starts_what_it_makes(&self) -> bool {
        self.starts_what_it_makes
    }

    /// Its images.
    pub fn images(&self) -> image::Store {
        image::Store::new(self.layout())
    }

    /// Where its state lies.
    pub fn layout(&self) -> &Layout {
        &self.inner.layout
    }
}

/// Reads the configuration file that somebody named, if somebody did: what is wrong in it is told before anything is made.
///
/// # Errors
///
/// As of [`Engine::open`].
pub(crate) fn check_named_configuration(layout: &Layout) -> Result<()> {
    match layout.configuration() {
        (_, true) => check_configuration(layout),
        (_, false) => Ok(()),
    }
}

/// Reads the configuration file, and what it says of logs as a container would.
fn check_configuration(layout: &Layout) -> Result<()> {
    let options = Configuration::of(layout)?.log_opts;
    let container = ContainerCreateBody {
        host_config: Some(HostConfig {
            log_config: Some(HostConfigLogConfig {
                typ: None,
                config: Some(options.into_iter().collect()),
            }),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    LogOptions::of(&container).map(drop).map_err(|error| {
        Error::new(
            error.kind(),
            format!(
                "{}: log-opts: {error}; write options that --log-opt takes with json-file",
                layout.configuration().0.display()
            ),
        )
    })
}
