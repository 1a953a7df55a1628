//! `/etc/hosts` of a container, as Docker 29 writes it.

use std::fmt::Write as _;
use std::net::IpAddr;

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
        // The file has a line a host, and no way to quote.
        if name.is_empty() || name.contains(|letter: char| letter.is_whitespace() || letter == '#')
        {
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
    pub(crate) hostname: &'a str,
    pub(crate) domainname: &'a str,
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
        let full = match domainname {
            "" => hostname.to_owned(),
            domainname => format!("{hostname}.{domainname}"),
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
        let own = Own {
            address: "172.29.0.2".parse().expect("an address"),
            hostname: "box",
            domainname: "",
        };
        let gateway = Some("172.29.0.1".parse().expect("an address"));
        assert_eq!(
            text(&extra, gateway, Some(own)).expect("a file"),
            format!(
                "{DEFAULT}10.0.0.5\tdb\n::1\tsix\nfd00::7\tseven\n172.29.0.1\tup\n172.29.0.2\tbox\n"
            )
        );
        let named = Own {
            domainname: "example.org",
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
}
