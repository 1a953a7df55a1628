//! Which engine the commands talk to.

use byname::Context;
use engine_client::{ApiVersion, Client, ClientOptions, Endpoint};

use crate::globals::Globals;

/// A client of the engine that `-H`, `DOCKER_HOST` or the default names. Nothing is opened yet.
pub(crate) fn client(cx: &Context) -> anyhow::Result<Client> {
    let host = cx
        .globals::<Globals>()
        .and_then(|globals| globals.hosts.first().cloned());
    let endpoint: Endpoint = match host.filter(|host| !host.is_empty()) {
        Some(host) => host.parse()?,
        None => variable(cx, "DOCKER_HOST")?.unwrap_or_default().parse()?,
    };
    let api_version = variable(cx, "DOCKER_API_VERSION")?
        .map(|version| version.parse::<ApiVersion>())
        .transpose()?;
    let options = ClientOptions {
        user_agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version,
        ..ClientOptions::default()
    };
    Ok(Client::new(endpoint, options))
}

/// The value of a variable that is set to something.
fn variable(cx: &Context, name: &str) -> anyhow::Result<Option<String>> {
    let Some(value) = cx.environment().get(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let value = value.into_string();
    value
        .map(Some)
        .map_err(|value| anyhow::anyhow!("{name} is not UTF-8: {}", value.display()))
}
