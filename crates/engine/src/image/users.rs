//! Containers that images are in use by.

use super::digest::Digest;
use crate::state::{self, Rootfs, Status};
use crate::{Layout, Result};

/// A container of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    /// Its id.
    pub(super) container: String,
    /// The id of the image.
    pub(super) image: String,
    /// The names of the layers that its files come from.
    pub(super) layers: Vec<Digest>,
    /// Whether it runs, or is going to again.
    pub(super) runs: bool,
}

/// All containers of images, as far as they can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Users {
    pub(super) known: Vec<User>,
    /// Whether there is a container of which nobody knows what it needs, for its files are damaged.
    pub(super) are_more: bool,
}

/// All containers of images.
///
/// # Errors
///
/// [`ErrorKind::System`](crate::ErrorKind::System) if the directory of containers cannot be read.
pub(super) fn all(layout: &Layout) -> Result<Users> {
    let store = state::Store::new(layout);
    let mut users = Users {
        known: Vec::new(),
        are_more: false,
    };
    for id in store.ids()? {
        let record = match store.record(&id) {
            Ok(record) => record,
            // It was removed meanwhile.
            Err(error) if error.status() == 404 => continue,
            Err(_) => {
                users.are_more = true;
                continue;
            }
        };
        let Rootfs::Layers(layers) = &record.rootfs else {
            continue;
        };
        // layers/CHAIN/diff
        let layers = layers
            .iter()
            .filter_map(|path| path.parent()?.file_name()?.to_str())
            .filter_map(Digest::from_hex)
            .collect();
        // Whether it really does is its monitor's to say, and this errs on the safe side.
        let runs = store.state(&id).is_ok_and(|state| {
            matches!(
                state.status,
                Status::Running | Status::Paused | Status::Restarting
            )
        });
        users.known.push(User {
            container: id,
            image: record.image,
            layers,
            runs,
        });
    }
    Ok(users)
}
