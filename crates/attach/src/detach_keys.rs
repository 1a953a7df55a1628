//! Chooses the detach keys: the option's, else those of the configuration file, else the default.

use std::error::Error;
use std::fmt;

use terminal::{DetachKeys, DetachKeysError};

/// The keys of `--detach-keys`, else those of the configuration, else nothing, which means the default ones. An empty
/// text says nothing.
///
/// # Errors
///
/// Keys that there are not, in Docker's words.
pub fn detach_keys(
    option: Option<&str>,
    configured: Option<&str>,
) -> Result<Option<DetachKeys>, InvalidDetachKeys> {
    let given = |text: &&str| !text.is_empty();
    let Some(text) = option.filter(given).or(configured.filter(given)) else {
        return Ok(None);
    };
    match DetachKeys::parse(text) {
        Ok(keys) => Ok(Some(keys)),
        Err(source) => Err(InvalidDetachKeys {
            text: text.to_owned(),
            source,
        }),
    }
}

/// A text that names no keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidDetachKeys {
    text: String,
    source: DetachKeysError,
}

impl fmt::Display for InvalidDetachKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid detach keys ({}): {}", self.text, self.source)
    }
}

impl Error for InvalidDetachKeys {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_goes_before_the_configuration() {
        let chosen = |option, configured| {
            let keys = detach_keys(option, configured).expect("keys");
            keys.map(|keys| keys.as_str().to_owned())
        };
        assert_eq!(chosen(Some("a"), Some("b")).as_deref(), Some("a"));
        assert_eq!(chosen(Some(""), Some("b")).as_deref(), Some("b"));
        assert_eq!(chosen(None, Some("")), None);
    }

    #[test]
    fn what_is_no_key_is_named() {
        let error = detach_keys(None, Some("ctrl-zz")).expect_err("no key");
        assert_eq!(
            error.to_string(),
            "invalid detach keys (ctrl-zz): Unknown character: 'ctrl-zz'"
        );
    }
}
