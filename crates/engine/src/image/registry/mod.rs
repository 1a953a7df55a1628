//! Registries: the client's side of the OCI distribution specification, which is Docker's Registry HTTP API V2.

pub(super) mod blob;
pub(super) mod challenge;
mod credentials;
mod http;
pub(super) mod manifest;
mod proxy;
mod refusal;
mod site;
mod token;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use image_reference::Reference;

pub use credentials::Credentials;

use super::digest::Digest;
use crate::{Error, ErrorKind, Result};
use http::{Answer, Failure, Http, Question};
use manifest::Document;
use refusal::Refused;
use site::Security;
pub(super) use site::Site;

/// One repository of a registry.
#[derive(Debug)]
pub(super) struct Registry {
    http: Http,
    reference: Reference,
    credentials: Credentials,
    /// `https://registry.example/v2/team/app`. A registry on this machine may turn out to want TLS.
    base: Mutex<String>,
    security: Security,
    /// Whether it is known by now how the registry is spoken to.
    has_answered: AtomicBool,
    /// The value of `Authorization` that was good the last time.
    authorization: Mutex<Option<String>>,
    cancelled: AtomicBool,
}

/// Ends what a registry is asked, from another thread: whoever waits gets an error.
#[derive(Clone, Debug)]
pub struct Canceller {
    registry: Arc<Registry>,
}

impl Canceller {
    pub(super) fn new(registry: &Arc<Registry>) -> Canceller {
        Canceller {
            registry: Arc::clone(registry),
        }
    }

    /// Ends it.
    pub fn cancel(&self) {
        self.registry.cancel();
    }
}

impl Registry {
    /// The repository of a reference on that site. Nothing is asked yet. A mirror is shown no credentials.
    pub(super) fn new(site: &Site, reference: Reference, credentials: &Credentials) -> Registry {
        let credentials = match site.is_mirror {
            true => Credentials::default(),
            false => credentials.clone(),
        };
        let Site {
            scheme, authority, ..
        } = site;
        let base = format!("{scheme}://{authority}/v2/{}", reference.path());
        let authorization = match credentials.registry_token.as_str() {
            "" => None,
            token => Some(format!("Bearer {token}")),
        };
        Registry {
            http: match site.security {
                Security::Tls => Http::default(),
                Security::Near | Security::Insecure => Http::lenient(authority),
            },
            security: site.security,
            reference,
            credentials,
            base: Mutex::new(base),
            has_answered: AtomicBool::new(false),
            authorization: Mutex::new(authorization),
            cancelled: AtomicBool::new(false),
        }
    }

    /// What the registry has under a tag or a digest: its digest, and what it says.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] in Docker's words if there is nothing; [`ErrorKind::Unauthorized`] if it wants other
    /// credentials; [`ErrorKind::InvalidParameter`] if what it sends is not what was asked for, or too long.
    pub(super) fn manifest(&self, version: &str) -> Result<(Digest, Document)> {
        let answer = self.ask(
            &format!("/manifests/{version}"),
            &[("Accept", manifest::ACCEPTED)],
        )?;
        if answer.status != 200 {
            return Err(self.refused(answer));
        }
        let media_type = answer.header("Content-Type").unwrap_or_default().to_owned();
        let content = answer.content(manifest::LONGEST)?;
        let digest = Digest::of(&content);
        if version.contains(':') && version != digest.to_string() {
            return Err(Error::invalid(format!(
                "manifest verification failed for digest {version}"
            )));
        }
        Ok((digest, manifest::parse(&media_type, &content)?))
    }

    /// The content of a small blob.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`] if it is longer than the limit, or another one.
    pub(super) fn small_blob(&self, blob: &manifest::Blob, limit: u64) -> Result<Vec<u8>> {
        let verification = || {
            Error::invalid(format!(
                "image config verification failed for digest {}",
                blob.digest
            ))
        };
        if blob.size > limit {
            return Err(Error::invalid(format!(
                "the image's configuration is longer than {limit} bytes"
            )));
        }
        let answer = self.ask(&format!("/blobs/{}", blob.digest), &[])?;
        if answer.status != 200 {
            return Err(self.refused(answer));
        }
        let content = answer.content(blob.size).map_err(|_| verification())?;
        match Digest::of(&content) == blob.digest {
            true => Ok(content),
            false => Err(verification()),
        }
    }

