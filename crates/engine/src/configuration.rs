//! Reads the engine's own configuration file, whose keys are those of Docker's `daemon.json`.
//!
//! It is read when something of it is needed, by whichever process that is: there is no daemon that would hold it. A key that
//! means nothing here is an error, for it was written to have an effect.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::str::FromStr;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::{Error, Layout, Result};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The longest prefix of a network for containers: fewer bits would be too few addresses.
const LONGEST_PREFIX: u8 = 29;

/// All keys of the file.
const KEYS: &[&str] = &[
    "registry-mirrors",
    "insecure-registries",
    "default-address-pools",
    "log-opts",
];

/// The file `engine.json`, every key of which may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Configuration {
    /// Who is asked for images of Docker Hub before it is, in that order.
    pub(crate) registry_mirrors: Vec<Mirror>,
    /// Registries that need neither TLS nor a certificate that somebody vouches for.
    pub(crate) insecure_registries: Vec<Insecure>,
    /// What the bridge's network is chosen from; nothing for the engine's own list.
    pub(crate) default_address_pools: Vec<Pool>,
    /// Options of the log driver, for containers that do not say otherwise.
    pub(crate) log_opts: BTreeMap<String, String>,
}

/// A registry that has what another has: `https://mirror.example:5000`, without anything behind the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// `http` or `https`.
    pub(crate) scheme: String,
    /// Host and port.
    pub(crate) authority: String,
}

/// A registry, or all at some addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Insecure {
    /// Host and port, as references to its images begin with them.
    Name(String),
    /// Those whose names lead to such an address: its first bits.
    Network(IpAddr, u8),
}

/// Networks of one size.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RawPool")]
pub(crate) struct Pool {
    /// The range that they are cut from.
    pub(crate) base: (Ipv4Addr, u8),
    /// The length of their prefixes.
    pub(crate) size: u8,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPool {
    base: String,
    size: u8,
}

impl Configuration {
    /// The configuration of the engine of that layout: of the file that the layout names, or of `engine.json` in its root, if
    /// there is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for what is no such configuration, with the file, the
    /// key and what is wrong with it, [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the layout names a file that does
    /// not exist, and [`ErrorKind::System`](crate::ErrorKind::System) if it cannot be read.
    pub(crate) fn of(layout: &Layout) -> Result<Configuration> {
        let (path, is_named) = layout.configuration();
        match read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|error| Error::invalid(format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => {
                Ok(Configuration::default())
            }
            Err(error) => {
                let file = format!("read the configuration file {}", path.display());
                Err(match error.kind() {
                    io::ErrorKind::NotFound => Error::not_found(format!(
                        "{file}: it does not exist; name one that does, or leave it out for engine.json in {}",
                        layout.root().display()
                    )),
                    _ => Error::io(file, error),
                })
            }
        }
    }

    /// Whether a registry of that name was declared to be insecure: by its name, or by an address that `addresses` finds.
    pub(crate) fn is_insecure(
        &self,
        authority: &str,
        addresses: impl FnOnce() -> Vec<IpAddr>,
    ) -> bool {
        let is_named = |entry: &Insecure| matches!(entry, Insecure::Name(name) if name.eq_ignore_ascii_case(authority));
        if self.insecure_registries.iter().any(is_named) {
            return true;
        }
        let networks: Vec<(IpAddr, u8)> = self
            .insecure_registries
            .iter()
            .filter_map(|entry| match entry {
                Insecure::Network(base, prefix) => Some((*base, *prefix)),
                Insecure::Name(_) => None,
            })
            .collect();
        // Nobody is asked for addresses that nothing depends on.
        !networks.is_empty()
            && addresses().into_iter().any(|address| {
                networks
                    .iter()
                    .any(|(base, prefix)| contains(*base, *prefix, address))
            })
    }
}

/// A regular file's content: anything else might never end.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    let mut text = Vec::new();
    File::open(path)?.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("it is longer than {LONGEST} bytes"),
        ));
    }
    Ok(text)
}

fn contains(base: IpAddr, prefix: u8, address: IpAddr) -> bool {
    let address = address.to_canonical();
    base.is_ipv4() == address.is_ipv4() && masked(base, prefix) == masked(address, prefix)
}

