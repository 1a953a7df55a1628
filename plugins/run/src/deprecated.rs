//! Options that Docker once had and that mean nothing any more. They are taken, so that old command lines work, and the
//! user is told.

use crate::options::Options;

/// What is to be said of those that are given, a line each.
pub(crate) fn warnings(options: &Options) -> Vec<String> {
    [
        (
            options.image.disable_content_trust.is_some(),
            "disable-content-trust",
            "support for docker content trust was removed",
        ),
        (
            options.resources.kernel_memory.is_some(),
            "kernel-memory",
            "and no longer supported by the kernel",
        ),
    ]
    .into_iter()
    .filter(|(is_given, ..)| *is_given)
    .map(|(_, name, reason)| format!("Flag --{name} has been deprecated, {reason}"))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_is_warned_of() {
        let mut options = Options::default();
        assert!(warnings(&options).is_empty());
        options.resources.kernel_memory = Some(0);
        assert_eq!(
            warnings(&options),
            ["Flag --kernel-memory has been deprecated, and no longer supported by the kernel"]
        );
        // Docker says so even of the value that it always had.
        options.image.disable_content_trust = Some(true);
        assert_eq!(warnings(&options).len(), 2);
    }
}
