//! Resource limits of processes, as in `--ulimit nofile=1024:2048`.

use engine_client::models::ResourcesUlimits;

use super::{InvalidValue, integer};

/// The limits of the kernel by their names in `limits.conf`.
const NAMES: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// Parses `NAME=SOFT[:HARD]`; the hard limit is the soft one where it is not given, and -1 is none.
pub(crate) fn parse(text: &str) -> Result<ResourcesUlimits, InvalidValue> {
    let (name, limits) = text
        .split_once('=')
        .ok_or_else(|| InvalidValue::new(format!("invalid ulimit argument: {text}")))?;
    if !NAMES.contains(&name) {
        return Err(InvalidValue::new(format!("invalid ulimit type: {name}")));
    }
    let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
    if hard.contains(':') {
        return Err(InvalidValue::new(format!(
            "too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`"
        )));
    }
    let (soft, hard) = (integer::parse_decimal(soft)?, integer::parse_decimal(hard)?);
    const ORDER: &str = "ulimit soft limit must be less than or equal to hard limit";
    if hard != -1 && soft == -1 {
        return Err(InvalidValue::new(format!(
            "{ORDER}: soft: -1 (unlimited), hard: {hard}"
        )));
    }
    if hard != -1 && soft > hard {
        return Err(InvalidValue::new(format!("{ORDER}: {soft} > {hard}")));
    }
    Ok(ResourcesUlimits {
        name: Some(name.to_owned()),
        soft: Some(soft),
        hard: Some(hard),
    })
}

/// The limits sorted by name, the last of each.
pub(crate) fn unique(limits: &[ResourcesUlimits]) -> Vec<ResourcesUlimits> {
    let by_name: std::collections::BTreeMap<_, _> = limits
        .iter()
        .map(|limit| (limit.name.as_deref(), limit))
        .collect();
    by_name.into_values().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(name: &str, soft: i64, hard: i64) -> ResourcesUlimits {
        ResourcesUlimits {
            name: Some(name.to_owned()),
            soft: Some(soft),
            hard: Some(hard),
        }
    }

    #[test]
    fn soft_and_hard() {
        for (text, expected) in [
            ("nofile=1", limit("nofile", 1, 1)),
            ("nofile=1:2", limit("nofile", 1, 2)),
            ("nofile=-1", limit("nofile", -1, -1)),
            ("nofile=5:-1", limit("nofile", 5, -1)),
            ("core=-1:-1", limit("core", -1, -1)),
            ("nice=-2", limit("nice", -2, -2)),
            ("stack=+1", limit("stack", 1, 1)),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("nofile", "invalid ulimit argument: nofile"),
            ("foo=1", "invalid ulimit type: foo"),
            ("NOFILE=1", "invalid ulimit type: NOFILE"),
            ("nofile =1", "invalid ulimit type: nofile "),
            (
                "nofile=a",
                "strconv.ParseInt: parsing \"a\": invalid syntax",
            ),
            ("nofile=", "strconv.ParseInt: parsing \"\": invalid syntax"),
            (
                "nofile=1:",
                "strconv.ParseInt: parsing \"\": invalid syntax",
            ),
            (
                "nofile=2:1",
                "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
            ),
            (
                "nofile=-1:5",
                "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 5",
            ),
            (
                "nofile=1:2:3",
                "too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn sorted_and_the_last_of_a_name() {
        let limits = ["nofile=1", "core=2", "nofile=3"].map(|text| parse(text).unwrap());
        assert_eq!(
            unique(&limits),
            [limit("core", 2, 2), limit("nofile", 3, 3)]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "nofile=[-+0-9:]{0,30}|.*") {
            let _ = parse(&text);
        }
    }
}
