//! Words TLS failures so that they say what is wrong.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::{AlertDescription, CertificateError};

use crate::connection::Carrier;
use crate::error::{Error, ErrorKind, os_text};

/// Where the thread that pumps a session leaves the reason of its end. Whoever reads the stream takes it, once.
#[derive(Clone, Debug, Default)]
pub(crate) struct TlsFailure {
    error: Arc<Mutex<Option<Error>>>,
}

impl TlsFailure {
    pub(crate) fn set(&self, error: Error) {
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

impl Carrier for TlsFailure {
    fn failure(&self) -> Option<Error> {
        self.error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// The error of a session with `peer`, such as `tcp://10.0.0.7:2376`.
pub(crate) fn broken(peer: &str, error: rustls::Error) -> Error {
    let what = words(&error);
    Error::new(
        ErrorKind::Connect,
        format!("failed to connect to the docker API at {peer}: {what}"),
    )
    .with_source(error)
}

/// The error of the connection below a session with `peer`.
pub(crate) fn lost(peer: &str, error: io::Error) -> Error {
    // A proxy that is spoken to in TLS has words of its own.
    error.downcast::<Error>().unwrap_or_else(|error| {
        let message = format!("the connection to {peer} was lost: {}", os_text(&error));
        Error::new(ErrorKind::Closed, message).with_source(error)
    })
}

/// What is wrong, in the words of Docker's client where it has some.
fn words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => format!(
            "tls: failed to verify certificate: x509: {}",
            certificate(reason)
        ),
        rustls::Error::AlertReceived(alert) => {
            let name = alert_name(*alert);
            match alert {
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::UnknownCA
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::AccessDenied => format!(
                    "the server probably has client authentication (--tlsverify) enabled; check your TLS client \
                     certification settings: remote error: tls: {name}"
                ),
                _ => format!("remote error: tls: {name}"),
            }
        }
        rustls::Error::InvalidMessage(_) => {
            "http: server gave HTTP response to HTTPS client; are you trying to connect with TLS to a daemon without TLS?"
                .to_owned()
        }
        error => format!("tls: {error}"),
    }
}

fn certificate(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => "certificate signed by unknown authority".to_owned(),
        CertificateError::NotValidForName => "certificate is valid for another name".to_owned(),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let names: Vec<&str> = presented.iter().map(|name| name_of(name)).collect();
            let expected = expected.to_str();
            if names.is_empty() {
                format!("certificate is not valid for any names, but wanted to match {expected}")
            } else {
                let names = names.join(", ");
                format!("certificate is valid for {names}, not {expected}")
            }
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            format!("certificate has expired or is not yet valid: {reason}")
        }
        reason => reason.to_string(),
    }
}

/// `10.0.0.7` for rustls's `IpAddress(10.0.0.7)`.
fn name_of(name: &str) -> &str {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"')
}

/// `bad certificate` for `BadCertificate`.
fn alert_name(alert: AlertDescription) -> String {
    let name = format!("{alert:?}");
    let mut words = String::new();
    let mut last_is_lower = false;
    for letter in name.chars() {
        if letter.is_uppercase() && last_is_lower {
            words.push(' ');
        }
        last_is_lower = letter.is_lowercase();
        words.extend(letter.to_lowercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_are_words() {
        let name = alert_name(AlertDescription::CertificateRequired);
        assert_eq!(name, "certificate required");
        assert_eq!(alert_name(AlertDescription::UnknownCA), "unknown ca");
    }

    #[test]
    fn a_name_is_shown_without_its_kind() {
        assert_eq!(name_of("IpAddress(10.0.0.7)"), "10.0.0.7");
        assert_eq!(name_of("DnsName(\"a.b\")"), "a.b");
        assert_eq!(name_of("other"), "other");
    }

    #[test]
    fn a_failure_is_told_once() {
        let failure = TlsFailure::default();
        assert!(failure.failure().is_none());
        failure
            .clone()
            .set(lost("tcp://x:1", io::Error::from_raw_os_error(104)));
        let error = failure.failure().expect("an error");
        assert_eq!(
            error.to_string(),
            "the connection to tcp://x:1 was lost: connection reset by peer"
        );
        assert!(failure.failure().is_none());
    }
}
