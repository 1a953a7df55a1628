//! Networks, as in `--network host` or `--network name=backend,alias=db,ip=192.0.2.7`.

use std::collections::HashMap;

use super::{InvalidValue, csv, integer, ip_address};

/// A network to be connected to, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attachment {
    /// Its name or ID, or one of the engine's modes.
    pub(crate) network: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) ipv4_address: Option<String>,
    pub(crate) ipv6_address: Option<String>,
    pub(crate) link_local_ips: Vec<String>,
    /// Those of `--link`; there is no field for them.
    pub(crate) links: Vec<String>,
    /// As it is given; it is checked with that of `--mac-address`.
    pub(crate) mac_address: Option<String>,
    pub(crate) driver_options: HashMap<String, String>,
    pub(crate) gateway_priority: i64,
}

/// Parses a network's name, or comma-separated fields `KEY=VALUE` if there is a letter or digit on both sides of any
/// equals sign. All of these are brought to lower case, as Docker does: networks with other letters need the short form.
pub(crate) fn parse(text: &str) -> Result<Attachment, InvalidValue> {
    let mut attachment = Attachment::default();
    if !has_fields(text) {
        attachment.network = text.to_owned();
        return Ok(attachment);
    }
    for field in csv::record(text)? {
        let field = field.to_lowercase();
        let (key, value) = match field.split_once('=') {
            Some((key, value)) if !key.is_empty() => (key.trim(), value.trim().to_owned()),
            _ => return Err(InvalidValue::new(format!("invalid field {field}"))),
        };
        match key {
            "name" => attachment.network = value,
            "alias" => attachment.aliases.push(value),
            "ip" => attachment.ipv4_address = Some(ip_address::parse_field(&value)?),
            "ip6" => attachment.ipv6_address = Some(ip_address::parse_field(&value)?),
            "link-local-ip" => attachment
                .link_local_ips
                .push(ip_address::parse_field(&value)?),
            "mac-address" => attachment.mac_address = Some(value).filter(|mac| !mac.is_empty()),
            "driver-opt" => {
                let (name, option) = driver_option(&value)?;
                attachment.driver_options.insert(name, option);
            }
            "gw-priority" => {
                attachment.gateway_priority = integer::parse_decimal_field(&value)
                    .map_err(|error| error.within(format!("invalid gw-priority ({value})")))?;
            }
            _ => return Err(InvalidValue::new(format!("invalid field key {key}"))),
        }
    }
    if attachment.network.is_empty() {
        return Err(InvalidValue::new("network name/id is not specified"));
    }
    Ok(attachment)
}

/// Whether a network is one that somebody made, and not a mode of the engine.
pub(crate) fn is_user_defined(network: &str) -> bool {
    let is_container = network.split(':').next() == Some("container") && network.contains(':');
    !is_container && !matches!(network, "default" | "bridge" | "host" | "none")
}

fn has_fields(text: &str) -> bool {
    let is_word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let bytes = text.as_bytes();
    text.match_indices('=').any(|(at, _)| {
        is_word(at.checked_sub(1).and_then(|at| bytes.get(at))) && is_word(bytes.get(at + 1))
    })
}

fn driver_option(text: &str) -> Result<(String, String), InvalidValue> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err(InvalidValue::new(
            "invalid key value pair format in driver options",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_as_it_stands() {
        for name in [
            "host",
            "container:x",
            "Foo",
            "a,b",
            "",
            "name=",
            "=x",
            "a= b",
            "a.=b",
            "é=x",
        ] {
            let expected = Attachment {
                network: name.to_owned(),
                ..Attachment::default()
            };
            assert_eq!(parse(name), Ok(expected), "{name:?}");
        }
    }

    #[test]
    fn fields_are_taken_apart() {
        let text = "Name=Back,alias=A,alias=b, ip = 192.0.2.7 ,ip6=2001:DB8::1,link-local-ip=169.254.1.2,\
                    link-local-ip=fe80::1,mac-address=02:00:00:00:00:01,driver-opt=A=B=c,driver-opt=d=,gw-priority=-7";
        let texts = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        let expected = Attachment {
            network: "back".to_owned(),
            aliases: texts(["a", "b"]),
            ipv4_address: Some("192.0.2.7".to_owned()),
            ipv6_address: Some("2001:db8::1".to_owned()),
            link_local_ips: texts(["169.254.1.2", "fe80::1"]),
            links: Vec::new(),
            mac_address: Some("02:00:00:00:00:01".to_owned()),
            driver_options: [("a", "b=c"), ("d", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            gateway_priority: -7,
        };
        assert_eq!(parse(text), Ok(expected));
        let quoted = parse("name=x,\"driver-opt=a=1,2\"").unwrap();
        assert_eq!(quoted.driver_options["a"], "1,2");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("alias=x", "network name/id is not specified"),
            ("name=,alias=x", "network name/id is not specified"),
            ("name=x,foo=bar", "invalid field key foo"),
            ("name=x,Foo", "invalid field foo"),
            ("name=x,", "invalid field "),
            ("name=x,=b", "invalid field =b"),
            ("x,name=y", "invalid field x"),
            (
                "name=x,driver-opt=a",
                "invalid key value pair format in driver options",
            ),
            (
                "name=x,driver-opt==a",
                "invalid key value pair format in driver options",
            ),
            (
                "name=x,gw-priority=a",
                "invalid gw-priority (a): invalid syntax",
            ),
            (
                "name=x,gw-priority=99999999999999999999",
                "invalid gw-priority (99999999999999999999): value out of range",
            ),
            ("name=x,ip=y", "ParseAddr(\"y\"): unable to parse IP"),
            ("name=x,ip6=", "ParseAddr(\"\"): unable to parse IP"),
            (
                "name=x,\"a",
                "parse error on line 1, column 10: extraneous or missing \" in quoted-field",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn modes_are_not_user_defined() {
        for network in [
            "default",
            "bridge",
            "host",
            "none",
            "container:x",
            "container:",
        ] {
            assert!(!is_user_defined(network), "{network}");
        }
        for network in ["backend", "container", "Host", ""] {
            assert!(is_user_defined(network), "{network}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_long_form_has_a_name(text in "(name|alias|ip|gw-priority|=|[a-z0-9]{1,3}|,|\"){0,8}|.*") {
            if let Ok(attachment) = parse(&text) {
                assert!(!attachment.network.is_empty() || text.is_empty());
                assert!(has_fields(&text) || attachment.network == text);
            }
        }
    }
}
