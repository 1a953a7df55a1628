//! Networks of IPv4, and the choice of one that nobody has.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::configuration::Pool;

/// A network: the bits of an address that all of its members share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subnet {
    base: u32,
    prefix: u8,
}

/// What a bridge may have, in order of preference. The beginnings of these ranges are what other engines take first, so
/// these are from their ends.
const CANDIDATES: [(Ipv4Addr, u8); 12] = [
    (Ipv4Addr::new(172, 29, 0, 0), 16),
    (Ipv4Addr::new(172, 28, 0, 0), 16),
    (Ipv4Addr::new(172, 27, 0, 0), 16),
    (Ipv4Addr::new(172, 26, 0, 0), 16),
    (Ipv4Addr::new(172, 25, 0, 0), 16),
    (Ipv4Addr::new(10, 213, 0, 0), 16),
    (Ipv4Addr::new(10, 214, 0, 0), 16),
    (Ipv4Addr::new(10, 215, 0, 0), 16),
    (Ipv4Addr::new(192, 168, 212, 0), 22),
    (Ipv4Addr::new(192, 168, 216, 0), 22),
    (Ipv4Addr::new(192, 168, 220, 0), 22),
    (Ipv4Addr::new(100, 127, 0, 0), 16),
];

/// Routes for more than this are ways out to everywhere: VPNs have two of one bit for one of none.
const SHORTEST_PREFIX: u8 = 8;

impl Subnet {
    /// The network of that address with a prefix of 0 to 32 bits.
    pub(crate) fn new(address: Ipv4Addr, prefix: u8) -> Subnet {
        let prefix = prefix.min(32);
        Subnet {
            base: address.to_bits() & mask(prefix),
            prefix,
        }
    }

    pub(crate) fn prefix(self) -> u8 {
        self.prefix
    }

    /// The bridge's own address in it: the first.
    pub(crate) fn gateway(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base | 1)
    }

    pub(crate) fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.base | !mask(self.prefix))
    }

    pub(crate) fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & mask(self.prefix) == self.base
    }

    /// Whether they have an address in common.
    pub(crate) fn meets(self, other: Subnet) -> bool {
        let shorter = mask(self.prefix.min(other.prefix));
        self.base & shorter == other.base & shorter
    }

    /// The first address for a container at or after `from` that is not taken, beginning again at the first.
    pub(crate) fn free_address(
        self,
        from: Ipv4Addr,
        is_taken: impl Fn(Ipv4Addr) -> bool,
    ) -> Option<Ipv4Addr> {
        let first = self.base | 2;
        let last = self.broadcast().to_bits() - 1;
        let from = match from.to_bits() {
            from if (first..=last).contains(&from) => from,
            _ => first,
        };
        (from..=last)
            .chain(first..from)
            .map(Ipv4Addr::from_bits)
            .find(|address| !is_taken(*address))
    }

    /// A network for a bridge that meets none of these, nor has one of these addresses: of the pools, if there are some.
    pub(crate) fn choose(
        pools: &[Pool],
        routes: &[Subnet],
        addresses: &[IpAddr],
    ) -> Option<Subnet> {
        let is_free = |candidate: &Subnet| candidate.is_free(routes, addresses);
        if pools.is_empty() {
            let own = CANDIDATES.into_iter();
            return own
                .map(|(address, prefix)| Subnet::new(address, prefix))
                .find(is_free);
        }
        pools.iter().flat_map(of_pool).find(is_free)
    }

    /// Whether it is one of the pools', or there are none.
    pub(crate) fn is_of(self, pools: &[Pool]) -> bool {
        let is_within = |pool: &Pool| {
            self.prefix == pool.size
                && Subnet::new(pool.base.0, pool.base.1).contains(self.gateway())
        };
        pools.is_empty() || pools.iter().any(is_within)
    }

    /// Whether it meets none of these routes, nor has one of these addresses.
    pub(crate) fn is_free(self, routes: &[Subnet], addresses: &[IpAddr]) -> bool {
        let on_a_route = routes
            .iter()
            .any(|route| route.prefix >= SHORTEST_PREFIX && self.meets(*route));
        let has_one = addresses
            .iter()
            .any(|address| matches!(address, IpAddr::V4(address) if self.contains(*address)));
        !on_a_route && !has_one
    }
}

/// The networks of a pool, the first first.
fn of_pool(pool: &Pool) -> impl Iterator<Item = Subnet> + use<> {
    let (address, prefix) = pool.base;
    let (base, size) = (Subnet::new(address, prefix).base, pool.size);
    let count = 1_u64 << size.saturating_sub(prefix).min(31);
    (0..count).map(move |number| {
        // A pool of one network of everything has no second to shift to.
        let offset = u32::try_from(number << (32 - u32::from(size))).unwrap_or(0);
        Subnet {
            base: base | offset,
            prefix: size,
        }
    })
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from_bits(self.base), self.prefix)
    }
}

impl FromStr for Subnet {
    type Err = ();

