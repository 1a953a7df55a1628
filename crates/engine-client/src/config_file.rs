//! Docker's client configuration file, `config.json`.
//!
//! Only what something here acts on is read; other keys belong to other programs that share the file.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, io};

use crate::container_proxies::ContainerProxies;
use crate::credentials::{Credentials, decode_auth};
use crate::error::{Error, ErrorKind, os_text};
use crate::input_file::{SHORT_PATIENCE, read_file};
use crate::settings::Settings;

/// The key of the proxies for engines that have none of their own.
const DEFAULT_PROXIES: &str = "default";

/// What `config.json` says. Everything is optional, and so is the file.
///
/// Its `Debug` form shows no secret.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFile {
    /// `detachKeys`: the keys that leave a container's terminal, in the words of `--detach-keys`, which overrides them.
    pub detach_keys: Option<String>,
    /// `psFormat`: what `ps` prints without `--format`.
    pub ps_format: Option<String>,
    /// `imagesFormat`: the same for `images`.
    pub images_format: Option<String>,
    /// `volumesFormat`: the same for `volume ls`.
    pub volumes_format: Option<String>,
    /// `auths`: credentials by registry. The keys are as they were written: a host, or a URL with one.
    pub auths: BTreeMap<String, Credentials>,
    /// `credsStore`: the credential helper for all registries, `NAME` of `docker-credential-NAME`.
    pub credentials_store: Option<String>,
    /// `credHelpers`: credential helpers by registry. An empty one means `auths`.
    pub credential_helpers: BTreeMap<String, String>,
    /// `HttpHeaders`: headers for each request to the engine.
    pub http_headers: BTreeMap<String, String>,
    /// `proxies`: what containers are told of, by the address of the engine. See [`ConfigFile::proxies_of`].
    pub proxies: BTreeMap<String, ContainerProxies>,
    /// `currentContext`: the name of the context to use if nothing else chooses an engine.
    pub current_context: Option<String>,
}

impl ConfigFile {
    /// Reads `config.json` in this directory; a missing file is an empty one.
    ///
    /// What is wrong is told by the errors, which name file and key, and left out; the other keys still count: a
    /// mistake in one program's setting must not lead another to the wrong engine. Docker's client warns of errors and
    /// goes on. All are [`ErrorKind::Input`], and none shows a value.
    pub fn read(directory: &Path) -> (ConfigFile, Vec<Error>) {
        let path = directory.join("config.json");
        match read_file(&path, SHORT_PATIENCE) {
            Ok(bytes) => {
                let (file, errors) = ConfigFile::parse(&bytes);
                let named =
                    |what| input(format!("parsing config file ({}): {what}", path.display()));
                (file, errors.into_iter().map(named).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Default::default(),
            Err(error) => {
                let text = os_text(&error);
                let message = format!("loading config file: open {}: {text}", path.display());
                let error = input(message).with_source(error);
                (ConfigFile::default(), vec![error])
            }
        }
    }

    /// The file of this content, and what is wrong in it.
    pub(crate) fn parse(bytes: &[u8]) -> (ConfigFile, Vec<String>) {
        let mut settings = match Settings::read(bytes) {
            Ok(settings) => settings,
            Err(error) => return (ConfigFile::default(), vec![error]),
        };
        let file = ConfigFile {
            detach_keys: settings.text("detachKeys"),
            ps_format: settings.text("psFormat"),
            images_format: settings.text("imagesFormat"),
            volumes_format: settings.text("volumesFormat"),
            auths: settings.objects("auths", credentials),
            credentials_store: settings.text("credsStore"),
            credential_helpers: settings.texts("credHelpers"),
            http_headers: settings.texts("HttpHeaders"),
            proxies: settings.objects("proxies", |_, proxies| container_proxies(proxies)),
            current_context: settings.text("currentContext"),
        };
        (file, settings.errors)
    }

    /// The proxies that a container is told of by an engine at this address, such as `unix:///var/run/docker.sock`:
    /// those of `proxies` under this very address, else under `default`.
    pub fn proxies_of(&self, endpoint: &str) -> Option<&ContainerProxies> {
        self.proxies
            .get(endpoint)
            .or_else(|| self.proxies.get(DEFAULT_PROXIES))
    }

    /// Whether anything says where credentials are.
    pub(crate) fn has_credentials(&self) -> bool {
        self.credentials_store.is_some()
            || !self.credential_helpers.is_empty()
            || !self.auths.is_empty()
    }
}

impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&String> = self.http_headers.keys().collect();
        f.debug_struct("ConfigFile")
            .field("detach_keys", &self.detach_keys)
            .field("ps_format", &self.ps_format)
            .field("images_format", &self.images_format)
            .field("volumes_format", &self.volumes_format)
            .field("auths", &self.auths)
            .field("credentials_store", &self.credentials_store)
            .field("credential_helpers", &self.credential_helpers)
            // A header's value may be a token.
            .field("http_headers", &headers)
            .field("proxies", &self.proxies)
            .field("current_context", &self.current_context)
            .finish()
    }
}

