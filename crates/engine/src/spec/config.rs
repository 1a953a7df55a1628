//! What a container is made from: the request, with what the image says where the request is silent.

use std::collections::HashMap;

use bollard_stubs::models::{ContainerCreateBody, HealthConfig};

use crate::{Error, Result};

/// What an image says about its containers: the `config` of the OCI image specification, and Docker's `Healthcheck`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageDefaults {
    /// `User`: a user, or `USER:GROUP`; empty for root.
    pub user: String,
    /// `Env`, as `NAME=value`.
    pub env: Vec<String>,
    /// `Entrypoint`.
    pub entrypoint: Option<Vec<String>>,
    /// `Cmd`.
    pub cmd: Option<Vec<String>>,
    /// `WorkingDir`; empty for `/`.
    pub working_dir: String,
    /// `Volumes`: where each container has a volume of its own.
    pub volumes: Vec<String>,
    /// `ExposedPorts`, as `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// `Labels`.
    pub labels: HashMap<String, String>,
    /// `StopSignal`; empty for SIGTERM.
    pub stop_signal: String,
    /// `Healthcheck`.
    pub healthcheck: Option<HealthConfig>,
    /// `Shell`.
    pub shell: Option<Vec<String>>,
}

/// Completes the request with the image's defaults by Docker's rules, as `inspect` shows it later.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if neither names a command, or the working
/// directory is not absolute.
pub fn merge(body: &mut ContainerCreateBody, image: &ImageDefaults) -> Result<()> {
    if body.user.as_deref().unwrap_or_default().is_empty() {
        body.user = Some(image.user.clone());
    }
    union(&mut body.exposed_ports, &image.exposed_ports);
    union(&mut body.volumes, &image.volumes);

    let env = body.env.get_or_insert_default();
    let named: Vec<String> = env.iter().map(|entry| name(entry).to_owned()).collect();
    env.extend(
        image
            .env
            .iter()
            .filter(|entry| !named.iter().any(|named| named == name(entry)))
            .cloned(),
    );

    let labels = body.labels.get_or_insert_default();
    for (key, value) in &image.labels {
        labels.entry(key.clone()).or_insert_with(|| value.clone());
    }

    // A command of the image belongs to its entry point: it goes with another one.
    if body.entrypoint.as_ref().is_none_or(Vec::is_empty) {
        if body.cmd.as_ref().is_none_or(Vec::is_empty) {
            body.cmd.clone_from(&image.cmd);
        }
        if body.entrypoint.is_none() {
            body.entrypoint.clone_from(&image.entrypoint);
        }
    }
    // How a client says that there shall be no entry point.
    if body
        .entrypoint
        .as_deref()
        .is_some_and(|entrypoint| entrypoint == [""])
    {
        body.entrypoint = None;
    }

    if body.working_dir.as_deref().unwrap_or_default().is_empty() {
        body.working_dir = Some(image.working_dir.clone());
    }
    if body.stop_signal.as_deref().unwrap_or_default().is_empty() && !image.stop_signal.is_empty() {
        body.stop_signal = Some(image.stop_signal.clone());
    }
    if body.shell.as_ref().is_none_or(Vec::is_empty) {
        body.shell.clone_from(&image.shell);
    }
    merge_healthcheck(&mut body.healthcheck, image.healthcheck.as_ref());

    command(body)?;
    working_dir(body.working_dir.as_deref())?;
    Ok(())
}

/// The program of a completed request and its arguments.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) if there is none.
pub fn command(body: &ContainerCreateBody) -> Result<Vec<String>> {
    let words: Vec<String> = [&body.entrypoint, &body.cmd]
        .into_iter()
        .flatten()
        .flatten()
        .cloned()
        .collect();
    if words.is_empty() {
        return Err(Error::invalid("no command specified"));
    }
    without_nul("command", &words)?;
    Ok(words)
}

/// The working directory that is meant: `/` where none is named.
pub(super) fn working_dir(directory: Option<&str>) -> Result<String> {
    let directory = directory.unwrap_or_default();
    if directory.is_empty() {
        return Ok("/".to_owned());
    }
    if !directory.starts_with('/') {
        return Err(Error::invalid(format!(
            "the working directory '{directory}' is invalid, it needs to be an absolute path"
        )));
    }
    without_nul("working directory", &[directory.to_owned()])?;
    Ok(directory.to_owned())
}

/// The kernel takes strings that end at the first NUL: one inside would be cut in silence.
pub(super) fn without_nul(what: &str, words: &[String]) -> Result<()> {
    match words.iter().find(|word| word.contains('\0')) {
        Some(word) => Err(Error::invalid(format!(
            "{what} {word:?} contains a NUL character"
        ))),
        None => Ok(()),
    }
}

fn name(entry: &str) -> &str {
    entry.split_once('=').map_or(entry, |(name, _)| name)
}

fn union(own: &mut Option<Vec<String>>, image: &[String]) {
    if image.is_empty() {
        return;
    }
    let own = own.get_or_insert_default();
    for entry in image {
        if !own.contains(entry) {
            own.push(entry.clone());
        }
    }
}

