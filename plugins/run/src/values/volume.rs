//! Volumes and bind mounts, as in `--volume /src:/dst:ro`.

use std::path::Path;

use super::{InvalidValue, path};

/// What `--volume` asks for, in the two places that the Engine API has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Volume {
    /// The path of an anonymous volume.
    Anonymous(String),
    /// `SOURCE:DESTINATION[:OPTIONS]`: a bind mount or a named volume.
    Bind(String),
}

/// Parses `[SOURCE:]DESTINATION[:OPTIONS]`. A source that starts with `.` is made absolute against `directory`; the
/// options and everything else are the engine's to check.
///
/// A single letter and a colon at the start of a part are taken for a drive of Windows, as by Docker's client, which
/// does not know either what the engine runs on. So `-v a:/data` is no volume `a`, but an anonymous one.
pub(crate) fn parse(text: &str, directory: &Path) -> Result<Volume, InvalidValue> {
    if text.is_empty() {
        return Err(InvalidValue::new("invalid empty volume spec"));
    }
    if text.len() <= 2 {
        return Ok(Volume::Anonymous(text.to_owned()));
    }
    let invalid = |what: &str| InvalidValue::new(format!("invalid spec: {text}: {what}"));
    let parts = parts(text);
    if parts.iter().take(4).any(|part| part.is_empty()) {
        return Err(invalid("empty section between colons"));
    }
    match parts.as_slice() {
        [_] => Ok(Volume::Anonymous(text.to_owned())),
        [_, _] | [_, _, _] => bind(text, directory).map(Volume::Bind),
        _ => Err(invalid("too many colons")),
    }
}

/// Cuts at the colons that are not a drive's.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(':') {
        let mut letters = text[start..at].chars();
        let is_drive = letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none();
        if !is_drive {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

fn bind(text: &str, directory: &Path) -> Result<String, InvalidValue> {
    match text.split_once(':') {
        Some((source, rest)) if source.starts_with('.') => {
            let absolute = path::absolute(source, directory);
            let source = absolute.to_str().ok_or_else(|| {
                InvalidValue::new(format!(
                    "invalid spec: {text}: {absolute:?} is not valid UTF-8"
                ))
            })?;
            Ok(format!("{source}:{rest}"))
        }
        _ => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_here(text: &str) -> Result<Volume, InvalidValue> {
        parse(text, Path::new("/home/dir"))
    }

    #[test]
    fn one_part_is_anonymous() {
        for text in [
            "/a",
            "ab",
            "a",
            ".a",
            ":",
            "::",
            "a:",
            "\u{e9}:",
            "a:/b",
            "a:b",
            "\u{e9}:/b",
        ] {
            assert_eq!(parse_here(text), Ok(Volume::Anonymous(text.to_owned())));
        }
    }

    #[test]
    fn two_and_three_parts_are_binds() {
        for (text, bind) in [
            ("/a:/b", "/a:/b"),
            ("ab:/x", "ab:/x"),
            ("ab:/x:ro", "ab:/x:ro"),
            ("ab:/b:rw,,x", "ab:/b:rw,,x"),
            ("ab:cd:ef", "ab:cd:ef"),
            ("~/x:/y", "~/x:/y"),
            ("./a:/b", "/home/dir/a:/b"),
            ("../a/../b//c:/d:ro", "/home/b/c:/d:ro"),
            (".:/w", "/home/dir:/w"),
            ("..:/b", "/home:/b"),
            (".a:/b", "/home/dir/.a:/b"),
            ("./a:b:c", "/home/dir/a:b:c"),
            ("C:\\a:/b", "C:\\a:/b"),
            ("/a:c:\\x:ro", "/a:c:\\x:ro"),
            ("\\\\.\\pipe\\x:/y", "\\\\.\\pipe\\x:/y"),
            ("a:b:c:d", "a:b:c:d"),
            ("/a:C:", "/a:C:"),
            ("ab:c:", "ab:c:"),
            ("a:bc:d", "a:bc:d"),
        ] {
            assert_eq!(parse_here(text), Ok(Volume::Bind(bind.to_owned())));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(
            parse_here("").unwrap_err().to_string(),
            "invalid empty volume spec"
        );
        for text in ["/a:", "/a::b", ":/b", "/a:/b:", "vol:/b:", ":::"] {
            let message = format!("invalid spec: {text}: empty section between colons");
            assert_eq!(parse_here(text).unwrap_err().to_string(), message);
        }
        let message = "invalid spec: /a:/b:ro:x: too many colons";
        assert_eq!(parse_here("/a:/b:ro:x").unwrap_err().to_string(), message);
    }

    proptest::proptest! {
        #[test]
        fn paths_pass_verbatim(source in "/[a-z]{2,8}", destination in "/[a-z]{2,8}", options in "(:r[ow])?") {
            let text = format!("{source}:{destination}{options}");
            assert_eq!(parse_here(&text), Ok(Volume::Bind(text)));
        }

        #[test]
        fn no_text_panics(text in "[a:./\u{e9}]{0,12}|.*") {
            let _ = parse_here(&text);
        }
    }
}
