//! What every command that attaches to a container checks first: the terminal, and the keys that detach.

use attach::InvalidDetachKeys;
use byname::Streams;
use engine_client::ConfigFile;
use terminal::DetachKeys;

use crate::errors;

/// Checks that our input is a terminal where it is attached to one.
///
/// # Errors
/// It is not, in Docker's words.
pub fn check_terminal(streams: &Streams, stdin: bool, tty: bool) -> anyhow::Result<()> {
    if stdin && tty && !streams.input.is_terminal() {
        return Err(errors::bare(
            "cannot attach stdin to a TTY-enabled container because stdin is not a terminal",
        ));
    }
    Ok(())
}

/// The keys of the option `--detach-keys`, else those of the configuration file, if there is one and it has any.
///
/// # Errors
/// They are not keys.
pub fn detach_keys(
    option: Option<&str>,
    file: Option<&ConfigFile>,
) -> Result<Option<DetachKeys>, InvalidDetachKeys> {
    let configured = file.and_then(|file| file.detach_keys.as_deref());
    attach::detach_keys(option, configured)
}
