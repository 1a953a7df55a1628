//! Checks names where they are written: byname checks them too, but cannot point at the literal.

use syn::LitStr;

/// Refuses a name that no command may have.
pub(crate) fn check(name: &LitStr) -> syn::Result<()> {
    match fault(&name.value()) {
        Some(fault) => Err(syn::Error::new(name.span(), fault)),
        None => Ok(()),
    }
}

fn fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some(
            "the name is empty: write one or more words, such as \"run\" or \"groups create\"",
        );
    }
    if name.chars().any(|letter| letter.is_ascii_uppercase()) {
        return Some("write the name in lower case; users may type it in any");
    }
    if !name.chars().all(|letter| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || "- ".contains(letter)
    }) {
        return Some("a name consists of words of a-z and 0-9, with single hyphens inside a word");
    }
    let separated = name.split([' ', '-']).all(|part| !part.is_empty());
    (!separated).then_some("a space or a hyphen stands between two words, and only one of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["run", "groups create", "dry-run", "a1", "1 2-3"] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in [
            "", " ", "Run", "run ", " run", "a  b", "a--b", "-a", "a-", "a -b", "../run", "é",
            "a_b",
        ] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }
}
