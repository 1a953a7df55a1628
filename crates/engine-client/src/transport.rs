//! HTTP over our connections: the one module that knows ureq, and its transport traits, which may change in a minor
//! release (its version is pinned in the workspace's manifest).
//!
//! ureq brings what is easily got wrong by hand: chunked bodies, lengths, connections that may serve again. It opens
//! nothing itself: the connector dials below it, and the resolver's answer is a dummy. TLS and proxies are the dialer's,
//! less the first line of a request that a proxy is to pass on. Redirects are not followed, which an Engine API client
//! must not do for anything but a GET, and no engine sends for one.

use std::error::Error as _;
use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, ShutdownHandle, Transport,
};

use crate::connection::Connection;
use crate::dial::Dialer;
use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, os_text};
use crate::headers::CustomHeaders;
use crate::request::Request;
use crate::version::ApiVersion;

/// Holds a whole answer's header, so it is larger than the limit on that.
const INPUT_BUFFER: usize = 20 << 10;
/// Holds the head of a request; what is uploaded passes through in pieces. Each connection has both, and fills them with
/// zeros.
const OUTPUT_BUFFER: usize = 8 << 10;
const LARGEST_HEADER: usize = 16 << 10;

/// A pool of connections to one endpoint, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    agent: ureq::Agent,
    dialer: Arc<Dialer>,
    headers: Arc<CustomHeaders>,
}

/// An answer whose header is there and whose body is still to be read.
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: http::HeaderMap,
    pub(crate) body: Body,
}

/// The body of an answer. Its errors are [`Error`]s inside an [`io::Error`].
pub(crate) struct Body {
    reader: ureq::BodyReader<'static>,
    label: String,
    dialer: Arc<Dialer>,
}

impl Http {
    /// An empty pool: nothing is opened before the first request.
    pub(crate) fn new(dialer: Arc<Dialer>, headers: Arc<CustomHeaders>) -> Http {
        let config = ureq::config::Config::builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .user_agent(&dialer.user_agent)
            .max_response_header_size(LARGEST_HEADER)
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .build();
        let connector = Links(Arc::clone(&dialer));
        Http {
            agent: ureq::Agent::with_parts(config, connector, NoResolver),
            dialer,
            headers,
        }
    }

    /// Sends a request and returns when the answer's header is there, whatever its status is.
    pub(crate) fn run(
        &self,
        request: &Request,
        version: Option<ApiVersion>,
    ) -> Result<Response, Error> {
        let builder = self.builder(request, version);
        let result = match (&request.body, request.method) {
            (Some(body), _) => self.send(builder.body(body.as_slice()), request.timeout),
            // A POST without a body says so by `Content-Length: 0`.
            (None, "POST") => self.send(builder.body(&[][..]), request.timeout),
            (None, _) => self.send(builder.body(()), request.timeout),
        };
        self.response(result, request.label())
    }

    /// Sends a request whose body is whatever the reader has, in chunks.
    pub(crate) fn upload(
        &self,
        request: &Request,
        body: &mut dyn Read,
        version: Option<ApiVersion>,
    ) -> Result<Response, Error> {
        let body = ureq::SendBody::from_reader(body);
        let result = self.send(self.builder(request, version).body(body), request.timeout);
        self.response(result, request.label())
    }

    fn builder(&self, request: &Request, version: Option<ApiVersion>) -> http::request::Builder {
        let endpoint = &self.dialer.endpoint;
        let target = request.target(endpoint.base_path(), version);
        log::debug!(target: "engine_client", "{} {target}", request.method);
        // The scheme is `http` for all: what is below is the dialer's business, and ureq wants to know nothing of it.
        let builder = http::Request::builder()
            .method(request.method)
            .uri(format!("http://{}{target}", endpoint.authority()));
        let own = request.headers.iter();
        let own = own.map(|(name, value)| (*name, value.as_str()));
        own.chain(self.headers.beside(&request.headers))
            .fold(builder, |builder, (name, value)| {
                builder.header(name, value)
            })
    }

    fn response(
        &self,
        result: Result<http::Response<ureq::Body>, ureq::Error>,
        label: String,
    ) -> Result<Response, Error> {
        let (parts, body) = result
            .map_err(|error| self.translate(error, &label))?
            .into_parts();
        Ok(Response {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: Body {
                reader: body.into_reader(),
                label,
                dialer: Arc::clone(&self.dialer),
            },
        })
    }

