//! The options of a log: `--log-driver` and `--log-opt`.

use std::collections::BTreeMap;

use bollard_stubs::models::ContainerCreateBody;

use crate::{Error, Result};

/// What becomes of what a container writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogOptions {
    /// Nothing: the driver `none`.
    None,
    /// It is kept in files.
    JsonFile {
        /// The size at which a file is followed by another, in bytes.
        max_size: Option<u64>,
        /// How many files there are at most; 1 has the one begin anew.
        max_files: u32,
        /// What each line says of the container, as a JSON object; empty for nothing.
        attributes: String,
    },
}

impl LogOptions {
    /// Reads the options of a container's request, completed with its image.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for options that make no sense and
    /// [`ErrorKind::NotImplemented`](crate::ErrorKind::NotImplemented) for drivers and options that this engine lacks, both
    /// by name.
    pub fn of(body: &ContainerCreateBody) -> Result<LogOptions> {
        let config = body
            .host_config
            .as_ref()
            .and_then(|config| config.log_config.clone())
            .unwrap_or_default();
        let options: BTreeMap<String, String> =
            config.config.unwrap_or_default().into_iter().collect();
        match config.typ.as_deref().unwrap_or_default() {
            // What a driver that keeps nothing is told to keep, dockerd does not look at either.
            "none" => Ok(LogOptions::None),
            "" | "json-file" => json_file(&options, body),
            driver => Err(Error::not_implemented(format!(
                "the embedded engine has no log driver {driver} (--log-driver): use json-file or none"
            ))),
        }
    }
}

fn json_file(options: &BTreeMap<String, String>, body: &ContainerCreateBody) -> Result<LogOptions> {
    let mut max_size = None;
    let mut max_files = 1;
    let mut attributes = BTreeMap::new();
    for (name, value) in options {
        let refused = |what: &str| {
            Err(Error::not_implemented(format!(
                "the embedded engine does not do --log-opt {what}"
            )))
        };
        match name.as_str() {
            "max-size" => max_size = size(value)?,
            "max-file" => {
                max_files = value
                    .parse()
                    .ok()
                    .filter(|&files| files >= 1)
                    .ok_or_else(|| {
                        Error::invalid(format!(
                            "invalid value for max-file: '{value}' must be a number and at least 1"
                        ))
                    })?;
            }
            "mode" if matches!(value.as_str(), "" | "blocking") => {}
            "mode" if value == "non-blocking" => return refused("mode=non-blocking"),
            "mode" => {
                return Err(Error::invalid(format!(
                    "logger: logging mode not supported: {value}"
                )));
            }
            "compress" => match value.as_str() {
                "false" | "f" | "F" | "0" | "False" | "FALSE" => {}
                _ => return refused(&format!("compress={value}")),
            },
            "labels" => {
                for key in value.split(',') {
                    if let Some(label) = body.labels.as_ref().and_then(|labels| labels.get(key)) {
                        attributes.insert(key.to_owned(), label.clone());
                    }
                }
            }
            "env" => {
                for entry in body.env.iter().flatten() {
                    if let Some((key, variable)) = entry.split_once('=')
                        && value.split(',').any(|wanted| wanted == key)
                    {
                        attributes.insert(key.to_owned(), variable.to_owned());
                    }
                }
            }
            "max-buffer-size" | "labels-regex" | "env-regex" | "tag" => return refused(name),
            _ => {
                return Err(Error::invalid(format!(
                    "unknown log opt '{name}' for json-file log driver"
                )));
            }
        }
    }
    let attributes = match attributes.is_empty() {
        true => String::new(),
        false => serde_json::to_string(&attributes)
            .map_err(|error| Error::system(format!("write a log's attributes: {error}")))?,
    };
    Ok(LogOptions::JsonFile {
        max_size,
        max_files,
        attributes,
    })
}

