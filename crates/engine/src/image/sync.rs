//! Getting layers onto the disk after a pull.
//!
//! What was unpacked is usable at once, and on the disk a good while later: half a second for half a gigabyte, if the disk
//! has nothing else to do. Nobody should wait for that. So a process of its own does, which marks the layers and goes;
//! should the machine lose its power before, they are unpacked again.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use super::layer::Layers;
use crate::{Error, Result};

/// The name that the program runs under. Its argument is the directory of all layers.
const NAME: &str = "tool-image-sync";

reexec::submit! { reexec::Initializer::new(NAME, run) }

/// Has all layers in a directory synced, by somebody who can be left alone with it.
///
/// # Errors
///
/// Those of the system.
pub(super) fn begin(layers: &Layers) -> Result<()> {
    let Ok(mut command) = reexec::command(NAME) else {
        // The host of this crate cannot start itself again, so it waits.
        return layers.sync();
    };
    command
        .args([layers.directory()])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // A signal from the terminal is not for it.
    command.as_std_mut().process_group(0);
    let cannot = |error| Error::io("start a process that syncs layers", error);
    let mut child = command.spawn().map_err(cannot)?;
    // A server would keep a zombie.
    thread::Builder::new()
        .name("reaper".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || child.wait())
        .map(drop)
        .map_err(cannot)
}

fn run(arguments: &[OsString]) -> u8 {
    let Some(directory) = arguments.first() else {
        return 2;
    };
    u8::from(Layers::new(PathBuf::from(directory)).sync().is_err())
}
