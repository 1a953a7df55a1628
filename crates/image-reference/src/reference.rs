//! References to images by Docker's rules: `busybox`, `host:5000/team/app:1.2`, `app@sha256:...`, an ID.
//!
//! The rules are written out because `oci_spec::distribution::Reference` has others where it matters: `UPPER/app` is
//! a registry `UPPER` for Docker, `[::1]:5000/app` is one too, and an upper-case repository has an error of its own.
//! Where both accept a text they agree, which a test keeps so. (Its regular expression would also be compiled at each
//! start.)

use crate::grammar::{check_digest, is_digest, is_path_component, is_registry, is_tag};

use crate::invalid::InvalidName;

const DEFAULT_REGISTRY: &str = "docker.io";
const LEGACY_REGISTRY: &str = "index.docker.io";
/// Where images without a user's name are, on the default registry.
const OFFICIAL: &str = "library/";
const DEFAULT_TAG: &str = "latest";
const LONGEST_PATH: usize = 255;

/// What names the image of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Image {
    /// An image's whole ID, 64 hexadecimal digits. It cannot be pulled.
    Id(String),
    /// A name in a registry.
    Named(Reference),
}

/// A name with a registry and with a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    path: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Image {
    /// Parses what a person writes, and completes it: a name without a registry is one of `docker.io`, one without tag
    /// or digest has the tag `latest`.
    ///
    /// # Errors
    /// Docker's text on what is wrong with it.
    pub fn parse(text: &str) -> Result<Image, InvalidName> {
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(Image::Id(text.to_owned()));
        }
        Reference::parse(text).map(Image::Named)
    }
}

