//! The bodies of the fuzz targets in `fuzz/`; a test also runs them over the corpora.

use std::io::{self, Read};

use crate::Stream;
use crate::config_file::ConfigFile;
use crate::credential_helper::{read_credentials, read_list};
use crate::credential_store::{host_of, read_variable};
use crate::credentials::{Credentials, credentials_file, decode_auth};
use crate::demultiplex::Demultiplexer;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::head::read_head;
use crate::json_lines::JsonLines;

/// Yields at most `step` bytes at a time.
struct Trickle<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let step = self.step.min(buffer.len());
        self.bytes.by_ref().take(step as u64).read(buffer)
    }
}

/// Reads `data` whole and in small steps, which must come to the same.
fn whole_and_in_steps<T: PartialEq + std::fmt::Debug>(
    data: &[u8],
    read: impl Fn(Trickle<'_>) -> T,
) {
    let whole = read(Trickle {
        bytes: data,
        step: usize::MAX,
    });
    for step in [1, 3, 7] {
        assert_eq!(
            read(Trickle { bytes: data, step }),
            whole,
            "{step} bytes at a time"
        );
    }
}

/// What is printed is read as the same endpoint.
pub fn endpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(endpoint) = text.parse::<Endpoint>() {
        let again: Endpoint = endpoint
            .to_string()
            .parse()
            .expect("what is printed is an endpoint");
        // Outer blanks of a path are the one thing that printing it loses.
        if again.socket_path().is_none() {
            assert_eq!(again, endpoint);
        }
    }
}

/// Frames do not depend on how the stream is cut.
pub fn demultiplexer(data: &[u8]) {
    whole_and_in_steps(data, |reader| demultiplexed(reader));
}

/// All output by stream, with neighbouring pieces joined, and the text of the error at the end.
pub(crate) fn demultiplexed(reader: impl Read) -> (Vec<(Stream, Vec<u8>)>, Option<String>) {
    let mut frames = Demultiplexer::new(reader);
    let mut output: Vec<(Stream, Vec<u8>)> = Vec::new();
    let mut payload = Vec::new();
    loop {
        match frames.next_frame(&mut payload) {
            Ok(Some(stream)) => {
                assert!(!payload.is_empty() && payload.capacity() <= 128 << 10);
                match output.last_mut() {
                    Some((last, bytes)) if *last == stream => bytes.extend_from_slice(&payload),
                    _ => output.push((stream, payload.clone())),
                }
            }
            Ok(None) => return (output, None),
            Err(error) => return (output, Some(error.to_string())),
        }
    }
}

/// Objects do not depend on how the stream is cut, and are those that a JSON parser finds.
pub fn json_lines(data: &[u8]) {
    type Object = serde_json::Map<String, serde_json::Value>;
    let read = |reader: Trickle<'_>| -> (Vec<Object>, Result<(), String>) {
        let mut lines = JsonLines::new(reader, "POST /x");
        let mut objects = Vec::new();
        loop {
            match lines.next_object() {
                Ok(Some(object)) => objects.push(object),
                Ok(None) => return (objects, Ok(())),
                Err(error) => return (objects, Err(error.to_string())),
            }
        }
    };
    whole_and_in_steps(data, read);
    let (objects, end) = read(Trickle {
        bytes: data,
        step: usize::MAX,
    });
    let parsed: Vec<Object> = serde_json::Deserializer::from_slice(data)
        .into_iter()
        .map_while(Result::ok)
        .collect();
    assert!(
        parsed.starts_with(&objects),
        "{objects:?} is no part of {parsed:?}"
    );
    if end.is_ok() {
        assert_eq!(objects, parsed);
    }
}

/// A head, and what comes behind it, do not depend on how the stream is cut, as long as it is not too large.
pub fn hijack_head(data: &[u8]) {
    whole_and_in_steps(data, |reader| {
        let mut reader = reader;
        let head: Result<_, Error> = read_head(&mut reader, "POST /x", "");
        match head {
            Ok((head, mut rest)) => {
                rest.extend_from_slice(reader.bytes);
                Ok((head.status, head.media_type, head.framing, rest))
            }
            Err(error) => Err(error.kind()),
        }
    });
}

