//! Links to other containers, as in `--link db:database`.

use super::InvalidValue;

/// Checks `CONTAINER[:ALIAS]`. It is the engine that takes it apart.
pub(crate) fn parse(text: &str) -> Result<String, InvalidValue> {
    match text.matches(':').count() {
        _ if text.is_empty() => Err(InvalidValue::new("empty string specified for links")),
        0 | 1 => Ok(text.to_owned()),
        _ => Err(InvalidValue::new(format!("bad format for links: {text}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_perhaps_an_alias() {
        for text in ["db", "db:database", "db:", ":", "/a:/b/c"] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
        for (text, message) in [
            ("", "empty string specified for links"),
            ("a:b:c", "bad format for links: a:b:c"),
            ("::::", "bad format for links: ::::"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_link_stays_what_it_is(text: String) {
            if let Ok(link) = parse(&text) {
                assert_eq!(link, text);
            }
        }
    }
}
