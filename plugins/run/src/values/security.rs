//! Security options, as in `--security-opt label=disable`.

use super::InvalidValue;

/// What the options ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Security {
    /// The options that go to the engine.
    pub(crate) options: Vec<String>,
    /// `systempaths=unconfined`: nothing of `/proc` and `/sys` is masked or read-only. This one is the client's, the
    /// engine takes it as empty lists of paths.
    pub(crate) unconfined_paths: bool,
}

/// Parses `NAME=VALUE`, `NAME:VALUE` and `no-new-privileges`. The profile of `seccomp=FILE` comes from `read`, and is
/// sent itself, without white space: the engine does not see the client's files.
pub(crate) fn parse(
    options: &[String],
    read: impl Fn(&str) -> Result<String, InvalidValue>,
) -> Result<Security, InvalidValue> {
    let mut security = Security::default();
    for option in options {
        let (name, value) = option
            .split_once('=')
            .or_else(|| option.split_once(':'))
            .unwrap_or((option, ""));
        if value.is_empty() && name != "no-new-privileges" {
            return Err(InvalidValue::new(format!(
                "invalid --security-opt: {option:?}"
            )));
        }
        match (name, value) {
            _ if option == "systempaths=unconfined" => security.unconfined_paths = true,
            ("seccomp", "builtin" | "unconfined") => security.options.push(option.clone()),
            ("seccomp", file) => {
                let failed = |what| format!("{what} seccomp profile ({file}) failed");
                let profile = read(file).map_err(|error| error.within(failed("opening")))?;
                let profile = compact(&profile).map_err(|error| {
                    InvalidValue::new(error.to_string()).within(failed("compacting json for"))
                })?;
                security.options.push(format!("seccomp={profile}"));
            }
            _ => security.options.push(option.clone()),
        }
    }
    Ok(security)
}

/// The same JSON without white space. Numbers and the order of members stay as they are written, so it is cut from
/// the text and not written anew.
fn compact(json: &str) -> Result<String, serde_json::Error> {
    let _: serde::de::IgnoredAny = serde_json::from_str(json)?;
    let mut in_string = false;
    let mut escaped = false;
    let keep = |c: &char| {
        if in_string {
            in_string = *c != '"' || escaped;
            escaped = *c == '\\' && !escaped;
            return true;
        }
        in_string = *c == '"';
        !matches!(c, ' ' | '\t' | '\n' | '\r')
    };
    Ok(json.chars().filter(keep).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<String, InvalidValue> {
        match file {
            "profile.json" => Ok("{ \"a b\" :\n [1.50, \"\\\" \\\\\" ] }\n".to_owned()),
            "broken.json" => Ok("{".to_owned()),
            _ => Err(InvalidValue::new(format!(
                "open {file}: no such file or directory"
            ))),
        }
    }

    fn parse_all(options: &[&str]) -> Result<Security, InvalidValue> {
        parse(
            &options
                .iter()
                .map(|option| (*option).to_owned())
                .collect::<Vec<_>>(),
            read,
        )
    }

    #[test]
    fn names_and_values_pass() {
        for option in [
            "no-new-privileges",
            "no-new-privileges:true",
            "no-new-privileges=false",
            "label=disable",
            "label:a=b",
            "apparmor:unconfined",
            "seccomp=unconfined",
            "seccomp:unconfined",
            "seccomp=builtin",
            "systempaths=x",
            "systempaths:unconfined",
        ] {
            let expected = Security {
                options: vec![option.to_owned()],
                unconfined_paths: false,
            };
            assert_eq!(parse_all(&[option]), Ok(expected));
        }
        let expected = Security {
            options: vec!["a=b".to_owned()],
            unconfined_paths: true,
        };
        assert_eq!(parse_all(&["systempaths=unconfined", "a=b"]), Ok(expected));
    }

    #[test]
    fn a_profile_is_read_and_compacted() {
        let profile = "seccomp={\"a b\":[1.50,\"\\\" \\\\\"]}".to_owned();
        let expected = Security {
            options: vec![profile],
            unconfined_paths: false,
        };
        assert_eq!(parse_all(&["seccomp=profile.json"]), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for option in ["", "foo", "seccomp", "seccomp=", "label:"] {
            let message = format!("invalid --security-opt: {option:?}");
            assert_eq!(parse_all(&[option]).unwrap_err().to_string(), message);
        }
        assert_eq!(
            parse_all(&["seccomp:nofile"]).unwrap_err().to_string(),
            "opening seccomp profile (nofile) failed: open nofile: no such file or directory"
        );
        let message = parse_all(&["seccomp=broken.json"]).unwrap_err().to_string();
        assert!(
            message.starts_with("compacting json for seccomp profile (broken.json) failed: "),
            "{message}"
        );
    }

    proptest::proptest! {
        #[test]
        fn compact_json_means_the_same(text in "[ {}\\[\\]\",:\\\\a0-9\n]{0,30}|\"[^\"]*\"") {
            if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
                let compacted = compact(&text).unwrap();
                assert_eq!(serde_json::from_str::<serde_json::Value>(&compacted).unwrap(), value);
            }
        }
    }
}