/// The first bits of an address, and 0 for the others.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX
                .checked_shl(Ipv4Addr::BITS - prefix)
                .unwrap_or_default();
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX
                .checked_shl(Ipv6Addr::BITS - prefix)
                .unwrap_or_default();
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

/// An address and how many of its bits count.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.parse().ok().filter(|prefix| *prefix <= longest)?;
    Some((address, prefix))
}

/// Whether a reference to an image could begin with it.
fn is_authority(text: &str) -> bool {
    use image_reference::Image;
    let parsed = Image::parse(&format!("{text}/x"));
    matches!(parsed, Ok(Image::Named(reference)) if reference.registry() == text)
        || text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !text.is_empty()
}

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Mirror, String> {
        let invalid = |why: &str| Err(format!("invalid mirror {text:?}: {why}"));
        let Some((scheme @ ("http" | "https"), rest)) = text.split_once("://") else {
            return invalid("it has to begin with http:// or https://");
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return invalid("it must have no user and no password");
        }
        if authority.contains(['/', '?', '#']) {
            return invalid("nothing may follow the host and its port");
        }
        match is_authority(authority) {
            true => Ok(Mirror {
                scheme: scheme.to_owned(),
                authority: authority.to_owned(),
            }),
            false => invalid("it names no host"),
        }
    }
}

impl FromStr for Insecure {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Insecure, String> {
        if let Some((base, prefix)) = network(text) {
            return Ok(Insecure::Network(masked(base, prefix), prefix));
        }
        match is_authority(text) {
            true => Ok(Insecure::Name(text.to_owned())),
            false => Err(format!(
                "invalid insecure registry {text:?}: write a host, HOST:PORT or a network as 10.0.0.0/8"
            )),
        }
    }
}

impl TryFrom<RawPool> for Pool {
    type Error = String;

    fn try_from(raw: RawPool) -> std::result::Result<Pool, String> {
        let invalid = |why: &str| Err(format!("invalid address pool {:?}: {why}", raw.base));
        let Some((IpAddr::V4(base), prefix)) = network(&raw.base) else {
            return invalid("write a network of IPv4, as 10.10.0.0/16");
        };
        if raw.size < prefix || raw.size > LONGEST_PREFIX {
            return invalid(&format!(
                "its size is the length of a prefix from {prefix} to {LONGEST_PREFIX}, and not {}",
                raw.size
            ));
        }
        Ok(Pool {
            base: (base, prefix),
            size: raw.size,
        })
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Docker shows it with the slash.
        write!(f, "{}://{}/", self.scheme, self.authority)
    }
}

impl<'de> Deserialize<'de> for Configuration {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Configuration, D::Error> {
        deserializer.deserialize_map(KeyByKey)
    }
}

/// Reads the file's object key by key, so that an error names the key that has the wrong value.
struct KeyByKey;

impl<'de> Visitor<'de> for KeyByKey {
    type Value = Configuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with keys of daemon.json")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Configuration, A::Error> {
        let mut read = Configuration::default();
        let mut seen = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "registry-mirrors" => read.registry_mirrors = value(&mut map, &key)?,
                "insecure-registries" => read.insecure_registries = value(&mut map, &key)?,
                "default-address-pools" => read.default_address_pools = value(&mut map, &key)?,
                "log-opts" => read.log_opts = value(&mut map, &key)?,
                _ => return Err(de::Error::unknown_field(&key, KEYS)),
            }
            if seen.contains(&key) {
                return Err(de::Error::custom(format!("duplicate field `{key}`")));
            }
            seen.push(key);
        }
        Ok(read)
    }
}

fn value<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    map: &mut A,
    key: &str,
) -> std::result::Result<T, A::Error> {
    map.next_value()
        .map_err(|error| de::Error::custom(format!("{key}: {error}")))
}