/// What is written of the credentials of a `config.json` is read as the same.
pub fn config_file(data: &[u8]) {
    let (mut file, _) = ConfigFile::parse(data);
    for key in file.auths.keys() {
        assert!(key.ends_with(host_of(key)) || key.contains(host_of(key)));
    }
    // A name without letters, or with a colon, has no place in `auth`.
    file.auths.retain(|_, credentials| {
        let Credentials {
            username, password, ..
        } = credentials;
        let is_anonymous = username.is_empty() && password.is_empty();
        is_anonymous || !username.is_empty() && !username.contains(':') && !password.contains('\0')
    });
    let (again, errors) = ConfigFile::parse(credentials_file(&file.auths).as_bytes());
    assert!(errors.is_empty(), "{errors:?}");
    assert!(again.auths == file.auths);
}

/// `auth` has a name, and is at most as long as its base64.
pub fn registry_auth(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok((username, password)) = decode_auth(text) {
        assert!(!username.is_empty() && !username.contains(':'));
        assert!(username.len() + password.len() < text.len());
    }
}

/// What `DOCKER_AUTH_CONFIG` may say means the same in `config.json`.
pub fn docker_auth_config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(credentials) = read_variable(text) {
        let (file, errors) = ConfigFile::parse(data);
        assert!(errors.is_empty(), "{errors:?}");
        assert!(file.auths == credentials);
    }
}

/// A helper's answer is a login or a token, never both, and its errors do not show it.
pub fn credential_helper(data: &[u8]) {
    // Too short a text is in every message by chance.
    let shown =
        |error: &str| data.len() > 40 && error.as_bytes().windows(data.len()).any(|w| w == data);
    match read_credentials(data, "r") {
        Ok(Credentials {
            username,
            password,
            identity_token,
            ..
        }) => {
            let is_login = !username.is_empty() || !password.is_empty();
            assert!(!is_login || identity_token.is_empty());
        }
        Err(error) => assert!(!shown(&error), "{error}"),
    }
    if let Err(error) = read_list(data) {
        assert!(!shown(&error), "{error}");
    }
}

/// A context's file is an endpoint or an error.
pub fn context(data: &[u8]) {
    if let Ok(docker) = crate::context_store::parse(data) {
        endpoint(docker.host.as_bytes());
    }
}

/// Where a proxy and its exceptions lead, from two lines: the errors of the first show nothing of it behind its scheme,
/// for there may be a password.
pub fn proxy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (proxy, exceptions) = text.split_once('\n').unwrap_or((text, ""));
    let variables = [("HTTP_PROXY", proxy), ("NO_PROXY", exceptions)]
        .map(|(name, value)| (name.into(), value.into()));
    match crate::proxy::Proxy::of(&variables, false, "engine.example", 2375) {
        Ok(Some(proxy)) => assert!(!proxy.host.is_empty()),
        Ok(None) => {}
        Err(error) => {
            let secret = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
            assert!(secret.len() < 40 || !error.to_string().contains(secret));
        }
    }
}

#[cfg(test)]
mod tests {
    /// Runs one target over its corpus.
    fn corpus(name: &str, target: fn(&[u8])) {
        harness::corpus(env!("CARGO_MANIFEST_DIR"), name, target);
    }

    #[test]
    fn demultiplexer() {
        corpus("demultiplexer", super::demultiplexer);
    }

    #[test]
    fn endpoint() {
        corpus("endpoint", super::endpoint);
    }

    #[test]
    fn json_lines() {
        corpus("json_lines", super::json_lines);
    }

    #[test]
    fn hijack_head() {
        corpus("hijack_head", super::hijack_head);
    }

    #[test]
    fn config_file() {
        corpus("config_file", super::config_file);
    }

    #[test]
    fn registry_auth() {
        corpus("registry_auth", super::registry_auth);
    }

    #[test]
    fn docker_auth_config() {
        corpus("docker_auth_config", super::docker_auth_config);
    }

    #[test]
    fn context() {
        corpus("context", super::context);
    }

    #[test]
    fn proxy() {
        corpus("proxy", super::proxy);
    }

    #[test]
    fn credential_helper() {
        corpus("credential_helper", super::credential_helper);
    }
}
