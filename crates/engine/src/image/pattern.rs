//! Patterns of names, as Go's `path.Match` has them: `*` and `?` stop at a slash, `[a-z]` and `[^a]` are classes.

/// Whether the pattern fits the whole text. One that is malformed fits nothing.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // After a mismatch, the last star takes one character more; those before it never need to.
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&'*') {
            at += 1;
            star = Some((at, seen));
            continue;
        }
        if at == pattern.len() && seen == text.len() {
            return true;
        }
        let next = text.get(seen).and_then(|c| one(&pattern[at..], *c));
        match (next, star) {
            (Some(length), _) => {
                at += length;
                seen += 1;
            }
            (None, Some((after, taken))) if text.get(taken).is_some_and(|c| *c != '/') => {
                star = Some((after, taken + 1));
                (at, seen) = (after, taken + 1);
            }
            _ => return false,
        }
    }
}

/// How much of the pattern fits this one character; nothing if it does not.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => (character != '/').then_some(1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        ['[', rest @ ..] => {
            let negated = rest.first() == Some(&'^');
            let mut at = usize::from(negated);
            let mut found = false;
            let mut is_empty = true;
            let letter = |at: &mut usize| -> Option<char> {
                let letter = match rest.get(*at)? {
                    '\\' => {
                        *at += 1;
                        *rest.get(*at)?
                    }
                    '-' | ']' => return None,
                    letter => *letter,
                };
                *at += 1;
                Some(letter)
            };
            while is_empty || rest.get(at) != Some(&']') {
                let low = letter(&mut at)?;
                let high = if rest.get(at) == Some(&'-') {
                    at += 1;
                    letter(&mut at)?
                } else {
                    low
                };
                found |= (low..=high).contains(&character);
                is_empty = false;
            }
            (found != negated).then_some(at + 2)
        }
        [literal, ..] => (*literal == character).then_some(1),
        [] => None,
    }
}

/// The body of this module's fuzz target: a pattern and a text, separated by a line end. What is no pattern fits itself, and
/// stars take no time that grows with their number.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let data = String::from_utf8_lossy(data);
    let (pattern, text) = data.split_once('\n').unwrap_or((&data, ""));
    let _ = fits(pattern, text);
    if !text.contains(['*', '?', '[', '\\']) {
        assert!(fits(text, text));
        assert!(text.contains('/') || fits("*", text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_gos() {
        for (pattern, text, expected) in [
            ("busybox", "busybox", true),
            ("busybox", "busybox:1", false),
            ("busy*", "busybox", true),
            ("*box", "busybox", true),
            ("*", "a/b", false),
            ("*/*", "a/b", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("b?sybox", "busybox", true),
            ("?", "/", false),
            ("[a-c]usybox", "busybox", true),
            ("[^a-c]usybox", "busybox", false),
            ("[^x]", "a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("[", "a", false),
            ("[a", "a", false),
            ("[]", "a", false),
            ("[\\]]", "]", true),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "abc", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_pattern_has_an_answer(pattern in "[a*?\\[\\]^\\\\/-]{0,12}", text in "[a/b-]{0,12}") {
            let _ = fits(&pattern, &text);
        }

        #[test]
        fn a_text_without_signs_fits_itself(text in "[a-z0-9/:._-]{0,20}") {
            assert!(fits(&text, &text));
        }
    }
}
