//! Extended headers of tar archives: `LENGTH KEY=VALUE` and a line feed, of which the length counts all.

use super::invalid;
use crate::Result;

/// What an extended header says about the next entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extended {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) modified: Option<(i64, u32)>,
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

/// The key of an extended attribute, before its name.
const ATTRIBUTE: &[u8] = b"SCHILY.xattr.";

pub(super) fn parse(mut bytes: &[u8]) -> Result<Extended> {
    let mut extended = Extended::default();
    while !bytes.is_empty() {
        let (key, value, rest) =
            record(bytes).ok_or_else(|| invalid("it has a malformed extended header"))?;
        bytes = rest;
        let number = || -> Result<Option<u64>> {
            if value.is_empty() {
                return Ok(None);
            }
            text(value)
                .and_then(|text| text.parse().ok())
                .map(Some)
                .ok_or_else(|| invalid("it has an extended header with a number that is none"))
        };
        let bytes = || (!value.is_empty()).then(|| value.to_owned());
        match key {
            b"path" => extended.path = bytes(),
            b"linkpath" => extended.link = bytes(),
            b"size" => extended.size = number()?,
            b"uid" => extended.uid = number()?,
            b"gid" => extended.gid = number()?,
            b"mtime" => {
                extended.modified = match text(value) {
                    Some("") => None,
                    Some(text) => Some(time(text).ok_or_else(|| {
                        invalid("it has an extended header with a time that is none")
                    })?),
                    None => {
                        return Err(invalid(
                            "it has an extended header with a time that is none",
                        ));
                    }
                };
            }
            // To unpack it as it is would make another file of it.
            key if key.starts_with(b"GNU.sparse.") => {
                return Err(invalid(
                    "it has a sparse file in PAX's form, which is not supported",
                ));
            }
            key => {
                if let Some(name) = key.strip_prefix(ATTRIBUTE)
                    && !name.is_empty()
                    && !name.contains(&0)
                {
                    extended
                        .attributes
                        .push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    Ok(extended)
}

/// The key and the value of the first record, and what follows it.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = text(&bytes[..space])?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let (content, end) = record.get(space + 1..)?.split_last_chunk::<1>()?;
    if end != b"\n" {
        return None;
    }
    let equals = content.iter().position(|byte| *byte == b'=')?;
    Some((&content[..equals], &content[equals + 1..], rest))
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Seconds with a fraction, which may be negative.
fn time(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    match (whole.starts_with('-'), nanoseconds) {
        (true, 1..) => Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds)),
        _ => Some((seconds, nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(key: &str, value: &[u8]) -> Vec<u8> {
        let body = key.len() + value.len() + 3;
        let length = (1..).find(|digits| (body + digits).to_string().len() == *digits);
        let length = body + length.expect("a length");
        [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
    }

    #[test]
    fn a_value_may_have_any_bytes() {
        let value = b"\x01\n12 a=b\n\0\xff";
        let header = [
            line("path", b"a/b"),
            line("SCHILY.xattr.security.capability", value),
            line("mtime", b"-1.25"),
            line("uid", b"70000"),
            line("comment", b""),
        ]
        .concat();
        let extended = parse(&header).expect("a header");
        assert_eq!(extended.path.as_deref(), Some(&b"a/b"[..]));
        assert_eq!(
            extended.attributes,
            [(b"security.capability".to_vec(), value.to_vec())]
        );
        assert_eq!(extended.modified, Some((-2, 750_000_000)));
        assert_eq!(extended.uid, Some(70000));
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for header in [
            &b"x"[..],
            b"5 a=b",
            b"6 a=b\nrest",
            b"99 a=b\n",
            b"18446744073709551615 a=b\n",
            b"3 a\n",
            b"0 a=b\n",
            b" a=b\n",
            b"10 size=x\n",
            b"11 mtime=x\n",
            b"22 GNU.sparse.major=1\n",
        ] {
            assert!(
                parse(header).is_err(),
                "{}",
                String::from_utf8_lossy(header)
            );
        }
    }

    #[test]
    fn times_have_nanoseconds() {
        for (text, expected) in [
            ("0", Some((0, 0))),
            ("1700000000.123456789", Some((1_700_000_000, 123_456_789))),
            ("1.5", Some((1, 500_000_000))),
            ("1.1234567891", Some((1, 123_456_789))),
            ("-1", Some((-1, 0))),
            ("1.x", None),
            ("", None),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }
}
