//! What a client says of its user, for a registry: the header `X-Registry-Auth`.

use std::fmt;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, prelude::BASE64_STANDARD};
use serde::Deserialize;

use crate::json;

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
    /// Reads the header's value: JSON in base64url. One that cannot be read is nobody's, as with Docker, whose clients send
    /// `null`, `undefined` and the like: who needs a user is told so by the registry.
    pub fn parse(header: &str) -> Credentials {
        if header.is_empty() {
            return Credentials::default();
        }
        Credentials::read(header).unwrap_or_else(|| {
            // Nothing of it is shown: it may be a secret.
            log::warn!(
                "an X-Registry-Auth header is left out: it is not JSON of credentials in base64url"
            );
            Credentials::default()
        })
    }

    fn read(header: &str) -> Option<Credentials> {
        let text = URL_SAFE.decode(header).ok()?;
        let mut credentials: Credentials = json::from_slice(&text).ok()?;
        if credentials.username.is_empty() && !credentials.auth.is_empty() {
            let decoded = BASE64_STANDARD.decode(&credentials.auth).ok()?;
            let decoded = String::from_utf8(decoded).ok()?;
            let (name, password) = decoded.split_once(':')?;
            (credentials.username, credentials.password) = (name.to_owned(), password.to_owned());
        }
        credentials.auth.clear();
        Some(credentials)
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
        );
        assert_eq!(
            (user.username.as_str(), user.password.as_str()),
            ("tester", "sesame-for-tests")
        );
        assert_eq!(
            user.basic().as_deref(),
            Some("Basic dGVzdGVyOnNlc2FtZS1mb3ItdGVzdHM=")
        );
        for nobody in ["", "e30=", "e30"] {
            let nobody = Credentials::parse(nobody);
            assert_eq!((nobody.basic(), nobody), (None, Credentials::default()));
        }
        let encoded =
            URL_SAFE.encode(r#"{"auth":"YTpiOmM=","serveraddress":"x","identitytoken":"t"}"#);
        let token = Credentials::parse(&encoded);
        assert_eq!(
            (token.username.as_str(), token.password.as_str()),
            ("a", "b:c")
        );
        assert_eq!(token.identity_token, "t");
        assert_eq!(format!("{token:?}"), "Credentials(..)");
    }

    #[test]
    fn keys_have_no_case() {
        let encoded = URL_SAFE.encode(r#"{"Username":"a","PASSWORD":"b","IdentityToken":"t"}"#);
        let user = Credentials::parse(&encoded);
        assert_eq!((user.username.as_str(), user.password.as_str()), ("a", "b"));
        assert_eq!(user.identity_token, "t");
    }

    #[test]
    fn what_cannot_be_read_is_nobody() {
        for header in [
            "null",
            "empty",
            "undefined",
            "bnVsbA==",
            "*secret*",
            "c2VjcmV0",
            "bnVsbA==\u{e9}",
            &URL_SAFE.encode("[]"),
            &URL_SAFE.encode(r#"{"auth":"secret"}"#),
            &URL_SAFE.encode(r#"{"username":1}"#),
            &URL_SAFE.encode(r#"{"username":"a","Username":"b"}"#),
        ] {
            assert_eq!(
                Credentials::parse(header),
                Credentials::default(),
                "{header}"
            );
        }
    }
}