impl<'de> Deserialize<'de> for Mirror {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Mirror, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Insecure {
    fn deserialize<D: Deserializer<'de>>(
        deserializer: D,
    ) -> std::result::Result<Insecure, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// The body of the fuzz target of the file: it is read or rejected, and its networks are looked at without a panic.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    if let Ok(configuration) = serde_json::from_slice::<Configuration>(data) {
        let all = || vec![IpAddr::from([10, 0, 0, 1]), IpAddr::from([0; 16])];
        let _ = configuration.is_insecure("registry.example:5000", all);
        for pool in &configuration.default_address_pools {
            assert!(pool.base.1 <= pool.size && pool.size <= LONGEST_PREFIX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> std::result::Result<Configuration, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_daemon_json_says_is_read() {
        let configuration = parse(
            r#"{
                "registry-mirrors": ["https://mirror.example/", "http://[::1]:5000"],
                "insecure-registries": ["registry.example:5000", "10.0.0.0/8", "fd00::/8", "plain"],
                "default-address-pools": [{"base": "10.10.0.0/16", "size": 24}],
                "log-opts": {"max-size": "10m"}
            }"#,
        )
        .expect("a configuration");
        assert_eq!(
            configuration.registry_mirrors[0].authority,
            "mirror.example"
        );
        assert_eq!(configuration.registry_mirrors[1].authority, "[::1]:5000");
        assert_eq!(configuration.default_address_pools[0].size, 24);
        for (name, address, expected) in [
            ("registry.example:5000", "192.0.2.1", true),
            ("registry.example", "192.0.2.1", false),
            ("plain", "192.0.2.1", true),
            ("other.example", "10.200.0.1", true),
            ("other.example", "11.0.0.1", false),
            ("other.example", "fd12::1", true),
            ("other.example", "::ffff:10.0.0.1", true),
            ("other.example", "fe80::1", false),
        ] {
            let addresses = || vec![address.parse().expect("an address")];
            assert_eq!(
                configuration.is_insecure(name, addresses),
                expected,
                "{name} {address}"
            );
        }
        assert_eq!(
            parse(r#"{"insecure-registries": ["10.1.2.3/8"]}"#),
            parse(r#"{"insecure-registries": ["10.0.0.0/8"]}"#)
        );
        assert_eq!(parse("{}"), Ok(Configuration::default()));
    }

    #[test]
    fn what_means_nothing_is_named() {
        for (text, expected) in [
            (
                r#"{"registry-mirror": []}"#,
                "unknown field `registry-mirror`",
            ),
            (
                r#"{"registry-mirrors": ["mirror.example"]}"#,
                "has to begin with http:// or https://",
            ),
            (
                r#"{"registry-mirrors": ["ftp://mirror.example"]}"#,
                "has to begin with",
            ),
            (
                r#"{"registry-mirrors": ["https://a.b/path"]}"#,
                "nothing may follow",
            ),
            (
                r#"{"registry-mirrors": ["https://u:p@a.b"]}"#,
                "no user and no password",
            ),
            (r#"{"registry-mirrors": ["https://"]}"#, "names no host"),
            (
                r#"{"insecure-registries": ["http://a.b"]}"#,
                "invalid insecure registry \"http://a.b\"",
            ),
            (
                r#"{"insecure-registries": ["10.0.0.0/33"]}"#,
                "invalid insecure registry",
            ),
            (
                r#"{"insecure-registries": [""]}"#,
                "invalid insecure registry",
            ),
            (
                r#"{"default-address-pools": [{"base": "10.0.0.0/16", "size": 8}]}"#,
                "from 16 to 29, and not 8",
            ),
            (
                r#"{"default-address-pools": [{"base": "fd00::/8", "size": 16}]}"#,
                "a network of IPv4",
            ),
            (
                r#"{"default-address-pools": [{"base": "10.0.0.0/16", "sizes": 24}]}"#,
                "unknown field `sizes`",
            ),
            (
                r#"{"log-opts": {"max-size": 5}}"#,
                "log-opts: invalid type: integer `5`, expected a string at line 1 column 27",
            ),
            (
                r#"{"registry-mirrors": "https://a.b"}"#,
                "registry-mirrors: invalid type: string",
            ),
            (
                r#"{"log-opts": {}, "log-opts": {}}"#,
                "duplicate field `log-opts`",
            ),
            ("[]", "expected an object with keys of daemon.json"),
            ("", "EOF"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text: String, base in 0..=255_u8, prefix in 0..=255_u8) {
            let _ = text.parse::<Mirror>();
            let _ = text.parse::<Insecure>();
            fuzz(format!(r#"{{"insecure-registries": ["{base}.0.0.0/{prefix}"]}}"#).as_bytes());
        }
    }
}
