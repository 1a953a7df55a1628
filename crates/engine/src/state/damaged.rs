//! Reads what is left of a container whose files are damaged, so that it can be shown and removed.

use std::fs;

use super::{Moment, Record, Rootfs, State, Status, Store};
use crate::Layout;

/// A container as far as its files can be read; nothing if it is gone. What cannot be read is made up: a record that asks for
/// nothing, and a state that says that it is dead.
pub(crate) fn stand_in(layout: &Layout, id: &str) -> Option<(Record, State)> {
    let directory = layout.container(id);
    let metadata = fs::metadata(&directory).ok()?;
    let store = Store::new(layout);
    let record = store.record(id).unwrap_or_else(|_| Record {
        id: id.to_owned(),
        name: name(layout, id).unwrap_or_default(),
        created: metadata
            .modified()
            .ok()
            .and_then(|time| Moment::try_from(time).ok())
            .unwrap_or_else(Moment::now),
        body: Default::default(),
        image: String::new(),
        rootfs: Rootfs::Layers(Vec::new()),
        platform: String::new(),
        mounts: Vec::new(),
        anonymous_volumes: Vec::new(),
    });
    let state = store.state(id).unwrap_or_else(|error| State {
        status: Status::Dead,
        error: error.to_string(),
        ..State::default()
    });
    Some((record, state))
}

/// The name that leads to that id.
fn name(layout: &Layout, id: &str) -> Option<String> {
    let entries = fs::read_dir(layout.names()).ok()?.flatten();
    let mut names = entries
        .filter(|entry| fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == id));
    names.next()?.file_name().into_string().ok()
}
