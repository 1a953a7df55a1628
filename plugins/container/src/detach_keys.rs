//! The `--detach-keys` option.

use byname::MaybeState;
use engine_client::ConfigFile;
use terminal::DetachKeys;

use crate::errors;

/// The keys that the option says, else those of the host's configuration file, if it has one.
pub(crate) fn detach_keys(
    option: Option<&str>,
    file: &MaybeState<ConfigFile>,
) -> anyhow::Result<Option<DetachKeys>> {
    let configured = file.get().and_then(|file| file.detach_keys.as_deref());
    attach::detach_keys(option, configured).map_err(errors::bare)
}
