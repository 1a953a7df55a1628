//! What an image says about itself and its containers: the configuration that its id is the digest of.

use std::collections::HashMap;

use bollard_stubs::models::ImageConfig;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::platform::Platform;
use crate::spec::ImageDefaults;
use crate::{Error, Result, json};

/// The configuration of an image: that of the OCI image specification, with Docker's additions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// The architecture of its programs, in Go's words.
    #[serde(default, deserialize_with = "or_default")]
    pub architecture: String,
    /// What goes with the architecture: `v7` and the like.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub variant: String,
    /// The operating system of its programs.
    #[serde(default, deserialize_with = "or_default")]
    pub os: String,
    /// When it was made, in RFC 3339's form; empty if nobody knows.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub created: String,
    /// Who made it.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub author: String,
    /// Whatever its maker had to say.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub comment: String,
    /// The release of the engine that made it.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub docker_version: String,
    /// What its containers are made with.
    #[serde(default, deserialize_with = "or_default")]
    pub config: ImageConfig,
    /// Its layers.
    pub rootfs: Rootfs,
    /// How it came about, the oldest step first.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub history: Vec<Step>,
}

/// The layers of an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rootfs {
    /// Always `layers`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
    /// The digests of the layers' archives before compression, the lowest first.
    #[serde(default, deserialize_with = "or_default")]
    pub diff_ids: Vec<Digest>,
}

/// One step of making an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// When it was taken.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub created: String,
    /// The command of it.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub created_by: String,
    /// Who took it.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub author: String,
    /// Whatever was said about it.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "String::is_empty"
    )]
    pub comment: String,
    /// Whether it made no layer.
    #[serde(
        default,
        deserialize_with = "or_default",
        skip_serializing_if = "is_false"
    )]
    pub empty_layer: bool,
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if it is not one of an image.
    pub fn parse(bytes: &[u8]) -> Result<Config> {
        let invalid = |error: serde_json::Error| {
            Error::invalid(format!("invalid image configuration: {error}"))
        };
        // Docker reads its keys in any case, and in old images a command is one text.
        let config: Config = json::from_slice(bytes).map_err(invalid)?;
        if !matches!(config.rootfs.kind.as_str(), "layers" | "") {
            return Err(Error::invalid(format!(
                "invalid image configuration: its root file system is of the unknown type {:?}",
                config.rootfs.kind
            )));
        }
        Ok(config)
    }

    /// What containers of the image have unless told otherwise.
    pub fn defaults(&self) -> ImageDefaults {
        let config = self.config.clone();
        ImageDefaults {
            user: config.user.unwrap_or_default(),
            env: config.env.unwrap_or_default(),
            entrypoint: config.entrypoint,
            cmd: config.cmd,
            working_dir: config.working_dir.unwrap_or_default(),
            volumes: config.volumes.unwrap_or_default(),
            exposed_ports: config.exposed_ports.unwrap_or_default(),
            labels: config.labels.unwrap_or_default(),
            stop_signal: config.stop_signal.unwrap_or_default(),
            healthcheck: config.healthcheck,
            shell: config.shell,
        }
    }

    /// The labels.
    pub fn labels(&self) -> HashMap<String, String> {
        self.config.labels.clone().unwrap_or_default()
    }

    /// What the image runs on.
    pub fn platform(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, &self.variant)
    }
}

/// Go writes `null` for what is empty.
fn or_default<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_says_what_containers_have() {
        let text = format!(
            r#"{{"architecture":"amd64","os":"linux","config":{{"User":"7","Env":["A=1"],"Cmd":"date","Entrypoint":null,
            "WorkingDir":"/w","Volumes":{{"/data":{{}}}},"ExposedPorts":{{"80/tcp":{{}}}},"Labels":{{"l":"v"}},
            "StopSignal":"SIGINT","Healthcheck":{{"Test":["CMD","true"],"Interval":1000000}},"Shell":["/bin/ash"],
            "OnBuild":null}},"history":null,"rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            Digest::of(b"layer")
        );
        let config = Config::parse(text.as_bytes()).expect("a configuration");
        assert_eq!(config.rootfs.diff_ids, [Digest::of(b"layer")]);
        let defaults = config.defaults();
        assert_eq!(defaults.user, "7");
        assert_eq!(defaults.env, ["A=1"]);
        assert_eq!(defaults.cmd, Some(vec!["date".to_owned()]));
        assert_eq!(defaults.entrypoint, None);
        assert_eq!(defaults.working_dir, "/w");
        assert_eq!(defaults.volumes, ["/data"]);
        assert_eq!(defaults.exposed_ports, ["80/tcp"]);
        assert_eq!(defaults.labels["l"], "v");
        assert_eq!(defaults.stop_signal, "SIGINT");
        assert_eq!(defaults.shell, Some(vec!["/bin/ash".to_owned()]));
        let test = defaults.healthcheck.and_then(|check| check.test);
        assert_eq!(test, Some(vec!["CMD".to_owned(), "true".to_owned()]));
    }

    /// A user that is not found is root.
    #[test]
    fn keys_have_no_case() {
        let text = r#"{"Architecture":"amd64","CONFIG":{"user":"7","env":["A=1"],"CMD":"date"},"RootFS":{"Type":"layers"}}"#;
        let config = Config::parse(text.as_bytes()).expect("a configuration");
        assert_eq!(config.architecture, "amd64");
        let defaults = config.defaults();
        assert_eq!(defaults.user, "7");
        assert_eq!(defaults.env, ["A=1"]);
        assert_eq!(defaults.cmd, Some(vec!["date".to_owned()]));
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"rootfs":{"type":"bananas"}}"#,
            r#"{"rootfs":{"type":"layers","diff_ids":["../.."]}}"#,
            r#"{"rootfs":{"type":"layers","diff_ids":7}}"#,
        ] {
            let error = Config::parse(text.as_bytes()).expect_err(text);
            assert!(
                error
                    .to_string()
                    .starts_with("invalid image configuration: "),
                "{error}"
            );
        }
    }
}
