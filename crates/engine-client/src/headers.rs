//! Custom request headers: `HttpHeaders` of `config.json`, or `DOCKER_CUSTOM_HEADERS`.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// The ones that belong to the connection, or say who asks.
const OURS: [&str; 9] = [
    "Connection",
    "Content-Length",
    "Expect",
    "Host",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "User-Agent",
];

/// Headers for each request; those of the request itself go before them.
///
/// Its `Debug` form shows no value, for it may be a token.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CustomHeaders {
    headers: Vec<(String, String)>,
}

impl CustomHeaders {
    /// Headers of these names and values. The ones that belong to the connection, such as `Host`, and `User-Agent` are
    /// left out. Of names that differ by their letters' case alone the last counts.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] for a name or a value that can be none in HTTP; the value is not shown.
    pub fn new<N: Into<String>, V: Into<String>>(
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Result<CustomHeaders, Error> {
        let mut kept: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let (name, value) = (name.into(), value.into());
            if name.is_empty() || !name.bytes().all(is_token) {
                let message = format!("{name:?} is no name of a header");
                return Err(Error::new(ErrorKind::Input, message));
            }
            if value
                .bytes()
                .any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f)
            {
                let message = format!("the value of header {name:?} has a control character");
                return Err(Error::new(ErrorKind::Input, message));
            }
            if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(&name)) {
                continue;
            }
            kept.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
            kept.push((name, value.trim().to_owned()));
        }
        Ok(CustomHeaders { headers: kept })
    }

    /// Those that `own`, the headers of a request, have not.
    pub(crate) fn beside<'a>(
        &'a self,
        own: &'a [(&'static str, String)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let is_new = |name: &str| {
            !own.iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        self.headers
            .iter()
            .filter(move |(name, _)| is_new(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

impl fmt::Debug for CustomHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.headers.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_s_own_headers_go_first_and_ours_stay() {
        let headers = CustomHeaders::new([
            ("X-One", "1"),
            ("x-one", " 2 "),
            ("USER-AGENT", "me"),
            ("host", "elsewhere"),
            ("X-Registry-Auth", "mine"),
        ])
        .expect("headers");
        let own = [("X-Registry-Auth", "theirs".to_owned())];
        let rest: Vec<_> = headers.beside(&own).collect();
        assert_eq!(rest, [("x-one", "2")]);
        assert!(!format!("{headers:?}").contains("mine"));
    }

    #[test]
    fn what_would_be_another_request_is_refused() {
        for (name, value) in [("", "x"), ("a b", "x"), ("a:", "x"), ("A", "x\r\nB: y")] {
            let error = CustomHeaders::new([(name, value)]).expect_err(name);
            assert_eq!(error.kind(), ErrorKind::Input);
            assert!(!error.to_string().contains('y'));
        }
    }
}
