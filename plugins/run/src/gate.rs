//! Options that an engine below some API version does not know. They are refused: dropping one silently would run
//! another container than was asked for.

use engine_client::{ApiVersion, Client, Error};

use crate::options::Options;

/// Checks the options that are given against the engine's version, which is asked for only if one needs it. Returns
/// what is to be said of those that the engine is too old for, one a line, if any.
pub(crate) fn check(options: &Options, client: &Client) -> Result<Option<String>, Error> {
    let needs = needs(options);
    if needs.is_empty() {
        return Ok(None);
    }
    Ok(refuse(&needs, client.version()?))
}

/// The options that are given and need more than the oldest engine.
fn needs(options: &Options) -> Vec<(&'static str, ApiVersion)> {
    [
        (
            options.security.cgroupns.is_some(),
            "cgroupns",
            ApiVersion::new(1, 41),
        ),
        (
            options.health.health_start_interval.is_some(),
            "health-start-interval",
            ApiVersion::new(1, 44),
        ),
        (
            options.network.network.len() > 1,
            "network NETWORK --network NETWORK",
            ApiVersion::new(1, 44),
        ),
    ]
    .into_iter()
    .filter_map(|(is_given, name, version)| is_given.then_some((name, version)))
    .collect()
}

fn refuse(needs: &[(&str, ApiVersion)], engine: ApiVersion) -> Option<String> {
    let lines: Vec<String> = needs
        .iter()
        .filter(|(_, version)| engine < *version)
        .map(|(name, version)| {
            format!("\"--{name}\" requires API version {version}, but the Docker daemon API version is {engine}")
        })
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_has_its_version() {
        let mut options = Options::default();
        assert!(needs(&options).is_empty());
        options.security.cgroupns = Some("host".to_owned());
        options.health.health_start_interval = Some(1);
        let needs = needs(&options);
        assert_eq!(refuse(&needs, ApiVersion::new(1, 44)), None);
        assert_eq!(
            refuse(&needs, ApiVersion::new(1, 41)).as_deref(),
            Some(
                "\"--health-start-interval\" requires API version 1.44, but the Docker daemon API version is 1.41"
            )
        );
        assert_eq!(
            refuse(&needs, ApiVersion::new(1, 40)).map(|text| text.lines().count()),
            Some(2)
        );
    }
}
