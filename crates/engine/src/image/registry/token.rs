//! Tokens: what a registry's `Bearer` challenge sends its clients for.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::challenge::Challenge;
use super::credentials::Credentials;
use super::http::{Failure, Http, Question};
use super::refusal::Refused;
use crate::{Error, Result};

/// What need not be encoded in a form, RFC 3986's unreserved characters.
const FORM: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// No token is as long.
const LONGEST: u64 = 1 << 20;
/// What a token's server knows this program as.
const CLIENT: &str = "tool";

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
}

/// Gets a token to pull with.
///
/// # Errors
///
/// Those of the server, which refuses wrong credentials; [`ErrorKind::System`](crate::ErrorKind::System) if what it says
/// is no token, or the registry names no server that the credentials may be shown to.
pub(super) fn get(
    http: &Http,
    challenge: &Challenge,
    credentials: &Credentials,
    default_scope: &str,
    registry: &str,
) -> Result<String> {
    let realm = challenge.parameter("realm").unwrap_or_default();
    // A registry in TLS must not have its users' passwords sent in clear text, to this machine either.
    if registry.starts_with("https:") && !realm.starts_with("https:") {
        return Err(Error::system(format!(
            "Get \"{registry}\": it wants a token from {realm:?}, which is without TLS"
        )));
    }
    let service = challenge.parameter("service").unwrap_or_default();
    let scope = challenge.parameter("scope").unwrap_or(default_scope);
    let encode = |text: &str| utf8_percent_encode(text, FORM).to_string();
    let pairs = |pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
        let pairs = pairs.map(|(name, value)| format!("{name}={}", encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    };
    let basic = credentials.basic();
    let form;
    let address;
    let question = if credentials.identity_token.is_empty() {
        let query = pairs(&[
            ("account", &credentials.username),
            ("scope", scope),
            ("service", service),
        ]);
        let separator = if realm.contains('?') { '&' } else { '?' };
        address = format!("{realm}{separator}{query}");
        Question {
            address: &address,
            headers: &[],
            authorization: basic.as_deref(),
            form: None,
        }
    } else {
        form = pairs(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", &credentials.identity_token),
            ("service", service),
            ("client_id", CLIENT),
            ("scope", scope),
        ]);
        Question {
            address: realm,
            headers: &[],
            authorization: None,
            form: Some(&form),
        }
    };
    let answer = http.ask(question).map_err(Failure::into_error)?;
    if answer.status != 200 {
        return Err(
            Refused::read(answer).into_error("unauthorized: incorrect username or password")
        );
    }
    let content = answer.content(LONGEST)?;
    let answer: Answer = serde_json::from_slice(&content)
        .map_err(|error| Error::system(format!("the token of {realm:?} is none: {error}")))?;
    let token = match answer.token.is_empty() {
        true => answer.access_token,
        false => answer.token,
    };
    // What has other characters would be more than a header's value.
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::system(format!("the token of {realm:?} is none")));
    }
    Ok(token)
}
