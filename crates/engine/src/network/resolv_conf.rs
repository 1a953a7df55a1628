//! `/etc/resolv.conf` of a container: the machine's, less the servers that only the machine itself reaches, with what
//! `--dns`, `--dns-search` and `--dns-option` put in its place.

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use super::host_name::is_one_word;
use crate::{Error, Result};

/// The file of a machine.
const PATH: &str = "/etc/resolv.conf";

/// What systemd's resolver asks, where the file itself names nothing but the resolver.
const BEHIND_SYSTEMD: &str = "/run/systemd/resolve/resolv.conf";

/// The resolver's own address.
const SYSTEMD_RESOLVED: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 53));

/// Whom Docker has containers ask on a machine that names no server which they reach.
const FALLBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V4(Ipv4Addr::new(8, 8, 4, 4)),
];

/// What the request says about names; an empty list leaves the machine's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dns {
    pub(crate) servers: Vec<IpAddr>,
    pub(crate) search: Vec<String>,
    pub(crate) options: Vec<String>,
}

impl Dns {
    /// Reads `Dns`, `DnsSearch` and `DnsOptions`.
    pub(crate) fn of(servers: &[String], search: &[String], options: &[String]) -> Result<Dns> {
        let servers = servers
            .iter()
            .map(|server| {
                server
                    .parse()
                    .map_err(|_| Error::invalid(format!("invalid nameserver IP address: {server}")))
            })
            .collect::<Result<_>>()?;
        // A line break would begin a directive of another kind.
        for (words, what) in [(search, "domain"), (options, "option of the resolver")] {
            if let Some(word) = words.iter().find(|word| !is_one_word(word)) {
                return Err(Error::invalid(format!("{word:?} is not a valid {what}")));
            }
        }
        Ok(Dns {
            servers,
            search: search.to_vec(),
            options: options.to_vec(),
        })
    }
}

/// The lines of a file, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lines {
    servers: Vec<IpAddr>,
    search: Vec<String>,
    options: Vec<String>,
    /// Other directives, as they are.
    other: Vec<String>,
}

