//! HTTP proxies to an engine, chosen by the environment variables as Go programs read them.
//!
//! Only requests over TCP go through one. A hijacked stream does not, nor does Docker's: few proxies keep a connection
//! that says nothing for an hour.

mod exceptions;
mod tunnel;

use std::ffi::OsString;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::percent_decode_str;

use crate::endpoint::host_and_port;
use crate::error::{Error, ErrorKind};
use crate::helper_process::variable;
use crate::redacted::is_scheme;

pub(crate) use tunnel::open as open_tunnel;

/// A proxy. Neither its text nor its `Debug` form shows the password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    /// Whether the proxy itself is spoken to in TLS.
    pub(crate) tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The value of `Proxy-Authorization`.
    pub(crate) authorization: Option<String>,
}

impl Proxy {
    /// The proxy that these variables name for requests to this host: of `HTTPS_PROXY` if they are in TLS, else of
    /// `HTTP_PROXY`, unless `NO_PROXY` has an exception for it. Each may be in lower case too, which counts if the other
    /// is not set or empty. This machine itself is never reached through a proxy.
    pub(crate) fn of(
        environment: &[(OsString, OsString)],
        tls: bool,
        host: &str,
        port: u16,
    ) -> Result<Option<Proxy>, Error> {
        let either = |names: [&'static str; 2]| {
            let text = |name| {
                let value = variable(environment, name).to_str()?;
                (!value.is_empty()).then(|| (name, value.to_owned()))
            };
            names.into_iter().find_map(text)
        };
        let found = either(match tls {
            true => ["HTTPS_PROXY", "https_proxy"],
            false => ["HTTP_PROXY", "http_proxy"],
        });
        let Some((name, value)) = found else {
            return Ok(None);
        };
        let exceptions = either(["NO_PROXY", "no_proxy"]).map(|(_, value)| value);
        if exceptions::has(exceptions.as_deref().unwrap_or_default(), host, port) {
            return Ok(None);
        }
        // A server that runs programs for requests puts the client's own `Proxy` header into this variable.
        if name == "HTTP_PROXY" && !variable(environment, "REQUEST_METHOD").is_empty() {
            return Err(Error::new(
                ErrorKind::Connect,
                "refusing to use HTTP_PROXY value in CGI environment; see golang.org/s/cgihttpproxy",
            ));
        }
        parse(&value).map(Some).map_err(|what| {
            // The value may have a password in it.
            let message = format!("{name} names no proxy: {what}");
            Error::new(ErrorKind::Connect, message)
        })
    }
}

fn parse(text: &str) -> Result<Proxy, String> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        // A password may have the separator in it, too.
        scheme if !is_scheme(scheme) => {
            return Err("only http:// and https:// are supported".to_owned());
        }
        scheme => {
            return Err(format!(
                "{scheme}:// is not supported, only http:// and https:// are"
            ));
        }
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (user, authority) = match authority.rsplit_once('@') {
        Some((user, authority)) => (Some(user), authority),
        None => (None, authority),
    };
    let default = if tls { 443 } else { 80 };
    let (host, port) = split_port(authority, default).ok_or("it has no host, or a wrong port")?;
    let authorization = user.map(|user| {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let mut credentials: Vec<u8> = percent_decode_str(name).collect();
        credentials.push(b':');
        credentials.extend(percent_decode_str(password));
        format!("Basic {}", BASE64_STANDARD.encode(credentials))
    });
    Ok(Proxy {
        tls,
        host: host.to_owned(),
        port,
        authorization,
    })
}

/// `HOST[:PORT]` or `[V6][:PORT]` in two.
fn split_port(text: &str, default: u16) -> Option<(&str, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (
                host,
                port.strip_prefix(':').or(port.is_empty().then_some(""))?,
            )
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let legal = |byte: u8| byte.is_ascii_graphic();
    if host.is_empty() || !host.bytes().all(legal) {
        return None;
    }
    match port {
        "" => Some((host, default)),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((host, digits.parse().ok()?))
        }
        _ => None,
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", host_and_port(&self.host, self.port))
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], tls: bool) -> Option<String> {
        let variables: Vec<(OsString, OsString)> = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Proxy::of(&variables, tls, "engine.example", 2375)
            .expect("a proxy or none")
            .map(|proxy| proxy.to_string())
    }

    #[test]
    fn each_scheme_has_its_variable_in_two_spellings() {
        let http = [("HTTP_PROXY", "p:3128")];
        assert_eq!(of(&http, false).as_deref(), Some("http://p:3128"));
        assert_eq!(of(&http, true), None);
        let https = [("https_proxy", "http://p:1"), ("HTTPS_PROXY", "")];
        assert_eq!(of(&https, true).as_deref(), Some("http://p:1"));
        assert_eq!(of(&https, false), None);
        let both = [("http_proxy", "lower"), ("HTTP_PROXY", "upper")];
        assert_eq!(of(&both, false).as_deref(), Some("http://upper:80"));
        let except = [("HTTP_PROXY", "p"), ("no_proxy", "example")];
        assert_eq!(of(&except, false), None);
        assert_eq!(of(&[("ALL_PROXY", "p")], false), None);
    }

    #[test]
    fn proxies_read() {
        for (text, expected, authorization) in [
            ("proxy", "http://proxy:80", None),
            ("http://proxy:3128/", "http://proxy:3128", None),
            ("https://[::1]", "https://[::1]:443", None),
            (
                "HTTP://u:p%40@proxy",
                "http://proxy:80",
                Some("Basic dTpwQA=="),
            ),
            ("u@proxy:1", "http://proxy:1", Some("Basic dTo=")),
        ] {
            let proxy = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(proxy.to_string(), expected);
            assert_eq!(proxy.authorization.as_deref(), authorization);
            assert!(!format!("{proxy:?}").contains("p%40"));
        }
        for text in ["socks5://p", "http://", "p:x", "p:99999", "[::1", "a b"] {
            parse(text).expect_err(text);
        }
        let error = parse("user:pass://word@proxy").expect_err("no scheme");
        assert_eq!(error, "only http:// and https:// are supported");
    }

    #[test]
    fn a_proxy_that_a_request_may_have_named_is_refused() {
        let variables = [("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET")]
            .map(|(name, value)| (name.into(), value.into()));
        Proxy::of(&variables, false, "h", 1).expect_err("a CGI program");
        let other = Proxy::of(&variables, true, "h", 1).expect("another variable");
        assert_eq!(other, None);
    }
}
