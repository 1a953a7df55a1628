//! Addresses as errors and logs may show them: without the user and the password in front of the host.

use std::borrow::Cow;

/// What stands in the place of what is hidden, as in Go's texts of URLs.
const HIDDEN: &str = "xxxxx";
/// No scheme is longer; what is longer may be a password that has `://` in it.
const LONGEST_SCHEME: usize = 16;

/// The text without what stands in front of its last `@`, the scheme of a URL apart.
///
/// It takes texts that are not URLs, since those are what errors are about: so it rather hides too much, such as a
/// user's name without a password, which may be a token.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let Some((before, after)) = text.rsplit_once('@') else {
        return Cow::Borrowed(text);
    };
    let scheme = match before.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme) => &before[..scheme.len() + 3],
        _ => "",
    };
    Cow::Owned(format!("{scheme}{HIDDEN}@{after}"))
}

/// Whether a text looks as schemes do (RFC 3986, section 3.1) and is short.
pub(crate) fn is_scheme(text: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    text.len() <= LONGEST_SCHEME && text.bytes().all(is_legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_hidden_and_hosts_are_shown() {
        for (text, expected) in [
            ("tcp://host:1/x", "tcp://host:1/x"),
            ("tcp://u:p@host:1", "tcp://xxxxx@host:1"),
            ("u:p@host", "xxxxx@host"),
            ("https://token@host/", "https://xxxxx@host/"),
            ("https://u:a@b@host", "https://xxxxx@host"),
            ("u:p://q@host", "xxxxx@host"),
            ("@host", "xxxxx@host"),
            ("", ""),
        ] {
            assert_eq!(redacted(text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_password_is_never_shown(
            scheme in "([a-z]{1,5}://)?", user in "[a-z:/?#%]{0,8}", host in "[a-z0-9:/.]{0,12}"
        ) {
            let text = format!("{scheme}{user}:SESAME@{host}");
            let text = redacted(&text);
            proptest::prop_assert!(!text.contains("SESAME") && text.ends_with(&host), "{text}");
        }
    }
}
