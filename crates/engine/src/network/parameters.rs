//! Kernel parameters of a container's interfaces.

use std::fs;
use std::io::ErrorKind;
use std::os::fd::BorrowedFd;
use std::path::Path;

use super::netlink;
use crate::{Error, Result};

/// Sets parameters by their names with dots, in the network of a container that is connected.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) naming the one that is not there, or that does not take
/// its value.
pub(crate) fn set(namespace: BorrowedFd<'_>, parameters: &[(String, String)]) -> Result<()> {
    if parameters.is_empty() {
        return Ok(());
    }
    netlink::within(namespace, || Ok(set_here(parameters)))
        .map_err(|error| Error::io("enter the container's network", error))?
}

fn set_here(parameters: &[(String, String)]) -> Result<()> {
    for (name, value) in parameters {
        let path = Path::new("/proc/sys").join(name.replace('.', "/"));
        fs::write(path, value).map_err(|error| {
            let why = match error.kind() {
                ErrorKind::NotFound => {
                    "the container has no such interface or parameter".to_owned()
                }
                _ => crate::error::os_text(&error),
            };
            Error::invalid(format!("sysctl \"{name}\": {why}"))
        })?;
    }
    Ok(())
}
