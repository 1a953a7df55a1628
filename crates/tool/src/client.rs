//! Builds the client of the chosen engine.

use std::io;

use byname::Context;
use docker_cli::errors;
use engine::Access;
use engine_client::{ApiVersion, Client, ClientOptions, ConfigFile, EmbeddedEngine};

use once_cell::sync::OnceCell;

use crate::choice::{self, Choice};
use crate::commands::layout_of;
use crate::custom_headers;

/// Which engine the commands talk to, once one of them asks.
pub(crate) fn choose(cx: &Context) -> anyhow::Result<Choice> {
    let config = cx.state::<ConfigFile>()?;
    choice::choose(cx, &config).map_err(|error| {
        errors::bare(format!(
            "Failed to initialize: unable to resolve docker endpoint: {error}"
        ))
    })
}

/// A client of it. Nothing is opened yet, and the engine inside of this program is not touched before it is needed.
pub(crate) fn client(cx: &Context) -> anyhow::Result<Client> {
    let config = cx.state::<ConfigFile>()?;
    let api_version = choice::variable(cx, "DOCKER_API_VERSION")?
        .map(|version| version.parse::<ApiVersion>())
        .transpose()?;
    let headers = custom_headers::of(cx, &config)
        .map_err(|text| errors::bare(format!("Failed to initialize: {text}")))?;
    let options = ClientOptions {
        user_agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version,
        headers,
        environment: cx.environment().vars(),
        embedded: Some(embedded()),
        ..ClientOptions::default()
    };
    Ok(Client::new(cx.state::<Choice>()?.endpoint.clone(), options))
}

/// The engine inside of this program. All connections go to one, which is started with the first of them.
fn embedded() -> EmbeddedEngine {
    let access = OnceCell::new();
    EmbeddedEngine::new(move |state| {
        let access = access
            .get_or_try_init(|| layout_of(state).map(Access::new))
            .map_err(io::Error::other)?;
        access.connect()
    })
}
