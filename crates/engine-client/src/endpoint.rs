//! Engine endpoints, as `-H` and `DOCKER_HOST` spell them.
//!
//! Parsing looks at the text only; whether something listens there is the dialer's business.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};
use crate::redacted::redacted;
use crate::ssh::{self, SshAddress};
use crate::tls::Tls;

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
const DEFAULT_HOST: &str = "localhost";
const DEFAULT_PORT: u16 = 2375;
/// `sun_path` has 108 bytes (unix(7)), the last of which is the terminating null.
const LONGEST_SOCKET_PATH: usize = 107;

/// Where an engine listens.
///
/// The text is one of:
/// - `unix://PATH`: a unix socket. The empty text is the default one, `unix:///var/run/docker.sock`.
/// - `tcp://HOST[:PORT][/PATH]` or a bare `HOST[:PORT]`: a TCP port, `localhost` and 2375 by default.
/// - `ssh://[USER@]HOST[:PORT][/SOCKET]`: an engine on another machine, through `ssh`.
/// - `embedded://[/DIRECTORY]`: the engine inside of this program, with its state in this directory.
///
/// TLS is no part of the text: see [`Endpoint::with_tls`].
///
/// ```
/// use engine_client::Endpoint;
/// let endpoint: Endpoint = "10.0.0.7".parse()?;
/// assert_eq!(endpoint.to_string(), "tcp://10.0.0.7:2375");
/// # Ok::<(), engine_client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    address: Address,
    tls: Option<Arc<Tls>>,
}

/// The address of an [`Endpoint`], by kind.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A unix socket.
    Unix(PathBuf),
    /// A TCP port.
    Tcp {
        /// A name or an IP address; an IPv6 address has no brackets here.
        host: String,
        /// The port, never 0.
        port: u16,
        /// What goes before each API path: empty, or `/` and more, without a slash at its end.
        path: String,
    },
    /// Another machine, through `ssh`.
    Ssh(SshAddress),
    /// The engine inside of this program (see [`EmbeddedEngine`](crate::EmbeddedEngine)), with the directory of its
    /// state unless that is the default one.
    Embedded(Option<PathBuf>),
}

impl Endpoint {
    /// The endpoint of a unix socket. Fails if the path is empty, has a null byte, or is longer than a socket's
    /// address may be (107 bytes).
    pub fn unix(path: impl Into<PathBuf>) -> Result<Endpoint, Error> {
        let path = path.into();
        let bytes = path.as_os_str().as_encoded_bytes();
        if bytes.len() > LONGEST_SOCKET_PATH {
            let message = format!("unix socket path \"{}\" is too long", path.display());
            return Err(Error::new(ErrorKind::Input, message));
        }
        if bytes.is_empty() || bytes.contains(&0) {
            return Err(invalid(&format!("unix://{}", path.display())));
        }
        Ok(Address::Unix(path).into())
    }

    /// The same endpoint, spoken to in TLS. Only TCP is: every other kind of connection ignores this, as Docker's
    /// client does.
    pub fn with_tls(self, tls: Tls) -> Endpoint {
        let is_tcp = matches!(self.address, Address::Tcp { .. });
        Endpoint {
            tls: is_tcp.then(|| Arc::new(tls)),
            ..self
        }
    }

    /// How connections are secured, if they are.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// What an error adds when something answers that does not speak HTTP: it may speak TLS.
    pub(crate) fn tls_hint(&self) -> &'static str {
        // Nothing but TCP can have TLS, whatever answers there.
        match self.address() {
            Address::Tcp { .. } if self.tls().is_none() => {
                "; are you trying to connect to a TLS-enabled daemon without TLS?"
            }
            _ => "",
        }
    }

    /// The address, by kind.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The path of the socket, if this is a unix socket.
    pub fn socket_path(&self) -> Option<&Path> {
        match &self.address {
            Address::Unix(path) => Some(path),
            _ => None,
        }
    }

    /// What stands in the `Host` header. A socket has no host, and this is the name that Docker gives it.
    pub(crate) fn authority(&self) -> String {
        match &self.address {
            Address::Unix(_) | Address::Embedded(_) => "api.moby.localhost".to_owned(),
            Address::Ssh(_) => "docker.example.com".to_owned(),
            Address::Tcp { host, port, .. } => host_and_port(host, *port),
        }
    }

    /// What goes before each API path.
    pub(crate) fn base_path(&self) -> &str {
        match &self.address {
            Address::Tcp { path, .. } => path,
            _ => "",
        }
    }

    /// The scheme of requests, for messages and proxies.
    pub(crate) fn scheme(&self) -> &'static str {
        match self.tls {
            Some(_) => "https",
            None => "http",
        }
    }
}

