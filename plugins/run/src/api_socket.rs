//! `--use-api-socket`: the container gets the engine's own socket and its user's credentials for registries.
//!
//! The credentials are a file in the container and not a mount, since none is in place before the start. They stay as
//! long as the container does.

use std::collections::BTreeMap;

use attach::Events;
use byname::Context;
use docker_cli::errors;
use engine_client::models::{ContainerCreateBody, Mount, MountBindOptions, MountType};
use engine_client::{Client, CredentialStore, Credentials, Error, ErrorKind, credentials_file};

use crate::stage::Stage;
use crate::wording::Wording;

/// Where every engine has its socket, on its host. Where we found it says nothing of that: it may be forwarded.
const SOCKET: &str = "/var/run/docker.sock";
/// The directory of the container's `config.json`.
const CONFIGURATION: &str = "/run/secrets/docker";
/// What tells programs of that directory.
const VARIABLE: &str = "DOCKER_CONFIG";

/// The file that is put into a container before it is started.
#[derive(Debug)]
pub(crate) struct CredentialsArchive(Vec<u8>);

/// Adds the socket to the body, and the variable if there are credentials for the container, which are returned. A
/// container that has the variable is left to it.
pub(crate) fn prepare(
    body: &mut ContainerCreateBody,
    cx: &Context,
    client: &Client,
    stage: &Stage,
    events: &mut Events,
    wording: &Wording,
) -> anyhow::Result<Option<CredentialsArchive>> {
    let os_type = client.os_type().map_err(|error| wording.engine(&error))?;
    if os_type == Some("windows") {
        let text = "flag --use-api-socket can't be used with a Windows Docker Engine";
        return Err(wording.unstarted(text));
    }
    // What has a socket at that path would be another engine.
    if client
        .is_embedded()
        .map_err(|error| wording.engine(&error))?
    {
        let text = "the embedded engine does not do --use-api-socket: it has no socket of its own";
        return Err(wording.unstarted(text));
    }
    let host = body.host_config.get_or_insert_default();
    host.mounts.get_or_insert_default().push(socket());
    let variables = body.env.get_or_insert_default();
    let is_given = |variable: &String| variable.split_once('=').is_some_and(|v| v.0 == VARIABLE);
    if variables.iter().any(is_given) {
        return Ok(None);
    }
    let Some(store) = cx.optional_state::<CredentialStore>()? else {
        return Ok(None);
    };
    let all = all_credentials(&store, stage, events, wording)?;
    if all.is_empty() {
        return Ok(None);
    }
    variables.push(format!("{VARIABLE}={CONFIGURATION}"));
    let archive = archive(&all).map_err(|error| wording.unstarted(error))?;
    Ok(Some(CredentialsArchive(archive)))
}

/// Puts the credentials into the container, unless a signal asks to end.
pub(crate) fn copy(
    archive: CredentialsArchive,
    client: &Client,
    id: &str,
    stage: &Stage,
    events: &mut Events,
) -> anyhow::Result<Result<(), Error>> {
    stage
        .perform(events, || client.put_archive(id, "/", archive.0))
        .map_err(errors::interrupted)
}

fn socket() -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(SOCKET.to_owned()),
        target: Some(SOCKET.to_owned()),
        bind_options: Some(MountBindOptions::default()),
        ..Mount::default()
    }
}

/// Asks for all credentials; a signal that asks to end ends the helpers that are asked.
fn all_credentials(
    store: &CredentialStore,
    stage: &Stage,
    events: &mut Events,
    wording: &Wording,
) -> anyhow::Result<BTreeMap<String, Credentials>> {
    let of_work = store.clone();
    match stage.perform_aside(events, move || of_work.all())? {
        Ok(Ok(all)) => Ok(all),
        Ok(Err(error)) => Err(match error.kind() {
            ErrorKind::Interrupted(signal) => errors::interrupted(signal),
            _ => wording.unstarted(format!("resolving credentials failed: {error}")),
        }),
        Err(signal) => {
            store.cancel();
            Err(errors::interrupted(signal))
        }
    }
}

/// A tar archive, to be unpacked at the root, of the `config.json` with these credentials. Only root may read it.
fn archive(credentials: &BTreeMap<String, Credentials>) -> std::io::Result<Vec<u8>> {
    let content = credentials_file(credentials);
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_size(content.len() as u64);
    let path = format!("{}/config.json", CONFIGURATION.trim_start_matches('/'));
    let mut builder = tar::Builder::new(Vec::new());
    builder.append_data(&mut header, path, content.as_bytes())?;
    builder.into_inner()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_archive_has_one_private_file() {
        let credentials = Credentials {
            username: "me".into(),
            password: "x".into(),
            identity_token: "t".into(),
            ..Credentials::default()
        };
        let all = BTreeMap::from([("r:5000".to_owned(), credentials)]);
        let bytes = archive(&all).expect("an archive");
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entries = archive.entries().expect("an archive");
        let mut entry = entries.next().expect("an entry").expect("a whole one");
        assert_eq!(
            entry.path().expect("a path").to_str(),
            Some("run/secrets/docker/config.json")
        );
        assert_eq!(entry.header().mode().expect("a mode"), 0o600);
        let mut content = String::new();
        entry.read_to_string(&mut content).expect("text");
        let content: serde_json::Value = serde_json::from_str(&content).expect("JSON");
        assert_eq!(
            content,
            serde_json::json!({ "auths": { "r:5000": { "auth": "bWU6eA==", "identitytoken": "t" } } })
        );
        assert!(entries.next().is_none());
    }
}
