//! HTTP to registries: the one module of images that knows ureq.
//!
//! TLS is checked against the authorities that this machine trusts. Without TLS nothing is spoken to but this machine
//! itself, whatever a redirection says, and no redirection takes the user's credentials to another host.

use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::crypto::ring;
use ureq::http;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Proxy};

use super::proxy;
use crate::error::os_text;
use crate::{Error, Result};

/// How long anything but the content of an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection may be silent while content comes.
const SILENCE: Duration = Duration::from_secs(60);
const MOST_REDIRECTIONS: usize = 10;
/// More than the connections that are kept to one host.
const MOST_TRIES: usize = 5;

/// Connections, which are kept for the next request.
#[derive(Debug, Default)]
pub(super) struct Http {
    plain: OnceLock<Agent>,
    /// In TLS to this machine, through no proxy.
    near: OnceLock<Agent>,
    far: OnceLock<Agent>,
    /// In TLS to the registry that nothing is checked of.
    unchecked: OnceLock<Agent>,
    /// Host and port of that registry.
    lenient: Option<String>,
}

/// An answer whose head is there.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: http::HeaderMap,
    body: ureq::BodyReader<'static>,
    address: String,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) address: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// For the host of the address alone.
    pub(super) authorization: Option<&'a str>,
    /// A form to post; without one it is a GET.
    pub(super) form: Option<&'a str>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// What is there does not speak HTTP without TLS.
    NotHttp(Error),
    /// There is no connection, and there may be one the next time.
    Connection(Error),
    /// There was one, and it ended.
    Disconnected(Error),
    /// It makes no sense to ask again.
    Other(Error),
}

impl Http {
    /// Connections that may be in plain HTTP to one server, and in TLS with any certificate.
    pub(super) fn lenient(authority: &str) -> Http {
        Http {
            lenient: Some(authority.to_owned()),
            ..Http::default()
        }
    }

    /// Asks, and follows redirections.
    pub(super) fn ask(&self, question: Question<'_>) -> std::result::Result<Answer, Failure> {
        let mut address = question.address.to_owned();
        for _ in 0..MOST_REDIRECTIONS {
            let is_same = origin(&address) == origin(question.address);
            let answer = self.ask_once(&Question {
                address: &address,
                authorization: question.authorization.filter(|_| is_same),
                ..question
            })?;
            let is_redirection = matches!(answer.status, 301 | 302 | 303 | 307 | 308);
            let Some(location) = answer.header("Location").filter(|_| is_redirection) else {
                return Ok(answer);
            };
            let next = resolve(&address, location).ok_or_else(|| {
                Failure::Other(Error::system(format!(
                    "Get \"{address}\": it leads to {location:?}, which is no address"
                )))
            })?;
            if address.starts_with("https:") && !next.starts_with("https:") {
                return Err(Failure::Other(Error::system(format!(
                    "Get \"{address}\": it leads to {next:?}, which is without TLS"
                ))));
            }
            address = next;
        }
        Err(Failure::Other(Error::system(format!(
            "Get \"{}\": stopped after {MOST_REDIRECTIONS} redirects",
            question.address
        ))))
    }

