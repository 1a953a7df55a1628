//! `--detach-keys`

use byname::Context;
use engine_client::ConfigFile;
use terminal::DetachKeys;

use crate::errors;

/// The keys that the option says, else those of the host's configuration file, if it has one: as they were given, which
/// the engine is told, and what they are.
pub(crate) fn detach_keys(
    option: Option<String>,
    cx: &Context,
) -> anyhow::Result<Option<(String, DetachKeys)>> {
    let given = |text: &String| !text.is_empty();
    let text = match option.filter(given) {
        Some(text) => Some(text),
        None => cx
            .optional_state::<ConfigFile>()?
            .and_then(|file| file.detach_keys.clone())
            .filter(given),
    };
    let Some(text) = text else {
        return Ok(None);
    };
    match DetachKeys::parse(&text) {
        Ok(keys) => Ok(Some((text, keys))),
        Err(error) => Err(errors::bare(format!(
            "invalid detach keys ({text}): {error}"
        ))),
    }
}
