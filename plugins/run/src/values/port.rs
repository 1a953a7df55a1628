//! Ports: `--publish [IP:][HOST:]CONTAINER[/PROTOCOL]` and `--expose CONTAINER[/PROTOCOL]`.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::RangeInclusive;

use engine_client::models::{PortBinding, PortMap};

use super::InvalidValue;

/// The ports of a container in the form of the Engine API, where a port is `80/tcp`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ports {
    /// Every port that the container listens on, published or not.
    pub(crate) exposed: BTreeSet<String>,
    /// The published ones with their addresses on the host.
    pub(crate) bindings: PortMap,
}

/// Parses the values of both options; a published port is exposed too.
pub(crate) fn parse(publish: &[String], expose: &[String]) -> Result<Ports, InvalidValue> {
    let mut ports = Ports::default();
    for text in publish {
        let text = if text.contains('=') {
            from_fields(text)?
        } else {
            text.clone()
        };
        for (port, binding) in published(&text)? {
            ports.exposed.insert(port.clone());
            ports
                .bindings
                .entry(port)
                .or_default()
                .get_or_insert_default()
                .push(binding);
        }
    }
    for text in expose {
        ports.exposed.extend(exposed(text)?);
    }
    Ok(ports)
}

/// The short form of `published=80,target=81,protocol=udp`.
fn from_fields(text: &str) -> Result<String, InvalidValue> {
    let mut fields = HashMap::from([("protocol", "tcp")]);
    for field in text.split(',') {
        let (name, value) = field
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| {
                InvalidValue::new(format!(
                    "invalid publish opts format (should be name=value but got '{field}')"
                ))
            })?;
        fields.insert(name, value);
    }
    let field = |name| fields.get(name).copied().unwrap_or_default();
    Ok(format!(
        "{}:{}/{}",
        field("published"),
        field("target"),
        field("protocol")
    ))
}

fn published(text: &str) -> Result<Vec<(String, PortBinding)>, InvalidValue> {
    let (ip, host, container) = split(text);
    let (container, protocol) = split_protocol(container);
    let protocol = protocol.to_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(InvalidValue::new(format!("invalid proto: {protocol}")));
    }
    let ip = address(ip)?;
    if container.is_empty() {
        return Err(InvalidValue::new(format!(
            "no port specified: {text}<empty>"
        )));
    }
    let container_ports = range(container)
        .map_err(|_| InvalidValue::new(format!("invalid containerPort: {container}")))?;
    let host_ports = match host {
        "" => None,
        host => {
            Some(range(host).map_err(|_| InvalidValue::new(format!("invalid hostPort: {host}")))?)
        }
    };
    if let Some(host_ports) = &host_ports
        && host_ports.len() != container_ports.len()
        && container_ports.len() != 1
    {
        return Err(InvalidValue::new(format!(
            "invalid ranges specified for container and host Ports: {container} and {host}"
        )));
    }
    let single = container_ports.len() == 1;
    let host_port = |offset: u16| match &host_ports {
        None => String::new(),
        // One port of the container and many of the host: the engine takes a free one of them.
        Some(ports) if single && ports.len() != 1 => format!("{}-{}", ports.start(), ports.end()),
        Some(ports) => (ports.start() + offset).to_string(),
    };
    let bindings = container_ports.zip(0..).map(|(port, offset)| {
        let binding = PortBinding {
            host_ip: Some(ip.to_owned()),
            host_port: Some(host_port(offset)),
        };
        (format!("{port}/{protocol}"), binding)
    });
    Ok(bindings.collect())
}

/// The two right-most fields are ports; what is in front of them is the address, colons and all.
fn split(text: &str) -> (&str, &str, &str) {
    match text.rsplit_once(':') {
        None => ("", "", text),
        Some((rest, container)) => match rest.rsplit_once(':') {
            None => ("", rest, container),
            Some((ip, host)) => (ip, host, container),
        },
    }
}

/// The protocol is the second of the fields between slashes, and `tcp` where there is none.
fn split_protocol(text: &str) -> (&str, &str) {
    let mut fields = text.split('/');
    let port = fields.next().unwrap_or_default();
    (
        port,
        fields
            .next()
            .filter(|protocol| !protocol.is_empty())
            .unwrap_or("tcp"),
    )
}