    /// Asks without following redirections. A connection that was kept may have been closed at the other end in the
    /// meantime, which is noticed when it is used, so that is no failure yet.
    fn ask_once(&self, question: &Question<'_>) -> std::result::Result<Answer, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once(question) {
                Err(Failure::Disconnected(_)) if tries < MOST_TRIES => {}
                answer => return answer,
            }
        }
    }

    fn try_once(&self, question: &Question<'_>) -> std::result::Result<Answer, Failure> {
        let address = question.address;
        let host = host(address).unwrap_or_default();
        let is_lenient = self.lenient.is_some() && self.lenient.as_deref() == authority(address);
        let agent = match (address.starts_with("https://"), is_loopback(host)) {
            (true, _) if is_lenient => match self.unchecked.get() {
                Some(agent) => agent,
                None => {
                    let proxy = match is_loopback(host) {
                        true => None,
                        false => proxy::of_environment().map_err(Failure::Other)?,
                    };
                    self.unchecked.get_or_init(|| agent(Tls::Unchecked, proxy))
                }
            },
            (false, _) if is_lenient => self.plain.get_or_init(|| agent(Tls::None, None)),
            (true, true) => self.near.get_or_init(|| agent(Tls::Checked, None)),
            (true, false) => match self.far.get() {
                Some(agent) => agent,
                None => {
                    let proxy = proxy::of_environment().map_err(Failure::Other)?;
                    self.far.get_or_init(|| agent(Tls::Checked, proxy))
                }
            },
            (false, true) => self.plain.get_or_init(|| agent(Tls::None, None)),
            (false, false) => {
                return Err(Failure::Other(Error::system(format!(
                    "Get \"{address}\": registries are spoken to in TLS, but for those on this machine itself and what engine.json has as \
                     insecure-registries"
                ))));
            }
        };
        let (method, body) = match question.form {
            Some(form) => ("POST", form),
            None => ("GET", ""),
        };
        let mut request = http::Request::builder().method(method).uri(address);
        for (name, value) in question.headers {
            request = request.header(*name, *value);
        }
        if let Some(authorization) = question.authorization {
            request = request.header("Authorization", authorization);
        }
        let sent = match question.form {
            Some(_) => request
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(body)
                .map_err(ureq::Error::from)
                .and_then(|request| agent.run(request)),
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|request| agent.run(request)),
        };
        let label = format!(
            "{}{} \"{address}\"",
            &method[..1],
            method[1..].to_ascii_lowercase()
        );
        let (head, body) = sent.map_err(|error| failure(&label, error))?.into_parts();
        log::debug!(target: "engine::image", "{label}: {}", head.status);
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.into_reader(),
            address: address.to_owned(),
        })
    }

    /// Ends all connections: what waits for them in other threads fails.
    pub(super) fn shut_down(&self) {
        for agent in [&self.plain, &self.near, &self.far, &self.unchecked] {
            if let Some(agent) = agent.get() {
                agent.clone().shutdown();
            }
        }
    }
}

impl Answer {
    /// The value of a header that is there and is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// All values of a header.
    pub(super) fn headers<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers
            .get_all(name)
            .into_iter()
            .filter_map(|value| value.to_str().ok())
    }

    /// Where it came from in the end.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The whole content, if it is no longer than that.
    pub(super) fn content(self, limit: u64) -> Result<Vec<u8>> {
        let address = self.address;
        let mut content = Vec::new();
        self.body
            .take(limit + 1)
            .read_to_end(&mut content)
            .map_err(|error| Error::io(format_args!("Get \"{address}\""), error))?;
        if content.len() as u64 > limit {
            return Err(Error::system(format!(
                "Get \"{address}\": the answer is longer than {limit} bytes"
            )));
        }
        Ok(content)
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

/// `registry.example:5000` of `https://registry.example:5000/v2/`.
fn authority(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    // What stands before an `@` are credentials of somebody's making.
    (!authority.is_empty() && !authority.contains('@')).then_some(authority)
}

pub(super) fn host(address: &str) -> Option<&str> {
    let authority = authority(address)?;
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    }
}

fn origin(address: &str) -> Option<(&str, &str)> {
    let (scheme, _) = address.split_once("://")?;
    Some((scheme, authority(address)?))
}

/// The address that a `Location` of an answer from that address means.
fn resolve(base: &str, location: &str) -> Option<String> {
    let (scheme, _) = base.split_once("://")?;
    let next = if location.contains("://") && !location.starts_with('/') {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{}{location}", authority(base)?)
    } else {
        return None;
    };
    authority(&next).map(|_| next.clone())
}

/// Whether a host is this machine itself: only there is plain HTTP as good as anything.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

