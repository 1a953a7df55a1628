//! Builds the body of `POST /containers/create` from the options.
//!
//! What is not given is left out: for an engine absent, null, empty and zero are the same, but for the few fields that
//! are always set here, since Docker's client always sends them.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::PathBuf;

use byname::Environment;
use docker_cli::{env_file, environment};
use engine_client::models::{ContainerCreateBody, HealthConfig};
use engine_client::{ContainerProxies, NewContainer, os_text};
use terminal::Size;

use crate::endpoints::{self, Endpoints};
use crate::host_config::{self, isolation};
use crate::options::{
    EnvironmentOptions, HealthOptions, LifecycleOptions, Options, ProcessOptions,
};
use crate::values::attach::StandardStream;
use crate::values::port::Ports;
use crate::values::volume::Volume;
use crate::values::{InvalidValue, label, path, port, restart, rootfs, volume};

/// What else goes into the body: the client's own circumstances.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    /// The client's environment, where variables without a value get theirs.
    pub(crate) environment: &'a Environment,
    /// The proxies that containers of this engine are told of.
    pub(crate) proxies: Option<&'a ContainerProxies>,
    /// The size of the client's terminal, if its standard output is one.
    pub(crate) console: Option<Size>,
    /// What the engine runs on, if an option depends on it and the engine says so.
    pub(crate) os_type: Option<&'a str>,
}

impl Circumstances<'_> {
    /// The directory that relative paths are relative to. It may have been removed, so only a path that needs it asks.
    pub(crate) fn directory(&self) -> Result<PathBuf, InvalidValue> {
        let pwd = self.environment.get("PWD");
        path::current_directory(pwd.as_deref()).map_err(|error| {
            InvalidValue::new(format!(
                "cannot determine the current directory: {}",
                os_text(&error)
            ))
        })
    }
}

/// The streams that the client attaches to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttachedStreams {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

impl AttachedStreams {
    /// None of a detached container; else those of `--attach`, or both outputs, and standard input with
    /// `--interactive`.
    pub(crate) fn of(options: &Options) -> AttachedStreams {
        let ProcessOptions {
            attach,
            interactive,
            ..
        } = &options.process;
        let is_attached = !options.lifecycle.detach;
        let is_named = |stream| attach.contains(&stream);
        AttachedStreams {
            stdin: is_attached && (*interactive || is_named(StandardStream::Stdin)),
            stdout: is_attached && (attach.is_empty() || is_named(StandardStream::Stdout)),
            stderr: is_attached && (attach.is_empty() || is_named(StandardStream::Stderr)),
        }
    }
}

/// Describes the container. Files that options name are read here; the image, or the directory of `--rootfs`, is the first of
/// `words`, the command the rest.
pub(crate) fn container(
    options: &Options,
    words: &[String],
    circumstances: &Circumstances<'_>,
) -> Result<NewContainer, InvalidValue> {
    let Options {
        lifecycle, process, ..
    } = options;
    let streams = AttachedStreams::of(options);
    let Ports { exposed, bindings } =
        port::parse(&options.network.publish, &options.network.expose)?;
    let (anonymous, binds) = volumes(&options.storage.volumes, circumstances)?;
    let (first, command) = match words {
        [first, command @ ..] => (first.as_str(), command.to_vec()),
        [] => ("", Vec::new()),
    };
    let (image, rootfs) = if options.image.rootfs {
        let rootfs = rootfs::parse(first, &circumstances.directory()?)?;
        (String::new(), Some(rootfs))
    } else {
        (first.to_owned(), None)
    };
    let restart = restart::parse(lifecycle.restart.as_deref().unwrap_or("no"))?;
    let Endpoints {
        mode,
        networking_config,
        mac_address,
    } = endpoints::endpoints(&options.network)?;
    let host_config =
        host_config::host_config(options, mode, &restart, binds, bindings, circumstances)?;
    let body = ContainerCreateBody {
        hostname: text(&options.network.hostname),
        domainname: text(&options.network.domainname),
        user: text(&process.user),
        attach_stdin: Some(streams.stdin),
        attach_stdout: Some(streams.stdout),
        attach_stderr: Some(streams.stderr),
        exposed_ports: list(exposed.into_iter().collect()),
        tty: Some(process.tty),
        open_stdin: Some(process.interactive),
        stdin_once: Some(process.interactive && streams.stdin),
        env: list(variables(&options.environment, circumstances)?),
        cmd: list(command),
        healthcheck: health_check(&options.health)?,
        image: Some(image),
        volumes: list(anonymous),
        working_dir: text(&process.workdir),
        // An empty one resets that of the image, so it is not the same as none.
        entrypoint: process.entrypoint.clone().map(|program| vec![program]),
        labels: map(labels(lifecycle)?),
        stop_signal: text(&lifecycle.stop_signal),
        stop_timeout: lifecycle.stop_timeout,
        host_config: Some(host_config),
        networking_config,
        ..ContainerCreateBody::default()
    };
    Ok(NewContainer {
        restart_policy: Some(restart.name).filter(|name| !restart::is_listed(name)),
        isolation: text(&options.windows.isolation).filter(|mode| isolation(mode).is_none()),
        mounts: options
            .storage
            .mounts
            .iter()
            .map(|mount| mount.words.clone())
            .collect(),
        mac_address,
        rootfs,
        ..body.into()
    })
}