    fn from_str(text: &str) -> Result<Subnet, ()> {
        let (address, prefix) = text.split_once('/').ok_or(())?;
        let address = address.parse().map_err(drop)?;
        match prefix.parse() {
            Ok(prefix @ 0..=32) => Ok(Subnet::new(address, prefix)),
            _ => Err(()),
        }
    }
}

impl Serialize for Subnet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subnet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Subnet, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|()| de::Error::custom(format!("{text} is no network")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(text: &str) -> Subnet {
        text.parse().expect("a network")
    }

    #[test]
    fn networks_that_share_an_address_meet() {
        for (one, other, meet) in [
            ("172.29.0.0/16", "172.29.4.0/24", true),
            ("172.29.4.0/24", "172.29.0.0/16", true),
            ("172.29.0.0/16", "172.28.0.0/16", false),
            ("172.29.0.0/16", "172.16.0.0/12", true),
            ("10.0.0.0/8", "11.0.0.0/8", false),
            ("10.0.0.0/8", "0.0.0.0/0", true),
        ] {
            assert_eq!(subnet(one).meets(subnet(other)), meet, "{one} {other}");
        }
    }

    #[test]
    fn the_choice_meets_no_route_and_no_name_server() {
        let all = subnet("0.0.0.0/0");
        let choose = |routes: &[&str], servers: &[&str]| {
            let mut routes: Vec<Subnet> = routes.iter().map(|route| subnet(route)).collect();
            // The ways out to everywhere do not count.
            routes.extend([all, subnet("0.0.0.0/1"), subnet("128.0.0.0/1")]);
            let servers: Vec<IpAddr> = servers
                .iter()
                .map(|server| server.parse().expect("an address"))
                .collect();
            Subnet::choose(&[], &routes, &servers).map(|subnet| subnet.to_string())
        };
        assert_eq!(choose(&[], &[]).as_deref(), Some("172.29.0.0/16"));
        assert_eq!(
            choose(&["172.29.3.0/24"], &["172.28.0.53", "::1"]).as_deref(),
            Some("172.27.0.0/16")
        );
        assert_eq!(
            choose(&["172.16.0.0/12", "10.0.0.0/8"], &[]).as_deref(),
            Some("192.168.212.0/22")
        );
        assert_eq!(
            choose(
                &[
                    "172.16.0.0/12",
                    "10.0.0.0/8",
                    "192.168.0.0/16",
                    "100.64.0.0/10"
                ],
                &[]
            ),
            None
        );
    }

    #[test]
    fn pools_are_cut_into_networks() {
        let pool = |base: [u8; 4], prefix, size| Pool {
            base: (base.into(), prefix),
            size,
        };
        let pools = [pool([10, 10, 0, 0], 23, 24), pool([10, 20, 0, 0], 24, 24)];
        let choose = |routes: &[&str]| {
            let routes: Vec<Subnet> = routes.iter().map(|route| subnet(route)).collect();
            Subnet::choose(&pools, &routes, &[]).map(|subnet| subnet.to_string())
        };
        assert_eq!(choose(&[]).as_deref(), Some("10.10.0.0/24"));
        assert_eq!(choose(&["10.10.0.7/32"]).as_deref(), Some("10.10.1.0/24"));
        assert_eq!(choose(&["10.10.0.0/16"]).as_deref(), Some("10.20.0.0/24"));
        assert_eq!(choose(&["10.10.0.0/16", "10.20.0.0/16"]), None);
        assert_eq!(of_pool(&pool([0, 0, 0, 0], 0, 0)).count(), 1);
        for (text, expected) in [
            ("10.10.1.0/24", true),
            ("10.10.2.0/24", false),
            ("10.10.0.0/25", false),
        ] {
            assert_eq!(subnet(text).is_of(&pools), expected, "{text}");
            assert!(subnet(text).is_of(&[]));
        }
    }

    #[test]
    fn addresses_go_round() {
        let net = subnet("10.0.0.0/29");
        let taken =
            |list: &'static [u8]| move |address: Ipv4Addr| list.contains(&address.octets()[3]);
        let from = |last: u8| Ipv4Addr::new(10, 0, 0, last);
        assert_eq!(net.free_address(from(0), taken(&[])), Some(from(2)));
        assert_eq!(net.free_address(from(4), taken(&[4])), Some(from(5)));
        assert_eq!(net.free_address(from(6), taken(&[6])), Some(from(2)));
        assert_eq!(net.free_address(from(7), taken(&[])), Some(from(2)));
        assert_eq!(net.free_address(from(3), taken(&[2, 3, 4, 5, 6])), None);
        assert_eq!(net.gateway(), from(1));
        assert_eq!(net.broadcast(), from(7));
    }

    #[test]
    fn a_network_reads_as_it_was_written() {
        for text in ["172.29.0.0/16", "0.0.0.0/0", "10.0.0.1/32"] {
            assert_eq!(subnet(text).to_string(), text);
        }
        for text in ["", "10.0.0.0", "10.0.0.0/33", "::/0"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
        assert_eq!(subnet("172.29.7.7/16"), subnet("172.29.0.0/16"));
    }
}
