//! Labels, as in `--label NAME=VALUE`.

use std::collections::HashMap;

use super::InvalidValue;

/// Checks `NAME=VALUE` or `NAME`.
pub(crate) fn parse(text: &str) -> Result<String, InvalidValue> {
    let name = text
        .split('=')
        .next()
        .unwrap_or_default()
        .trim_start_matches([' ', '\t']);
    if name.is_empty() {
        return Err(InvalidValue::new(format!(
            "invalid label '{text}': empty name"
        )));
    }
    if name.contains([' ', '\t']) {
        return Err(InvalidValue::new(format!(
            "label '{name}' contains whitespaces"
        )));
    }
    Ok(text.to_owned())
}

/// The labels as a map: a bare name has an empty value, and the last of a name counts.
pub(crate) fn map(labels: impl IntoIterator<Item = String>) -> HashMap<String, String> {
    labels
        .into_iter()
        .map(|label| match label.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (label, String::new()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_blanks() {
        for text in ["a=1", "a", " a=1", "\tx", "a=b c", "a=", "a==b"] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
        for text in ["", "=x", " =x"] {
            let message = format!("invalid label '{text}': empty name");
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
        for (text, name) in [("a b", "a b"), (" a b=1", "a b"), ("a\tb=1", "a\tb")] {
            let message = format!("label '{name}' contains whitespaces");
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn the_last_of_a_name_counts() {
        let labels = map(["a=1", "b", "a=2=3", " c="].map(String::from));
        let expected = [("a", "2=3"), ("b", ""), (" c", "")];
        assert_eq!(
            labels,
            expected
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into()
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = parse(&text);
        }
    }
}