impl Default for Endpoint {
    /// `unix:///var/run/docker.sock`
    fn default() -> Endpoint {
        Address::Unix(PathBuf::from(DEFAULT_SOCKET)).into()
    }
}

impl From<Address> for Endpoint {
    fn from(address: Address) -> Endpoint {
        Endpoint { address, tls: None }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Unix(path) => write!(f, "unix://{}", path.display()),
            Address::Tcp { host, port, path } => {
                write!(f, "tcp://{}{path}", host_and_port(host, *port))
            }
            Address::Ssh(address) => address.fmt(f),
            Address::Embedded(state) => {
                let state = state.as_deref().unwrap_or(Path::new(""));
                write!(f, "embedded://{}", state.display())
            }
        }
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Endpoint, Error> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Endpoint::default());
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        match scheme {
            "unix" if rest.is_empty() => Ok(Endpoint::default()),
            "unix" | "tcp" if rest.contains("://") => {
                let rest = redacted(rest);
                Err(Error::new(
                    ErrorKind::Input,
                    format!("invalid proto, expected {scheme}: {rest}"),
                ))
            }
            "unix" => Endpoint::unix(rest),
            "tcp" => tcp(rest).ok_or_else(|| invalid(text)),
            "ssh" => match ssh::parse(rest) {
                Ok(address) => Ok(Address::Ssh(address).into()),
                Err(what) => Err(Error::new(
                    ErrorKind::Input,
                    format!("ssh host connection is not valid: invalid SSH URL: {what}"),
                )),
            },
            "embedded" if rest.is_empty() => Ok(Address::Embedded(None).into()),
            "embedded" if rest.starts_with('/') && !rest.contains('\0') => {
                Ok(Address::Embedded(Some(PathBuf::from(rest))).into())
            }
            "npipe" | "fd" => Err(Error::new(
                ErrorKind::Input,
                format!(
                    "unsupported bind address {}: {scheme}:// endpoints are not supported",
                    redacted(text)
                ),
            )),
            _ => Err(invalid(text)),
        }
    }
}

fn invalid(text: &str) -> Error {
    Error::new(
        ErrorKind::Input,
        format!("invalid bind address format: {}", redacted(text)),
    )
}

