//! Chooses the engine that commands talk to and records why.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use byname::Context;
use engine_client::{Address, ConfigFile, ContextStore, Endpoint, Tls, TlsFiles};

use crate::config;
use crate::globals::GlobalOptions;

/// The context that is no context: what options and variables say.
const DEFAULT_CONTEXT: &str = "default";

/// An engine, and what chose it.
#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) endpoint: Endpoint,
    pub(crate) reason: Reason,
}

/// What selected an engine. It prints as what stands behind `Selected by:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// A context, and what named it.
    Context(String, &'static str),
    /// `-H`.
    Host,
    /// `DOCKER_HOST`.
    Variable,
    /// Options or variables ask for TLS, which no socket has.
    Tls,
    /// The default socket is there, or nobody else is.
    Socket,
    /// The default socket is not there.
    NoSocket,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Context(name, by) => write!(f, "the context {name}, named by {by}"),
            Reason::Host => f.write_str("-H"),
            Reason::Variable => f.write_str("DOCKER_HOST"),
            Reason::Tls => f.write_str("TLS options without an address"),
            Reason::Socket => f.write_str("default, since its socket exists"),
            Reason::NoSocket => write!(
                f,
                "default, since {} does not exist",
                default_socket().display()
            ),
        }
    }
}

/// The engine of the first that is given: `--context`, `-H`, `DOCKER_HOST`, `DOCKER_CONTEXT`, the current context of the
/// configuration. Else it is this machine's: the one at the default socket, and where there is none the one inside of this
/// program. A socket that refuses is an error, and never a silent change of engine.
pub(crate) fn choose(cx: &Context, config: &ConfigFile) -> anyhow::Result<Choice> {
    let none = GlobalOptions::default();
    let globals = cx.globals::<GlobalOptions>().unwrap_or(&none);
    if let Some((name, by)) = context(cx, globals, config)? {
        let directory = config::directory(cx).ok_or_else(|| {
            anyhow::anyhow!(
                "context {name:?}: context not found: there is no home directory, and --config names none"
            )
        })?;
        return Ok(Choice {
            endpoint: ContextStore::new(directory.join("contexts")).endpoint(&name)?,
            reason: Reason::Context(name, by),
        });
    }
    let (host, reason) = match globals.hosts.first() {
        // An empty one is the default, whatever the variable says.
        Some(host) => (host.clone(), Reason::Host),
        None => (
            variable(cx, "DOCKER_HOST")?.unwrap_or_default(),
            Reason::Variable,
        ),
    };
    let uses_tls = TlsChoice::of(cx, globals);
    let (endpoint, reason) = match host.trim() {
        "" if uses_tls.is_on => ("tcp://localhost:2376".parse()?, Reason::Tls),
        "" => of_this_machine(),
        host => (host.parse::<Endpoint>()?, reason),
    };
    let endpoint = match endpoint.address() {
        Address::Tcp { .. } if uses_tls.is_on => {
            let files = uses_tls.files(cx, globals)?;
            endpoint.with_tls(Tls::read(&files)?)
        }
        // The files of TLS are not looked at where there is none.
        _ => endpoint,
    };
    Ok(Choice { endpoint, reason })
}

/// The context that is chosen, unless it is the one that is none, and what names it.
fn context(
    cx: &Context,
    globals: &GlobalOptions,
    config: &ConfigFile,
) -> anyhow::Result<Option<(String, &'static str)>> {
    let given = |name: &String| !name.is_empty();
    let chosen = match globals.context.clone().filter(given) {
        Some(name) => Some((name, "--context")),
        None if !globals.hosts.is_empty() || is_set(cx, "DOCKER_HOST") => None,
        None => match variable(cx, "DOCKER_CONTEXT")? {
            Some(name) => Some((name, "DOCKER_CONTEXT")),
            None => config
                .current_context
                .clone()
                .filter(given)
                .map(|name| (name, "config.json")),
        },
    };
    Ok(chosen.filter(|(name, _)| name != DEFAULT_CONTEXT))
}

fn of_this_machine() -> (Endpoint, Reason) {
    // One that can not be looked at is an error once it is used.
    match default_socket().try_exists() {
        Ok(false) => (Address::Embedded(None).into(), Reason::NoSocket),
        _ => (Endpoint::default(), Reason::Socket),
    }
}

fn default_socket() -> PathBuf {
    let endpoint = Endpoint::default();
    endpoint
        .socket_path()
        .map(Path::to_owned)
        .unwrap_or_default()
}

/// What options and variables say about TLS.
struct TlsChoice {
    is_on: bool,
    verify: bool,
}

impl TlsChoice {
    fn of(cx: &Context, globals: &GlobalOptions) -> TlsChoice {
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
    fn files(&self, cx: &Context, globals: &GlobalOptions) -> anyhow::Result<TlsFiles> {
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
pub(crate) fn variable(cx: &Context, name: &str) -> anyhow::Result<Option<String>> {
    let value = cx.environment().get(name).filter(|value| !value.is_empty());
    value
        .map(OsString::into_string)
        .transpose()
        .map_err(|value| anyhow::anyhow!("{name} is not UTF-8: {}", value.display()))
}
