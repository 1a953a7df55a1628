//! Finds registry credentials: `DOCKER_AUTH_CONFIG`, a credential helper, or `config.json` itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use crate::config_file::{ConfigFile, credentials};
use crate::credential_helper::{CredentialHelper, PREFIX};
use crate::credentials::{Credentials, decode_auth};
use crate::error::{Error, ErrorKind};
use crate::helper_process::{HelperProcesses, find, variable};
use crate::redacted::redacted;
use crate::settings::Settings;

/// What credentials for Docker Hub are stored under.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// The hosts that are Docker Hub.
const HUB_HOSTS: [&str; 2] = ["docker.io", "index.docker.io"];
/// The variable that holds credentials, as the key `auths` does.
const VARIABLE: &str = "DOCKER_AUTH_CONFIG";

/// Finds credentials by Docker's rules. Clones are the same store.
///
/// Where `config.json` says nothing about credentials at all, the helper `pass` is asked if there is a program of that
/// name, else `secretservice`, provided that the helper is there.
#[derive(Clone)]
pub struct CredentialStore {
    inner: Arc<Inner>,
}

struct Inner {
    config: ConfigFile,
    /// The helper for registries that have none of their own.
    helper: Option<String>,
    environment: Vec<(OsString, OsString)>,
    /// What `DOCKER_AUTH_CONFIG` says.
    of_variable: Result<BTreeMap<String, Credentials>, String>,
    processes: HelperProcesses,
}

