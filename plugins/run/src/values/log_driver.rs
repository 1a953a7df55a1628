//! The logging driver and its options, as in `--log-driver local --log-opt max-size=10m`.

use std::collections::HashMap;

use super::{InvalidValue, label};

/// The options as a map, where a bare name has an empty value. The driver `none` has none.
pub(crate) fn options(
    driver: &str,
    options: &[String],
) -> Result<HashMap<String, String>, InvalidValue> {
    if driver == "none" && !options.is_empty() {
        return Err(InvalidValue::new("invalid logging opts for driver none"));
    }
    Ok(label::map(options.iter().cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_has_no_options() {
        assert_eq!(options("none", &[]), Ok(HashMap::new()));
        assert!(options("none", &["a=b".to_owned()]).is_err());
        let all = ["a=b", "c", "a=d"].map(String::from);
        let expected =
            [("a", "d"), ("c", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(options("", &all), Ok(expected.into()));
    }
}
