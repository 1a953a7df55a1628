//! The client: an endpoint, the negotiated API version, and a pool of connections.

use std::ffi::OsString;
use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use once_cell::sync::OnceCell;
use serde::de::DeserializeOwned;

use crate::answer::{engine_message, read_whole};
use crate::dial::Dialer;
use crate::embedded::EmbeddedEngine;
use crate::endpoint::{Address, Endpoint};
use crate::error::{Error, ErrorKind};
use crate::headers::CustomHeaders;
use crate::hijack::{self, Hijacked};
use crate::ping::Ping;
use crate::request::Request;
use crate::transport::{Http, Response, status_text};
use crate::version::{ApiVersion, negotiate};

/// No answer that is read as a whole comes near this: an inspect of a container has some 10 KiB.
const LARGEST_ANSWER: u64 = 16 << 20;
const LARGEST_ERROR: u64 = 1 << 20;
const LARGEST_PONG: u64 = 64 << 10;

/// How a [`Client`] presents itself and how long it waits.
#[derive(Clone)]
pub struct ClientOptions {
    /// What stands for the version in `User-Agent: Docker-Client/VERSION (linux)`; this crate's version by default.
    pub user_agent_version: String,
    /// The newest API version to speak; by default [`ApiVersion::MAXIMUM`]. The engine may lower it.
    pub api_version: Option<ApiVersion>,
    /// How long opening a connection may take; 10 seconds by default.
    pub connect_timeout: Duration,
    /// How long the engine may take to answer a ping, once it is connected; 2 seconds by default. No other request
    /// has a time-out: a pull, or a container that says nothing, may take for ever.
    /// An engine at the other end of `ssh` has no limit, for that has to log in first.
    pub ping_timeout: Duration,
    /// Headers for each request.
    pub headers: CustomHeaders,
    /// The environment variables that connections depend on; none by default. `PATH` is where `ssh` is looked for, which
    /// is given all of them, and `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say which engines at `tcp://` are reached
    /// through a proxy.
    pub environment: Vec<(OsString, OsString)>,
    /// The engine inside of this program, if there is one.
    pub embedded: Option<EmbeddedEngine>,
}

impl Default for ClientOptions {
    fn default() -> ClientOptions {
        ClientOptions {
            user_agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            api_version: None,
            connect_timeout: Duration::from_secs(10),
            ping_timeout: Duration::from_secs(2),
            headers: CustomHeaders::default(),
            environment: Vec::new(),
            embedded: None,
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment may have secrets in it, and is long.
        f.debug_struct("ClientOptions")
            .field("user_agent_version", &self.user_agent_version)
            .field("api_version", &self.api_version)
            .field("connect_timeout", &self.connect_timeout)
            .field("ping_timeout", &self.ping_timeout)
            .field("headers", &self.headers)
            .field("embedded", &self.embedded)
            .finish_non_exhaustive()
    }
}

/// A client of one engine: cheap to clone, and shared by as many threads as like.
///
/// Making one does no input or output. The first request asks the engine for its version (see [`Client::version`]).
///
/// ```no_run
/// use engine_client::{Client, ClientOptions, Endpoint, models::ContainerCreateBody};
///
/// let client = Client::new(Endpoint::default(), ClientOptions::default());
/// let body = ContainerCreateBody { image: Some("busybox".to_owned()), ..Default::default() };
/// let container = client.create_container(&Default::default(), &body.into())?;
/// client.start_container(&container.id)?;
/// # Ok::<(), engine_client::Error>(())
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    dialer: Arc<Dialer>,
    headers: Arc<CustomHeaders>,
    options: ClientOptions,
    http: Http,
    negotiated: OnceCell<Negotiated>,
}

/// What a ping told, and what follows from it.
struct Negotiated {
    version: ApiVersion,
    os_type: Option<String>,
    is_podman: bool,
    is_embedded: bool,
}

impl Client {
    /// A client of the engine at `endpoint`. Nothing is opened or sent yet.
    pub fn new(endpoint: Endpoint, mut options: ClientOptions) -> Client {
        // A header can not hold control characters, and this is no reason to fail.
        let version: String = options
            .user_agent_version
            .chars()
            .filter(char::is_ascii_graphic)
            .collect();
        let dialer = Arc::new(Dialer {
            endpoint,
            timeout: options.connect_timeout,
            user_agent: format!("Docker-Client/{version} ({})", std::env::consts::OS),
            environment: std::mem::take(&mut options.environment),
            embedded: options.embedded.clone(),
            tls: OnceCell::new(),
        });
        let headers = Arc::new(std::mem::take(&mut options.headers));
        let http = Http::new(Arc::clone(&dialer), Arc::clone(&headers));
        Client {
            inner: Arc::new(Inner {
                dialer,
                headers,
                options,
                http,
                negotiated: OnceCell::new(),
            }),
        }
    }

