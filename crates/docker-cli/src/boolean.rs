//! Booleans, as in `--rm=false`.

use crate::InvalidValue;

/// Parses the words that Go's `strconv.ParseBool` takes, which are what scripts write.
pub fn parse(text: &str) -> Result<bool, InvalidValue> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(InvalidValue::new(format!(
            "strconv.ParseBool: parsing {text:?}: invalid syntax"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_twelve_words_of_go() {
        for word in ["1", "t", "T", "true", "TRUE", "True"] {
            assert_eq!(parse(word), Ok(true), "{word}");
        }
        for word in ["0", "f", "F", "false", "FALSE", "False"] {
            assert_eq!(parse(word), Ok(false), "{word}");
        }
        for word in ["", "yes", "no", "on", "tRUE", "2", " true"] {
            let text = format!("strconv.ParseBool: parsing {word:?}: invalid syntax");
            assert_eq!(parse(word).unwrap_err().to_string(), text);
        }
    }
}
