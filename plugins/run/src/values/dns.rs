//! Name servers and search domains, as in `--dns 192.0.2.1 --dns-search example.org`.

use std::net::IpAddr;

use super::InvalidValue;

/// Parses the address of a name server; returns it in its canonical form.
pub(crate) fn parse_server(text: &str) -> Result<String, InvalidValue> {
    let address: IpAddr = text
        .trim()
        .parse()
        .map_err(|_| InvalidValue::new(format!("IP address is not correctly formatted: {text}")))?;
    Ok(address.to_canonical().to_string())
}

/// Parses a search domain; `.` stands for none. Blanks around it and the final dot are dropped.
pub(crate) fn parse_search_domain(text: &str) -> Result<String, InvalidValue> {
    let domain = text.trim();
    if domain == "." {
        return Ok(domain.to_owned());
    }
    let name = domain.strip_suffix('.').unwrap_or(domain);
    let has_letter = name.bytes().any(|b| b.is_ascii_alphabetic());
    if name.len() >= 255 || !has_letter || !name.split('.').all(is_label) {
        return Err(InvalidValue::new(format!("{domain} is not a valid domain")));
    }
    Ok(name.to_owned())
}

fn is_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_addresses() {
        for (text, address) in [
            ("1.1.1.1", "1.1.1.1"),
            (" 1.1.1.1 ", "1.1.1.1"),
            ("::1", "::1"),
            ("2001:DB8::1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!(parse_server(text).as_deref(), Ok(address));
        }
        for text in ["", "foo", "01.1.1.1", "fe80::1%eth0", "1.1.1.1:53"] {
            let message = format!("IP address is not correctly formatted: {text}");
            assert_eq!(parse_server(text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn domains_are_names_with_a_letter() {
        let (long, too_long) = ("a".repeat(250), "a".repeat(256));
        for (text, domain) in [
            (".", "."),
            ("foo.com", "foo.com"),
            (" foo.com ", "foo.com"),
            ("FOO", "FOO"),
            ("a.", "a"),
            ("1a", "1a"),
            ("1.a", "1.a"),
            ("a-b", "a-b"),
            (&long, &long),
        ] {
            assert_eq!(parse_search_domain(text).as_deref(), Ok(domain));
        }
        for text in [
            "", "1", "1.1", "a b", "a_b.c", "-a", "x-.y", "a..b", ".a", "..", &too_long,
        ] {
            let message = format!("{text} is not a valid domain");
            assert_eq!(parse_search_domain(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_domain_stays_what_it_is(text in "[a-z0-9.-]{0,20}|.*") {
            if let Ok(domain) = parse_search_domain(&text) {
                assert_eq!(parse_search_domain(&domain), Ok(domain));
            }
            let _ = parse_server(&text);
        }
    }
}