    /// Ends all connections, and lets nobody open new ones.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
        self.http.shut_down();
    }

    /// # Errors
    ///
    /// [`ErrorKind::System`] if somebody does not want the answer any more.
    pub(super) fn check_cancelled(&self) -> Result<()> {
        match self.cancelled.load(Ordering::Relaxed) {
            true => Err(Error::system("context canceled")),
            false => Ok(()),
        }
    }

    /// Asks below the repository, with whatever authorization the registry wants.
    fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        self.try_ask(path, headers).map_err(Failure::into_error)
    }

    fn try_ask(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> std::result::Result<Answer, Failure> {
        self.check_cancelled().map_err(Failure::Other)?;
        let answer = self.ask_with(path, headers)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // A token may have expired since the last question, so each may ask for a new one, once.
        let authorization = self.authorize(&answer).map_err(Failure::Other)?;
        *lock(&self.authorization) = Some(authorization);
        self.ask_with(path, headers)
    }

    fn ask_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> std::result::Result<Answer, Failure> {
        let base = lock(&self.base).clone();
        let authorization = lock(&self.authorization).clone();
        let ask = |base: &str| {
            self.http.ask(Question {
                address: &format!("{base}{path}"),
                headers,
                authorization: authorization.as_deref(),
                form: None,
            })
        };
        let answer = ask(&base);
        if self.security == Security::Insecure
            && answer.is_err()
            && !self.has_answered.load(Ordering::Relaxed)
            && let Some(rest) = base.strip_prefix("https://")
        {
            let plain = format!("http://{rest}");
            return match ask(&plain) {
                Ok(second) => {
                    *lock(&self.base) = plain;
                    self.has_answered.store(true, Ordering::Relaxed);
                    Ok(second)
                }
                // The first failure is that of what was to be expected.
                Err(_) => answer,
            };
        }
        if answer.is_ok() {
            self.has_answered.store(true, Ordering::Relaxed);
        }
        let wants_tls = match &answer {
            Err(Failure::NotHttp(_) | Failure::Disconnected(_)) => true,
            // How Go's server answers who speaks plain HTTP to its TLS.
            Ok(answer) => {
                answer.status == 400 && answer.header("Docker-Distribution-Api-Version").is_none()
            }
            Err(_) => false,
        };
        let Some(rest) = base.strip_prefix("http://").filter(|_| wants_tls) else {
            return answer;
        };
        let secure = format!("https://{rest}");
        match ask(&secure) {
            Ok(answer) => {
                *lock(&self.base) = secure;
                Ok(answer)
            }
            Err(failure) => answer.and(Err(failure)),
        }
    }

    /// The authorization that a registry wants.
    fn authorize(&self, answer: &Answer) -> Result<String> {
        let challenges: Vec<_> = answer
            .headers("WWW-Authenticate")
            .flat_map(challenge::parse)
            .collect();
        let base = lock(&self.base).clone();
        if let Some(bearer) = challenges.iter().find(|found| found.scheme == "bearer") {
            let scope = format!("repository:{}:pull", self.reference.path());
            let token = token::get(&self.http, bearer, &self.credentials, &scope, &base)?;
            return Ok(format!("Bearer {token}"));
        }
        if challenges.iter().any(|found| found.scheme == "basic") {
            return self.credentials.basic().ok_or_else(|| {
                Error::new(
                    ErrorKind::Unauthorized,
                    format!("Get \"{}\": no basic auth credentials", answer.address()),
                )
            });
        }
        Err(Error::new(
            ErrorKind::Unauthorized,
            "unauthorized: authentication required",
        ))
    }

    /// The error of an answer that is none, with Docker's sentence about what is not there, or not for everybody.
    fn refused(&self, answer: Answer) -> Error {
        let refused = Refused::read(answer);
        let name = self.reference.familiar_name();
        let sentence = match refused.code() {
            "DENIED" => format!(
                "pull access denied for {name}, repository does not exist or may require 'docker login'"
            ),
            "MANIFEST_UNKNOWN" => format!("manifest for {} not found", self.reference.familiar()),
            "NAME_UNKNOWN" => format!("repository {name} not found"),
            _ => return refused.into_error("unauthorized: authentication required"),
        };
        Error::not_found(format!("{sentence}: {}", refused.into_error("")))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Whoever panicked left a whole value behind: each is replaced in one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
