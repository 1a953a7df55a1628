//! Options of the storage driver, as in `--storage-opt size=10G`.

use std::collections::HashMap;

use super::{InvalidValue, label};

/// The options by name. Each needs a value, and the last of a name counts.
pub(crate) fn map(options: &[String]) -> Result<HashMap<String, String>, InvalidValue> {
    if options.iter().all(|option| option.contains('=')) {
        Ok(label::map(options.iter().cloned()))
    } else {
        Err(InvalidValue::new("invalid storage option"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_values() {
        let options = ["size=1", "a=b=c", "size=2", "=", "x="].map(String::from);
        let expected = [("size", "2"), ("a", "b=c"), ("", ""), ("x", "")];
        assert_eq!(
            map(&options),
            Ok(expected
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into())
        );
        for option in ["", "size"] {
            let options = ["a=b".to_owned(), option.to_owned()];
            assert_eq!(
                map(&options).unwrap_err().to_string(),
                "invalid storage option"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn every_option_is_there(options: Vec<(String, String)>) {
            let texts: Vec<String> = options.iter().map(|(name, value)| format!("{}={value}", name.replace('=', ""))).collect();
            let map = map(&texts).unwrap();
            assert!(options.iter().all(|(name, _)| map.contains_key(&name.replace('=', ""))));
        }
    }
}
