//! Answers to requests, and what becomes of the connection after them.

use std::fmt;
use std::future::Future;
use std::os::unix::net::UnixStream;
use std::thread;

use bollard_stubs::models::ErrorResponse;
use hyper::body::Bytes;
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, UPGRADE};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::body::{AnswerBody, BodyWriter};
use crate::{Error, Result};

/// The fields of answers that are maps: their keys are data. Every other object has the fields of a type, in its order.
const MAPS: [&str; 15] = [
    "Annotations",
    "AuxiliaryAddresses",
    "Containers",
    "DriverOpts",
    "ExposedPorts",
    "Labels",
    "Metadata",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// What takes over a connection, with the bytes that its client sent behind the head of the request.
pub(super) type Continuation = Box<dyn FnOnce(UnixStream, Vec<u8>) + Send>;

/// An answer.
pub(crate) struct Answer {
    pub(super) response: Response<AnswerBody>,
    /// What takes the connection over once the head of the answer is sent.
    pub(super) continuation: Option<Continuation>,
}

/// Puts the keys of maps in order, as Go does: they come from hash maps, whose order is another one each time.
fn sort_maps(value: &mut Value) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(sort_maps),
        Value::Object(object) => {
            for (key, value) in object {
                sort_maps(value);
                if let (true, Value::Object(map)) = (MAPS.contains(&key.as_str()), &mut *value) {
                    map.sort_keys();
                }
                if let ("LogConfig", Value::Object(log)) = (key.as_str(), value)
                    && let Some(Value::Object(options)) = log.get_mut("Config")
                {
                    options.sort_keys();
                }
            }
        }
        _ => {}
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}

impl Answer {
    fn new(status: StatusCode, body: AnswerBody) -> Answer {
        let mut response = Response::new(body);
        *response.status_mut() = status;
        Answer {
            response,
            continuation: None,
        }
    }

    /// A status alone: 204 and 304.
    pub(crate) fn empty(status: StatusCode) -> Answer {
        Answer::new(status, AnswerBody::Whole(Bytes::new()))
    }

    /// 204.
    pub(crate) fn no_content() -> Answer {
        Answer::empty(StatusCode::NO_CONTENT)
    }

    /// 200 and a value as JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Answer> {
        Answer::json_with(StatusCode::OK, value)
    }

    /// 201 and a value as JSON.
    pub(crate) fn created(value: &impl Serialize) -> Result<Answer> {
        Answer::json_with(StatusCode::CREATED, value)
    }

    /// A status and a value as JSON.
    pub(crate) fn json_with(status: StatusCode, value: &impl Serialize) -> Result<Answer> {
        let unwritten = |error| Error::system(format!("write the answer: {error}"));
        let mut value = serde_json::to_value(value).map_err(unwritten)?;
        sort_maps(&mut value);
        let mut text = serde_json::to_vec(&value).map_err(unwritten)?;
        // As Docker has it, and as curl's users like it.
        text.push(b'\n');
        let answer = Answer::new(status, AnswerBody::Whole(Bytes::from(text)));
        Ok(answer.with(CONTENT_TYPE, HeaderValue::from_static("application/json")))
    }

    /// 200 and a text.
    pub(crate) fn text(text: &'static str) -> Answer {
        Answer::new(
            StatusCode::OK,
            AnswerBody::Whole(Bytes::from_static(text.as_bytes())),
        )
        .with(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        )
    }

    /// An error's status, and its text in the form that all of the API has.
    pub(crate) fn error(error: &Error) -> Answer {
        let status =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::NOT_MODIFIED {
            return Answer::empty(status);
        }
        let body = ErrorResponse {
            message: error.to_string(),
        };
        Answer::json_with(status, &body)
            .unwrap_or_else(|_| Answer::empty(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// 200, and a body that `write` makes on a thread of its own while it is sent. The head goes out at once. `write`
    /// ends early when a write of it fails: the client is gone then.
    pub(crate) fn stream(
        content_type: &'static str,
        write: impl FnOnce(BodyWriter) + Send + 'static,
    ) -> Result<Answer> {
        let (writer, body) = AnswerBody::stream();
        thread::Builder::new()
            .name("answer".to_owned())
            .spawn(move || write(writer))
            .map_err(|error| Error::io("start a thread", error))?;
        let answer = Answer::new(StatusCode::OK, body);
        Ok(answer.with(CONTENT_TYPE, HeaderValue::from_static(content_type)))
    }

    /// 200 at once, and JSON when there is something to tell.
    pub(crate) fn later(value: impl Future<Output = Vec<u8>> + 'static) -> Answer {
        let body = AnswerBody::Later(Box::pin(async { Bytes::from(value.await) }));
        Answer::new(StatusCode::OK, body)
            .with(CONTENT_TYPE, HeaderValue::from_static("application/json"))
    }

    /// 101: the connection becomes a stream, which goes to `then` with the bytes that the client sent early.
    pub(crate) fn upgrade(
        content_type: &'static str,
        then: impl FnOnce(UnixStream, Vec<u8>) + Send + 'static,
    ) -> Answer {
        Answer::hijack(StatusCode::SWITCHING_PROTOCOLS, content_type, then)
            .with(CONNECTION, HeaderValue::from_static("Upgrade"))
            .with(UPGRADE, HeaderValue::from_static("tcp"))
    }

    /// 200, for a client that did not ask for it: the connection becomes a stream in the same way.
    pub(crate) fn raw_stream(
        content_type: &'static str,
        then: impl FnOnce(UnixStream, Vec<u8>) + Send + 'static,
    ) -> Answer {
        Answer::hijack(StatusCode::OK, content_type, then)
    }

    fn hijack(
        status: StatusCode,
        content_type: &'static str,
        then: impl FnOnce(UnixStream, Vec<u8>) + Send + 'static,
    ) -> Answer {
        let mut answer =
            Answer::empty(status).with(CONTENT_TYPE, HeaderValue::from_static(content_type));
        answer.continuation = Some(Box::new(then));
        answer
    }

    /// The same with a header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Answer {
        self.response.headers_mut().insert(name, value);
        self
    }
}
