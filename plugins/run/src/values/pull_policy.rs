//! When an image is pulled, as in `--pull always`.

use super::InvalidValue;

/// When to pull the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PullPolicy {
    /// Before every container.
    Always,
    /// When the engine does not have it.
    Missing,
    /// Not at all.
    Never,
}

/// Parses a policy; the empty one is `missing`.
pub(crate) fn parse(text: &str) -> Result<PullPolicy, InvalidValue> {
    match text {
        "always" => Ok(PullPolicy::Always),
        "missing" | "" => Ok(PullPolicy::Missing),
        "never" => Ok(PullPolicy::Never),
        _ => Err(InvalidValue::new(format!(
            "invalid pull option: '{text}': must be one of \"always\", \"missing\" or \"never\""
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_policies() {
        assert_eq!(parse("always"), Ok(PullPolicy::Always));
        assert_eq!(parse("missing"), Ok(PullPolicy::Missing));
        assert_eq!(parse(""), Ok(PullPolicy::Missing));
        assert_eq!(parse("never"), Ok(PullPolicy::Never));
        assert_eq!(
            parse("bad").unwrap_err().to_string(),
            "invalid pull option: 'bad': must be one of \"always\", \"missing\" or \"never\""
        );
        assert!(parse("Always").is_err());
    }
}
