//! Docker contexts: named endpoints, stored in files beside `config.json`.
//!
//! A context is `meta/ID/meta.json`, and the certificates for its engine are in `tls/ID/docker`. ID is the SHA-256 of
//! the name, so no name can lead out of the directory.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::error::Category;

use crate::endpoint::Endpoint;
use crate::error::{Error, ErrorKind, os_text};
use crate::input_file::{SHORT_PATIENCE, read_file};
use crate::tls::{Tls, TlsFiles};

/// The contexts in a directory: `contexts`, beside `config.json`.
#[derive(Clone, Debug)]
pub struct ContextStore {
    directory: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default, rename = "Endpoints")]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
struct Endpoints {
    docker: Option<EndpointMetadata>,
}

#[derive(Deserialize)]
pub(crate) struct EndpointMetadata {
    #[serde(default, rename = "Host")]
    pub(crate) host: String,
    #[serde(default, rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

impl ContextStore {
    /// The contexts in this directory, which may be missing.
    pub fn new(directory: impl Into<PathBuf>) -> ContextStore {
        ContextStore {
            directory: directory.into(),
        }
    }

    /// The engine of the context of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if there is no such context, or it can not be understood.
    pub fn endpoint(&self, name: &str) -> Result<Endpoint, Error> {
        let failed =
            |what: String| Error::new(ErrorKind::Input, format!("context {name:?}: {what}"));
        let id = identifier(name);
        let path = self.directory.join("meta").join(&id).join("meta.json");
        let bytes = read_file(&path, SHORT_PATIENCE).map_err(|error| {
            let cause = format!("open {}: {}", path.display(), os_text(&error));
            let what = match error.kind() {
                io::ErrorKind::NotFound => format!("context not found: {cause}"),
                _ => cause,
            };
            failed(what).with_source(error)
        })?;
        let docker =
            parse(&bytes).map_err(|what| failed(format!("parsing {}: {what}", path.display())))?;
        let endpoint: Endpoint = docker
            .host
            .parse()
            .map_err(|error: Error| failed(error.to_string()).with_source(error))?;
        let tls = self.directory.join("tls").join(&id).join("docker");
        match tls_of(&tls, docker.skip_tls_verify) {
            Ok(Some(tls)) => Ok(endpoint.with_tls(tls)),
            Ok(None) => Ok(endpoint),
            Err(error) => Err(failed(error.to_string()).with_source(error)),
        }
    }
}

pub(crate) fn parse(bytes: &[u8]) -> Result<EndpointMetadata, String> {
    let metadata: Metadata =
        serde_json::from_slice(bytes).map_err(|error| match error.classify() {
            // The text of this kind quotes values, and an address may have a password in it.
            Category::Data => format!(
                "line {} column {}: a value is of the wrong type",
                error.line(),
                error.column()
            ),
            _ => error.to_string(),
        })?;
    metadata
        .endpoints
        .docker
        .ok_or_else(|| "it has no endpoint of the kind \"docker\"".to_owned())
}

/// TLS is on if there is any file for it, or if it was asked for without verification.
fn tls_of(directory: &Path, skip_verification: bool) -> Result<Option<Tls>, Error> {
    let existing = |name| {
        let path = directory.join(name);
        path.exists().then_some(path)
    };
    let files = TlsFiles {
        authorities: existing("ca.pem"),
        certificate: existing("cert.pem"),
        key: existing("key.pem"),
        verify: !skip_verification,
    };
    let any = files.authorities.is_some() || files.certificate.is_some() || files.key.is_some();
    match any || skip_verification {
        true => Tls::read(&files).map(Some),
        false => Ok(None),
    }
}

/// The name of a context's directories.
fn identifier(name: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, name.as_bytes());
    let mut text = String::new();
    for byte in digest.as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn store(name: &str, content: &str) -> (tempfile::TempDir, ContextStore) {
        let directory = tempfile::tempdir().expect("a directory");
        let meta = directory.path().join("meta").join(identifier(name));
        fs::create_dir_all(&meta).expect("a directory");
        fs::write(meta.join("meta.json"), content).expect("a file");
        let store = ContextStore::new(directory.path());
        (directory, store)
    }

    #[test]
    fn a_context_is_an_endpoint() {
        let (directory, store) = store(
            "build",
            r#"{"Name":"build","Metadata":{"Description":"x"},
                "Endpoints":{"docker":{"Host":"tcp://10.0.0.7:2376","SkipTLSVerify":false},"kubernetes":{}}}"#,
        );
        let endpoint = store.endpoint("build").expect("an endpoint");
        assert_eq!(endpoint.to_string(), "tcp://10.0.0.7:2376");
        assert_eq!(endpoint.tls(), None);

        let tls = directory.path().join("tls").join(identifier("build"));
        fs::create_dir_all(tls.join("docker")).expect("a directory");
        fs::write(tls.join("docker/ca.pem"), "x").expect("a file");
        let endpoint = store.endpoint("build").expect("an endpoint");
        assert!(endpoint.tls().expect("TLS").verifies());
    }

    #[test]
    fn tls_may_be_on_without_a_file() {
        let (_directory, store) = store(
            "x",
            r#"{"Endpoints":{"docker":{"Host":"tcp://h","SkipTLSVerify":true}}}"#,
        );
        let endpoint = store.endpoint("x").expect("an endpoint");
        assert!(!endpoint.tls().expect("TLS").verifies());
    }

    #[test]
    fn what_is_no_context_is_named() {
        let (directory, missing) = store("x", "{}");
        let error = missing.endpoint("nope").expect_err("no such context");
        let path = directory.path().display();
        assert_eq!(
            error.to_string(),
            format!(
                "context \"nope\": context not found: open {path}/meta/\
                 ca3704aa0b06f5954c79ee837faa152d84d6b2d42838f0637a15eda8337dbdce/meta.json: no such file or directory"
            )
        );
        for (content, expected) in [
            ("{", "parsing "),
            ("{}", "it has no endpoint of the kind \"docker\""),
            (
                r#"{"Endpoints":{"docker":{"Host":7}}}"#,
                "line 1 column 32: a value is of the wrong type",
            ),
            (
                r#"{"Endpoints":{"docker":{"Host":"foo://x"}}}"#,
                "context \"x\": invalid bind address format: foo://x",
            ),
        ] {
            let (_directory, store) = store("x", content);
            let error = store.endpoint("x").expect_err(content);
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.kind(), ErrorKind::Input);
        }
    }
}
