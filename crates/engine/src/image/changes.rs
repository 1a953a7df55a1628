//! Changes of a configuration, in the words of a Dockerfile: `import --change 'CMD ["sh"]'`.

use bollard_stubs::models::{HealthConfig, ImageConfig};

use crate::{Error, Result};

/// Applies one instruction.
///
/// # Errors
///
/// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is none, or none that changes a
/// configuration.
pub(super) fn apply(config: &mut ImageConfig, change: &str) -> Result<()> {
    let change = change.trim();
    let (word, rest) = change
        .split_once(char::is_whitespace)
        .unwrap_or((change, ""));
    let rest = rest.trim();
    let word = word.to_ascii_uppercase();
    let wrong = |what: &str| Error::invalid(format!("{word} {what}: {change}"));
    if rest.is_empty() {
        return Err(wrong("requires at least one argument"));
    }
    match word.as_str() {
        "CMD" => config.cmd = Some(command(rest)),
        // A command that stands before it stays: with a Dockerfile only one of the image below would go.
        "ENTRYPOINT" => config.entrypoint = Some(command(rest)),
        "SHELL" => {
            config.shell =
                Some(list(rest).ok_or_else(|| wrong("requires the arguments to be in JSON form"))?);
        }
        "ENV" => {
            let env = config.env.get_or_insert_default();
            for (name, value) in pairs(rest).ok_or_else(|| wrong("names must not be blank"))? {
                env.retain(|entry| entry.split('=').next() != Some(&name));
                env.push(format!("{name}={value}"));
            }
        }
        "LABEL" => {
            let pairs = pairs(rest).ok_or_else(|| wrong("names must not be blank"))?;
            config.labels.get_or_insert_default().extend(pairs);
        }
        "EXPOSE" => {
            let ports = config.exposed_ports.get_or_insert_default();
            for port in rest.split_whitespace() {
                let (number, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
                let is_port = number.parse::<u16>().is_ok();
                if !is_port || !matches!(protocol, "tcp" | "udp" | "sctp") {
                    return Err(wrong("has an invalid containerPort"));
                }
                add(ports, format!("{number}/{protocol}"));
            }
        }
        "VOLUME" => {
            let volumes = config.volumes.get_or_insert_default();
            for volume in list(rest).unwrap_or_else(|| words(rest)) {
                add(volumes, volume);
            }
        }
        "USER" => config.user = Some(rest.to_owned()),
        "STOPSIGNAL" => config.stop_signal = Some(rest.to_owned()),
        "ONBUILD" => config
            .on_build
            .get_or_insert_default()
            .push(rest.to_owned()),
        "WORKDIR" => {
            let before = config.working_dir.as_deref().unwrap_or("/");
            config.working_dir = Some(match rest.starts_with('/') {
                true => rest.to_owned(),
                false => format!("{}/{rest}", before.trim_end_matches('/')),
            });
        }
        "HEALTHCHECK" => {
            config.healthcheck =
                Some(health(rest).ok_or_else(|| {
                    wrong("takes NONE, or CMD and a command, and no options here")
                })?)
        }
        _ => {
            return Err(Error::invalid(format!(
                "{word} is not a valid change command"
            )));
        }
    }
    Ok(())
}

/// A list of words as JSON.
fn list(text: &str) -> Option<Vec<String>> {
    serde_json::from_str(text).ok()
}

/// A command: a list, or a line for the shell.
fn command(text: &str) -> Vec<String> {
    list(text).unwrap_or_else(|| ["/bin/sh", "-c", text].map(str::to_owned).to_vec())
}

fn add(list: &mut Vec<String>, value: String) {
    if !list.contains(&value) {
        list.push(value);
    }
}

/// `NAME=value …`, or one name and all that follows it.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let words = words(text);
    let first = words.first()?;
    if !first.contains('=') {
        let (name, value) = text.split_once(char::is_whitespace)?;
        return Some(vec![(name.to_owned(), value.trim().to_owned())]);
    }
    words
        .into_iter()
        .map(|word| {
            let (name, value) = word.split_once('=')?;
            (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
        })
        .collect()
}

/// Words, which may have spaces in quotes or behind a backslash.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (None, character) if character.is_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (Some(end), character) if character == end => quote = None,
            (None | Some('"'), '\\') => {
                word.get_or_insert_default().extend(characters.next());
            }
            (_, character) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// `NONE`, or `CMD command`. Options before it are none of ours.
fn health(text: &str) -> Option<HealthConfig> {
    if text.eq_ignore_ascii_case("NONE") {
        return Some(HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        });
    }
    let command = text.strip_prefix("CMD")?.trim_start();
    let test = match list(command) {
        Some(list) => [vec!["CMD".to_owned()], list].concat(),
        None => ["CMD-SHELL", command].map(str::to_owned).to_vec(),
    };
    Some(HealthConfig {
        test: Some(test),
        ..HealthConfig::default()
    })
}

