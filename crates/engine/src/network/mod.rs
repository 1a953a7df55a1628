//! The network of a container: its files, its addresses, its way out and the ports that it publishes.
//!
//! The container's monitor calls [`prepare`] before it makes the container, [`Prepared::connect`] once the container's
//! network namespace is there, and runs [`Prepared::proxies`] for as long as the container runs. Whoever sees the
//! container's end calls [`release`]: the monitor, or whoever finds that it died.

mod bridge;
mod cable;
mod check;
mod files;
mod firewall;
mod frame;
mod host_name;
mod hosts;
mod list;
mod mac;
mod mode;
mod netlink;
mod parameters;
mod port;
mod prepare;
mod prepared;
mod proxy;
mod publish;
pub(crate) mod random;
mod record;
mod release;
mod request;
mod resolv_conf;
mod settings;
mod subnet;
mod userspace;

use std::path::PathBuf;

use bollard_stubs::models::{ContainerCreateBody, NetworkSettings};

pub use check::{Leftover, check, tear_down};
pub(crate) use host_name::HostName;
pub(crate) use list::{Network, networks};
pub(crate) use parameters::set as set_parameters;
pub use prepare::prepare;
pub use prepared::Prepared;
pub use proxy::Proxies;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use record::fuzz as fuzz_record;
pub use release::{Released, adopt, release};
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use resolv_conf::fuzz;
pub use settings::inspect;
pub(crate) use settings::{add_ids, endpoint_id, network_id};

use crate::{Error, Result, user_namespace};
use mode::Mode;
use netlink::Netlink;
use request::Request;

/// Checks what a request to create a container says about the network; the warnings are for the answer.
///
/// The body is the client's own: neither completed with what the image says nor with a host name.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what makes no sense, a network that there is
/// not among it, and [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for what this engine does not do.
pub fn check_request(body: &ContainerCreateBody) -> Result<Vec<String>> {
    request::check_conflicts(body)?;
    let request = Request::of(body)?;
    let mut warnings = request.warnings;
    if request.mode == Mode::Bridge {
        if !user_namespace::owns_network() {
            warnings.extend(userspace::find().err());
        } else if !firewall::is_available() {
            warnings.push(bridge::NO_TRANSLATION.to_owned());
        }
    }
    Ok(warnings)
}

/// The settings that `inspect` shows of a container that does not run.
///
/// # Errors
///
/// Those of [`check_request`].
pub fn settings_of_stopped(body: &ContainerCreateBody) -> Result<NetworkSettings> {
    Ok(settings::stopped(&Request::of(body)?))
}

/// The hardware address that a request asks for, if it asks for one.
pub(crate) fn wanted_mac_address(body: &ContainerCreateBody) -> Option<String> {
    let request = Request::of(body).ok()?;
    request.mac.map(|mac| mac.to_string())
}

/// The program that carries the packets of containers, where the engine may not change the machine's network.
///
/// # Errors
///
/// The sentence for the user who has none.
pub(crate) fn carrier() -> std::result::Result<PathBuf, String> {
    userspace::find().map(userspace::Program::into_path)
}

/// The index of `lo`, the first link of every namespace.
const LOOPBACK: u32 = 1;

/// Switches the loopback interface of this thread's own network on.
///
/// It is for processes that are in the container's namespaces already: where the engine is not root, nobody else may.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
pub fn set_loopback_up() -> Result<()> {
    Netlink::open()
        .and_then(|mut own| own.set_up(LOOPBACK))
        .map_err(|error| Error::io("set up the container's loopback interface", error))
}

#[cfg(test)]
mod tests;
