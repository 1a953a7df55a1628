//! The protocol of credential helpers, `docker-credential-NAME`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::helper_process::{HelperError, HelperOutput, HelperProcesses};
use crate::settings::Settings;

/// What helpers' programs are called, before their name.
pub(crate) const PREFIX: &str = "docker-credential-";
/// What stands for the user's name where the secret is an identity token.
const TOKEN_USER: &str = "<token>";
/// What all helpers say of a registry that they do not know.
const NOT_FOUND: &str = "credentials not found in native keychain";
/// What helpers say of requests that are wrong; it then stands for the status too.
const MISTAKES: [&str; 2] = ["no credentials server URL", "no credentials username"];
/// As much as is shown of what a failed helper says.
const LONGEST_QUOTE: usize = 1000;

/// A helper by its name, such as `pass`.
pub(crate) struct CredentialHelper<'a> {
    pub(crate) name: &'a str,
    pub(crate) environment: &'a [(OsString, OsString)],
    pub(crate) processes: &'a HelperProcesses,
}

impl CredentialHelper<'_> {
    /// The credentials that are stored under this key; `None` if there are none.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Credentials>, Error> {
        let output = self.run("get", key).map_err(|error| getting(error, ""))?;
        match &output.failure {
            None => read_credentials(&output.stdout, key)
                .map(Some)
                .map_err(|what| getting(HelperError::Failed(self.malformed(&what)), "")),
            Some(_) if text(&output) == NOT_FOUND => Ok(None),
            Some(failure) => Err(getting(
                HelperError::Failed(failure.clone()),
                &text(&output),
            )),
        }
    }

    /// All keys that credentials are stored under.
    pub(crate) fn list(&self) -> Result<Vec<String>, Error> {
        // Helpers read their input, whether they need it or not.
        let output = self
            .run("list", "unused")
            .map_err(|error| failed("listing", error, ""))?;
        match &output.failure {
            None => read_list(&output.stdout)
                .map_err(|what| failed("listing", HelperError::Failed(self.malformed(&what)), "")),
            Some(failure) => Err(failed(
                "listing",
                HelperError::Failed(failure.clone()),
                &text(&output),
            )),
        }
    }

    fn run(&self, action: &str, input: &str) -> Result<HelperOutput, HelperError> {
        let program = format!("{PREFIX}{}", self.name);
        self.processes
            .run(&program, action, input, self.environment)
    }

    fn malformed(&self, what: &str) -> String {
        format!("malformed output of {PREFIX}{}: {what}", self.name)
    }
}

/// Reads the answer to `get`. Errors show nothing of it, for it is a secret.
pub(crate) fn read_credentials(output: &[u8], key: &str) -> Result<Credentials, String> {
    let mut settings = Settings::read(output)?;
    let username = settings.text("Username").unwrap_or_default();
    let secret = settings.text("Secret").unwrap_or_default();
    if let Some(error) = settings.errors.into_iter().next() {
        return Err(error);
    }
    let mut credentials = Credentials {
        server_address: key.to_owned(),
        ..Credentials::default()
    };
    if username == TOKEN_USER {
        credentials.identity_token = secret;
    } else {
        credentials.username = username;
        credentials.password = secret;
    }
    Ok(credentials)
}

/// Reads the answer to `list`: an object of users' names by key.
pub(crate) fn read_list(output: &[u8]) -> Result<Vec<String>, String> {
    // The list is the value of no key, and its own keys are wanted as they are.
    let whole: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(output).map_err(|_| "expected an object of strings".to_owned())?;
    Ok(whole.into_keys().collect())
}

fn getting(error: HelperError, output: &str) -> Error {
    failed("getting", error, output)
}

fn failed(what: &str, error: HelperError, output: &str) -> Error {
    match error {
        HelperError::Cancelled => Error::new(ErrorKind::Cancelled, "cancelled"),
        HelperError::Interrupted(signal) => {
            let message = format!("error {what} credentials - err: interrupted by signal {signal}");
            Error::new(ErrorKind::Interrupted(signal), message)
        }
        HelperError::Failed(text) => {
            let text = MISTAKES
                .into_iter()
                .find(|known| *known == output)
                .map_or(text, str::to_owned);
            let message = format!("error {what} credentials - err: {text}, out: `{output}`");
            Error::new(ErrorKind::Credentials, message)
        }
    }
}

/// What a failed helper says, fit for a terminal.
fn text(output: &HelperOutput) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    text.trim()
        .chars()
        .take(LONGEST_QUOTE)
        .map(printable)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_login_or_an_identity_token() {
        let login = read_credentials(
            br#"{"ServerURL":"other","Username":"me","Secret":"s"}"#,
            "r",
        );
        let login = login.expect("an answer");
        assert_eq!(
            (login.username.as_str(), login.password.as_str()),
            ("me", "s")
        );
        assert_eq!(login.server_address, "r");
        let token = read_credentials(br#"{"Username":"<token>","Secret":"s"}"#, "r");
        let token = token.expect("an answer");
        assert_eq!((token.username.as_str(), token.password.as_str()), ("", ""));
        assert_eq!(token.identity_token, "s");
    }

    #[test]
    fn malformed_answers_are_described_and_not_shown() {
        for answer in [
            "sesame",
            r#"{"Secret": "sesame""#,
            r#"["sesame"]"#,
            r#"{"Username": "u", "Secret": ["sesame"]}"#,
        ] {
            let error = read_credentials(answer.as_bytes(), "r").expect_err(answer);
            assert!(!error.contains("sesame"), "{error}");
        }
        assert_eq!(
            read_list(b"[\"sesame\"]"),
            Err("expected an object of strings".into())
        );
        assert_eq!(
            read_list(br#"{"b":"u","a":"v"}"#),
            Ok(vec!["a".into(), "b".into()])
        );
    }

    #[test]
    fn failures_are_worded_as_dockers() {
        let error = getting(HelperError::Failed("exit status 1".into()), "gpg: no key");
        assert_eq!(
            error.to_string(),
            "error getting credentials - err: exit status 1, out: `gpg: no key`"
        );
        assert_eq!(error.kind(), ErrorKind::Credentials);
        let output = "no credentials server URL";
        let error = getting(HelperError::Failed("exit status 1".into()), output);
        assert_eq!(
            error.to_string(),
            format!("error getting credentials - err: {output}, out: `{output}`")
        );
        assert_eq!(
            getting(HelperError::Cancelled, "").kind(),
            ErrorKind::Cancelled
        );
    }

    #[test]
    fn what_a_helper_says_reaches_no_terminal_raw() {
        let output = HelperOutput {
            failure: None,
            stdout: b" \x1b[2Jred\n\tx \n".to_vec(),
        };
        assert_eq!(text(&output), " [2Jred  x");
        let long = HelperOutput {
            failure: None,
            stdout: vec![b'x'; 5000],
        };
        assert_eq!(text(&long).len(), LONGEST_QUOTE);
    }
}
