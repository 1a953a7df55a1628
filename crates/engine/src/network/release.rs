//! Giving a container's network back, and taking it over.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use super::netlink::Netlink;
use super::proxy::{Proxies, Way};
use super::record::{self, Locked};
use super::{bridge, publish, userspace};
use crate::state::Store;
use crate::{Error, Layout, Result};

/// Takes the published ports of a container again that runs on without its monitor.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if what is recorded cannot be read.
pub fn adopt(layout: &Layout, id: &str) -> Result<Proxies> {
    if !record::is_there(layout.root()) {
        return Ok(Proxies::default());
    }
    let locked = Locked::open(layout)?;
    let Some(lease) = locked.record.leases.get(id) else {
        return Ok(Proxies::default());
    };
    let mut way = Way {
        container: lease.address,
        door: None,
    };
    if lease.link.is_empty() && !lease.published.is_empty() {
        let namespace = Store::new(layout)
            .state(id)?
            .process
            .open()?
            .namespace("net")
            .map_err(|error| Error::io("open the container's network", error))?;
        way.door = Some(Arc::new(userspace::Door::open(namespace.as_fd())?));
    }
    Ok(Proxies::new(publish::take_again(&lease.published), way))
}

/// Gives back what the container of that id has of the network; it may have nothing.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if something of it cannot be removed.
pub fn release(layout: &Layout, id: &str) -> Result<Released> {
    if !record::is_there(layout.root()) {
        return Ok(Released::default());
    }
    let mut locked = Locked::open(layout)?;
    for lease in locked.record.leases.values_mut() {
        lease.sharers.retain(|sharer| sharer != id);
    }
    let Some(lease) = locked.record.leases.remove(id) else {
        locked.save()?;
        return Ok(Released::default());
    };
    lease.end();
    if !lease.sharers.is_empty() && !lease.link.is_empty() {
        // Its network stays with those who have it too, but not its address: that may be somebody else's next.
        cut(&lease.link)?;
    }
    if !lease.published.is_empty() && !lease.link.is_empty() {
        let mut warnings = Vec::new();
        bridge::refresh(&mut locked.record, &mut warnings);
        for warning in warnings {
            log::warn!("{warning}");
        }
    }
    locked.save()?;
    Ok(Released {
        link: Some(lease.link).filter(|link| !link.is_empty()),
    })
}

/// The network of a container that has ended, on its way out of the kernel.
///
/// The kernel takes it away when its last process is gone, in a millisecond, unless connections are open still: then it
/// may keep it for minutes. Whoever has time sees to it with [`settle`](Released::settle).
#[derive(Debug, Default)]
pub struct Released {
    link: Option<String>,
}

impl Released {
    /// Waits until the container's cable is gone, and cuts it if it is not after a while. It is for the end of a monitor,
    /// when everybody has been told: cutting takes 20 ms.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
    pub async fn settle(self) -> Result<()> {
        let Some(link) = self.link else {
            return Ok(());
        };
        for _ in 0..10 {
            let found = Netlink::open().and_then(|mut netlink| netlink.link(&link));
            if matches!(found, Ok(None)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        cut(&link)
    }

    /// Cuts the container's cable, if it is there still.
    ///
    /// # Errors
    ///
    /// As [`settle`](Released::settle).
    pub fn cut(self) -> Result<()> {
        self.link.as_deref().map_or(Ok(()), cut)
    }
}

/// Removes a cable, if it is there still.
pub(super) fn cut(link: &str) -> Result<()> {
    let removed = Netlink::open().and_then(|mut netlink| match netlink.link(link)? {
        Some(found) => netlink.delete_link(found.header.index),
        None => Ok(()),
    });
    match removed {
        // It went while we looked.
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(()),
        removed => removed.map_err(|error| Error::io(format_args!("remove {link}"), error)),
    }
}
