//! Heads of answers, where hyper does not write them: connections that become streams, and clients that are turned away.

use hyper::StatusCode;
use hyper::http::response::Parts;

/// The head of an answer as it is sent, with the empty line behind it.
pub(super) fn text(head: &Parts) -> Vec<u8> {
    // The word of Docker, which some clients look for.
    let reason = match head.status {
        StatusCode::SWITCHING_PROTOCOLS => "UPGRADED",
        status => status.canonical_reason().unwrap_or_default(),
    };
    let mut text = format!("HTTP/1.1 {} {reason}\r\n", head.status.as_u16()).into_bytes();
    for (name, value) in &head.headers {
        text.extend_from_slice(name.as_str().as_bytes());
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    text
}

/// A whole answer that ends its connection: an error in the form that all of the API has.
pub(super) fn refusal(status: StatusCode, message: &str) -> Vec<u8> {
    let body = serde_json::json!({ "message": message }).to_string();
    format!(
        "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default(),
        body.len(),
    )
    .into_bytes()
}
