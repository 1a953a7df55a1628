//! MAC addresses, as in `--mac-address 92:d0:c6:0a:29:33`.

use super::InvalidValue;

/// Parses an address of 6, 8 or 20 bytes: pairs of digits with `:` or `-` between them, or groups of four with `.`.
/// Returns it in lower case with colons, as engines show it.
pub(crate) fn parse(text: &str) -> Result<String, InvalidValue> {
    normal(text.trim())
        .ok_or_else(|| InvalidValue::new(format!("{text} is not a valid mac address")))
}

fn normal(text: &str) -> Option<String> {
    let separator = *text.as_bytes().iter().find(|b| b":-.".contains(b))?;
    let digits_in_group = if separator == b'.' { 4 } else { 2 };
    let groups: Vec<&str> = text.split(char::from(separator)).collect();
    let is_group = |group: &&str| {
        group.len() == digits_in_group && group.bytes().all(|b| b.is_ascii_hexdigit())
    };
    if !groups.iter().all(is_group) || ![6, 8, 20].contains(&(groups.len() * digits_in_group / 2)) {
        return None;
    }
    let digits = groups.concat().to_ascii_lowercase();
    let pairs: Vec<&str> = (0..digits.len())
        .step_by(2)
        .map(|at| &digits[at..at + 2])
        .collect();
    Some(pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_notations() {
        for text in [
            "92:d0:c6:0a:29:33",
            "92-D0-c6-0a-29-33",
            "92d0.c60A.2933",
            " 92:d0:c6:0a:29:33 ",
        ] {
            assert_eq!(parse(text).as_deref(), Ok("92:d0:c6:0a:29:33"));
        }
        assert_eq!(
            parse("0200.5e10.0000.0001").as_deref(),
            Ok("02:00:5e:10:00:00:00:01")
        );
    }

    #[test]
    fn what_is_none_is_named() {
        for text in [
            "",
            "x",
            "92:d0:c6:0a:29",
            "92:d0:c6:0a:29:3",
            "92:d0:c6:0a:29:333",
            "92:d0-c6:0a:29:33",
            "92d0c60a2933",
            "92:d0:c6:0a:29:33:",
            "92d0.c60a",
            "92:d0:c6:0a:29:3é",
            "+2:d0:c6:0a:29:33",
        ] {
            let message = format!("{text} is not a valid mac address");
            assert_eq!(parse(text).unwrap_err().to_string(), message);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_normal_address_stays(text in "([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}|[0-9a-f:.é-]{0,30}|.*") {
            if let Ok(address) = parse(&text) {
                assert_eq!(parse(&address), Ok(address));
            }
        }
    }
}