impl Lines {
    fn parse(text: &str) -> Lines {
        let mut lines = Lines::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let rest = |words: std::str::SplitWhitespace<'_>| words.map(str::to_owned).collect();
            match words.next() {
                None => {}
                Some(word) if word.starts_with(['#', ';']) => {}
                // An address with a zone, as `fe80::1%eth0`, means an interface that the container has not.
                Some("nameserver") => lines.servers.extend(
                    words
                        .next()
                        .and_then(|server| server.parse::<IpAddr>().ok()),
                ),
                // The last one counts; `domain` is its older name.
                Some("search" | "domain") => lines.search = rest(words),
                Some("options") => {
                    let more: Vec<String> = rest(words);
                    lines.options.extend(more);
                }
                Some(_) => lines.other.push(line.trim_end().to_owned()),
            }
        }
        lines
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for server in &self.servers {
            let _ = writeln!(text, "nameserver {server}");
        }
        for (word, list) in [("search", &self.search), ("options", &self.options)] {
            if !list.is_empty() {
                let _ = writeln!(text, "{word} {}", list.join(" "));
            }
        }
        for line in &self.other {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// The text of the file for a container with a network of its own, made from the machine's.
///
/// Its servers of IPv6 go with the loopback ones, for the container has no IPv6. If none is left, whoever carries the
/// container's packets may be asked, or else those whom Docker has containers ask.
pub(crate) fn own_network(machine: &str, dns: &Dns, carrier: Option<Ipv4Addr>) -> String {
    let mut lines = Lines::parse(machine);
    lines
        .servers
        .retain(|server| !server.is_loopback() && server.is_ipv4());
    if lines.servers.is_empty() {
        lines.servers = match carrier {
            Some(carrier) => vec![IpAddr::V4(carrier)],
            None => FALLBACK.to_vec(),
        };
    }
    overridden(lines, dns)
}

/// The text of the file for a container with the machine's network: loopback servers answer it.
pub(crate) fn machines_network(machine: &str, dns: &Dns) -> String {
    if *dns == Dns::default() {
        return machine.to_owned();
    }
    overridden(Lines::parse(machine), dns)
}

fn overridden(mut lines: Lines, dns: &Dns) -> String {
    if !dns.servers.is_empty() {
        lines.servers = dns.servers.clone();
    }
    if !dns.search.is_empty() {
        // A lone dot means no domain at all.
        lines.search = dns.search.clone();
        lines.search.retain(|domain| domain != ".");
    }
    if !dns.options.is_empty() {
        lines.options = dns.options.clone();
    }
    lines.text()
}

/// The machine's file as containers with networks of their own need it: where it names nobody but systemd's resolver,
/// what that one asks.
pub(crate) fn machine() -> String {
    let text = read(PATH);
    if Lines::parse(&text).servers == [SYSTEMD_RESOLVED] {
        let behind = read(BEHIND_SYSTEMD);
        if !behind.is_empty() {
            return behind;
        }
    }
    text
}

/// The machine's file as it is.
pub(crate) fn machine_verbatim() -> String {
    read(PATH)
}

/// The servers that containers may ask, whose addresses no network of theirs may have.
pub(crate) fn servers() -> Vec<IpAddr> {
    Lines::parse(&machine()).servers
}

/// A machine without the file has no servers, and no other error is worth a container.
fn read(path: impl AsRef<Path>) -> String {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The body of this module's fuzz target: whatever a machine's file has, a container is told of servers that it reaches, and
/// a file that was made is one that stays as it is.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let machine = String::from_utf8_lossy(data);
    let text = own_network(&machine, &Dns::default(), None);
    let servers = Lines::parse(&text).servers;
    assert!(!servers.is_empty());
    assert!(
        servers
            .iter()
            .all(|server| server.is_ipv4() && !server.is_loopback())
    );
    assert_eq!(own_network(&text, &Dns::default(), None), text);
    let search = ["a.example".to_owned()];
    let dns = Dns::of(&[], &search, &[]).expect("a domain");
    assert_eq!(
        Lines::parse(&machines_network(&machine, &dns)).search,
        search
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn servers_that_only_the_machine_reaches_are_dropped() {
        let machine = "# comment\nnameserver 127.0.0.1\nnameserver 10.1.1.1\nnameserver ::1\n\
            nameserver fd00::53\nnameserver fe80::1%eth0\nsearch a.example b.example\noptions ndots:2\n\
            options edns0\nsortlist 10.0.0.0\n";
        assert_eq!(
            own_network(machine, &Dns::default(), None),
            "nameserver 10.1.1.1\nsearch a.example b.example\noptions ndots:2 edns0\nsortlist 10.0.0.0\n"
        );
    }

    #[test]
    fn a_machine_without_servers_has_dockers() {
        for machine in ["", "nameserver 127.0.0.53\n"] {
            assert_eq!(
                own_network(machine, &Dns::default(), None),
                "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"
            );
            let carrier = Some(Ipv4Addr::new(10, 0, 2, 3));
            assert_eq!(
                own_network(machine, &Dns::default(), carrier),
                "nameserver 10.0.2.3\n"
            );
        }
    }

    #[test]
    fn the_request_counts_more_than_the_machine() {
        let machine = "nameserver 10.1.1.1\nsearch a.example\noptions ndots:2\n";
        let dns = Dns::of(
            &list(&["127.0.0.1", "fd00::1"]),
            &list(&["b.example"]),
            &list(&["timeout:1"]),
        )
        .expect("a request");
        assert_eq!(
            own_network(machine, &dns, None),
            "nameserver 127.0.0.1\nnameserver fd00::1\nsearch b.example\noptions timeout:1\n"
        );
        let no_domain = Dns::of(&[], &list(&["."]), &[]).expect("a request");
        assert_eq!(
            own_network(machine, &no_domain, None),
            "nameserver 10.1.1.1\noptions ndots:2\n"
        );
    }

    #[test]
    fn the_machines_network_has_the_machines_file() {
        let machine = "# by hand\nnameserver 127.0.0.53\n";
        assert_eq!(machines_network(machine, &Dns::default()), machine);
        let dns = Dns::of(&[], &list(&["b.example"]), &[]).expect("a request");
        assert_eq!(
            machines_network(machine, &dns),
            "nameserver 127.0.0.53\nsearch b.example\n"
        );
    }

    #[test]
    fn a_request_cannot_add_lines() {
        for (servers, search, options) in [
            (list(&["one"]), vec![], vec![]),
            (vec![], list(&["a\nnameserver 1.2.3.4"]), vec![]),
            (vec![], vec![], list(&["a b"])),
        ] {
            let error = Dns::of(&servers, &search, &options).expect_err("malformed");
            assert_eq!(error.status(), 400);
        }
    }
}