/// Reads a value of `auths`.
pub(crate) fn credentials(key: &str, settings: &mut Settings) -> Credentials {
    let mut text = |key| settings.text(key).unwrap_or_default();
    let mut credentials = Credentials {
        username: text("username"),
        password: text("password"),
        server_address: key.to_owned(),
        identity_token: text("identitytoken"),
        registry_token: text("registrytoken"),
    };
    match settings.text("auth").as_deref().map(decode_auth) {
        None => {}
        Some(Ok((username, password))) => {
            credentials.username = username;
            credentials.password = password;
        }
        Some(Err(what)) => settings.wrong("auth", what),
    }
    credentials
}

fn container_proxies(settings: &mut Settings) -> ContainerProxies {
    ContainerProxies {
        http: settings.text("httpProxy"),
        https: settings.text("httpsProxy"),
        no: settings.text("noProxy"),
        ftp: settings.text("ftpProxy"),
        all: settings.text("allProxy"),
    }
}

fn input(message: String) -> Error {
    Error::new(ErrorKind::Input, message)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read(content: &str) -> (ConfigFile, Vec<String>) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("config.json");
        fs::write(&path, content).expect("a file");
        let (file, errors) = ConfigFile::read(directory.path());
        let prefix = format!("parsing config file ({}): ", path.display());
        let text = |error: Error| {
            assert_eq!(error.kind(), ErrorKind::Input);
            let text = error.to_string();
            let what = text.strip_prefix(&prefix);
            what.unwrap_or_else(|| panic!("{text}")).to_owned()
        };
        (file, errors.into_iter().map(text).collect())
    }

    const WHOLE: &str = r#"{
        "auths": {"r:5000": {"auth": "bWU6c2VzYW1lMQ==", "email": "x"}, "https://i/v1/": {"identitytoken": "sesame2"},
                  "plain": {"username": "u", "password": "sesame3", "registrytoken": "sesame4"}, "none": null},
        "credsStore": "pass",
        "credHelpers": {"h": "x", "e": "", "n": null},
        "HttpHeaders": {"X-Token": "sesame5"},
        "proxies": {"default": {"httpProxy": "http://u:sesame6@p", "noProxy": ""}, "tcp://e:1": {"allProxy": "a"}},
        "detachKeys": "ctrl-x", "currentContext": "remote", "pluginsFormat": 1,
        "psFormat": "{{.ID}}", "imagesFormat": "table {{.ID}}", "volumesFormat": "{{.Name}}"
    }"#;

    #[test]
    fn each_key_is_read_and_unknown_ones_are_other_programs_business() {
        let (file, errors) = read(WHOLE);
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(file.detach_keys.as_deref(), Some("ctrl-x"));
        assert_eq!(file.ps_format.as_deref(), Some("{{.ID}}"));
        assert_eq!(file.images_format.as_deref(), Some("table {{.ID}}"));
        assert_eq!(file.volumes_format.as_deref(), Some("{{.Name}}"));
        assert_eq!(file.credentials_store.as_deref(), Some("pass"));
        assert_eq!(file.current_context.as_deref(), Some("remote"));
        assert_eq!(file.http_headers["X-Token"], "sesame5");
        let helpers: Vec<_> = file.credential_helpers.iter().collect();
        assert_eq!(helpers.len(), 3);
        assert_eq!(
            (
                file.credential_helpers["h"].as_str(),
                file.credential_helpers["e"].as_str()
            ),
            ("x", "")
        );
        let login = &file.auths["r:5000"];
        assert_eq!(
            (login.username.as_str(), login.password.as_str()),
            ("me", "sesame1")
        );
        assert_eq!(login.server_address, "r:5000");
        assert_eq!(file.auths["https://i/v1/"].identity_token, "sesame2");
        assert_eq!(file.auths["plain"].password, "sesame3");
        assert_eq!(file.auths["plain"].registry_token, "sesame4");
        assert_eq!(file.auths["none"].server_address, "none");
        let default = file.proxies_of("unix:///x").expect("the default");
        let variables: Vec<_> = default.variables().collect();
        assert_eq!(variables, [("HTTP_PROXY", "http://u:sesame6@p")]);
        let own = file.proxies_of("tcp://e:1").expect("its own");
        assert_eq!(own.variables().collect::<Vec<_>>(), [("ALL_PROXY", "a")]);
    }

    #[test]
    fn secrets_are_not_printed() {
        let printed = format!("{:?}", read(WHOLE).0);
        assert!(
            printed.contains("X-Token") && !printed.contains("sesame"),
            "{printed}"
        );
    }

    #[test]
    fn keys_are_found_in_any_case_and_the_exact_one_first() {
        let (file, _) =
            read(r#"{"DETACHKEYS": "a", "httpheaders": {"X": "y"}, "currentcontext": "l"}"#);
        assert_eq!(file.detach_keys.as_deref(), Some("a"));
        assert_eq!(file.http_headers["X"], "y");
        let (file, _) = read(r#"{"CURRENTCONTEXT": "a", "currentContext": "b"}"#);
        assert_eq!(file.current_context.as_deref(), Some("b"));
    }

    #[test]
    fn an_empty_file_and_a_missing_one_are_empty() {
        for content in ["", " \n", "{}", "null", "{} and more", r#"{"auths": null}"#] {
            assert_eq!(read(content), Default::default(), "{content}");
        }
        let directory = tempfile::tempdir().expect("a directory");
        let (file, errors) = ConfigFile::read(directory.path());
        assert_eq!(file, ConfigFile::default());
        assert!(errors.is_empty());
    }

    #[test]
    fn what_is_wrong_is_named_without_its_value_and_the_rest_counts() {
        for (content, error) in [
            (
                r#"{"detachKeys": 3}"#,
                "detachKeys: expected a string, found a number",
            ),
            (
                r#"{"auths": "sesame"}"#,
                "auths: expected an object, found a string",
            ),
            (
                r#"{"auths": {"r": "sesame"}}"#,
                "auths.r: expected an object, found a string",
            ),
            (
                r#"{"auths": {"r": {"auth": "sesame!"}}}"#,
                "auths.r.auth: not base64",
            ),
            (
                r#"{"auths": {"r": {"identitytoken": ["sesame"]}}}"#,
                "auths.r.identitytoken: expected a string, found an array",
            ),
            (
                r#"{"credHelpers": {"r": {}}}"#,
                "credHelpers.r: expected a string, found an object",
            ),
            (
                r#"{"proxies": {"default": {"httpProxy": true}}}"#,
                "proxies.default.httpProxy: expected a string, found a boolean",
            ),
            (r#"["sesame"]"#, "expected an object, found an array"),
        ] {
            assert_eq!(read(content).1, [error], "{content}");
        }
        let (file, errors) =
            read(r#"{"auths": {"r": {"auth": "x"}}, "credsStore": [], "currentContext": "c"}"#);
        assert_eq!(errors.len(), 2);
        assert_eq!(file.current_context.as_deref(), Some("c"));
        assert!(file.has_credentials());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for content in ["{", r#"{"auths": {"x": {"auth": sesame"#, "x"] {
            let (file, errors) = read(content);
            assert_eq!(file, ConfigFile::default());
            assert!(
                errors.len() == 1 && !errors[0].contains("sesame"),
                "{errors:?}"
            );
        }
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("config.json");
        fs::create_dir(&path).expect("a directory");
        let (_, errors) = ConfigFile::read(directory.path());
        assert_eq!(
            errors[0].to_string(),
            format!(
                "loading config file: open {}: is a directory",
                path.display()
            )
        );
    }
}
