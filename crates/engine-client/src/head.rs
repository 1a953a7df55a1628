//! Reads the head of an HTTP answer with httparse, for connections that do not pass through ureq.

use std::io::{self, Read};

use crate::error::{Error, os_text};

/// The largest head that is read, in bytes.
const LARGEST_HEAD: usize = 16 << 10;
/// The most headers that a head may have.
const MOST_HEADERS: usize = 64;

/// What matters of the head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) media_type: Option<String>,
    pub(crate) framing: Framing,
}

/// How the end of a body is found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    None,
    Length(usize),
    Chunked,
}

/// Reads the head of an answer, and returns it with what was read behind it.
pub(crate) fn read_head(
    mut reader: impl Read,
    label: &str,
    hint: &str,
) -> Result<(Head, Vec<u8>), Error> {
    let mut bytes = Vec::new();
    loop {
        match parse_head(&bytes) {
            // An interim answer comes before the one that counts.
            Ok(Some((head, length))) if matches!(head.status, 100 | 102 | 103) => {
                bytes.drain(..length);
                continue;
            }
            Ok(Some((head, length))) => return Ok((head, bytes.split_off(length))),
            Ok(None) if bytes.len() > LARGEST_HEAD => {
                return Err(Error::protocol(
                    label,
                    format_args!("its header is larger than {LARGEST_HEAD} bytes"),
                ));
            }
            Ok(None) => {}
            Err(error) => {
                return Err(
                    Error::protocol(label, format_args!("{error}{hint}")).with_source(error)
                );
            }
        }
        if fill(&mut reader, &mut bytes).map_err(|error| lost(label, error))? == 0 {
            return Err(Error::closed(
                label,
                "the connection was closed before the answer was complete",
            ));
        }
    }
}

/// The head in `bytes` and its length, or `None` if it is not complete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, httparse::Error> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = response.parse(bytes)? else {
        return Ok(None);
    };
    let header = |name: &str| {
        let found = response
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found
            .and_then(|header| std::str::from_utf8(header.value).ok())
            .map(str::trim)
    };
    let framing = if header("Transfer-Encoding")
        .is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        Framing::Chunked
    } else {
        header("Content-Length")
            .and_then(|length| length.parse().ok())
            .map_or(Framing::None, Framing::Length)
    };
    let head = Head {
        status: response.code.unwrap_or_default(),
        media_type: header("Content-Type").map(str::to_owned),
        framing,
    };
    Ok(Some((head, length)))
}

/// Reads once and appends what came; 0 at the end.
pub(crate) fn fill(reader: &mut impl Read, bytes: &mut Vec<u8>) -> io::Result<usize> {
    let mut buffer = [0; 4 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(read) => {
                bytes.extend_from_slice(&buffer[..read]);
                return Ok(read);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The error of a connection that broke before the answer to `label` was complete.
pub(crate) fn lost(label: &str, error: io::Error) -> Error {
    // What lies below the connection may know why.
    error.downcast::<Error>().unwrap_or_else(|error| {
        let what = format!(
            "the connection was lost before the answer was complete: {}",
            os_text(&error)
        );
        Error::closed(label, what).with_source(error)
    })
}