/// Without a test of its own a request changes the image's; a zero leaves what the image says.
fn merge_healthcheck(own: &mut Option<HealthConfig>, image: Option<&HealthConfig>) {
    let Some(image) = image else { return };
    let Some(own) = own else {
        *own = Some(image.clone());
        return;
    };
    if own.test.as_ref().is_none_or(Vec::is_empty) {
        own.test.clone_from(&image.test);
    }
    for (own, image) in [
        (&mut own.interval, image.interval),
        (&mut own.timeout, image.timeout),
        (&mut own.retries, image.retries),
        (&mut own.start_period, image.start_period),
        (&mut own.start_interval, image.start_interval),
    ] {
        if own.unwrap_or(0) == 0 {
            *own = image;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn entry_points_and_commands_meet_as_with_docker() {
        type Words<'a> = Option<&'a [&'a str]>;
        type Case<'a> = (Words<'a>, Words<'a>, Words<'a>, Words<'a>, Words<'a>);
        let cases: &[Case<'_>] = &[
            // (entry point, command) asked for, (entry point, command) of the image, what runs
            (None, None, Some(&["e"]), Some(&["c"]), Some(&["e", "c"])),
            (
                None,
                Some(&["x"]),
                Some(&["e"]),
                Some(&["c"]),
                Some(&["e", "x"]),
            ),
            (Some(&["f"]), None, Some(&["e"]), Some(&["c"]), Some(&["f"])),
            (
                Some(&["f"]),
                Some(&["x"]),
                Some(&["e"]),
                Some(&["c"]),
                Some(&["f", "x"]),
            ),
            (
                Some(&[""]),
                Some(&["x"]),
                Some(&["e"]),
                Some(&["c"]),
                Some(&["x"]),
            ),
            (Some(&[""]), None, Some(&["e"]), Some(&["c"]), None),
            (Some(&[]), None, Some(&["e"]), Some(&["c"]), Some(&["c"])),
            (None, Some(&[]), Some(&["e"]), None, Some(&["e"])),
            (None, None, None, None, None),
        ];
        for (entrypoint, cmd, image_entrypoint, image_cmd, expected) in cases {
            let mut body = ContainerCreateBody {
                entrypoint: entrypoint.map(words),
                cmd: cmd.map(words),
                ..ContainerCreateBody::default()
            };
            let image = ImageDefaults {
                entrypoint: image_entrypoint.map(words),
                cmd: image_cmd.map(words),
                ..ImageDefaults::default()
            };
            let merged = merge(&mut body, &image).and_then(|()| command(&body));
            match expected {
                Some(expected) => assert_eq!(merged.expect("a command"), words(expected)),
                None => assert_eq!(
                    merged.expect_err("no command").to_string(),
                    "no command specified"
                ),
            }
        }
    }

    #[test]
    fn the_image_fills_gaps_alone() {
        let mut body = ContainerCreateBody {
            env: Some(words(&["A=own", "GONE", "PATH="])),
            labels: Some(HashMap::from([("l".to_owned(), "own".to_owned())])),
            volumes: Some(words(&["/own"])),
            cmd: Some(words(&["true"])),
            healthcheck: Some(HealthConfig {
                retries: Some(9),
                ..HealthConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let image = ImageDefaults {
            user: "www".to_owned(),
            env: words(&["PATH=/bin", "A=image", "B=image", "GONE=image"]),
            labels: HashMap::from([
                ("l".to_owned(), "image".to_owned()),
                ("m".to_owned(), "image".to_owned()),
            ]),
            volumes: words(&["/image", "/own"]),
            exposed_ports: words(&["80/tcp"]),
            working_dir: "/srv".to_owned(),
            stop_signal: "SIGINT".to_owned(),
            healthcheck: Some(HealthConfig {
                test: Some(words(&["CMD", "true"])),
                retries: Some(3),
                interval: Some(7),
                ..HealthConfig::default()
            }),
            ..ImageDefaults::default()
        };
        merge(&mut body, &image).expect("a request");
        assert_eq!(
            body.env,
            Some(words(&["A=own", "GONE", "PATH=", "B=image"]))
        );
        assert_eq!(body.user.as_deref(), Some("www"));
        assert_eq!(
            body.labels
                .as_ref()
                .and_then(|labels| labels.get("l"))
                .map(String::as_str),
            Some("own")
        );
        assert_eq!(body.labels.as_ref().map(HashMap::len), Some(2));
        assert_eq!(body.volumes, Some(words(&["/own", "/image"])));
        assert_eq!(body.exposed_ports, Some(words(&["80/tcp"])));
        assert_eq!(body.working_dir.as_deref(), Some("/srv"));
        assert_eq!(body.stop_signal.as_deref(), Some("SIGINT"));
        let health = body.healthcheck.expect("a check");
        assert_eq!((health.retries, health.interval), (Some(9), Some(7)));
        assert_eq!(health.test, Some(words(&["CMD", "true"])));
    }

    #[test]
    fn a_working_directory_is_absolute() {
        let mut body = ContainerCreateBody {
            cmd: Some(words(&["true"])),
            working_dir: Some("srv".to_owned()),
            ..ContainerCreateBody::default()
        };
        let error = merge(&mut body, &ImageDefaults::default()).expect_err("a relative path");
        assert_eq!(
            error.to_string(),
            "the working directory 'srv' is invalid, it needs to be an absolute path"
        );
    }

    #[test]
    fn a_nul_is_refused() {
        let body = ContainerCreateBody {
            cmd: Some(words(&["echo", "a\0b"])),
            ..ContainerCreateBody::default()
        };
        let error = command(&body).expect_err("a NUL");
        assert!(error.to_string().contains("\"a\\0b\""), "{error}");
    }
}