/// The text, unless it is empty.
pub(crate) fn text(value: &Option<String>) -> Option<String> {
    value.clone().filter(|text| !text.is_empty())
}

/// The list, unless it is empty.
pub(crate) fn list<T>(values: Vec<T>) -> Option<Vec<T>> {
    Some(values).filter(|values| !values.is_empty())
}

/// The map, unless it is empty.
pub(crate) fn map<K: Eq + Hash, V>(values: HashMap<K, V>) -> Option<HashMap<K, V>> {
    Some(values).filter(|values| !values.is_empty())
}

/// The variables of the files in their order, and behind them those of the command line and of the configured proxies,
/// which the engine lets win.
fn variables(
    options: &EnvironmentOptions,
    circumstances: &Circumstances<'_>,
) -> Result<Vec<String>, InvalidValue> {
    let lookup = environment::lookup(circumstances.environment);
    let mut variables =
        env_file::read_all(&options.env_files, "--env-file", env_file::read, lookup)?;
    let mut given = environment::resolve(&options.env, lookup)?;
    if let Some(proxies) = circumstances.proxies {
        environment::add_proxies(&mut given, proxies.variables());
    }
    variables.extend(given);
    Ok(variables)
}

fn labels(options: &LifecycleOptions) -> Result<HashMap<String, String>, InvalidValue> {
    let of_files =
        env_file::read_all(&options.label_files, "--label-file", env_file::read, |_| {
            Ok(None)
        })?;
    Ok(label::map(
        of_files.into_iter().chain(options.labels.iter().cloned()),
    ))
}

/// The anonymous volumes and the binds, each once.
fn volumes(
    volumes: &[String],
    circumstances: &Circumstances<'_>,
) -> Result<(Vec<String>, Vec<String>), InvalidValue> {
    let (mut anonymous, mut binds) = (Vec::new(), Vec::new());
    let directory = if volumes.iter().any(|text| text.starts_with('.')) {
        circumstances.directory()?
    } else {
        PathBuf::new()
    };
    for text in volumes {
        let (list, value) = match volume::parse(text, &directory)? {
            Volume::Anonymous(path) => (&mut anonymous, path),
            Volume::Bind(bind) => (&mut binds, bind),
        };
        if !list.contains(&value) {
            list.push(value);
        }
    }
    Ok((anonymous, binds))
}

fn health_check(options: &HealthOptions) -> Result<Option<HealthConfig>, InvalidValue> {
    let given = |value: Option<i64>| value.filter(|value| *value != 0);
    let checked = |option: &str, value: Option<i64>| match given(value) {
        Some(value) if value < 0 => {
            Err(InvalidValue::new(format!("--{option} cannot be negative")))
        }
        value => Ok(value),
    };
    let command = text(&options.health_cmd);
    let values = [
        options.health_interval,
        options.health_timeout,
        options.health_retries,
        options.health_start_period,
        options.health_start_interval,
    ];
    let is_set = command.is_some() || values.into_iter().any(|value| given(value).is_some());
    match (options.no_healthcheck, is_set) {
        (true, true) => Err(InvalidValue::new(
            "--no-healthcheck conflicts with --health-* options",
        )),
        (true, false) => Ok(Some(HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        })),
        (false, false) => Ok(None),
        (false, true) => Ok(Some(HealthConfig {
            test: command.map(|command| vec!["CMD-SHELL".to_owned(), command]),
            interval: checked("health-interval", options.health_interval)?,
            timeout: checked("health-timeout", options.health_timeout)?,
            retries: checked("health-retries", options.health_retries)?,
            start_period: checked("health-start-period", options.health_start_period)?,
            start_interval: checked("health-start-interval", options.health_start_interval)?,
        })),
    }
}
