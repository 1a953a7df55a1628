//! Restart policies, as in `--restart on-failure:3`.

use engine_client::models::RestartPolicyNameEnum;

use super::{InvalidValue, integer};

/// When the engine starts a container again. Which names there are is the engine's to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) name: String,
    pub(crate) retries: i64,
}

impl Restart {
    /// Whether the policy never restarts a container, so that the engine may remove it.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self.name.as_str(), "" | "no")
    }
}

/// Whether the description of the Engine API lists a name, as it does those of today's engines.
pub(crate) fn is_listed(name: &str) -> bool {
    name.parse::<RestartPolicyNameEnum>().is_ok()
}

/// Parses `NAME[:RETRIES]`.
pub(crate) fn parse(text: &str) -> Result<Restart, InvalidValue> {
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
    Ok(Restart {
        name: name.to_owned(),
        retries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_retries() {
        for (text, name, retries) in [
            ("", "", 0),
            ("no", "no", 0),
            ("no:", "no", 0),
            ("no:3", "no", 3),
            ("always", "always", 0),
            ("unless-stopped", "unless-stopped", 0),
            ("on-failure", "on-failure", 0),
            ("on-failure:", "on-failure", 0),
            ("on-failure:3", "on-failure", 3),
            ("on-failure:-1", "on-failure", -1),
            ("foo", "foo", 0),
            (" Always:3", " Always", 3),
        ] {
            let name = name.to_owned();
            assert_eq!(parse(text), Ok(Restart { name, retries }), "{text}");
        }
        assert!(parse("no:3").unwrap().is_none() && parse("").unwrap().is_none());
        assert!(!parse("always").unwrap().is_none() && !parse("foo").unwrap().is_none());
    }

    #[test]
    fn names_of_today_are_listed() {
        for name in ["", "no", "always", "unless-stopped", "on-failure"] {
            assert!(is_listed(name), "{name}");
        }
        assert!(!is_listed("foo") && !is_listed("Always"));
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
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_name_is_all_before_the_colon(text: String) {
            if let Ok(policy) = parse(&text) {
                assert_eq!(text.split(':').next(), Some(policy.name.as_str()));
            }
        }
    }
}
