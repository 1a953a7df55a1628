//! Custom headers for requests to the engine.

use byname::Context;
use engine_client::{ConfigFile, CustomHeaders};

const VARIABLE: &str = "DOCKER_CUSTOM_HEADERS";

/// Those of `DOCKER_CUSTOM_HEADERS`, else those of the configuration file.
pub(crate) fn of(cx: &Context, config: &ConfigFile) -> Result<CustomHeaders, String> {
    let value = cx.environment().get(VARIABLE).unwrap_or_default();
    let named = |error: engine_client::Error| error.to_string();
    if value.is_empty() {
        return CustomHeaders::new(config.http_headers.clone()).map_err(named);
    }
    let text = value
        .to_str()
        .ok_or_else(|| format!("{VARIABLE} is not UTF-8"))?;
    CustomHeaders::new(parse(text)?).map_err(named)
}

/// Reads comma-separated `NAME=VALUE`. No error shows a value, which may be a token.
fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let failed = format!("failed to set custom headers from {VARIABLE} environment variable");
    let fields = docker_cli::csv::record(text).map_err(|_| {
        format!(
            "failed to parse custom headers from {VARIABLE} environment variable: value must be formatted as \
             comma-separated key=value pairs"
        )
    })?;
    fields
        .iter()
        .map(|field| {
            let Some((name, value)) = field.split_once('=') else {
                return Err(format!(
                    "{failed}: missing \"=\" in key=value pair: '{field}'"
                ));
            };
            match name.trim() {
                "" => Err(format!(
                    "{failed}: value contains a key=value pair with an empty key"
                )),
                name => Ok((name.to_owned(), value.to_owned())),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_read() {
        let pairs = parse(r#"A=1, B = x y,"C=a,b",D="#).expect("pairs");
        let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(pairs, [("A", "1"), ("B", " x y"), ("C", "a,b"), ("D", "")]);
        for (text, expected) in [
            ("foo", "missing \"=\" in key=value pair: 'foo'"),
            ("a=b,", "missing \"=\" in key=value pair: ''"),
            ("=x", "value contains a key=value pair with an empty key"),
            (
                "\"a",
                "value must be formatted as comma-separated key=value pairs",
            ),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.ends_with(expected), "{error}");
        }
    }
}