/// Checks the address and strips the brackets of an IPv6 one. `:` is what is left of `::80`: no address.
fn address(text: &str) -> Result<&str, InvalidValue> {
    let bare = match text.strip_prefix('[') {
        None => text,
        Some(rest) => rest
            .strip_suffix(']')
            .ok_or_else(|| InvalidValue::new(format!("invalid IP address: {text}")))?,
    };
    if text.is_empty() || bare.parse::<IpAddr>().is_ok() {
        Ok(bare)
    } else {
        Err(InvalidValue::new(format!("invalid IP address: {bare}")))
    }
}

/// Parses the value of `--expose`. The protocol is the engine's to check, as Docker leaves it.
fn exposed(text: &str) -> Result<Vec<String>, InvalidValue> {
    let (port, protocol) = split_protocol(text);
    let ports = range(port).map_err(|error| error.within("invalid range format for --expose"))?;
    Ok(ports.map(|port| format!("{port}/{protocol}")).collect())
}

/// Parses `80` or `80-90`.
fn range(text: &str) -> Result<RangeInclusive<u16>, InvalidValue> {
    if text.is_empty() {
        return Err(InvalidValue::new("empty string specified for ports"));
    }
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let (start, end) = (number("start", start)?, number("end", end)?);
    if end < start {
        return Err(InvalidValue::new(format!("invalid port range: {text}")));
    }
    Ok(start..=end)
}

