//! `/etc/hosts` of a container, as Docker 29 writes it.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::host_name::{HostName, is_one_word};
use crate::{Error, Result};

/// What every container knows.
const DEFAULT: &str = "127.0.0.1\tlocalhost\n\
    ::1\tlocalhost ip6-localhost ip6-loopback\n\
    fe00::\tip6-localnet\n\
    ff00::\tip6-mcastprefix\n\
    ff02::1\tip6-allnodes\n\
    ff02::2\tip6-allrouters\n";

/// The word that stands for the machine's address as the container sees it.
const HOST_GATEWAY: &str = "host-gateway";

/// A name for an address, of `--add-host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExtraHost {
    name: String,
    /// Nothing for `host-gateway`.
    address: Option<IpAddr>,
}

impl ExtraHost {
    /// Reads `NAME:ADDRESS`, as the Engine API has it.
    pub(crate) fn parse(text: &str) -> Result<ExtraHost> {
        let malformed = || Error::invalid(format!("bad format for add-host: {text:?}"));
        let (name, address) = text.split_once(':').ok_or_else(malformed)?;
        if !is_one_word(name) {
            return Err(malformed());
        }
        let name = name.to_owned();
        if address == HOST_GATEWAY {
            return Ok(ExtraHost {
                name,
                address: None,
            });
        }
        let bare = address
            .strip_prefix('[')
            .and_then(|address| address.strip_suffix(']'))
            .unwrap_or(address);
        match bare.parse() {
            Ok(address) => Ok(ExtraHost {
                name,
                address: Some(address),
            }),
            Err(_) => Err(Error::invalid(format!(
                "invalid IP address in add-host: {address:?}"
            ))),
        }
    }

    /// Whether it stands for the machine.
    pub(crate) fn is_gateway(&self) -> bool {
        self.address.is_none()
    }
}

/// The container's own line: its address and names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own<'a> {
    pub(crate) address: IpAddr,
    pub(crate) hostname: &'a HostName,
    pub(crate) domainname: &'a HostName,
}

/// The text of the file; `gateway` is what `host-gateway` stands for.
pub(crate) fn text(
    extra: &[ExtraHost],
    gateway: Option<IpAddr>,
    own: Option<Own<'_>>,
) -> Result<String> {
    let mut text = DEFAULT.to_owned();
    for host in extra {
        let address = host.address.or(gateway).ok_or_else(|| {
            Error::invalid(
                "unable to derive the IP value for host-gateway: the container has no way to the machine",
            )
        })?;
        let _ = writeln!(text, "{address}\t{}", host.name);
    }
    if let Some(Own {
        address,
        hostname,
        domainname,
    }) = own
        && !hostname.is_empty()
    {
        let full = match domainname.is_empty() {
            true => hostname.to_string(),
            false => format!("{hostname}.{domainname}"),
        };
        let _ = match full.split_once('.') {
            None => writeln!(text, "{address}\t{full}"),
            Some((short, _)) => writeln!(text, "{address}\t{full} {short}"),
        };
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ExtraHost> {
        ExtraHost::parse(text)
    }

    #[test]
    fn the_file_is_dockers() {
        let extra = [
            parse("db:10.0.0.5").expect("a host"),
            parse("six:::1").expect("a host"),
            parse("seven:[fd00::7]").expect("a host"),
            parse("up:host-gateway").expect("a host"),
        ];
        let name = |name: &str| HostName::parse("hostname", name).expect("a name");
        let own = Own {
            address: "172.29.0.2".parse().expect("an address"),
            hostname: &name("box"),
            domainname: &name(""),
        };
        let gateway = Some("172.29.0.1".parse().expect("an address"));
        assert_eq!(
            text(&extra, gateway, Some(own)).expect("a file"),
            format!(
                "{DEFAULT}10.0.0.5\tdb\n::1\tsix\nfd00::7\tseven\n172.29.0.1\tup\n172.29.0.2\tbox\n"
            )
        );
        let named = Own {
            domainname: &name("example.org"),
            ..own
        };
        assert!(
            text(&[], None, Some(named))
                .expect("a file")
                .ends_with("172.29.0.2\tbox.example.org box\n")
        );
        assert_eq!(text(&[], None, None).expect("a file"), DEFAULT);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for (wrong, message) in [
            ("db", "bad format for add-host: \"db\""),
            (":1.2.3.4", "bad format for add-host: \":1.2.3.4\""),
            ("a b:1.2.3.4", "bad format for add-host: \"a b:1.2.3.4\""),
            ("a\nb:1.2.3.4", "bad format for add-host: \"a\\nb:1.2.3.4\""),
            ("a#b:1.2.3.4", "bad format for add-host: \"a#b:1.2.3.4\""),
            ("a\0b:1.2.3.4", "bad format for add-host: \"a\\0b:1.2.3.4\""),
            (
                "a:1.2.3.4\n0.0.0.0 b",
                "invalid IP address in add-host: \"1.2.3.4\\n0.0.0.0 b\"",
            ),
            ("db:one", "invalid IP address in add-host: \"one\""),
            ("db:", "invalid IP address in add-host: \"\""),
        ] {
            let error = parse(wrong).expect_err("no host");
            assert_eq!(error.to_string(), message);
            assert_eq!(error.status(), 400);
        }
    }

    #[test]
    fn the_machine_has_no_address_without_a_network() {
        let host = [parse("up:host-gateway").expect("a host")];
        assert!(host[0].is_gateway());
        assert!(text(&host, None, None).is_err());
    }

    proptest::proptest! {
        /// Whatever is asked for, it makes one line a host, of an address and its names.
        #[test]
        fn no_name_makes_a_line(
            asked in "[a\n\r\t #.:\u{0}\u{b}\u{85}]{0,8}(:1\\.2\\.3\\.4)?",
            hostname in "[a\n\r\t #.\u{0}\u{b}\u{85}]{0,6}",
            domainname in "[a\n\r\t #.\u{0}\u{b}\u{85}]{0,6}",
        ) {
            let extra: Vec<_> = parse(&asked).into_iter().collect();
            let names = [&hostname, &domainname].map(|name| HostName::parse("hostname", name));
            let own = match &names {
                [Ok(hostname), Ok(domainname)] => Some(Own {
                    address: "172.29.0.2".parse().expect("an address"),
                    hostname,
                    domainname,
                }),
                _ => None,
            };
            let text = text(&extra, None, own).expect("a file");
            let added = text.strip_prefix(DEFAULT).expect("what every container knows");
            let lines = extra.len() + usize::from(own.is_some_and(|own| !own.hostname.is_empty()));
            // However a C library may end a line.
            let ends_line = |letter| matches!(letter, '\n' | '\r' | '\u{b}' | '\u{85}' | '\0');
            proptest::prop_assert_eq!(added.matches(ends_line).count(), lines);
            for line in added.lines() {
                let (address, names) = line.split_once('\t').expect("an address");
                proptest::prop_assert!(address.parse::<IpAddr>().is_ok());
                proptest::prop_assert!(!names.is_empty() && !names.contains(['#', '\t']));
            }
        }
    }
}
