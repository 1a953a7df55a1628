//! Reads the bodies of answers: whole, up to a limit, and the message of an error.

use std::io::Read;

use serde::Deserialize;

use crate::error::Error;

/// The message in the body of an error: of the API's JSON, or the body's text as it is; `None` if there is none.
pub(crate) fn engine_message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct ErrorResponse {
        message: String,
    }
    let message = match serde_json::from_slice::<ErrorResponse>(body) {
        Ok(response) => response.message,
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let message = message.trim();
    (!message.is_empty()).then(|| message.to_owned())
}

/// Reads a body that must not be larger than `limit` bytes.
pub(crate) fn read_whole(body: impl Read, limit: u64, label: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    body.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::from_read(error, label))?;
    if bytes.len() as u64 > limit {
        return Err(Error::protocol(
            label,
            format_args!("it is larger than {limit} bytes"),
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_body_is_json_or_text() {
        let cases = [
            (
                r#"{"message":" No such image: x \n"}"#,
                Some("No such image: x"),
            ),
            (r#"{"cause":"c","message":"m","response":404}"#, Some("m")),
            ("  page not found\n", Some("page not found")),
            (r#"{"message": 7}"#, Some(r#"{"message": 7}"#)),
            (r#"{"message": ""}"#, None),
            (" \n", None),
            ("", None),
        ];
        for (body, expected) in cases {
            assert_eq!(
                engine_message(body.as_bytes()).as_deref(),
                expected,
                "{body}"
            );
        }
    }

    #[test]
    fn a_body_has_a_greatest_size() {
        assert_eq!(
            read_whole(&b"1234"[..], 4, "GET /x").expect("four bytes"),
            b"1234"
        );
        let error = read_whole(&b"12345"[..], 4, "GET /x").expect_err("five bytes");
        assert_eq!(
            error.to_string(),
            "GET /x: malformed answer: it is larger than 4 bytes"
        );
    }
}