impl Reference {
    fn parse(text: &str) -> Result<Reference, InvalidName> {
        let invalid = || InvalidName::new("invalid reference format");
        let (registry, remainder) = split_registry(text);
        let name = remainder.split(':').next().unwrap_or_default();
        if name.to_lowercase() != name {
            return Err(InvalidName::new(format!(
                "invalid reference format: repository name ({name}) must be lowercase"
            )));
        }
        let (remainder, digest) = match remainder.split_once('@') {
            Some((remainder, digest)) => (remainder.to_owned(), Some(digest)),
            None => (remainder, None),
        };
        let (path, tag) = match remainder.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (remainder.as_str(), None),
        };
        let well_formed = is_registry(registry)
            && path.split('/').all(is_path_component)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        if !well_formed {
            return Err(invalid());
        }
        if path.len() > LONGEST_PATH {
            return Err(InvalidName::new(format!(
                "repository name must not be more than {LONGEST_PATH} characters"
            )));
        }
        digest.map_or(Ok(()), check_digest)?;
        let default_tag = digest.is_none().then_some(DEFAULT_TAG);
        Ok(Reference {
            registry: registry.to_owned(),
            path: path.to_owned(),
            tag: tag.or(default_tag).map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The host of the registry, with its port if it has one: `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The name within the registry: `library/busybox`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The tag. Without one there is a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, with its algorithm.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The name with its registry and without tag or digest: `docker.io/library/busybox`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.registry, self.path)
    }

    /// What to pull of the repository: the digest, else the tag.
    pub fn version(&self) -> &str {
        self.digest
            .as_deref()
            .or(self.tag.as_deref())
            .unwrap_or(DEFAULT_TAG)
    }

    /// The name without tag or digest as a person knows it: `busybox`.
    pub fn familiar_name(&self) -> String {
        let official = self
            .path
            .strip_prefix(OFFICIAL)
            .filter(|name| !name.contains('/'));
        match (self.registry.as_str(), official) {
            (DEFAULT_REGISTRY, Some(name)) => name.to_owned(),
            // What would be taken for another registry's stays whole: people type what they are shown.
            (DEFAULT_REGISTRY, None)
                if split_registry(&self.path) == (DEFAULT_REGISTRY, self.path.clone()) =>
            {
                self.path.clone()
            }
            _ => self.repository(),
        }
    }

    /// The name as a person knows it: `busybox:latest`.
    pub fn familiar(&self) -> String {
        let mut text = self.familiar_name();
        for (separator, part) in [(':', &self.tag), ('@', &self.digest)] {
            if let Some(part) = part {
                text.push(separator);
                text.push_str(part);
            }
        }
        text
    }
}

/// The first component is a registry if it looks like a host: it has a dot, a port or an upper-case letter, or it is
/// `localhost`.
fn split_registry(text: &str) -> (&str, String) {
    let (registry, remainder) = text
        .split_once('/')
        .filter(|(first, _)| {
            first.contains(['.', ':']) || *first == "localhost" || first.to_lowercase() != *first
        })
        .unwrap_or((DEFAULT_REGISTRY, text));
    match registry {
        DEFAULT_REGISTRY | LEGACY_REGISTRY if !remainder.contains('/') => {
            (DEFAULT_REGISTRY, format!("{OFFICIAL}{remainder}"))
        }
        LEGACY_REGISTRY => (DEFAULT_REGISTRY, remainder.to_owned()),
        registry => (registry, remainder.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Reference {
        match Image::parse(text) {
            Ok(Image::Named(reference)) => reference,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn names_are_completed_and_shortened() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, repository, version, familiar) in [
            (
                "busybox",
                "docker.io/library/busybox",
                "latest",
                "busybox:latest",
            ),
            (
                "busybox:1.2",
                "docker.io/library/busybox",
                "1.2",
                "busybox:1.2",
            ),
            ("foo:UPPER", "docker.io/library/foo", "UPPER", "foo:UPPER"),
            (
                "docker.io/a.b/c",
                "docker.io/a.b/c",
                "latest",
                "docker.io/a.b/c:latest",
            ),
            (
                "docker.io/docker.io/a/b",
                "docker.io/docker.io/a/b",
                "latest",
                "docker.io/docker.io/a/b:latest",
            ),
            (
                "docker.io",
                "docker.io/library/docker.io",
                "latest",
                "docker.io:latest",
            ),
            (
                "docker.io/foo",
                "docker.io/library/foo",
                "latest",
                "foo:latest",
            ),
            (
                "docker.io/library/foo",
                "docker.io/library/foo",
                "latest",
                "foo:latest",
            ),
            (
                "index.docker.io/foo",
                "docker.io/library/foo",
                "latest",
                "foo:latest",
            ),
            (
                "index.docker.io/a/b",
                "docker.io/a/b",
                "latest",
                "a/b:latest",
            ),
            ("docker.io/a/b", "docker.io/a/b", "latest", "a/b:latest"),
            ("a/b/c:d", "docker.io/a/b/c", "d", "a/b/c:d"),
            (
                "library/a/b",
                "docker.io/library/a/b",
                "latest",
                "library/a/b:latest",
            ),
            ("foo:5000", "docker.io/library/foo", "5000", "foo:5000"),
            (
                "foo:5000/bar",
                "foo:5000/bar",
                "latest",
                "foo:5000/bar:latest",
            ),
            ("a:80/b:c", "a:80/b", "c", "a:80/b:c"),
            ("localhost/x:1", "localhost/x", "1", "localhost/x:1"),
            ("LOCALHOST/x", "LOCALHOST/x", "latest", "LOCALHOST/x:latest"),
            ("UPPER/foo", "UPPER/foo", "latest", "UPPER/foo:latest"),
            (
                "[::1]:5000/foo",
                "[::1]:5000/foo",
                "latest",
                "[::1]:5000/foo:latest",
            ),
            ("[::1]/foo", "[::1]/foo", "latest", "[::1]/foo:latest"),
            (
                "127.0.0.1:5000/x/y:z",
                "127.0.0.1:5000/x/y",
                "z",
                "127.0.0.1:5000/x/y:z",
            ),
            (
                "foo__bar",
                "docker.io/library/foo__bar",
                "latest",
                "foo__bar:latest",
            ),
            (
                "foo--bar",
                "docker.io/library/foo--bar",
                "latest",
                "foo--bar:latest",
            ),
            (
                "foo.bar",
                "docker.io/library/foo.bar",
                "latest",
                "foo.bar:latest",
            ),
            (
                "sha256:abc",
                "docker.io/library/sha256",
                "abc",
                "sha256:abc",
            ),
        ] {
            let reference = reference(text);
            let parsed = (
                reference.repository(),
                reference.version(),
                reference.familiar(),
            );
            assert_eq!(
                parsed,
                (repository.to_owned(), version, familiar.to_owned()),
                "{text}"
            );
        }
        let both = reference(&format!("foo:x@{digest}"));
        assert_eq!(both.version(), digest);
        assert_eq!(both.familiar(), format!("foo:x@{digest}"));
        assert_eq!(
            reference(&format!("foo@{digest}")).familiar(),
            format!("foo@{digest}")
        );
    }

    #[test]
    fn sixty_four_hexadecimal_digits_are_an_id() {
        let id = "0a".repeat(32);
        assert_eq!(Image::parse(&id), Ok(Image::Id(id)));
        assert!(matches!(Image::parse(&"a".repeat(63)), Ok(Image::Named(_))));
    }

    #[test]
    fn what_is_no_reference_is_told_why() {
        let long_tag = format!("foo:{}", "a".repeat(129));
        for text in [
            "",
            ":x",
            "foo:",
            "foo/",
            "/foo",
            "foo//bar",
            "foo___bar",
            "foo..bar",
            "foo_.bar",
            "foo-",
            "foo.",
            ".foo",
            "-foo",
            "foo:-x",
            "foo bar",
            "\u{e9}",
            "docker.io/",
            "http://foo/bar",
            "a_b.c/d-",
            "a-.b/c",
            "a.b:/c",
            "a.b:x/c",
            "foo:a@b",
            "foo@sha256:abc",
            "[::1/foo",
            "[]/foo",
            "[x]/foo",
            "a.b/c]",
            &long_tag,
        ] {
            let error = Image::parse(text).map(drop).expect_err(text);
            assert_eq!(error.to_string(), "invalid reference format", "{text}");
        }
        for (text, name) in [
            ("UPPER", "library/UPPER"),
            ("docker.io/UPPER", "library/UPPER"),
            ("foo/UPPER", "foo/UPPER"),
            ("localhost/UPPER", "UPPER"),
            ("a.b/UPPER:x", "UPPER"),
            ("foo/BAR:X", "foo/BAR"),
            ("Foo/bar/BAZ", "bar/BAZ"),
            ("\u{c9}", "library/\u{c9}"),
        ] {
            let message =
                format!("invalid reference format: repository name ({name}) must be lowercase");
            assert_eq!(Image::parse(text).unwrap_err().to_string(), message);
        }
        let (hex, longer) = ("a".repeat(64), "a".repeat(256));
        for (text, message) in [
            (
                format!("foo@sha256:{}", &hex[1..]),
                "invalid checksum digest length",
            ),
            (
                format!("foo@sha256:{}", hex.to_uppercase()),
                "invalid checksum digest format",
            ),
            (format!("foo@md5:{hex}"), "unsupported digest algorithm"),
            (
                longer.clone(),
                "repository name must not be more than 255 characters",
            ),
            (
                format!("localhost/{longer}"),
                "repository name must not be more than 255 characters",
            ),
        ] {
            assert_eq!(Image::parse(&text).unwrap_err().to_string(), message);
        }
    }

    /// Texts that are references, or nearly.
    fn texts() -> impl proptest::strategy::Strategy<Value = String> {
        "([a-zA-Z0-9.-]{1,6}(:[0-9]{1,4})?/)?([a-z0-9._-]{1,4}/){0,2}[a-z0-9._-]{1,6}(:[a-zA-Z0-9._-]{1,6})?(@sha256:[0-9a-f]{64})?"
    }

    proptest::proptest! {
        #[test]
        fn the_familiar_name_means_the_same(text in texts()) {
            if let Ok(Image::Named(reference)) = Image::parse(&text) {
                // A path of one word that has a tag and looks like an ID would be an ID without it; tags are kept.
                assert_eq!(Image::parse(&reference.familiar()), Ok(Image::Named(reference)));
            }
        }

        #[test]
        fn what_oci_spec_accepts_too_is_the_same(text in texts()) {
            let ours = Image::parse(&text);
            let theirs: Result<oci_spec::distribution::Reference, _> = text.parse();
            let is_upper = text.split('/').next().is_some_and(|first| first.to_lowercase() != first);
            if let (Ok(Image::Named(ours)), Ok(theirs), false) = (&ours, &theirs, is_upper) {
                assert_eq!(ours.repository(), format!("{}/{}", theirs.registry(), theirs.repository()));
                assert_eq!(ours.tag.as_deref(), theirs.tag());
                assert_eq!(ours.digest.as_deref(), theirs.digest());
            }
            if !is_upper {
                assert_eq!(ours.is_ok(), theirs.is_ok(), "{text}: {ours:?}, {theirs:?}");
            }
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = Image::parse(&text);
        }
    }
}