    /// Where the engine listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.dialer.endpoint
    }

    /// Asks whether the engine is there. Most callers want [`Client::version`], which asks only once.
    ///
    /// Engine API `HEAD /_ping`, and `GET /_ping` where that is not answered well; neither has a version in its path.
    ///
    /// # Errors
    /// [`ErrorKind::Timeout`] if the engine takes the connection and then says nothing for
    /// [`ClientOptions::ping_timeout`].
    pub fn ping(&self) -> Result<Ping, Error> {
        let ping = self.send_ping()?;
        self.remember(&ping);
        Ok(ping)
    }

    fn send_ping(&self) -> Result<Ping, Error> {
        let ping = |method| {
            let request = Request::new(method, "/_ping");
            match self.ping_timeout() {
                Some(timeout) => request.timeout(timeout),
                None => request,
            }
        };
        let head = ping("HEAD");
        let response = self.send_unversioned(&head)?;
        // An engine that is unhealthy answers 500, but it answers, and its headers are right.
        if matches!(response.status, 200 | 500) && response.header("Api-Version").is_some() {
            return Ping::read(&head, &response);
        }
        let get = ping("GET");
        let response = self.check(self.send_unversioned(&get)?, &get, None)?;
        let pong = Ping::read(&get, &response)?;
        // The body says OK, and is read so that the connection can serve once more.
        read_whole(response.body, LARGEST_PONG, &get.label())?;
        Ok(pong)
    }

    /// The API version that is spoken with this engine: the lowest of the engine's own,
    /// [`ClientOptions::api_version`] and [`ApiVersion::MAXIMUM`]. The engine is asked on the first call of any kind,
    /// once, however many threads call.
    ///
    /// An engine that does not tell its version is taken for one of [`ApiVersion::MINIMUM`].
    ///
    /// # Errors
    /// Those of [`Client::ping`], and [`ErrorKind::Version`] if the version is below [`ApiVersion::MINIMUM`].
    pub fn version(&self) -> Result<ApiVersion, Error> {
        self.negotiated().map(|negotiated| negotiated.version)
    }

    /// The operating system of the engine's containers, such as `linux`, as its answer to the first ping told it.
    pub fn os_type(&self) -> Result<Option<&str>, Error> {
        self.negotiated()
            .map(|negotiated| negotiated.os_type.as_deref())
    }

    /// Whether the engine is this project's own, as its answer to the first ping told: in this program, or at any endpoint
    /// that another one serves. It alone knows [`NewContainer::rootfs`](crate::NewContainer::rootfs).
    pub fn is_embedded(&self) -> Result<bool, Error> {
        self.negotiated().map(|negotiated| negotiated.is_embedded)
    }

    /// Whether the engine is Podman's Docker-compatible service, as its answer to the first ping told.
    pub(crate) fn is_podman(&self) -> Result<bool, Error> {
        self.negotiated().map(|negotiated| negotiated.is_podman)
    }

    fn negotiated(&self) -> Result<&Negotiated, Error> {
        self.inner
            .negotiated
            .get_or_try_init(|| self.agree(self.send_ping()?))
    }

    fn agree(&self, ping: Ping) -> Result<Negotiated, Error> {
        let version = negotiate(ping.api_version, self.inner.options.api_version)?;
        Ok(Negotiated {
            version,
            os_type: ping.os_type,
            is_podman: ping.is_podman,
            is_embedded: ping.is_embedded,
        })
    }

    /// Takes a ping's answer for the negotiation, if there was none yet.
    fn remember(&self, ping: &Ping) {
        if self.inner.negotiated.get().is_none() {
            // A version that can not be spoken is the next request's error, not the ping's.
            if let Ok(negotiated) = self.agree(ping.clone()) {
                // Another thread may have been faster, with the same answer.
                let _ = self.inner.negotiated.set(negotiated);
            }
        }
    }

    /// How long the answer to a ping may take.
    fn ping_timeout(&self) -> Option<Duration> {
        let is_ssh = matches!(self.endpoint().address(), Address::Ssh(_));
        (!is_ssh).then_some(self.inner.options.ping_timeout)
    }

    /// Sends a request without an API version and returns the answer, whatever its status is.
    fn send_unversioned(&self, request: &Request) -> Result<Response, Error> {
        self.inner.http.run(request, None)
    }

    /// Sends a request and returns its answer if that is a success.
    pub(crate) fn send(&self, request: &Request) -> Result<Response, Error> {
        self.send_on(&self.inner.http, request)
    }

    /// A pool of its own for one long request, so that shutting it down ends this request and no other.
    pub(crate) fn separate(&self) -> Http {
        let inner = &self.inner;
        Http::new(Arc::clone(&inner.dialer), Arc::clone(&inner.headers))
    }

    pub(crate) fn send_on(&self, http: &Http, request: &Request) -> Result<Response, Error> {
        let version = self.version()?;
        let response = http.run(request, Some(version))?;
        self.check(response, request, Some(version))
    }

    /// Sends a request whose body is whatever the reader has, and returns its answer if that is a success.
    pub(crate) fn upload_on(
        &self,
        http: &Http,
        request: &Request,
        body: &mut dyn Read,
    ) -> Result<Response, Error> {
        let version = self.version()?;
        let response = http.upload(request, body, Some(version))?;
        self.check(response, request, Some(version))
    }

    /// Sends a request whose answer says nothing beyond success.
    pub(crate) fn call(&self, request: &Request) -> Result<(), Error> {
        let response = self.send(request)?;
        // The body is read to its end so that the connection can serve once more.
        read_whole(response.body, LARGEST_ANSWER, &request.label()).map(drop)
    }

    /// Sends a request whose answer is one JSON value.
    pub(crate) fn call_json<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        let label = request.label();
        let body = read_whole(self.send(request)?.body, LARGEST_ANSWER, &label)?;
        serde_json::from_slice(&body)
            .map_err(|error| Error::protocol(&label, &error).with_source(error))
    }

    /// Sends a request that turns its connection, a fresh one, into a stream in both directions.
    pub(crate) fn upgrade(&self, request: &Request) -> Result<Hijacked, Error> {
        self.upgrade_and(request, || ())
            .map(|(hijacked, ())| hijacked)
    }

    /// As [`Client::upgrade`], with something else that is done while the engine has not answered yet.
    pub(crate) fn upgrade_and<T>(
        &self,
        request: &Request,
        meanwhile: impl FnOnce() -> T,
    ) -> Result<(Hijacked, T), Error> {
        let version = self.version()?;
        let inner = &self.inner;
        hijack::upgrade(&inner.dialer, request, version, &inner.headers, meanwhile)
    }

    /// Passes a success on and turns everything else into an error.
    pub(crate) fn check(
        &self,
        response: Response,
        request: &Request,
        version: Option<ApiVersion>,
    ) -> Result<Response, Error> {
        let status = response.status;
        match status {
            // 304 is how the engine says that a container is in the wanted state already.
            200..=299 | 304 => Ok(response),
            300..=399 => Err(Error::new(
                ErrorKind::Status(status),
                format!(
                    "{}: unexpected redirect in the answer: {}",
                    request.label(),
                    status_text(status)
                ),
            )),
            _ => {
                let body = read_whole(response.body, LARGEST_ERROR, &request.label())?;
                Err(self.status_error(status, &body, request, version))
            }
        }
    }

    fn status_error(
        &self,
        status: u16,
        body: &[u8],
        request: &Request,
        version: Option<ApiVersion>,
    ) -> Error {
        let endpoint = self.endpoint();
        match engine_message(body) {
            Some(message) if message.contains("HTTP request to an HTTPS server") => {
                Error::engine(status, message + endpoint.tls_hint())
            }
            Some(message) => Error::engine(status, message),
            None => {
                let path = request.versioned_path(endpoint.base_path(), version);
                let message = format!(
                    "request returned {} for API route and version {}://{}{path}, check if the server \
                     supports the requested API version",
                    status_text(status),
                    endpoint.scheme(),
                    endpoint.authority()
                );
                Error::new(ErrorKind::Status(status), message)
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", self.endpoint())
            .field("options", &self.inner.options)
            .field(
                "version",
                &self
                    .inner
                    .negotiated
                    .get()
                    .map(|negotiated| negotiated.version),
            )
            .finish()
    }
}
