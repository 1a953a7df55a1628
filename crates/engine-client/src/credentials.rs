//! Registry credentials, as `config.json` stores them and as `X-Registry-Auth` sends them.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD as STANDARD_ALPHABET;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;

/// Decodes what Docker's client decodes: the bits behind the last byte may be anything.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD_ALPHABET,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What a registry wants to know of its user. Empty texts are absent; all are, for an anonymous user.
///
/// Its `Debug` form shows which texts there are, and no secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
pub struct Credentials {
    /// The user's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub username: String,
    /// The user's password, or an access token in its place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// The key that they are stored under: a registry's host, or `https://index.docker.io/v1/` for Docker Hub.
    #[serde(rename = "serveraddress", skip_serializing_if = "String::is_empty")]
    pub server_address: String,
    /// A token that the engine exchanges for others, instead of name and password.
    #[serde(rename = "identitytoken", skip_serializing_if = "String::is_empty")]
    pub identity_token: String,
    /// A token that is sent to the registry as it is.
    #[serde(rename = "registrytoken", skip_serializing_if = "String::is_empty")]
    pub registry_token: String,
}

impl Credentials {
    /// The value of the header `X-Registry-Auth`: JSON in base64url, `e30=` if there is nothing to send.
    pub fn registry_auth(&self) -> String {
        // A struct of texts is always JSON.
        URL_SAFE.encode(serde_json::to_vec(self).unwrap_or_else(|_| b"{}".to_vec()))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |text: &str| if text.is_empty() { "" } else { "..." };
        f.debug_struct("Credentials")
            .field("username", &hidden(&self.username))
            .field("password", &hidden(&self.password))
            .field("server_address", &self.server_address)
            .field("identity_token", &hidden(&self.identity_token))
            .field("registry_token", &hidden(&self.registry_token))
            .finish()
    }
}

/// Name and password of base64 of `NAME:PASSWORD`, as the key `auth` has them. The error says what is wrong and shows
/// nothing of the value.
pub(crate) fn decode_auth(text: &str) -> Result<(String, String), &'static str> {
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = LENIENT.decode(text).map_err(|_| "not base64")?;
    let decoded = String::from_utf8(bytes).map_err(|_| "not base64 of UTF-8")?;
    match decoded.split_once(':') {
        Some((name, password)) if !name.is_empty() => {
            Ok((name.to_owned(), password.trim_matches('\0').to_owned()))
        }
        _ => Err("not base64 of NAME:PASSWORD"),
    }
}

/// The reverse of [`decode_auth`]; empty if there is neither name nor password.
fn encode_auth(credentials: &Credentials) -> String {
    let Credentials {
        username, password, ..
    } = credentials;
    if username.is_empty() && password.is_empty() {
        return String::new();
    }
    STANDARD.encode(format!("{username}:{password}"))
}

/// The content of a `config.json` that has these credentials, each under its key, and nothing else.
pub fn credentials_file(credentials: &BTreeMap<String, Credentials>) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        auths: BTreeMap<&'a str, Entry<'a>>,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        #[serde(skip_serializing_if = "String::is_empty")]
        auth: String,
        #[serde(skip_serializing_if = "str::is_empty")]
        identitytoken: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        registrytoken: &'a str,
    }
    let entry = |(key, credentials)| {
        let of_key = Entry {
            auth: encode_auth(credentials),
            identitytoken: &credentials.identity_token,
            registrytoken: &credentials.registry_token,
        };
        (String::as_str(key), of_key)
    };
    let auths = credentials.iter().map(entry).collect();
    // Maps of texts are always JSON.
    serde_json::to_string_pretty(&File { auths }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_an_empty_object() {
        assert_eq!(Credentials::default().registry_auth(), "e30=");
    }

    #[test]
    fn what_is_sent_is_json_in_base64url() {
        let credentials = Credentials {
            username: "me".into(),
            password: "a?b>".into(),
            server_address: "r:5000".into(),
            ..Credentials::default()
        };
        let sent = credentials.registry_auth();
        let json = URL_SAFE.decode(&sent).expect("base64url");
        assert_eq!(
            String::from_utf8(json).expect("JSON"),
            r#"{"username":"me","password":"a?b>","serveraddress":"r:5000"}"#
        );
        assert!(!sent.contains(['+', '/']), "{sent}");
    }

    #[test]
    fn secrets_are_not_printed() {
        let credentials = Credentials {
            username: "sesame1".into(),
            password: "sesame2".into(),
            server_address: "r:5000".into(),
            identity_token: "sesame3".into(),
            registry_token: "sesame4".into(),
        };
        let printed = format!("{credentials:?}");
        assert!(
            printed.contains("r:5000") && !printed.contains("sesame"),
            "{printed}"
        );
    }

    #[test]
    fn auth_is_base64_of_name_and_password() {
        for (text, name, password) in [
            ("bWU6c2VjcmV0", "me", "secret"),
            ("bWU6c2Vj\r\ncmV0\n", "me", "secret"),
            ("YTpiOmM=", "a", "b:c"),
            ("YTo=", "a", ""),
            ("YTpi", "a", "b"),
            // Bits behind the last byte, and zero bytes around the password.
            ("YTp=", "a", ""),
            ("YToAYgAA", "a", "b"),
        ] {
            let expected = (name.to_owned(), password.to_owned());
            assert_eq!(decode_auth(text), Ok(expected), "{text}");
        }
        for (text, error) in [
            ("YTo", "not base64"),
            ("sesame?", "not base64"),
            ("YQ==", "not base64 of NAME:PASSWORD"),
            ("OmI=", "not base64 of NAME:PASSWORD"),
            ("YTr/", "not base64 of UTF-8"),
        ] {
            assert_eq!(decode_auth(text), Err(error), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn auth_is_read_as_it_is_written(username in "[^:]{1,9}", password in "[^\0]{0,9}") {
            let credentials = Credentials { username: username.clone(), password: password.clone(), ..Credentials::default() };
            assert_eq!(decode_auth(&encode_auth(&credentials)), Ok((username, password)));
        }
    }
}