/// How connections are secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    None,
    Checked,
    /// Whoever is there is believed.
    Unchecked,
}

fn agent(tls: Tls, proxy: Option<Proxy>) -> Agent {
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("tool/", env!("CARGO_PKG_VERSION")))
        .https_only(tls != Tls::None)
        .timeout_resolve(Some(PATIENCE))
        .timeout_connect(Some(PATIENCE))
        .timeout_send_request(Some(PATIENCE))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .proxy(proxy);
    if tls != Tls::None {
        let certificates = rustls_native_certs::load_native_certs();
        for error in &certificates.errors {
            log::debug!(target: "engine::image", "certificates of authorities: {error}");
        }
        let certificates = certificates
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .disable_verification(tls == Tls::Unchecked)
            .root_certs(RootCerts::Specific(Arc::new(certificates)))
            .build();
        config = config.tls_config(tls);
    }
    config.build().new_agent()
}

fn failure(label: &str, error: ureq::Error) -> Failure {
    let said = |text: &dyn std::fmt::Display| Error::system(format!("{label}: {text}"));
    match error {
        ureq::Error::Io(error) => {
            // What lies below an error of TLS says more than "invalid data".
            let text = match error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
            {
                Some(rustls) => format!("tls: {rustls}"),
                None => os_text(&error),
            };
            let kind = error.kind();
            let error = said(&text).with_source(error);
            match kind {
                // What is there does not speak TLS, or not to us.
                io::ErrorKind::InvalidData => Failure::Other(error),
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => Failure::Disconnected(error),
                _ => Failure::Connection(error),
            }
        }
        ureq::Error::Rustls(error) => Failure::Other(said(&format_args!("tls: {error}"))),
        ureq::Error::Protocol(error) => Failure::NotHttp(said(&error)),
        ureq::Error::HostNotFound => Failure::Connection(said(&"no such host")),
        ureq::Error::Timeout(timeout) => {
            Failure::Connection(said(&format_args!("no answer in time ({timeout})")))
        }
        error @ (ureq::Error::ConnectionFailed | ureq::Error::BodyStalled) => {
            Failure::Connection(said(&error))
        }
        error => Failure::Other(said(&error)),
    }
}

impl Failure {
    /// The error, whatever may be done about it.
    pub(super) fn into_error(self) -> Error {
        match self {
            Failure::NotHttp(error)
            | Failure::Connection(error)
            | Failure::Disconnected(error)
            | Failure::Other(error) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_relative_or_not() {
        for (base, location, expected) in [
            ("https://a:1/v2/x", "/y?z", Some("https://a:1/y?z")),
            ("https://a/v2/x", "//b/y", Some("https://b/y")),
            ("https://a/v2/x", "https://c:2/y", Some("https://c:2/y")),
            ("https://a/v2/x", "y", None),
            ("https://a/v2/x", "", None),
            ("https://a/v2/x", "https://", None),
            ("https://a/v2/x", "https://user@c/", None),
        ] {
            assert_eq!(resolve(base, location).as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (host, expected) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.9.8.7", true),
            ("[::1]", true),
            ("::ffff:127.0.0.1", true),
            ("10.0.0.1", false),
            ("localhost.example", false),
            ("127.0.0.1.example", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
        let question = Question {
            address: "http://registry.example/v2/",
            headers: &[],
            authorization: None,
            form: None,
        };
        let error = Http::default()
            .ask(question)
            .err()
            .expect("refused")
            .into_error();
        assert!(error.to_string().contains("in TLS"), "{error}");
    }

    #[test]
    fn hosts_are_found_in_addresses() {
        for (address, expected) in [
            ("https://a.b:5/c", Some("a.b")),
            ("http://[::1]:5000/v2/", Some("::1")),
            ("http://localhost?x", Some("localhost")),
            ("http://localhost@evil/", None),
            ("nothing", None),
        ] {
            assert_eq!(host(address), expected, "{address}");
        }
    }
}
