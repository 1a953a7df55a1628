//! Digests: what everything of an image is found by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

const ALGORITHM: &str = "sha256:";
const LENGTH: usize = 64;

/// A SHA-256 digest, written as `sha256:` and 64 lower-case hexadecimal digits.
///
/// Images could have others by their specification; none do, and Docker's engine has no other.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest {
    hex: String,
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest::from_hash(Sha256::digest(bytes).as_ref())
    }

    /// The digest that a hash came to.
    pub(super) fn from_hash(hash: &[u8]) -> Digest {
        Digest {
            hex: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// The digest of these digits, if they are some.
    pub fn from_hex(hex: &str) -> Option<Digest> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (hex.len() == LENGTH && hex.bytes().all(is_digit)).then(|| Digest {
            hex: hex.to_owned(),
        })
    }

    /// The digits, which are a safe name of a file.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The first twelve digits, as a person reads them.
    pub fn short(&self) -> &str {
        &self.hex[..12]
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Digest> {
        text.strip_prefix(ALGORITHM)
            .and_then(Digest::from_hex)
            .ok_or_else(|| Error::invalid(format!("{text:?} is no SHA-256 digest")))
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;

    fn try_from(text: String) -> Result<Digest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", self.hex)
    }
}

/// The names of a stack of layers, lowest first: each is made from the one below and the digest of the layer's archive
/// (OCI image specification, "Layer ChainID").
pub(super) fn chain(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        chain.push(match chain.last() {
            None => diff_id.clone(),
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        });
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_what_it_is_written_as() {
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let digest: Digest = text.parse().expect("a digest");
        assert_eq!(digest, Digest::of(b""));
        assert_eq!(digest.to_string(), text);
        assert_eq!(digest.short(), "e3b0c44298fc");
    }

    #[test]
    fn what_could_name_another_file_is_none() {
        for text in [
            "",
            "sha256:",
            "sha256:../../etc/passwd",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550",
        ] {
            let error = text.parse::<Digest>().expect_err(text);
            assert_eq!(error.status(), 400);
        }
    }

    #[test]
    fn layers_are_named_by_what_is_below_them() {
        let (first, second) = (Digest::of(b"1"), Digest::of(b"2"));
        let both = chain(&[first.clone(), second.clone()]);
        assert_eq!(both[0], first);
        assert_eq!(both[1], Digest::of(format!("{first} {second}").as_bytes()));
        assert_ne!(chain(&[second, first])[1], both[1]);
        assert!(chain(&[]).is_empty());
    }
}
