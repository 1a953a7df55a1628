//! Platforms: which image of several a machine, or a person, means.
//!
//! The rules are those of containerd's `platforms.Only`, which both of Docker's engines choose by: an architecture also
//! runs programs of its older variants, amd64 those of 386, and arm64 those of arm.

use std::fmt;

use image_reference::normalize_platform;

use crate::{Error, Result};

/// An operating system, an architecture and perhaps its variant, in containerd's normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    os: String,
    architecture: String,
    variant: String,
}

impl Platform {
    /// A platform from its parts, as images have them.
    pub fn new(os: &str, architecture: &str, variant: &str) -> Platform {
        let os = os.to_ascii_lowercase();
        let architecture = architecture.to_ascii_lowercase();
        let variant = variant.to_ascii_lowercase();
        let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
            ("i386", _) => ("386", ""),
            ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
            ("x86_64" | "x86-64", variant) => ("amd64", variant),
            ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
            ("aarch64", variant) => ("arm64", variant),
            ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
            ("armel", _) | ("arm", "6") => ("arm", "v6"),
            ("arm", "5") => ("arm", "v5"),
            ("arm", "8") => ("arm", "v8"),
            other => other,
        };
        Platform {
            os,
            architecture: architecture.to_owned(),
            variant: variant.to_owned(),
        }
    }

    /// What a person writes: `linux/arm64/v8`, `amd64`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) with Docker's text if it is none.
    pub fn parse(text: &str) -> Result<Platform> {
        let normal = normalize_platform(text).map_err(|error| Error::invalid(error.to_string()))?;
        let mut parts = normal.split('/');
        let mut part = || parts.next().unwrap_or_default();
        Ok(Platform::new(part(), part(), part()))
    }

    /// The platform of this machine.
    ///
    /// # Errors
    ///
    /// As of [`Platform::parse`], which none are of here.
    pub fn own() -> Result<Platform> {
        Platform::parse("linux")
    }

    /// The operating system.
    pub fn os(&self) -> &str {
        &self.os
    }

    /// The architecture.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The variant; empty where the architecture says it all.
    pub fn variant(&self) -> &str {
        &self.variant
    }

    /// How well programs of `other` run where programs of this platform do: 0 is best, and nothing is not at all.
    pub fn rank(&self, other: &Platform) -> Option<usize> {
        if self.os != other.os {
            return None;
        }
        self.compatible()
            .iter()
            .position(|(architecture, variant)| {
                *architecture == other.architecture && *variant == other.variant
            })
    }

    /// The architectures, with variants, whose programs run here, the best first.
    fn compatible(&self) -> Vec<(&str, String)> {
        let own = (self.architecture.as_str(), self.variant.clone());
        let number = self.variant.strip_prefix('v').unwrap_or_default();
        let variants = |from: u32, to: u32| (to..from).rev().map(|number| format!("v{number}"));
        let mut all = vec![own];
        match self.architecture.as_str() {
            "amd64" => {
                let number: u32 = number.parse().unwrap_or(0);
                all.extend(variants(number.min(9), 2).map(|variant| ("amd64", variant)));
                if !self.variant.is_empty() {
                    all.push(("amd64", String::new()));
                }
                all.push(("386", String::new()));
            }
            "arm" => {
                let number: u32 = number.parse().unwrap_or(0);
                all.extend(variants(number.min(9), 5).map(|variant| ("arm", variant)));
            }
            "arm64" => {
                if !self.variant.is_empty() {
                    all.push(("arm64", String::new()));
                }
                all.extend(variants(9, 5).map(|variant| ("arm", variant)));
            }
            _ => {}
        }
        all
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_str() {
            "" => Ok(()),
            variant => write!(f, "/{variant}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_variants_run_too_and_the_newest_is_best() {
        for (wanted, offered, chosen) in [
            (
                "linux/amd64",
                &["linux/386", "linux/amd64"][..],
                Some("linux/amd64"),
            ),
            (
                "linux/amd64",
                &["linux/386", "linux/arm64"],
                Some("linux/386"),
            ),
            ("linux/amd64", &["linux/amd64/v2", "linux/arm64"], None),
            (
                "linux/amd64/v3",
                &["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"],
                Some("linux/amd64/v2"),
            ),
            (
                "linux/arm",
                &["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"],
                Some("linux/arm/v6"),
            ),
            (
                "linux/arm/v6",
                &["linux/arm", "linux/arm/v5"],
                Some("linux/arm/v5"),
            ),
            (
                "linux/arm64/v8",
                &["linux/arm/v7", "linux/arm64"],
                Some("linux/arm64"),
            ),
            (
                "linux/arm64",
                &["linux/arm/v5", "linux/arm/v7"],
                Some("linux/arm/v7"),
            ),
            ("linux/s390x", &["linux/amd64"], None),
            ("windows/amd64", &["linux/amd64"], None),
        ] {
            let wanted = Platform::parse(wanted).expect("a platform");
            let best = offered
                .iter()
                .map(|offered| Platform::parse(offered).expect("a platform"))
                .filter_map(|offered| Some((wanted.rank(&offered)?, offered)))
                .min_by_key(|(rank, _)| *rank)
                .map(|(_, offered)| offered);
            let chosen = chosen.map(|chosen| Platform::parse(chosen).expect("a platform"));
            assert_eq!(best, chosen, "{wanted}");
        }
    }

    #[test]
    fn an_image_for_arm_without_a_variant_is_for_v7() {
        let image = Platform::new("linux", "arm", "");
        assert_eq!(Platform::parse("linux/arm/v7").expect("a platform"), image);
        assert_eq!(image.to_string(), "linux/arm/v7");
        assert_eq!(
            Platform::new("linux", "arm64", "v8").to_string(),
            "linux/arm64"
        );
    }
}
