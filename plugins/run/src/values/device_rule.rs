//! Rules about devices, as in `--device-cgroup-rule 'c 13:* rwm'`.

use super::InvalidValue;

/// Checks `TYPE MAJOR:MINOR PERMISSIONS`: the type is `a`, `b` or `c`, a number may be `*` for all, and there are one to
/// three permissions of `r`, `w` and `m`.
pub(crate) fn parse(text: &str) -> Result<String, InvalidValue> {
    if is_rule(text) {
        Ok(text.to_owned())
    } else {
        Err(InvalidValue::new(format!(
            "invalid device cgroup format '{text}'"
        )))
    }
}

fn is_rule(text: &str) -> bool {
    let is_number =
        |text: &str| text == "*" || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let mut parts = text.split(' ');
    let (Some("a" | "b" | "c"), Some(numbers), Some(permissions), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    numbers
        .split_once(':')
        .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
        && matches!(permissions.len(), 1..=3)
        && permissions.bytes().all(|b| b"rwm".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_numbers_and_permissions() {
        for text in [
            "a *:* rwm",
            "b 7:* rmw",
            "c 1:3 r",
            "c *:5 mm",
            "c 00000000001:99999999999 rrr",
        ] {
            assert_eq!(parse(text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_rule_is_named() {
        for text in [
            "",
            "c",
            "c 1:3",
            "c 1:3 ",
            "c 1:3 rwmr",
            "c 1:3 x",
            "d 1:3 r",
            "c 1 r",
            "c 1:2:3 r",
            "c :3 r",
            "c 1: r",
            "c **:3 r",
            "c -1:3 r",
            "c  1:3 r",
            " c 1:3 r",
            "c 1:3 r\n",
            "C 1:3 r",
        ] {
            assert_eq!(
                parse(text).unwrap_err().to_string(),
                format!("invalid device cgroup format '{text}'")
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn every_rule_is_one(kind in "[abc]", major in "[0-9]{1,9}|\\*", minor in "[0-9]{1,9}|\\*", permissions in "[rwm]{1,3}") {
            let text = format!("{kind} {major}:{minor} {permissions}");
            assert_eq!(parse(&text), Ok(text));
        }

        #[test]
        fn no_text_panics(text in "[abc0-9:* rwm]{0,12}|.*") {
            let _ = parse(&text);
        }
    }
}