pub(crate) fn host_and_port(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Reads `[HOST][:PORT][/PATH]`.
fn tcp(text: &str) -> Option<Endpoint> {
    let (authority, path) = match text.find('/') {
        Some(slash) => text.split_at(slash),
        None => (text, ""),
    };
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (
                host,
                port.strip_prefix(':').or(port.is_empty().then_some(""))?,
            )
        }
        None => {
            let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
            let legal =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            host.bytes().all(legal).then_some((host, port))?
        }
    };
    let port = match port {
        "" => DEFAULT_PORT,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|&port: &u16| port != 0)?
        }
        _ => return None,
    };
    // Anything else would change the request that the path is put before.
    let legal =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~');
    let address = Address::Tcp {
        host: if host.is_empty() { DEFAULT_HOST } else { host }.to_owned(),
        port,
        path: path.trim_end_matches('/').to_owned(),
    };
    path.bytes().all(legal).then(|| address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_read_and_print() {
        let cases = [
            ("", "unix:///var/run/docker.sock"),
            ("  ", "unix:///var/run/docker.sock"),
            ("unix://", "unix:///var/run/docker.sock"),
            ("unix:///run/x.sock", "unix:///run/x.sock"),
            ("unix://x.sock", "unix://x.sock"),
            ("tcp://", "tcp://localhost:2375"),
            ("tcp://host", "tcp://host:2375"),
            ("tcp://host:", "tcp://host:2375"),
            ("tcp://:1234", "tcp://localhost:1234"),
            (":1234", "tcp://localhost:1234"),
            ("host:1234", "tcp://host:1234"),
            ("host", "tcp://host:2375"),
            ("tcp://10.0.0.1:80/base/", "tcp://10.0.0.1:80/base"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
            ("[::1]:80/a/b", "tcp://[::1]:80/a/b"),
            (" tcp://host:1 ", "tcp://host:1"),
            ("ssh://host", "ssh://host"),
            ("ssh://me@host:22/run/x", "ssh://me@host:22/run/x"),
            ("ssh://[::1]:22", "ssh://[::1]:22"),
            ("embedded://", "embedded://"),
            ("embedded:///srv/engine", "embedded:///srv/engine"),
        ];
        for (text, expected) in cases {
            let endpoint: Endpoint = text
                .parse()
                .unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(endpoint.to_string(), expected, "{text}");
            assert_eq!(
                expected
                    .parse::<Endpoint>()
                    .expect("what is printed is read"),
                endpoint
            );
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        let cases = [
            "foo://bar",
            "tcp://a:b",
            "tcp://a:1:2",
            "tcp://::1",
            "tcp://a:70000",
            "tcp://a:0",
            "tcp://host?x",
            "tcp://host/a?b",
            "tcp://host/a b",
            "tcp://[::1",
            "tcp://[::1]x",
            "tcp://[foo]:1",
            "tcp://a b",
            "tcp://a:+1",
            "http://x",
            "tcp://h\u{f6}st",
            "tcp://host/%2e%2e",
            "embedded://relative",
        ];
        for text in cases {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("invalid bind address format: {text}")
            );
            assert_eq!(error.kind(), ErrorKind::Input);
        }
    }

    #[test]
    fn an_address_of_one_scheme_behind_another_is_refused() {
        for (text, expected) in [
            ("tcp://unix:///x", "tcp: unix:///x"),
            ("tcp://tcp://h:1", "tcp: tcp://h:1"),
            ("unix://tcp://h", "unix: tcp://h"),
            ("tcp://http://u:p@h", "tcp: http://xxxxx@h"),
        ] {
            let error = text.parse::<Endpoint>().expect_err(text);
            let expected = format!("invalid proto, expected {expected}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn no_error_shows_a_password() {
        for text in [
            "tcp://user:sesame@host",
            "user:sesame@host:1",
            "sesame@host",
            "user:sesame://sesame@host",
            "tcp://unix://user:sesame@host",
            "foo://user:sesame@a@host/x",
            "npipe://user:sesame@host",
            "ssh://user:sesame@host",
            "ssh://user:sesame#x@host",
            "ssh://user:x?sesame@host",
            "ssh://user:sesame/@host",
            "ssh://[user:sesame@host",
            "ssh://user%zz:sesame@host",
        ] {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
        let error = "tcp://me:sesame@host:1/x"
            .parse::<Endpoint>()
            .expect_err("a user");
        assert_eq!(
            error.to_string(),
            "invalid bind address format: tcp://xxxxx@host:1/x"
        );
    }

    #[test]
    fn a_scheme_of_docker_that_is_not_built_is_named() {
        for (scheme, text) in [("npipe", "npipe:////./pipe/x"), ("fd", "fd://x")] {
            let error = text.parse::<Endpoint>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("unsupported bind address {text}: {scheme}:// endpoints are not supported")
            );
        }
    }

    #[test]
    fn an_address_of_ssh_says_what_is_wrong_with_it() {
        let error = "ssh://u:p@h".parse::<Endpoint>().expect_err("a password");
        assert_eq!(
            error.to_string(),
            "ssh host connection is not valid: invalid SSH URL: plain-text password is not supported"
        );
        assert_eq!(error.kind(), ErrorKind::Input);
    }

    #[test]
    fn a_socket_path_has_a_greatest_length() {
        let path = format!("/{}", "x".repeat(106));
        assert!(Endpoint::unix(&path).is_ok());
        let text = format!("unix://{path}x");
        let error = text.parse::<Endpoint>().expect_err("108 bytes");
        assert_eq!(
            error.to_string(),
            format!("unix socket path \"{path}x\" is too long")
        );
        assert!(Endpoint::unix("/a\0b").is_err());
        assert!(Endpoint::unix("").is_err());
    }

    #[test]
    fn the_host_header_of_a_socket_is_dockers() {
        assert_eq!(Endpoint::default().authority(), "api.moby.localhost");
        assert_eq!(
            "[::1]"
                .parse::<Endpoint>()
                .expect("an endpoint")
                .authority(),
            "[::1]:2375"
        );
    }
}
