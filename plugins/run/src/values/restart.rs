//! Restart policies, as in `--restart on-failure:3`.

use engine_client::models::{RestartPolicy, RestartPolicyNameEnum};

use super::{InvalidValue, integer};

/// Parses `NAME[:RETRIES]`.
///
/// The four names are checked here although they are the engine's: the types of the Engine API have no others.
pub(crate) fn parse(text: &str) -> Result<RestartPolicy, InvalidValue> {
    let (name, retries) = text.split_once(':').unwrap_or((text, ""));
    let format = |what: &str| InvalidValue::new(format!("invalid restart policy format: {what}"));
    if name.is_empty() && text.contains(':') {
        return Err(format("no policy provided before colon"));
    }
    let retries = if retries.is_empty() {
        0
    } else {
        integer::parse_decimal(retries)
            .map_err(|_| format("maximum retry count must be an integer"))?
    };
    let name: RestartPolicyNameEnum = name
        .parse()
        .map_err(|_| InvalidValue::new(format!("invalid restart policy '{name}'")))?;
    Ok(RestartPolicy {
        name: Some(name),
        maximum_retry_count: Some(retries),
    })
}

/// Whether the policy never restarts a container, so that the engine may remove it.
pub(crate) fn is_none(policy: &RestartPolicy) -> bool {
    matches!(
        policy.name,
        None | Some(RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_retries() {
        for (text, name, retries) in [
            ("", RestartPolicyNameEnum::EMPTY, 0),
            ("no", RestartPolicyNameEnum::NO, 0),
            ("no:", RestartPolicyNameEnum::NO, 0),
            ("no:3", RestartPolicyNameEnum::NO, 3),
            ("always", RestartPolicyNameEnum::ALWAYS, 0),
            ("unless-stopped", RestartPolicyNameEnum::UNLESS_STOPPED, 0),
            ("on-failure", RestartPolicyNameEnum::ON_FAILURE, 0),
            ("on-failure:", RestartPolicyNameEnum::ON_FAILURE, 0),
            ("on-failure:3", RestartPolicyNameEnum::ON_FAILURE, 3),
            ("on-failure:-1", RestartPolicyNameEnum::ON_FAILURE, -1),
        ] {
            let policy = RestartPolicy {
                name: Some(name),
                maximum_retry_count: Some(retries),
            };
            assert_eq!(parse(text), Ok(policy), "{text}");
        }
        assert!(is_none(&parse("no:3").unwrap()) && is_none(&parse("").unwrap()));
        assert!(!is_none(&parse("always").unwrap()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            (
                ":3",
                "invalid restart policy format: no policy provided before colon",
            ),
            (
                "a:b:c",
                "invalid restart policy format: maximum retry count must be an integer",
            ),
            (
                "on-failure:x",
                "invalid restart policy format: maximum retry count must be an integer",
            ),
            (
                "on-failure:0x3",
                "invalid restart policy format: maximum retry count must be an integer",
            ),
            ("foo", "invalid restart policy 'foo'"),
            (" always:3", "invalid restart policy ' always'"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = parse(&text);
        }
    }
}