/// The body of this module's fuzz target: an instruction changes the configuration or is refused as the client's mistake.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let mut config = ImageConfig::default();
    for line in String::from_utf8_lossy(data).lines() {
        if let Err(error) = apply(&mut config, line) {
            assert_eq!(error.status(), 400, "{error}");
        }
    }
    let names = config
        .env
        .iter()
        .flatten()
        .map(|entry| entry.split('=').next());
    let unique: std::collections::HashSet<_> = names.clone().collect();
    assert_eq!(unique.len(), names.count());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[&str]) -> ImageConfig {
        let mut config = ImageConfig::default();
        for change in changes {
            apply(&mut config, change).expect(change);
        }
        config
    }

    #[test]
    fn instructions_change_a_configuration() {
        let words = |words: &[&str]| {
            Some(
                words
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let config = changed(&[
            "CMD [\"a\", \"b c\"]",
            "cmd echo $HOME",
            "ENV A=1 B=\"two words\" C=a\\ b",
            "ENV A two 2",
            "EXPOSE 80 53/udp 80/tcp",
            "VOLUME /data /more",
            "VOLUME [\"/data\"]",
            "LABEL one=1 \"t wo\"=2",
            "USER 7:8",
            "WORKDIR /a",
            "WORKDIR b",
            "STOPSIGNAL SIGINT",
            "ONBUILD RUN true",
            "SHELL [\"/bin/ash\", \"-c\"]",
            "HEALTHCHECK CMD true",
        ]);
        assert_eq!(config.cmd, words(&["/bin/sh", "-c", "echo $HOME"]));
        assert_eq!(config.env, words(&["B=two words", "C=a b", "A=two 2"]));
        assert_eq!(config.exposed_ports, words(&["80/tcp", "53/udp"]));
        assert_eq!(config.volumes, words(&["/data", "/more"]));
        let labels = config.labels.expect("labels");
        assert_eq!(
            (labels["one"].as_str(), labels["t wo"].as_str()),
            ("1", "2")
        );
        assert_eq!(config.user.as_deref(), Some("7:8"));
        assert_eq!(config.working_dir.as_deref(), Some("/a/b"));
        assert_eq!(config.stop_signal.as_deref(), Some("SIGINT"));
        assert_eq!(config.on_build, words(&["RUN true"]));
        assert_eq!(config.shell, words(&["/bin/ash", "-c"]));
        assert_eq!(
            config.healthcheck.and_then(|check| check.test),
            words(&["CMD-SHELL", "true"])
        );
        let config = changed(&["CMD a", "ENTRYPOINT [\"b\"]"]);
        assert_eq!(
            (config.entrypoint, config.cmd),
            (words(&["b"]), words(&["/bin/sh", "-c", "a"]))
        );
    }

    #[test]
    fn what_is_no_change_is_refused() {
        for change in [
            "RUN true",
            "CMD",
            "",
            "FROM x",
            "EXPOSE x",
            "ENV =1",
            "ENV A",
            "SHELL sh",
            "HEALTHCHECK x",
            "HEALTHCHECK --interval=1s CMD x",
        ] {
            let error = apply(&mut ImageConfig::default(), change).expect_err(change);
            assert_eq!(error.status(), 400, "{change}");
        }
    }
}
