//! Hardware addresses of containers.

use std::fmt;

use crate::{Error, Result};

/// A hardware address of Ethernet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MacAddress([u8; 6]);

impl MacAddress {
    /// One by chance, as Docker gives to containers: of a single interface, and administered locally.
    pub(crate) fn random() -> Result<MacAddress> {
        let mut bytes = super::random::bytes::<6>()?;
        bytes[0] = bytes[0] & 0xfe | 0x02;
        Ok(MacAddress(bytes))
    }

    /// Reads six bytes in hexadecimal, separated by colons or hyphens.
    pub(crate) fn parse(text: &str) -> Result<MacAddress> {
        let malformed = || Error::invalid(format!("invalid MAC address: {text}"));
        let separator = if text.contains('-') { '-' } else { ':' };
        let bytes: Vec<u8> = text
            .split(separator)
            .map(|byte| match byte.len() {
                2 if byte.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                    u8::from_str_radix(byte, 16).map_err(|_| malformed())
                }
                _ => Err(malformed()),
            })
            .collect::<Result<_>>()?;
        bytes.try_into().map(MacAddress).map_err(|_| malformed())
    }

    pub(crate) fn bytes(self) -> [u8; 6] {
        self.0
    }
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for text in ["02:42:ac:11:00:02", "02-42-AC-11-00-02"] {
            let address = MacAddress::parse(text).expect("an address");
            assert_eq!(address.to_string(), "02:42:ac:11:00:02");
        }
        for text in [
            "",
            "02:42",
            "02:42:ac:11:00:0x",
            "02:42:ac:11:00:02:03",
            "+2:42:ac:11:00:02",
        ] {
            assert!(MacAddress::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_random_address_is_local_and_of_one_interface() {
        for _ in 0..64 {
            let [first, ..] = MacAddress::random().expect("an address").bytes();
            assert_eq!(first & 3, 2);
        }
    }
}
