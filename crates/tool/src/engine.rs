//! Which engine the commands talk to, and how.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use byname::Context;
use engine_client::{
    Address, ApiVersion, Client, ClientOptions, ConfigFile, ContextStore, Endpoint, Tls, TlsFiles,
};

use crate::globals::{Globals, failure};
use crate::{config, custom_headers};

/// The context that is no context: what options and variables say.
const DEFAULT_CONTEXT: &str = "default";

/// A client of the engine that was chosen. Nothing is opened yet.
pub(crate) fn client(cx: &Context) -> anyhow::Result<Client> {
    let config = cx.state::<ConfigFile>()?;
    let api_version = variable(cx, "DOCKER_API_VERSION")?
        .map(|version| version.parse::<ApiVersion>())
        .transpose()?;
    let headers = custom_headers::of(cx, &config)
        .map_err(|text| failure(format!("Failed to initialize: {text}")))?;
    let options = ClientOptions {
        user_agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version,
        headers,
        environment: cx.environment().vars(),
        ..ClientOptions::default()
    };
    let endpoint = endpoint(cx, &config, options.embedded.is_some()).map_err(|error| {
        failure(format!(
            "Failed to initialize: unable to resolve docker endpoint: {error}"
        ))
    })?;
    Ok(Client::new(endpoint, options))
}

/// The engine of the first that is given: `--context`, `-H`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of the
/// configuration. Else it is this machine's.
fn endpoint(cx: &Context, config: &ConfigFile, has_embedded: bool) -> anyhow::Result<Endpoint> {
    let none = Globals::default();
    let globals = cx.globals::<Globals>().unwrap_or(&none);
    let context = match globals.context.clone().filter(|name| !name.is_empty()) {
        Some(name) => name,
        None if !globals.hosts.is_empty() || is_set(cx, "DOCKER_HOST") => {
            DEFAULT_CONTEXT.to_owned()
        }
        None => variable(cx, "DOCKER_CONTEXT")?
            .or_else(|| config.current_context.clone())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| DEFAULT_CONTEXT.to_owned()),
    };
    if context != DEFAULT_CONTEXT {
        let directory = config::directory(cx).ok_or_else(|| {
            anyhow::anyhow!(
                "context {context:?}: context not found: there is no home directory, and --config names none"
            )
        })?;
        return Ok(ContextStore::new(directory.join("contexts")).endpoint(&context)?);
    }
    let host = match globals.hosts.first() {
        // An empty one is the default, whatever the variable says.
        Some(host) => host.clone(),
        None => variable(cx, "DOCKER_HOST")?.unwrap_or_default(),
    };
    let uses_tls = TlsChoice::of(cx, globals);
    let endpoint = match host.trim() {
        "" if uses_tls.is_on => "tcp://localhost:2376".parse()?,
        "" => of_this_machine(has_embedded),
        host => host.parse::<Endpoint>()?,
    };
    match endpoint.address() {
        Address::Tcp { .. } if uses_tls.is_on => {
            let files = uses_tls.files(cx, globals)?;
            Ok(endpoint.with_tls(Tls::read(&files)?))
        }
        // The files of TLS are not looked at where there is none.
        _ => Ok(endpoint),
    }
}

/// The default socket; where there is none, the engine inside of this program if it has one. A socket that refuses is an
/// error, and never a silent change of engine.
fn of_this_machine(has_embedded: bool) -> Endpoint {
    let socket = Endpoint::default();
    let exists = socket.socket_path().is_some_and(Path::exists);
    match has_embedded && !exists {
        true => Address::Embedded(None).into(),
        false => socket,
    }
}

/// What options and variables say about TLS.
struct TlsChoice {
    is_on: bool,
    verify: bool,
}

impl TlsChoice {
    fn of(cx: &Context, globals: &Globals) -> TlsChoice {
        let verify = globals
            .tlsverify
            .unwrap_or_else(|| is_set(cx, "DOCKER_TLS_VERIFY"));
        let tls = globals.tls.unwrap_or_else(|| is_set(cx, "DOCKER_TLS"));
        TlsChoice {
            // `--tlsverify=false` asks for TLS too.
            is_on: tls || verify || globals.tlsverify.is_some(),
            verify,
        }
    }

    /// The files that were named, and those of the default directory. Of the latter, a certificate and a key may be
    /// missing; the authorities may not.
    fn files(&self, cx: &Context, globals: &Globals) -> anyhow::Result<TlsFiles> {
        let directory = cx
            .environment()
            .get("DOCKER_CERT_PATH")
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
            .or_else(|| config::directory(cx))
            .ok_or_else(|| {
                anyhow::anyhow!(
                    "there is no home directory to look for certificates in; set DOCKER_CERT_PATH"
                )
            })?;
        let existing = |name| {
            let path = directory.join(name);
            // One that can not be looked at is an error when it is read.
            (!matches!(path.try_exists(), Ok(false))).then_some(path)
        };
        Ok(TlsFiles {
            authorities: match &globals.tlscacert {
                Some(path) => named(path),
                None => Some(directory.join("ca.pem")),
            },
            certificate: match &globals.tlscert {
                Some(path) => named(path),
                None => existing("cert.pem"),
            },
            key: match &globals.tlskey {
                Some(path) => named(path),
                None => existing("key.pem"),
            },
            verify: self.verify,
        })
    }
}

/// The file of an option. An empty one is none, and quotes that came through a file of settings do not count.
fn named(path: &Path) -> Option<PathBuf> {
    let path = match path.to_str() {
        Some(text) => {
            let inner = ['"', '\''].iter().find_map(|&quote| {
                text.strip_prefix(quote)
                    .and_then(|text| text.strip_suffix(quote))
            });
            PathBuf::from(inner.unwrap_or(text))
        }
        None => path.to_owned(),
    };
    (!path.as_os_str().is_empty()).then_some(path)
}

fn is_set(cx: &Context, name: &str) -> bool {
    cx.environment()
        .get(name)
        .is_some_and(|value| !value.is_empty())
}

/// The value of a variable that is set to something.
fn variable(cx: &Context, name: &str) -> anyhow::Result<Option<String>> {
    let value = cx.environment().get(name).filter(|value| !value.is_empty());
    value
        .map(OsString::into_string)
        .transpose()
        .map_err(|value| anyhow::anyhow!("{name} is not UTF-8: {}", value.display()))
}
