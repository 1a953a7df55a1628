//! What a client says of its user, for a registry: the header `X-Registry-Auth`.

use std::fmt;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, prelude::BASE64_STANDARD};
use serde::Deserialize;

use crate::{Error, Result};

/// Takes padding and its lack: both are sent.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// A user of a registry; nobody, if all is empty.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password, or an access token in its place.
    pub password: String,
    /// Name and password once more, as base64 of `NAME:PASSWORD`, for who left them out.
    auth: String,
    /// A token that is exchanged for others, instead of name and password.
    #[serde(rename = "identitytoken")]
    pub identity_token: String,
    /// A token that is sent as it is.
    #[serde(rename = "registrytoken")]
    pub registry_token: String,
}

impl Credentials {
    /// Reads the header's value: JSON in base64url.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is something else. The error shows
    /// nothing of it.
    pub fn parse(header: &str) -> Result<Credentials> {
        let invalid =
            |what: &str| Error::invalid(format!("invalid X-Registry-Auth header: {what}"));
        if header.is_empty() {
            return Ok(Credentials::default());
        }
        let json = URL_SAFE
            .decode(header)
            .map_err(|_| invalid("it is not base64url"))?;
        let mut credentials: Credentials =
            serde_json::from_slice(&json).map_err(|_| invalid("it is not JSON of credentials"))?;
        if credentials.username.is_empty() && !credentials.auth.is_empty() {
            let decoded = BASE64_STANDARD.decode(&credentials.auth).ok();
            let decoded = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
            let (name, password) = decoded
                .as_deref()
                .and_then(|decoded| decoded.split_once(':'))
                .ok_or_else(|| invalid("its \"auth\" is not base64 of NAME:PASSWORD"))?;
            (credentials.username, credentials.password) = (name.to_owned(), password.to_owned());
        }
        credentials.auth.clear();
        Ok(credentials)
    }

    /// The value of `Authorization` with name and password, if there is a name.
    pub(super) fn basic(&self) -> Option<String> {
        (!self.username.is_empty()).then(|| {
            let pair = format!("{}:{}", self.username, self.password);
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Secrets are not for logs.
        f.write_str("Credentials(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read() {
        let user = Credentials::parse(
            "eyJ1c2VybmFtZSI6InRlc3RlciIsInBhc3N3b3JkIjoic2VzYW1lLWZvci10ZXN0cyJ9",
        )
        .expect("credentials");
        assert_eq!(
            (user.username.as_str(), user.password.as_str()),
            ("tester", "sesame-for-tests")
        );
        assert_eq!(
            user.basic().as_deref(),
            Some("Basic dGVzdGVyOnNlc2FtZS1mb3ItdGVzdHM=")
        );
        for nobody in ["", "e30=", "e30"] {
            let nobody = Credentials::parse(nobody).expect("nobody");
            assert_eq!((nobody.basic(), nobody), (None, Credentials::default()));
        }
        let encoded =
            URL_SAFE.encode(r#"{"auth":"YTpiOmM=","serveraddress":"x","identitytoken":"t"}"#);
        let token = Credentials::parse(&encoded).expect("credentials");
        assert_eq!(
            (token.username.as_str(), token.password.as_str()),
            ("a", "b:c")
        );
        assert_eq!(token.identity_token, "t");
        assert_eq!(format!("{token:?}"), "Credentials(..)");
    }

    #[test]
    fn what_is_none_is_not_shown() {
        for header in [
            "*secret*",
            "c2VjcmV0",
            &URL_SAFE.encode(r#"{"auth":"secret"}"#),
        ] {
            let error = Credentials::parse(header).expect_err(header);
            assert_eq!(error.status(), 400);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
