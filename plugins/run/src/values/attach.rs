//! Streams to attach to, as in `--attach stdin`.

use super::InvalidValue;

/// One of the three standard streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StandardStream {
    Stdin,
    Stdout,
    Stderr,
}

/// Parses the name of a stream, in any case.
pub(crate) fn parse(text: &str) -> Result<StandardStream, InvalidValue> {
    match text.to_ascii_lowercase().as_str() {
        "stdin" => Ok(StandardStream::Stdin),
        "stdout" => Ok(StandardStream::Stdout),
        "stderr" => Ok(StandardStream::Stderr),
        _ => Err(InvalidValue::new(
            "valid streams are STDIN, STDOUT and STDERR",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_names_in_any_case() {
        assert_eq!(parse("stdin"), Ok(StandardStream::Stdin));
        assert_eq!(parse("STDOUT"), Ok(StandardStream::Stdout));
        assert_eq!(parse("stdErr"), Ok(StandardStream::Stderr));
        for text in ["", "foo", "stdin "] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                "valid streams are STDIN, STDOUT and STDERR"
            );
        }
    }
}
