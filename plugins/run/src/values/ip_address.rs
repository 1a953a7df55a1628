//! Addresses of a container, as in `--ip 192.0.2.7`.

use std::net::{IpAddr, Ipv6Addr};

use super::InvalidValue;

/// Parses the address of an option of its own, and returns it in its normal form; an empty one, which is none, stays
/// empty. A mapped address is the one of IPv4 within it.
pub(crate) fn parse_option(text: &str) -> Result<String, InvalidValue> {
    if text.is_empty() {
        return Ok(String::new());
    }
    match text.trim().parse::<IpAddr>() {
        Ok(address) => Ok(address.to_canonical().to_string()),
        Err(_) => Err(InvalidValue::new(format!("failed to parse IP: {text:?}"))),
    }
}

/// Parses the address within a longer value, where one of IPv6 may have a zone; returns it in its normal form.
pub(crate) fn parse_field(text: &str) -> Result<String, InvalidValue> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address.parse::<Ipv6Addr>().map(IpAddr::V6), Some(zone)),
        None => (text.parse(), None),
    };
    match (address, zone) {
        (Ok(address), None) => Ok(address.to_string()),
        (Ok(address), Some(zone)) if !zone.is_empty() => Ok(format!("{address}%{zone}")),
        _ => Err(InvalidValue::new(format!(
            "ParseAddr({text:?}): unable to parse IP"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_options() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7"),
            (" 192.0.2.7 ", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:DB8::0:33", "2001:db8::33"),
            ("", ""),
        ] {
            assert_eq!(parse_option(text).as_deref(), Ok(address));
        }
        for text in [
            "x",
            "1.2.3",
            "01.2.3.4",
            "fe80::1%eth0",
            " ",
            "192.0.2.7/24",
        ] {
            let message = format!("failed to parse IP: {text:?}");
            assert_eq!(parse_option(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn addresses_of_fields() {
        for (text, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8::0:33", "2001:db8::33"),
            ("fe80::1%eth0", "fe80::1%eth0"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ] {
            assert_eq!(parse_field(text).as_deref(), Ok(address));
        }
        for text in ["", "x", " ::1", "1.2.3.4%eth0", "fe80::1%", "%"] {
            let message = format!("ParseAddr({text:?}): unable to parse IP");
            assert_eq!(parse_field(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_normal_address_stays(text in "[0-9a-f:.%]{0,20}|.*") {
            if let Ok(address) = parse_field(&text) {
                assert_eq!(parse_field(&address), Ok(address));
            }
            if let Ok(address) = parse_option(&text) {
                assert_eq!(parse_option(&address), Ok(address));
            }
        }
    }
}
