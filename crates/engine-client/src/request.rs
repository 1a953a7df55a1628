//! A request: method, path, query, headers and body, each already encoded.

use std::fmt::Write as _;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Error, ErrorKind};
use crate::version::ApiVersion;

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A request to the engine. The API version is put before its path when it is sent.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
    /// How long the engine may take for each of: taking the request, beginning the answer, ending it.
    pub(crate) timeout: Option<Duration>,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: impl Into<String>) -> Request {
        Request {
            method,
            path: path.into(),
            query: String::new(),
            headers: Vec::new(),
            body: None,
            timeout: None,
        }
    }

    /// Adds `key=value` to the query.
    pub(crate) fn query(mut self, key: &str, value: &str) -> Request {
        let separator = if self.query.is_empty() { '?' } else { '&' };
        // Writing to a string does not fail.
        let _ = write!(
            self.query,
            "{separator}{key}={}",
            utf8_percent_encode(value, RESERVED)
        );
        self
    }

    /// Adds `key=value` to the query if there is a value.
    pub(crate) fn optional(self, key: &str, value: Option<&str>) -> Request {
        match value {
            Some(value) => self.query(key, value),
            None => self,
        }
    }

    /// Adds `key=1` to the query if `value`; the engine takes what is not there as false.
    pub(crate) fn flag(self, key: &str, value: bool) -> Request {
        if value { self.query(key, "1") } else { self }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Request {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn json(mut self, value: &impl serde::Serialize) -> Result<Request, Error> {
        let body = serde_json::to_vec(value).map_err(|error| self.not_json(error))?;
        self.body = Some(body);
        Ok(self.header("Content-Type", "application/json"))
    }

    /// The error of a body that can not be written.
    pub(crate) fn not_json(&self, error: serde_json::Error) -> Error {
        let message = format!(
            "{}: the request can not be written as JSON: {error}",
            self.label()
        );
        Error::new(ErrorKind::Input, message).with_source(error)
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Request {
        self.timeout = Some(timeout);
        self
    }

    /// The name of the request in messages: `POST /containers/create`.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The path as it is sent, but without the query.
    pub(crate) fn versioned_path(&self, base: &str, version: Option<ApiVersion>) -> String {
        match version {
            Some(version) => format!("{base}/v{version}{}", self.path),
            None => format!("{base}{}", self.path),
        }
    }

    /// Path and query as they are sent.
    pub(crate) fn target(&self, base: &str, version: Option<ApiVersion>) -> String {
        self.versioned_path(base, version) + &self.query
    }
}

/// The path of a container: `/containers/ID`.
///
/// A name that an engine can not know is refused here rather than encoded, for servers decode a path before they
/// resolve its dots: with `../images/x` the request would be another one.
pub(crate) fn container_path(id: &str) -> Result<String, Error> {
    Ok(format!(
        "/containers/{}",
        segment("container name or ID", id)?
    ))
}

/// The path of a volume: `/volumes/NAME`.
pub(crate) fn volume_path(name: &str) -> Result<String, Error> {
    Ok(format!("/volumes/{}", segment("volume name", name)?))
}

/// The path of a process in a container: `/exec/ID`.
pub(crate) fn exec_path(id: &str) -> Result<String, Error> {
    Ok(format!("/exec/{}", segment("exec ID", id)?))
}

/// The path of an image: `/images/NAME`, whose name may have several segments.
pub(crate) fn image_path(name: &str) -> Result<String, Error> {
    let what = "image name or ID";
    if name.is_empty() {
        return Err(Error::new(
            ErrorKind::Input,
            format!("invalid {what}: value is empty"),
        ));
    }
    let segments: Result<Vec<String>, Error> = name
        .split('/')
        .map(|part| segment(what, part).map_err(|_| invalid(what, name)))
        .collect();
    Ok(format!("/images/{}", segments?.join("/")))
}

fn segment(what: &str, text: &str) -> Result<String, Error> {
    let hostile = |character: char| matches!(character, '/' | '\\') || character.is_control();
    if text.trim().is_empty() {
        return Err(Error::new(
            ErrorKind::Input,
            format!("invalid {what}: value is empty"),
        ));
    }
    if matches!(text, "." | "..") || text.contains(hostile) {
        return Err(invalid(what, text));
    }
    Ok(utf8_percent_encode(text, RESERVED).to_string())
}

fn invalid(what: &str, text: &str) -> Error {
    Error::new(ErrorKind::Input, format!("invalid {what}: {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_version_path_and_query() {
        let request = Request::new("POST", "/containers/create")
            .query("name", "a b&c=d/\u{e9}")
            .query("platform", "x/y");
        assert_eq!(
            request.target("/base", Some(ApiVersion::new(1, 41))),
            "/base/v1.41/containers/create?name=a%20b%26c%3Dd%2F%C3%A9&platform=x%2Fy"
        );
        assert_eq!(request.label(), "POST /containers/create");
        assert_eq!(Request::new("GET", "/_ping").target("", None), "/_ping");
        // A plus sign in a query is a blank to a server.
        let kill = Request::new("POST", "/kill").query("signal", "RTMIN+1");
        assert_eq!(kill.target("", None), "/kill?signal=RTMIN%2B1");
    }

    #[test]
    fn an_image_may_have_several_segments() {
        assert_eq!(
            image_path("localhost:5000/a/b@sha256:0").expect("a name"),
            "/images/localhost%3A5000/a/b%40sha256%3A0"
        );
        for name in ["", "/a", "a/", "a//b", "a/../b", "a\nb"] {
            let error = image_path(name).expect_err(name);
            assert!(
                error.to_string().starts_with("invalid image name or ID: "),
                "{error}"
            );
        }
    }

    #[test]
    fn a_container_is_one_segment_of_the_path() {
        assert_eq!(
            container_path("web-1_a.b~").expect("a name"),
            "/containers/web-1_a.b~"
        );
        assert_eq!(
            container_path("a b?c#d%2e").expect("a name"),
            "/containers/a%20b%3Fc%23d%252e"
        );
        for id in [
            "../x", "x/../y", "/x", ".", "..", "a\nb", "a\0", "a\\b", "", " ",
        ] {
            let error = container_path(id).expect_err(id);
            assert_eq!(error.kind(), ErrorKind::Input, "{id}");
        }
    }
}