    fn send<B: ureq::AsSendBody>(
        &self,
        request: http::Result<http::Request<B>>,
        timeout: Option<Duration>,
    ) -> Result<http::Response<ureq::Body>, ureq::Error> {
        let mut request = request?;
        if timeout.is_some() {
            request = self
                .agent
                .configure_request(request)
                .timeout_send_request(timeout)
                .timeout_recv_response(timeout)
                .timeout_recv_body(timeout)
                .build();
        }
        self.agent.run(request)
    }

    /// Closes all connections of this pool, in whatever state: what blocks on them in other threads fails.
    pub(crate) fn shutdown(&self) {
        self.agent.clone().shutdown();
    }

    fn translate(&self, error: ureq::Error, label: &str) -> Error {
        translate(error, label, &self.dialer.endpoint)
    }
}

impl Response {
    /// The value of a header, if it is there and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer).map_err(|error| {
            let error = match error.downcast::<ureq::Error>() {
                Ok(error) => error,
                Err(error) => ureq::Error::Io(error),
            };
            io::Error::other(translate(error, &self.label, &self.dialer.endpoint))
        })
    }
}

/// `301 Moved Permanently`, or the number alone if it has no name.
pub(crate) fn status_text(status: u16) -> String {
    match http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
    {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

fn translate(error: ureq::Error, label: &str, endpoint: &Endpoint) -> Error {
    use ureq_error as kind;
    match error {
        // What the connector failed with.
        ureq::Error::Other(error) => match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::protocol(label, &error).with_source(error),
        },
        // What lies below the connection failed with.
        ureq::Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Error>()) => {
            Error::from_read(error, label)
        }
        ureq::Error::Io(error) if kind::is_lost(&error) => {
            let what = if error.kind() == io::ErrorKind::UnexpectedEof {
                "the connection was closed before the answer was complete".to_owned()
            } else {
                format!(
                    "the connection was lost before the answer was complete: {}",
                    os_text(&error)
                )
            };
            Error::closed(label, what).with_source(error)
        }
        ureq::Error::Io(error) => Error::closed(label, os_text(&error)).with_source(error),
        ureq::Error::Timeout(_) => Error::new(
            ErrorKind::Timeout,
            format!(
                "{label}: the docker API at {endpoint} took the connection but does not answer"
            ),
        ),
        ureq::Error::Protocol(error) => {
            let hint = if kind::is_no_http(&error.to_string()) {
                endpoint.tls_hint()
            } else {
                ""
            };
            Error::protocol(label, format_args!("{error}{hint}")).with_source(error)
        }
        ureq::Error::LargeResponseHeader(..) => Error::protocol(
            label,
            format_args!("its header is larger than {LARGEST_HEADER} bytes"),
        ),
        ureq::Error::Http(error) => {
            let message = match error.source() {
                Some(source) => format!("{label}: the request can not be sent: {error}: {source}"),
                None => format!("{label}: the request can not be sent: {error}"),
            };
            Error::new(ErrorKind::Input, message).with_source(error)
        }
        error => Error::protocol(label, &error).with_source(error),
    }
}

/// Sorting ureq's errors.
mod ureq_error {
    use std::io;

    pub(super) fn is_lost(error: &io::Error) -> bool {
        matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::NotConnected
        )
    }

    /// Whether the first line was no status line.
    pub(super) fn is_no_http(text: &str) -> bool {
        text.starts_with("http parse fail")
    }
}

/// Opens what ureq sends requests on.
#[derive(Debug)]
struct Links(Arc<Dialer>);

impl Connector for Links {
    type Out = Link;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Link>, ureq::Error> {
        let route = self
            .0
            .dial_for_requests()
            .map_err(|error| ureq::Error::Other(Box::new(error)))?;
        let connection = Arc::new(route.connection);
        let handle = Arc::downgrade(&connection);
        (details.register_shutdown)(handle)?;
        let forward = route.forwarder.map(|proxy| Forward {
            origin: format!("http://{}", self.0.endpoint.authority()),
            authorization: proxy.authorization,
            at_start: true,
        });
        Ok(Some(Link {
            connection,
            forward,
            buffers: LazyBuffers::new(INPUT_BUFFER, OUTPUT_BUFFER),
            read_timeout: None,
            write_timeout: None,
        }))
    }
}