impl CredentialStore {
    /// The store of a user with this configuration and these environment variables, which credential helpers get too.
    /// Nothing is run yet.
    pub fn new(
        config: ConfigFile,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> CredentialStore {
        let environment: Vec<_> = environment.into_iter().collect();
        let helper = match &config.credentials_store {
            None if !config.has_credentials() => default_helper(&environment),
            helper => helper.clone(),
        };
        let text = variable(&environment, VARIABLE);
        let of_variable = match text.to_str() {
            Some("") => Ok(BTreeMap::new()),
            Some(text) => read_variable(text),
            None => Err("not valid UTF-8".to_owned()),
        };
        CredentialStore {
            inner: Arc::new(Inner {
                config,
                helper,
                environment,
                of_variable,
                processes: HelperProcesses::default(),
            }),
        }
    }

    /// What is wrong with `DOCKER_AUTH_CONFIG`, which is then left out. Docker's client prints it and goes on.
    pub fn warning(&self) -> Option<String> {
        let error = self.inner.of_variable.as_ref().err()?;
        Some(format!(
            "Failed to create credential store from {VARIABLE}: {error}"
        ))
    }

    /// The credentials for a registry, by its host as image references have it, such as `docker.io` or
    /// `localhost:5000`; empty ones if there are none. This may run a credential helper, and the helper may ask its
    /// user something.
    ///
    /// # Errors
    /// [`ErrorKind::Credentials`] if the helper fails, [`ErrorKind::Interrupted`] if a signal of the terminal ends it, and
    /// [`ErrorKind::Cancelled`] after [`CredentialStore::cancel`].
    pub fn get(&self, registry: &str) -> Result<Credentials, Error> {
        let key = if HUB_HOSTS.contains(&registry) {
            HUB_KEY
        } else {
            registry
        };
        if let Ok(of_variable) = &self.inner.of_variable
            && let Some(credentials) = of_variable.get(key)
        {
            return Ok(credentials.clone());
        }
        match self.helper_of(key) {
            Some(helper) => self.ask(helper, key),
            None => Ok(self.of_file(key)),
        }
    }

    /// The credentials for all registries, for a container that is to act for its user: those of
    /// `DOCKER_AUTH_CONFIG` alone if it has any, else those of every helper and file.
    ///
    /// # Errors
    /// As of [`CredentialStore::get`], and if `DOCKER_AUTH_CONFIG` is malformed. A registry's own helper that fails is
    /// logged, and its registry left out.
    pub fn all(&self) -> Result<BTreeMap<String, Credentials>, Error> {
        let inner = &*self.inner;
        if let Some(text) = variable(&inner.environment, VARIABLE).to_str() {
            // More may stand here than where a single registry's credentials are looked for.
            let of_variable = read_auths(text).map_err(|error| {
                let message = format!("failed to read credentials from {VARIABLE}: {error}");
                Error::new(ErrorKind::Credentials, message)
            })?;
            if !of_variable.is_empty() {
                return Ok(of_variable);
            }
        }
        let mut all = match &inner.helper {
            None => inner.config.auths.clone(),
            Some(name) => {
                let mut listed = BTreeMap::new();
                for key in self.helper(name).list()? {
                    let credentials = self.ask(name, &key)?;
                    listed.insert(key, credentials);
                }
                listed
            }
        };
        for registry in inner.config.credential_helpers.keys() {
            match self.get(registry) {
                Ok(credentials) => {
                    all.insert(registry.clone(), credentials);
                }
                Err(error) if error.kind() == ErrorKind::Credentials => {
                    let registry = redacted(registry);
                    log::warn!("failed to get credentials for registry {registry}: {error}");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Asks helpers that run to end, with SIGTERM. From now on none is run.
    pub fn cancel(&self) {
        self.inner.processes.cancel();
    }

    /// The helper for this key, if it is not the file that is asked.
    fn helper_of(&self, key: &str) -> Option<&str> {
        let inner = &*self.inner;
        let own = inner.config.credential_helpers.get(key);
        own.or(inner.helper.as_ref())
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }

    fn helper<'a>(&'a self, name: &'a str) -> CredentialHelper<'a> {
        CredentialHelper {
            name,
            environment: &self.inner.environment,
            processes: &self.inner.processes,
        }
    }

    /// What a helper has. What it can not store, the file may have.
    fn ask(&self, name: &str, key: &str) -> Result<Credentials, Error> {
        let found = self.helper(name).get(key)?.unwrap_or_default();
        Ok(Credentials {
            registry_token: self.of_file(key).registry_token,
            ..found
        })
    }

    /// What the file has under this key, else under a URL with this host.
    fn of_file(&self, key: &str) -> Credentials {
        let auths = &self.inner.config.auths;
        let of_host = || {
            let found = auths.iter().find(|(written, _)| host_of(written) == key);
            found.map(|(_, credentials)| credentials)
        };
        auths.get(key).or_else(of_host).cloned().unwrap_or_default()
    }
}

impl fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialStore")
            .field("config", &self.inner.config)
            .field("helper", &self.inner.helper)
            .finish_non_exhaustive()
    }
}

/// The helper of users who have chosen none.
fn default_helper(environment: &[(OsString, OsString)]) -> Option<String> {
    let path = variable(environment, "PATH");
    let name = match find("pass", path) {
        Ok(_) => "pass",
        Err(_) => "secretservice",
    };
    find(&format!("{PREFIX}{name}"), path)
        .is_ok()
        .then(|| name.to_owned())
}

/// Reads `DOCKER_AUTH_CONFIG`, which may have the key `auth` of each registry and nothing else.
pub(crate) fn read_variable(text: &str) -> Result<BTreeMap<String, Credentials>, String> {
    let mut settings = Settings::read(text.as_bytes())?;
    let mut problems = Vec::new();
    let auths = settings.objects("auths", |key, settings| {
        let auth = settings.text("auth");
        problems.extend(settings.rest().map(|key| format!("unknown key {key}")));
        let mut credentials = Credentials {
            server_address: key.to_owned(),
            ..Credentials::default()
        };
        match auth.as_deref().map(decode_auth) {
            None => problems.push(format!("auths.{}.auth is missing", redacted(key))),
            Some(Err(what)) => problems.push(format!("auths.{}.auth: {what}", redacted(key))),
            Some(Ok((username, password))) => {
                credentials.username = username;
                credentials.password = password;
            }
        }
        credentials
    });
    let unknown = settings.rest().map(|key| format!("unknown key {key}"));
    let problem = settings.errors.iter().cloned().chain(problems);
    match problem.chain(unknown).next() {
        Some(problem) => Err(problem),
        None => Ok(auths),
    }
}

/// Reads the credentials of a text of the form of `config.json`.
fn read_auths(text: &str) -> Result<BTreeMap<String, Credentials>, String> {
    let mut settings = Settings::read(text.as_bytes())?;
    let auths = settings.objects("auths", credentials);
    match settings.errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(auths),
    }
}

/// The host, and the port if there is one, of a URL or of a text that begins with them.
pub(crate) fn host_of(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(config: &str, variables: &[(&str, &str)]) -> CredentialStore {
        let (config, errors) = ConfigFile::parse(config.as_bytes());
        assert_eq!(errors, Vec::<String>::new());
        let variables = variables.iter();
        CredentialStore::new(
            config,
            variables.map(|(name, value)| ((*name).into(), (*value).into())),
        )
    }

    fn user(store: &CredentialStore, registry: &str) -> String {
        let credentials = store.get(registry);
        credentials
            .unwrap_or_else(|error| panic!("{registry}: {error}"))
            .username
    }

    /// A configuration with these keys, each with itself as the user.
    fn auths(keys: &[&str]) -> String {
        let entries: BTreeMap<_, _> = keys
            .iter()
            .map(|key| (*key, serde_json::json!({ "username": key })))
            .collect();
        serde_json::json!({ "auths": entries }).to_string()
    }

    #[test]
    fn the_file_is_asked_for_the_key_and_then_for_its_host() {
        let store = store(
            &auths(&[
                "https://index.docker.io/v1/",
                "r:5000",
                "https://r:5000/v2/",
                "http://other/x",
                "bare/path",
            ]),
            &[],
        );
        for (registry, key) in [
            ("docker.io", "https://index.docker.io/v1/"),
            ("index.docker.io", "https://index.docker.io/v1/"),
            ("r:5000", "r:5000"),
            ("other", "http://other/x"),
            ("bare", "bare/path"),
            ("r", ""),
            ("none", ""),
        ] {
            assert_eq!(user(&store, registry), key, "{registry}");
        }
        assert_eq!(store.get("none").expect("nothing").registry_auth(), "e30=");
    }

    #[test]
    fn hosts_of_keys() {
        for (key, host) in [
            ("h", "h"),
            ("h:1", "h:1"),
            ("https://h:1/v1/", "h:1"),
            ("http://user@h?x", "h"),
            ("h/path", "h"),
            ("https://[::1]:5/", "[::1]:5"),
            ("", ""),
            ("://", ""),
        ] {
            assert_eq!(host_of(key), host, "{key}");
        }
    }

    #[test]
    fn the_variable_comes_first_and_matches_exactly() {
        let variable = r#"{"auths": {"r:5000": {"auth": "bWU6eA=="}, "https://index.docker.io/v1/": {"auth": "aHViOng="}, "https://u/": {"auth": "bm86eA=="}}}"#;
        let store = store(&auths(&["r:5000", "u"]), &[(VARIABLE, variable)]);
        assert_eq!(store.warning(), None);
        assert_eq!(user(&store, "r:5000"), "me");
        assert_eq!(user(&store, "docker.io"), "hub");
        assert_eq!(user(&store, "u"), "u");
    }

    #[test]
    fn a_malformed_variable_is_told_of_and_left_out() {
        for (variable, error) in [
            (r#"{"auths": {"r": {}}}"#, "auths.r.auth is missing"),
            (
                r#"{"auths": {"r": {"auth": "sesame!"}}}"#,
                "auths.r.auth: not base64",
            ),
            (
                r#"{"auths": {"r": {"auth": "YTpi", "email": "x"}}}"#,
                "unknown key auths.r.email",
            ),
            (r#"{"credsStore": "pass"}"#, "unknown key credsStore"),
            (
                r#"{"auths": 1}"#,
                "auths: expected an object, found a number",
            ),
            ("sesame", "expected value at line 1 column 1"),
        ] {
            let store = store(&auths(&["r"]), &[(VARIABLE, variable)]);
            let expected =
                format!("Failed to create credential store from DOCKER_AUTH_CONFIG: {error}");
            assert_eq!(store.warning(), Some(expected));
            assert_eq!(user(&store, "r"), "r");
        }
    }

    #[test]
    fn all_are_those_of_the_variable_or_of_the_file() {
        let file = auths(&["a", "https://b/"]);
        let keys = |store: &CredentialStore| -> Vec<String> {
            store.all().expect("all").into_keys().collect()
        };
        assert_eq!(keys(&store(&file, &[])), ["a", "https://b/"]);
        let variable = r#"{"auths": {"c": {"identitytoken": "t"}}}"#;
        assert_eq!(keys(&store(&file, &[(VARIABLE, variable)])), ["c"]);
        assert_eq!(keys(&store(&file, &[(VARIABLE, "{}")])).len(), 2);
        let error = store(&file, &[(VARIABLE, "[]")])
            .all()
            .expect_err("malformed");
        assert_eq!(
            error.to_string(),
            "failed to read credentials from DOCKER_AUTH_CONFIG: expected an object, found an array"
        );
    }

    #[test]
    fn a_missing_helper_is_named() {
        let store = store(
            r#"{"credsStore": "lost", "credHelpers": {"own": "", "r": "x/y"}}"#,
            &[("PATH", "/nonexistent")],
        );
        let error = store.get("any").expect_err("no helper");
        assert_eq!(
            error.to_string(),
            "error getting credentials - err: exec: \"docker-credential-lost\": executable file not found in $PATH, out: ``"
        );
        assert_eq!(user(&store, "own"), "");
        let error = store.get("r").expect_err("no name").to_string();
        assert!(
            error.contains("\"docker-credential-x/y\" is no name of a program"),
            "{error}"
        );
    }
}
