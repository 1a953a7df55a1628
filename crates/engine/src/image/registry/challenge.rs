//! What a registry says that it wants to be asked with: the header `WWW-Authenticate`, RFC 9110 section 11.6.1.

/// One way to be let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::image) struct Challenge {
    /// `bearer` or `basic`, in lower case, or one that nobody here knows.
    pub(super) scheme: String,
    /// Names, in lower case, and values.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The challenges of one header, as far as they can be read.
pub(in crate::image) fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            return challenges;
        }
        let spaced = after.trim_start_matches([' ', '\t']);
        match (spaced.strip_prefix('='), challenges.last_mut()) {
            // A word before `=` is a parameter of the last scheme, and any other one is the next scheme.
            (Some(value), Some(challenge)) => {
                let Some((value, after)) = value_of(value.trim_start_matches([' ', '\t'])) else {
                    return challenges;
                };
                challenge
                    .parameters
                    .push((word.to_ascii_lowercase(), value));
                rest = after;
            }
            (Some(_), None) => return challenges,
            (None, _) => {
                challenges.push(Challenge {
                    scheme: word.to_ascii_lowercase(),
                    parameters: Vec::new(),
                });
                rest = after;
            }
        }
    }
}

fn token(text: &str) -> (&str, &str) {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

/// A value, quoted or not, and what follows it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        // Some registries leave the quotes out where there should be some, as around addresses.
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            character => value.push(character),
        }
    }
    None
}

/// The body of this module's fuzz target.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    for challenge in parse(&String::from_utf8_lossy(data)) {
        assert!(!challenge.scheme.is_empty());
        let _ = challenge.parameter("realm");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(header: &str) -> Vec<(String, Vec<(String, String)>)> {
        parse(header)
            .into_iter()
            .map(|challenge| (challenge.scheme, challenge.parameters))
            .collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn challenges_are_read() {
        let header = r#"Bearer realm="https://auth.example/token",service="registry, of \"mine\"",scope="repository:a/b:pull,push", Basic Realm = plain"#;
        assert_eq!(
            parsed(header),
            [
                (
                    "bearer".to_owned(),
                    vec![
                        pair("realm", "https://auth.example/token"),
                        pair("service", "registry, of \"mine\""),
                        pair("scope", "repository:a/b:pull,push"),
                    ]
                ),
                ("basic".to_owned(), vec![pair("realm", "plain")]),
            ]
        );
        assert_eq!(
            parsed("Negotiate, Basic"),
            [
                ("negotiate".to_owned(), vec![]),
                ("basic".to_owned(), vec![])
            ]
        );
        assert_eq!(
            parsed("bearer realm=https://a/b,service=c")[0].1[1],
            pair("service", "c")
        );
    }

    #[test]
    fn what_is_none_ends_it() {
        for header in [
            "",
            ",",
            "=x",
            "\"",
            "Bearer realm=\"no end",
            "Bearer realm=\"x\\",
        ] {
            assert!(parsed(header).len() <= 1, "{header}");
            assert!(
                parsed(header)
                    .iter()
                    .all(|(_, parameters)| parameters.is_empty()),
                "{header}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_read(header in ".*|[a-z=\", \\\\]{0,40}") {
            let _ = parse(&header);
        }
    }
}