/// A size as Docker's command line takes it: a number, perhaps with a fraction, and `b`, `k`, `m`, `g`, `t` or `p`,
/// perhaps followed by `b` or `ib`. `-1` is no limit.
fn size(text: &str) -> Result<Option<u64>> {
    if text == "-1" {
        return Ok(None);
    }
    let invalid = || Error::invalid(format!("invalid value for max-size: '{text}' is no size"));
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let factor: u64 = match unit.trim_start() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1 << 40,
        "p" | "pb" | "pib" => 1 << 50,
        _ => return Err(invalid()),
    };
    let bytes = if number.contains('.') {
        // Digits and a point alone, so neither a sign nor infinity; what is too large for the type is too large for
        // any disk.
        let number: f64 = number.parse().map_err(|_| invalid())?;
        (number * factor as f64) as u64
    } else {
        let number: u64 = number.parse().map_err(|_| invalid())?;
        number.checked_mul(factor).ok_or_else(invalid)?
    };
    if bytes == 0 {
        return Err(Error::invalid(format!(
            "invalid value for max-size: '{text}' must be a positive number"
        )));
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use bollard_stubs::models::{HostConfig, HostConfigLogConfig};

    use super::*;

    fn read(driver: &str, options: &[(&str, &str)]) -> Result<LogOptions> {
        LogOptions::of(&ContainerCreateBody {
            labels: Some([("l".to_owned(), "1".to_owned())].into()),
            env: Some(vec!["E=2".to_owned(), "F=3".to_owned()]),
            host_config: Some(HostConfig {
                log_config: Some(HostConfigLogConfig {
                    typ: Some(driver.to_owned()),
                    config: Some(
                        options
                            .iter()
                            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                            .collect(),
                    ),
                }),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        })
    }

    fn files(max_size: Option<u64>, max_files: u32, attributes: &str) -> LogOptions {
        LogOptions::JsonFile {
            max_size,
            max_files,
            attributes: attributes.to_owned(),
        }
    }

    #[test]
    fn options_are_dockers() {
        assert_eq!(
            LogOptions::of(&ContainerCreateBody::default()).expect("the default"),
            files(None, 1, "")
        );
        assert_eq!(read("none", &[]).expect("none"), LogOptions::None);
        let cases: &[(&[(&str, &str)], LogOptions)] = &[
            (&[], files(None, 1, "")),
            (&[("max-size", "10k")], files(Some(10240), 1, "")),
            (&[("max-size", "1.5MB")], files(Some(3 << 19), 1, "")),
            (&[("max-size", "-1")], files(None, 1, "")),
            // One file never gets so large that there are several.
            (&[("max-file", "2")], files(None, 2, "")),
            (
                &[("max-size", "7"), ("max-file", "3")],
                files(Some(7), 3, ""),
            ),
            (
                &[("labels", "l,m"), ("env", "F,G")],
                files(None, 1, r#"{"F":"3","l":"1"}"#),
            ),
            (
                &[("mode", "blocking"), ("compress", "false")],
                files(None, 1, ""),
            ),
        ];
        for (options, expected) in cases {
            assert_eq!(&read("json-file", options).expect("options"), expected);
        }
    }

    #[test]
    fn what_is_wrong_or_missing_is_named() {
        type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], u16, &'a str);
        let cases: &[Case<'_>] = &[
            ("local", &[], 501, "log driver local"),
            ("journald", &[], 501, "log driver journald"),
            ("json-file", &[("nope", "1")], 400, "unknown log opt 'nope'"),
            ("json-file", &[("max-size", "x")], 400, "max-size: 'x'"),
            ("json-file", &[("max-size", "0")], 400, "positive"),
            ("json-file", &[("max-size", "99999999p")], 400, "no size"),
            ("json-file", &[("max-file", "0")], 400, "max-file: '0'"),
            ("json-file", &[("compress", "true")], 501, "compress=true"),
            (
                "json-file",
                &[("mode", "non-blocking")],
                501,
                "mode=non-blocking",
            ),
            ("json-file", &[("tag", "x")], 501, "--log-opt tag"),
        ];
        for (driver, options, status, text) in cases {
            let error = read(driver, options).expect_err(text);
            assert_eq!(error.status(), *status, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
