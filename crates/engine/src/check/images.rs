//! What is left of images, which know themselves what is needed.

use super::{Audit, Thing};
use crate::Result;
use crate::image::{Garbage, Store};

pub(super) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    // Whoever adds an image just now owns what is not finished.
    let Some(collection) = Store::new(audit.layout()).garbage()? else {
        return Ok(());
    };
    for garbage in collection.garbage() {
        let thing = match garbage {
            Garbage::Name(_) => Thing::Name,
            Garbage::Unfinished(_) => Thing::Directory,
            Garbage::Layer(_) | Garbage::Image(_) | Garbage::Blob(_) => Thing::Image,
        };
        audit.found(thing, garbage, garbage.problem(), || {
            collection.remove(garbage)
        });
    }
    Ok(())
}
