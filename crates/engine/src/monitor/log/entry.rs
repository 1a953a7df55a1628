//! One line of a log.

use std::borrow::Cow;

use serde::Deserialize;

use crate::state::Moment;

/// Where a container wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output, and a terminal.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The name in a log.
    pub fn as_str(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }

    /// The first byte of a frame of the attach protocol.
    pub fn number(self) -> u8 {
        match self {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        }
    }
}

/// One line of a log, as it is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// What was written, with the line feed that ended it; without one it is a piece of a longer line.
    #[serde(rename = "log")]
    pub text: String,
    /// Where.
    pub stream: Stream,
    /// When.
    pub time: Moment,
    /// Labels and variables of the container, where the log's options name any.
    #[serde(default)]
    pub attrs: std::collections::BTreeMap<String, String>,
}

/// Appends a line of a log. `tail` is what all lines of one moment and one stream end with; see [`tail`].
pub(super) fn write(line: &[u8], tail: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\"log\":\"");
    escape(&String::from_utf8_lossy(line), to);
    to.extend_from_slice(tail.as_bytes());
}

/// The rest of a line behind what was written. `attributes` is a JSON object, or empty.
pub(super) fn tail(stream: Stream, time: Moment, attributes: &str) -> String {
    let stream = stream.as_str();
    let attributes: Cow<'_, str> = match attributes {
        "" => Cow::Borrowed(""),
        attributes => Cow::Owned(format!(",\"attrs\":{attributes}")),
    };
    format!("\",\"stream\":\"{stream}\"{attributes},\"time\":\"{time}\"}}\n")
}

/// Writes the inside of a JSON string as Go does: what is markup in HTML, and two characters that end lines in
/// JavaScript, are escaped too.
fn escape(text: &str, to: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut done = 0;
    let mut index = 0;
    while index < bytes.len() {
        let byte = bytes[index];
        let length = match byte {
            b'"' | b'\\' | b'<' | b'>' | b'&' | 0..0x20 => 1,
            // U+2028 and U+2029 in UTF-8.
            0xE2 if bytes[index + 1] == 0x80 && matches!(bytes[index + 2], 0xA8 | 0xA9) => 3,
            _ => {
                index += 1;
                continue;
            }
        };
        to.extend_from_slice(&bytes[done..index]);
        match byte {
            b'"' | b'\\' => to.extend_from_slice(&[b'\\', byte]),
            b'\n' => to.extend_from_slice(b"\\n"),
            b'\r' => to.extend_from_slice(b"\\r"),
            0xE2 => {
                to.extend_from_slice(b"\\u202");
                to.push(HEXADECIMAL[usize::from(bytes[index + 2] & 0xF)]);
            }
            byte => {
                to.extend_from_slice(b"\\u00");
                to.push(HEXADECIMAL[usize::from(byte >> 4)]);
                to.push(HEXADECIMAL[usize::from(byte & 0xF)]);
            }
        }
        index += length;
        done = index;
    }
    to.extend_from_slice(&bytes[done..]);
}

const HEXADECIMAL: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(text: &[u8], attributes: &str) -> String {
        let time: Moment = "2024-01-02T03:04:05.000000006Z".parse().expect("a time");
        let mut bytes = Vec::new();
        write(text, &tail(Stream::Stderr, time, attributes), &mut bytes);
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_line_is_dockers() {
        assert_eq!(
            line("a \"b\" \\ <c> & \t\r\u{1b}[0m \u{2028}é\n".as_bytes(), ""),
            "{\"log\":\"a \\\"b\\\" \\\\ \\u003cc\\u003e \\u0026 \\u0009\\r\\u001b[0m \\u2028é\\n\",\"stream\":\"stderr\",\"time\":\"2024-01-02T03:04:05.000000006Z\"}\n"
        );
        assert_eq!(
            line(b"\xff", r#"{"a":"b"}"#),
            "{\"log\":\"\u{fffd}\",\"stream\":\"stderr\",\"attrs\":{\"a\":\"b\"},\"time\":\"2024-01-02T03:04:05.000000006Z\"}\n"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text: Vec<u8>) {
            let entry: Entry = serde_json::from_str(&line(&text, "")).expect("an entry");
            prop_assert_eq!(entry.text, String::from_utf8_lossy(&text));
            prop_assert_eq!(entry.stream, Stream::Stderr);
        }

        #[test]
        fn what_is_text_is_read(text: String) {
            let entry: Entry = serde_json::from_str(&line(text.as_bytes(), "")).expect("an entry");
            prop_assert_eq!(entry.text, text);
        }
    }
}
