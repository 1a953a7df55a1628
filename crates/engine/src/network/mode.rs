//! What `--network` asks for.

use bollard_stubs::models::ContainerCreateBody;

use crate::{Error, Result};

/// Which network a container has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// One of its own, connected to the engine's bridge.
    Bridge,
    /// One of its own, connected to nothing.
    None,
    /// The machine's.
    Host,
    /// That of the container of this name or id.
    Container(String),
}

impl Mode {
    /// Reads `HostConfig.NetworkMode`.
    ///
    /// A network that there is not is the request's fault here, not a missing thing: clients take 404 for a missing
    /// image, pull it and ask again.
    pub(crate) fn of(body: &ContainerCreateBody) -> Result<Mode> {
        let mode = body
            .host_config
            .as_ref()
            .and_then(|config| config.network_mode.as_deref())
            .unwrap_or_default();
        match mode {
            "" | "default" | "bridge" => Ok(Mode::Bridge),
            "none" => Ok(Mode::None),
            "host" => Ok(Mode::Host),
            mode => match mode.strip_prefix("container:") {
                Some("") => Err(Error::invalid(
                    "invalid network mode: invalid container format container:<name|id>",
                )),
                Some(container) => Ok(Mode::Container(container.to_owned())),
                None => Err(unknown(mode)),
            },
        }
    }

    /// The name under which `inspect` shows it, or nothing for another container's.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Mode::Bridge => Some("bridge"),
            Mode::None => Some("none"),
            Mode::Host => Some("host"),
            Mode::Container(_) => None,
        }
    }
}

/// The refusal of a network of the user's own.
pub(super) fn unknown(name: &str) -> Error {
    Error::invalid(format!(
        "network {name} not found: the embedded engine has the networks bridge, host and none"
    ))
}

#[cfg(test)]
mod tests {
    use bollard_stubs::models::HostConfig;

    use super::*;

    fn mode(mode: &str) -> Result<Mode> {
        Mode::of(&ContainerCreateBody {
            host_config: Some(HostConfig {
                network_mode: Some(mode.to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        })
    }

    #[test]
    fn every_mode_is_read() {
        for name in ["", "default", "bridge"] {
            assert_eq!(mode(name).expect("a mode"), Mode::Bridge, "{name}");
        }
        assert_eq!(mode("none").expect("a mode"), Mode::None);
        assert_eq!(mode("host").expect("a mode"), Mode::Host);
        assert_eq!(
            mode("container:c").expect("a mode"),
            Mode::Container("c".to_owned())
        );
        assert_eq!(
            Mode::of(&ContainerCreateBody::default()).expect("a mode"),
            Mode::Bridge
        );
    }

    #[test]
    fn a_network_of_the_users_own_is_refused_by_name() {
        let error = mode("front").expect_err("there is none");
        assert_eq!(error.status(), 400);
        assert!(
            error.to_string().starts_with("network front not found"),
            "{error}"
        );
        assert!(mode("container:").is_err());
    }
}
