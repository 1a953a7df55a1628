//! The grammar of image references, part by part.

use crate::invalid::InvalidName;

const LONGEST_TAG: usize = 128;

/// A host name or an IPv6 address in brackets, and perhaps a port.
pub(crate) fn is_registry(text: &str) -> bool {
    let (host, port) = match text.rfind(':').filter(|_| !text.ends_with(']')) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let is_address = |text: &str| {
        text.strip_suffix(']').is_some_and(|address| {
            !address.is_empty() && address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
        })
    };
    let is_host = match host.strip_prefix('[') {
        Some(rest) => is_address(rest),
        None => host.split('.').all(is_host_component),
    };
    is_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

fn is_host_component(text: &str) -> bool {
    let is_edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    is_edge(bytes.first())
        && is_edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// Lower-case letters and digits, with one of `.`, `_`, `__` or any number of `-` between two of them.
pub(crate) fn is_path_component(text: &str) -> bool {
    let is_inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9');
    let bytes = text.as_bytes();
    let edges = [bytes.first(), bytes.last()];
    edges.iter().all(|b| b.is_some_and(|b| is_inner(*b)))
        && text
            .split(|c: char| c.is_ascii() && is_inner(c as u8))
            .all(|between| {
                matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-')
            })
}

/// Up to 128 letters, digits, `_`, `.` and `-`, of which the last two do not come first.
pub(crate) fn is_tag(text: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=LONGEST_TAG).contains(&text.len())
        && is_word(text.as_bytes()[0])
        && text.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

/// An algorithm, `:`, and 32 hexadecimal digits or more.
pub(crate) fn is_digest(text: &str) -> bool {
    let is_algorithm_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        algorithm.split(['-', '_', '+', '.']).all(is_algorithm_part)
            && hex.len() >= 32
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The digest is of an algorithm that is known, and as long as that makes it.
pub(crate) fn check_digest(text: &str) -> Result<(), InvalidName> {
    let (algorithm, hex) = text.split_once(':').unwrap_or((text, ""));
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(InvalidName::new("unsupported digest algorithm")),
    };
    if hex.len() != length {
        return Err(InvalidName::new("invalid checksum digest length"));
    }
    if hex.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(InvalidName::new("invalid checksum digest format"));
    }
    Ok(())
}
