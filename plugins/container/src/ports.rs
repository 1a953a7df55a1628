//! Formats a container's ports for a list.

use engine_client::Port;

/// `0.0.0.0:8000-8002->80-82/tcp, [::]:53->53/udp, 443/tcp`: what is published first, neighbours as a range.
pub(crate) fn ports(ports: &[Port]) -> String {
    let mut sorted: Vec<&Port> = ports.iter().collect();
    sorted.sort_unstable_by_key(|port| {
        (
            port.public_port == 0,
            &port.ip,
            &port.protocol,
            port.private_port,
            port.public_port,
        )
    });
    sorted.dedup();
    let mut ranges: Vec<Range<'_>> = Vec::new();
    for port in sorted {
        match ranges.last_mut() {
            Some(range) if range.is_followed_by(port) => range.more += 1,
            _ => ranges.push(Range {
                first: port,
                more: 0,
            }),
        }
    }
    // In the order of the container's ports, as people look for them.
    ranges.sort_by_key(|range| (range.first.private_port, range.first.public_port == 0));
    let texts: Vec<String> = ranges.iter().map(Range::text).collect();
    texts.join(", ")
}

/// Ports of one protocol and address that follow each other, in the container and on the host.
struct Range<'a> {
    first: &'a Port,
    /// How many follow the first.
    more: u16,
}

impl Range<'_> {
    fn is_followed_by(&self, port: &Port) -> bool {
        let first = self.first;
        let next = self.more + 1;
        let follows = |first: u16, port: u16| first.checked_add(next) == Some(port);
        let public = match first.public_port {
            0 => port.public_port == 0,
            public => follows(public, port.public_port),
        };
        public
            && first.ip == port.ip
            && first.protocol == port.protocol
            && follows(first.private_port, port.private_port)
    }

    fn text(&self) -> String {
        let Port {
            ip,
            private_port,
            public_port,
            protocol,
            ..
        } = self.first;
        let range = |first: u16| match self.more {
            0 => first.to_string(),
            more => format!("{first}-{}", u32::from(first) + u32::from(more)),
        };
        let private = range(*private_port);
        match (public_port, ip.contains(':')) {
            (0, _) => format!("{private}/{protocol}"),
            (public, true) => format!("[{ip}]:{}->{private}/{protocol}", range(*public)),
            (public, false) if ip.is_empty() => format!("{}->{private}/{protocol}", range(*public)),
            (public, false) => format!("{ip}:{}->{private}/{protocol}", range(*public)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(ip: &str, public: u16, private: u16, protocol: &str) -> Port {
        let text = serde_json::json!({
            "IP": ip, "PublicPort": public, "PrivatePort": private, "Type": protocol,
        });
        serde_json::from_value(text).expect("a port")
    }

    #[test]
    fn ports_are_written_as_docker_does() {
        for (list, expected) in [
            (vec![], ""),
            (vec![port("", 0, 80, "tcp")], "80/tcp"),
            (
                vec![
                    port("0.0.0.0", 8080, 80, "tcp"),
                    port("::", 8080, 80, "tcp"),
                ],
                "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp",
            ),
            (
                vec![
                    port("0.0.0.0", 8002, 82, "tcp"),
                    port("0.0.0.0", 8000, 80, "tcp"),
                    port("0.0.0.0", 8001, 81, "tcp"),
                    port("", 0, 443, "tcp"),
                    port("", 0, 444, "tcp"),
                    port("127.0.0.1", 53, 53, "udp"),
                ],
                "127.0.0.1:53->53/udp, 0.0.0.0:8000-8002->80-82/tcp, 443-444/tcp",
            ),
            (
                vec![
                    port("0.0.0.0", 9000, 80, "tcp"),
                    port("0.0.0.0", 8000, 81, "tcp"),
                ],
                "0.0.0.0:9000->80/tcp, 0.0.0.0:8000->81/tcp",
            ),
            (
                vec![port("", 0, 65534, "tcp"), port("", 0, 65535, "tcp")],
                "65534-65535/tcp",
            ),
        ] {
            assert_eq!(ports(&list), expected);
        }
    }
}
