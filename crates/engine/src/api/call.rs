//! A request as its handler sees it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use hyper::Method;
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderMap, UPGRADE, USER_AGENT};
use hyper::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::query::Query;
use super::version::ApiVersion;
use super::{history, router};
use crate::{Engine, Error, Result, json};

/// How large a body of JSON may be: a seccomp profile has its place in it many times.
const LARGEST_JSON: usize = 4 << 20;

/// How much is read of what is too large, or of what nobody asked for.
const MOST_READ: usize = 64 << 20;

/// How long a piece of a body of JSON may take. What is an archive may take its time: another program makes it.
const PIECE_LIMIT: Duration = Duration::from_secs(10);

/// How long a piece may take of what nobody asked for.
const DRAIN_LIMIT: Duration = Duration::from_secs(2);

/// A request.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The engine that is asked.
    pub(crate) engine: &'a Engine,
    /// GET and the others.
    pub(crate) method: Method,
    /// The path without its version, split at slashes and then decoded.
    pub(crate) path: Vec<String>,
    /// The version of the path, or the newest.
    pub(crate) version: ApiVersion,
    /// The parameters, as far as the version has them.
    pub(crate) query: Query,
    /// The headers.
    pub(crate) headers: HeaderMap,
    body: &'a RefCell<Incoming>,
}

impl<'a> Call<'a> {
    /// Reads the head of a request.
    pub(super) fn new(
        engine: &'a Engine,
        head: Parts,
        body: &'a RefCell<Incoming>,
    ) -> Result<Call<'a>> {
        let decode = |segment: &str| {
            percent_decode_str(segment)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| Error::invalid(format!("the path segment {segment:?} is not UTF-8")))
        };
        let mut path = head
            .uri
            .path()
            .split('/')
            .skip(1)
            .map(decode)
            .collect::<Result<Vec<_>>>()?;
        let version = match path.first().and_then(|first| ApiVersion::of_segment(first)) {
            Some(version) => {
                version.check()?;
                path.remove(0);
                version
            }
            None => ApiVersion::MAXIMUM,
        };
        let mut query = Query::parse(head.uri.query().unwrap_or_default());
        query.retain(|name| history::has_parameter(version, head.method.as_str(), &path, name));
        Ok(Call {
            engine,
            method: head.method,
            path,
            version,
            query,
            headers: head.headers,
            body,
        })
    }

    /// Whether the client offers to go on with another protocol on this connection.
    pub(crate) fn wants_upgrade(&self) -> bool {
        self.headers.contains_key(UPGRADE)
    }

    /// Whether the connection may become a stream, so that the client may send what is not HTTP. Of a path that the API does
    /// not have nobody knows what the client believes it to be: `/containers//x/attach` is one.
    pub(crate) fn may_become_stream(&self) -> bool {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        self.wants_upgrade()
            || matches!(
                path.as_slice(),
                ["containers", _, "attach", ..] | ["exec", _, "start"]
            )
            || !router::is_known(&self.method, &path)
    }

    /// Whether the client is known to keep what it reads of a stream together with the head of the answer: Docker's own, and
    /// this project's, which goes by the same name.
    pub(crate) fn keeps_what_follows(&self) -> bool {
        self.headers
            .get(USER_AGENT)
            .is_some_and(|agent| agent.as_bytes().starts_with(b"Docker-Client/"))
    }

    /// The next piece of the body; `None` at its end.
    pub(crate) async fn body_piece(&mut self) -> Result<Option<Bytes>> {
        let piece = next_piece(self.body).await;
        piece.map_err(|error| Error::invalid(format!("read the body: {error}")).with_source(error))
    }

    /// The body as JSON, whose keys have no case.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is none, is of another shape, is too
    /// large or empty.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        from_json(&self.json_text().await?)
    }

    /// The body, which shall be JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is too large or empty.
    pub(crate) async fn json_text(&mut self) -> Result<Vec<u8>> {
        let body = self.json_bytes().await?;
        if body.is_empty() {
            return Err(Error::invalid(
                "invalid JSON: got EOF while reading request body",
            ));
        }
        Ok(body)
    }

    /// The body as JSON, or the default where there is no body.
    pub(crate) async fn json_or_default<T: DeserializeOwned + Default>(&mut self) -> Result<T> {
        let body = self.json_bytes().await?;
        if body.is_empty() {
            return Ok(T::default());
        }
        from_json(&body)
    }

    async fn json_bytes(&mut self) -> Result<Vec<u8>> {
        let mut whole = Vec::new();
        let mut length = 0;
        loop {
            let piece = timeout(PIECE_LIMIT, self.body_piece()).await;
            let piece = piece.map_err(|_| {
                let seconds = PIECE_LIMIT.as_secs();
                Error::invalid(format!("nothing of the body came for {seconds} seconds"))
            })?;
            let Some(piece) = piece? else { break };
            length += piece.len();
            if length <= LARGEST_JSON {
                whole.extend_from_slice(&piece);
            } else if length > MOST_READ {
                break;
            }
        }
        if length > LARGEST_JSON {
            return Err(Error::invalid(format!(
                "the body is larger than {LARGEST_JSON} bytes"
            )));
        }
        if !whole.is_empty() {
            self.check_content_type()?;
        }
        Ok(whole)
    }

    fn check_content_type(&self) -> Result<()> {
        let value = self.headers.get(CONTENT_TYPE);
        let value = value
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default();
        let kind = value.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "unsupported Content-Type header ({value}): must be 'application/json'"
        )))
    }
}

async fn next_piece(body: &RefCell<Incoming>) -> hyper::Result<Option<Bytes>> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body.borrow_mut()).poll_frame(context)).await;
        match frame.transpose()? {
            None => return Ok(None),
            // What is not data are trailers, which mean nothing here.
            Some(frame) => match frame.into_data() {
                Ok(data) => return Ok(Some(data)),
                Err(_) => continue,
            },
        }
    }
}

/// Reads what a handler left of a body, within reason: most clients read the answer only when they have sent all, and
/// some never do when they cannot send it.
pub(super) async fn drain(body: &RefCell<Incoming>) {
    let mut length = 0;
    while length < MOST_READ {
        match timeout(DRAIN_LIMIT, next_piece(body)).await {
            Ok(Ok(Some(piece))) => length += piece.len(),
            _ => return,
        }
    }
}

/// Reads JSON of a request, and says where it is wrong.
fn from_json<T: DeserializeOwned>(text: &[u8]) -> Result<T> {
    json::from_slice(text)
        .map_err(|error| Error::invalid(format!("invalid JSON: {error}")).with_source(error))
}