/// What a proxy that passes requests on wants to see of each: where it goes, and who asks.
#[derive(Debug)]
struct Forward {
    /// Goes before the path in the first line (RFC 9112, section 3.2.2).
    origin: String,
    authorization: Option<String>,
    /// Whether what is sent next begins a request: ureq sends one, and then reads its answer.
    at_start: bool,
}

impl Forward {
    /// The beginning of a request, as the proxy wants it. ureq sends the head of a request at once.
    fn rewrite(&mut self, output: &[u8]) -> Option<Vec<u8>> {
        if !std::mem::take(&mut self.at_start) {
            return None;
        }
        let path = output.iter().position(|&byte| byte == b' ')? + 1;
        let line = output.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let mut rewritten = Vec::with_capacity(output.len() + 256);
        rewritten.extend_from_slice(&output[..path]);
        rewritten.extend_from_slice(self.origin.as_bytes());
        rewritten.extend_from_slice(&output[path..line]);
        if let Some(value) = &self.authorization {
            rewritten.extend_from_slice(format!("Proxy-Authorization: {value}\r\n").as_bytes());
        }
        rewritten.extend_from_slice(&output[line..]);
        Some(rewritten)
    }
}

impl ShutdownHandle for Connection {
    fn shutdown(&self) {
        // It fails when the peer is gone already, and then there is nothing to shut down.
        let _ = Connection::shutdown(self, Shutdown::Both);
    }
}

/// The dialer knows the endpoint, so there is nothing to look up; ureq wants at least one address.
#[derive(Debug)]
struct NoResolver;

impl Resolver for NoResolver {
    fn resolve(
        &self,
        _: &http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut addresses = self.empty();
        addresses.push(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
        Ok(addresses)
    }
}

/// A connection as ureq sees it.
#[derive(Debug)]
struct Link {
    connection: Arc<Connection>,
    forward: Option<Forward>,
    buffers: LazyBuffers,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let deadline = Deadline::new(timeout.for_write());
        let output = &self.buffers.output()[..amount];
        let rewritten = self.forward.as_mut().and_then(|it| it.rewrite(output));
        let mut output = rewritten.as_deref().unwrap_or(output);
        while !output.is_empty() {
            let left = deadline.left()?;
            if left != self.write_timeout {
                self.connection.set_write_timeout(left)?;
                self.write_timeout = left;
            }
            match (&*self.connection).write(output) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                Ok(written) => output = &output[written..],
                Err(error) => deadline.again(error)?,
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let deadline = Deadline::new(timeout.for_read());
        loop {
            let left = deadline.left()?;
            if left != self.read_timeout {
                self.connection.set_read_timeout(left)?;
                self.read_timeout = left;
            }
            match (&*self.connection).read(self.buffers.input_append_buf()) {
                Ok(read) => {
                    self.buffers.input_appended(read);
                    if let Some(forward) = &mut self.forward {
                        forward.at_start = true;
                    }
                    return Ok(read > 0);
                }
                Err(error) => deadline.again(error)?,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_idle()
    }
}

/// The end of what one step may take. A signal interrupts a system call, not the step.
struct Deadline {
    timeout: NextTimeout,
    end: Option<Instant>,
}

impl Deadline {
    fn new(timeout: NextTimeout) -> Deadline {
        let end = (!timeout.after.is_not_happening()).then(|| Instant::now() + *timeout.after);
        Deadline { timeout, end }
    }

    fn left(&self) -> Result<Option<Duration>, ureq::Error> {
        let Some(end) = self.end else { return Ok(None) };
        let left = end.saturating_duration_since(Instant::now());
        // A socket takes zero for no time-out at all, and it counts in microseconds.
        if left < Duration::from_micros(1) {
            Err(self.expired())
        } else {
            Ok(Some(left))
        }
    }

    /// Decides whether a failed call is tried once more.
    fn again(&self, error: io::Error) -> Result<(), ureq::Error> {
        match error.kind() {
            io::ErrorKind::Interrupted => Ok(()),
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut if self.end.is_some() => {
                Err(self.expired())
            }
            _ => Err(error.into()),
        }
    }

    fn expired(&self) -> ureq::Error {
        ureq::Error::Timeout(self.timeout.reason)
    }
}
