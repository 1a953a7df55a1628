//! Reads a stream of JSON objects, as pulls and waits send them, with any white space between.
//!
//! The engine writes an object a line, but chunking may cut anywhere, and other engines leave the line ends out. The
//! end of an object is found here, byte by byte, rather than by a parser that reads on: so each object is handed out
//! as soon as its last byte is there, and none can take more memory than the limit.

use std::io::{self, Read};

use serde::de::DeserializeOwned;

use crate::error::Error;

/// No progress message comes near this.
const LARGEST_OBJECT: usize = 1 << 20;
const READ: usize = 16 << 10;

/// Reads JSON objects from `reader`.
pub(crate) struct JsonLines<R> {
    reader: R,
    label: String,
    /// Bytes that were read and not handed out.
    buffer: Vec<u8>,
    /// How many of them the scanner has seen.
    scanned: usize,
    scanner: Scanner,
}

impl<R: Read> JsonLines<R> {
    /// `label` names the request in errors.
    pub(crate) fn new(reader: R, label: impl Into<String>) -> JsonLines<R> {
        JsonLines {
            reader,
            label: label.into(),
            buffer: Vec::new(),
            scanned: 0,
            scanner: Scanner::default(),
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The next object, or `None` at the end of the stream. An end inside an object is an error.
    pub(crate) fn next_object<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(end) = self.find_end()? {
                let object = serde_json::from_slice(&self.buffer[..end]);
                self.buffer.drain(..end);
                self.scanned = 0;
                return match object {
                    Ok(object) => Ok(Some(object)),
                    Err(error) => Err(Error::protocol(&self.label, &error).with_source(error)),
                };
            }
            if self.buffer.len() > LARGEST_OBJECT {
                let what = format_args!("an object in it is larger than {LARGEST_OBJECT} bytes");
                return Err(Error::protocol(&self.label, what));
            }
            if self.fill()? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(Error::closed(
                        &self.label,
                        "the connection was closed in the middle of a message",
                    ))
                };
            }
        }
    }

    /// Looks for the end of the first object in the buffer, and drops white space before it.
    fn find_end(&mut self) -> Result<Option<usize>, Error> {
        if self.scanned == 0 {
            let blank = self
                .buffer
                .iter()
                .take_while(|byte| is_blank(**byte))
                .count();
            self.buffer.drain(..blank);
            match self.buffer.first() {
                Some(b'{') | None => {}
                Some(&byte) => {
                    let found = byte.escape_ascii();
                    return Err(Error::protocol(
                        &self.label,
                        format_args!("expected a JSON object, found `{found}`"),
                    ));
                }
            }
        }
        for &byte in &self.buffer[self.scanned..] {
            self.scanned += 1;
            if self.scanner.ends_with(byte) {
                return Ok(Some(self.scanned));
            }
        }
        Ok(None)
    }

    fn fill(&mut self) -> Result<usize, Error> {
        let old = self.buffer.len();
        self.buffer.resize(old + READ, 0);
        let result = loop {
            match self.reader.read(&mut self.buffer[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(old + *result.as_ref().unwrap_or(&0));
        result.map_err(|error| Error::from_read(error, &self.label))
    }
}

/// The white space of JSON (RFC 8259 section 2), which is less than that of ASCII.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Finds the closing brace of an object. It need not tell good JSON from bad, the parser does that.
#[derive(Default)]
struct Scanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scanner {
    /// Whether the object ends with this byte; then the scanner is ready for the next.
    fn ends_with(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}
