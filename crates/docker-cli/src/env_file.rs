//! Files of variables or labels, one `NAME=VALUE` a line, as in `--env-file` and `--label-file`.

use engine_client::{PATIENCE, os_text, read_file};

use crate::InvalidValue;

/// The longest line, its newline included: what Docker's client reads.
const LINE_LIMIT: usize = 64 * 1024;

/// The entries of all files of an option, in their order. A file is got with `read`, and errors begin with the option.
///
/// # Errors
///
/// Those of `read`, of [`parse`], and of `lookup`.
pub fn read_all(
    files: &[String],
    option: &str,
    read: impl Fn(&str) -> Result<Vec<u8>, InvalidValue>,
    lookup: impl Fn(&str) -> Result<Option<String>, InvalidValue>,
) -> Result<Vec<String>, InvalidValue> {
    let mut entries = Vec::new();
    for file in files {
        let content = read(file).map_err(|error| error.within(option))?;
        let parsed = parse(&content, &lookup);
        // Docker says "env file" of files of labels, too.
        entries.extend(
            parsed.map_err(|error| error.within(format!("{option}: invalid env file ({file})")))?,
        );
    }
    Ok(entries)
}

/// Reads a file that an option names, within the bounds of [`read_file`].
///
/// # Errors
///
/// Those of [`read_file`], with the file's name.
pub fn read(file: &str) -> Result<Vec<u8>, InvalidValue> {
    read_file(file, PATIENCE)
        .map_err(|error| InvalidValue::new(format!("open {file}: {}", os_text(&error))))
}

/// Parses the content of a file. Blank lines and lines that start with `#` count for nothing, white space in front of
/// a name neither; everything behind the `=` is value, quotes and blanks too. A bare name takes its value from
/// `lookup`, and is left out when that has none.
///
/// # Errors
///
/// The first line that is no entry, in Docker's words, and those of `lookup`.
pub fn parse(
    content: &[u8],
    lookup: impl Fn(&str) -> Result<Option<String>, InvalidValue>,
) -> Result<Vec<String>, InvalidValue> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(content.split(|b| *b == b'\n')) {
        if line.len() >= LINE_LIMIT {
            return Err(InvalidValue::new(format!(
                "line {number} is longer than 64 KiB"
            )));
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = str::from_utf8(line).map_err(|_| {
            let bytes: Vec<String> = line.iter().map(u8::to_string).collect();
            InvalidValue::new(format!(
                "invalid utf8 bytes at line {number}: [{}]",
                bytes.join(" ")
            ))
        })?;
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err(InvalidValue::new(format!(
                "no variable name on line '{text}'"
            )));
        }
        if name.contains([' ', '\t']) {
            return Err(InvalidValue::new(format!(
                "variable '{name}' contains whitespaces"
            )));
        }
        match value {
            Some(_) => entries.push(text.to_owned()),
            None => entries.extend(lookup(name)?.map(|value| format!("{name}={value}"))),
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Result<Option<String>, InvalidValue> {
        Ok((name == "SET").then(|| "value".to_owned()))
    }

    #[test]
    fn lines_are_kept_verbatim() {
        for (content, entries) in [
            (&b""[..], vec![]),
            (b"A=1", vec!["A=1"]),
            (b"A=1\nB= 2 \n", vec!["A=1", "B= 2 "]),
            (b"\n \t\n# A=1\n  #B=2\nC=\"q\" # x", vec!["C=\"q\" # x"]),
            (
                b"  A=1\n\tB=2\n\x0b\x0cC=3\n\xc2\xa0D=4",
                vec!["A=1", "B=2", "C=3", "D=4"],
            ),
            (b"A=1\r\nB=2\r\n", vec!["A=1", "B=2"]),
            (b"SET\nUNSET\nSET\r\n", vec!["SET=value", "SET=value"]),
            (b"A==\nB=C=D", vec!["A==", "B=C=D"]),
            (
                b"\xef\xbb\xbfA=1\n\xef\xbb\xbfB=2",
                vec!["A=1", "\u{feff}B=2"],
            ),
            (b"a\rb=1", vec!["a\rb=1"]),
        ] {
            assert_eq!(
                parse(content, lookup),
                Ok(entries.iter().map(|e| (*e).to_owned()).collect())
            );
        }
    }

    #[test]
    fn bad_lines_are_named() {
        for (content, message) in [
            (&b"B =2"[..], "variable 'B ' contains whitespaces"),
            (b"B ", "variable 'B ' contains whitespaces"),
            (b"A=1\nB\tC", "variable 'B\tC' contains whitespaces"),
            (b"=x", "no variable name on line '=x'"),
            (b"  = ", "no variable name on line '= '"),
            (b"ae\xff", "invalid utf8 bytes at line 1: [97 101 255]"),
            (b"A=1\n#\xff", "invalid utf8 bytes at line 2: [35 255]"),
        ] {
            assert_eq!(parse(content, lookup).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_line_has_less_than_64_kib() {
        let line =
            |length: usize| [b"A=".to_vec(), vec![b'x'; length - 2], b"\n".to_vec()].concat();
        assert!(parse(&line(65_535), lookup).is_ok());
        assert_eq!(
            parse(&line(65_536), lookup).unwrap_err().to_string(),
            "line 1 is longer than 64 KiB"
        );
    }

    proptest::proptest! {
        #[test]
        fn every_entry_has_a_name_and_a_value(content: Vec<u8>) {
            for entry in parse(&content, lookup).unwrap_or_default() {
                assert!(entry.find('=').is_some_and(|at| at > 0), "{entry:?}");
            }
        }

        #[test]
        fn written_entries_read_back(entries in proptest::collection::vec("[A-Za-z_]{1,8}=[^\r\n]{0,8}", 0..8)) {
            assert_eq!(parse(entries.join("\n").as_bytes(), lookup), Ok(entries));
        }
    }
}
