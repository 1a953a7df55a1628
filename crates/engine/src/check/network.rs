//! What is left of networks, which know themselves what is theirs.

use super::{Audit, Thing};
use crate::Result;
use crate::network::{self, Leftover};

pub(super) fn audit(audit: &mut Audit<'_>) -> Result<()> {
    let layout = audit.layout().clone();
    for leftover in network::check(&layout)? {
        let (thing, subject, problem) = described(&leftover);
        audit.found(thing, subject, problem, || leftover.remove(&layout));
    }
    Ok(())
}

fn described(leftover: &Leftover) -> (Thing, String, String) {
    match leftover {
        Leftover::Lease { container, address } => (
            Thing::Address,
            address.to_string(),
            format!("its container {container} does not run"),
        ),
        Leftover::Cable { link, container } => (
            Thing::Link,
            link.clone(),
            format!("its container {container} does not run"),
        ),
        Leftover::Bridge { name, root } => (
            Thing::Link,
            name.clone(),
            match root {
                Some(root) => format!("the engine at {} does not exist", root.display()),
                None => "it is a bridge that was never finished".to_owned(),
            },
        ),
        Leftover::Rules { bridge } => (
            Thing::Rules,
            bridge.clone(),
            "there is no such bridge".to_owned(),
        ),
    }
}