fn number(which: &str, text: &str) -> Result<u16, InvalidValue> {
    let invalid = |what| InvalidValue::new(format!("invalid {which} port '{text}': {what}"));
    if text.is_empty() {
        return Err(invalid("value is empty"));
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(invalid("invalid syntax"));
    }
    text.parse().map_err(|_| invalid("value out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(text: &str) -> Result<Ports, InvalidValue> {
        parse(&[text.to_owned()], &[])
    }

    /// The published ports as `PORT=IP@HOST`, in order.
    fn bindings(ports: &Ports) -> Vec<String> {
        let mut all: Vec<String> = ports
            .bindings
            .iter()
            .flat_map(|(port, bindings)| {
                bindings.iter().flatten().map(move |binding| {
                    let PortBinding { host_ip, host_port } = binding;
                    format!(
                        "{port}={}@{}",
                        host_ip.as_deref().unwrap(),
                        host_port.as_deref().unwrap()
                    )
                })
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn published_ports() {
        for (text, expected) in [
            ("80", vec!["80/tcp=@"]),
            ("0", vec!["0/tcp=@"]),
            ("080", vec!["80/tcp=@"]),
            ("80/udp", vec!["80/udp=@"]),
            ("80/TCP", vec!["80/tcp=@"]),
            ("80/", vec!["80/tcp=@"]),
            ("80/tcp/udp", vec!["80/tcp=@"]),
            (":80", vec!["80/tcp=@"]),
            ("::80", vec!["80/tcp=@"]),
            ("8080:80", vec!["80/tcp=@8080"]),
            ("8080:80/Udp", vec!["80/udp=@8080"]),
            ("0:80", vec!["80/tcp=@0"]),
            ("127.0.0.1:8080:80", vec!["80/tcp=127.0.0.1@8080"]),
            ("127.0.0.1::80", vec!["80/tcp=127.0.0.1@"]),
            ("[127.0.0.1]:80:80", vec!["80/tcp=127.0.0.1@80"]),
            ("[::1]:80:80", vec!["80/tcp=::1@80"]),
            ("::1:80:80", vec!["80/tcp=::1@80"]),
            ("[::FFFF:1.2.3.4]:1:1", vec!["1/tcp=::FFFF:1.2.3.4@1"]),
            ("80-81", vec!["80/tcp=@", "81/tcp=@"]),
            ("80-81:90-91", vec!["90/tcp=@80", "91/tcp=@81"]),
            ("80-80:81-81", vec!["81/tcp=@80"]),
            ("80-85:90", vec!["90/tcp=@80-85"]),
            ("080-082:1-3", vec!["1/tcp=@80", "2/tcp=@81", "3/tcp=@82"]),
            (
                "65534-65535:65534-65535",
                vec!["65534/tcp=@65534", "65535/tcp=@65535"],
            ),
            ("published=80,target=81", vec!["81/tcp=@80"]),
            ("published=80,target=81,protocol=udp", vec!["81/udp=@80"]),
            ("target=80", vec!["80/tcp=@"]),
            ("published=1-2,target=3-4", vec!["3/tcp=@1", "4/tcp=@2"]),
        ] {
            let ports = publish(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(bindings(&ports), expected, "{text}");
            assert!(
                ports
                    .bindings
                    .keys()
                    .all(|port| ports.exposed.contains(port))
            );
            assert_eq!(ports.exposed.len(), ports.bindings.len());
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "no port specified: <empty>"),
            (":", "no port specified: :<empty>"),
            ("80:", "no port specified: 80:<empty>"),
            ("80:/tcp", "no port specified: 80:/tcp<empty>"),
            ("a=b", "no port specified: :/tcp<empty>"),
            ("80/foo", "invalid proto: foo"),
            ("abc", "invalid containerPort: abc"),
            ("-80", "invalid containerPort: -80"),
            ("+80", "invalid containerPort: +80"),
            (" 80", "invalid containerPort:  80"),
            ("5-", "invalid containerPort: 5-"),
            ("90-80", "invalid containerPort: 90-80"),
            ("65536", "invalid containerPort: 65536"),
            ("99999:80", "invalid hostPort: 99999"),
            ("1.2.3:1:2", "invalid IP address: 1.2.3"),
            ("localhost:80:80", "invalid IP address: localhost"),
            ("1:2:3:4", "invalid IP address: 1:2"),
            ("[::1:80:80", "invalid IP address: [::1"),
            ("[fe80::1%eth0]:80:80", "invalid IP address: fe80::1%eth0"),
            ("[]:80:80", "invalid IP address: "),
            (
                "90-91:80-82",
                "invalid ranges specified for container and host Ports: 80-82 and 90-91",
            ),
            (
                "published=80,x",
                "invalid publish opts format (should be name=value but got 'x')",
            ),
            (
                "=x",
                "invalid publish opts format (should be name=value but got '=x')",
            ),
        ] {
            assert_eq!(publish(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn exposed_ports() {
        for (text, expected) in [
            ("80", vec!["80/tcp"]),
            ("080", vec!["80/tcp"]),
            ("0", vec!["0/tcp"]),
            ("80/udp", vec!["80/udp"]),
            ("80/", vec!["80/tcp"]),
            ("80/FOO", vec!["80/FOO"]),
            ("80-82", vec!["80/tcp", "81/tcp", "82/tcp"]),
        ] {
            assert_eq!(
                exposed(text),
                Ok(expected.into_iter().map(String::from).collect()),
                "{text}"
            );
        }
        for (text, message) in [
            ("", "empty string specified for ports"),
            ("/tcp", "empty string specified for ports"),
            ("80:90", "invalid start port '80:90': invalid syntax"),
            ("abc", "invalid start port 'abc': invalid syntax"),
            ("70000", "invalid start port '70000': value out of range"),
            ("80-abc", "invalid end port 'abc': invalid syntax"),
            ("80-70000", "invalid end port '70000': value out of range"),
            ("5-", "invalid end port '': value is empty"),
            ("82-80", "invalid port range: 82-80"),
        ] {
            let message = format!("invalid range format for --expose: {message}");
            assert_eq!(exposed(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn ports_of_both_options_come_together() {
        let all = ["80:80", "81:80", "80:80"].map(String::from);
        let ports = parse(&all, &["80", "90"].map(String::from)).unwrap();
        assert_eq!(bindings(&ports), ["80/tcp=@80", "80/tcp=@80", "80/tcp=@81"]);
        assert_eq!(ports.exposed, ["80/tcp", "90/tcp"].map(String::from).into());
    }

    proptest::proptest! {
        #[test]
        fn a_range_keeps_its_length(start in 0_u16..60_000, length in 0_u16..50, host in 0_u16..60_000) {
            let text = format!("{host}-{}:{start}-{}", host + length, start + length);
            assert_eq!(publish(&text).unwrap().exposed.len(), usize::from(length) + 1);
        }

        #[test]
        fn every_address_passes(address: std::net::Ipv6Addr) {
            let ports = publish(&format!("[{address}]:1:2")).unwrap();
            assert_eq!(bindings(&ports), [format!("2/tcp={address}@1")]);
        }

        #[test]
        fn no_text_panics(text in "[0-9:./\\[\\]=,-]{0,20}|.*") {
            let _ = publish(&text);
            let _ = exposed(&text);
        }
    }
}
