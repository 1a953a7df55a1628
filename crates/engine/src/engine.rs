//! The engine: who answers requests.

use std::sync::Arc;

use crate::{Layout, Result, image};

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
    /// Those of [`Layout::create`].
    pub fn open(layout: Layout) -> Result<Engine> {
        layout.create()?;
        Ok(Engine {
            inner: Arc::new(Inner { layout }),
        })
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
