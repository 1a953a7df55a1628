//! Which devices a container may use: rules, the last one that matches deciding.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// What kind of device a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    /// Both kinds.
    All,
    /// Block devices.
    Block,
    /// Character devices.
    Character,
}

/// What may be done with a device: any of read, write and mknod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Reading.
    pub read: bool,
    /// Writing.
    pub write: bool,
    /// Making its node.
    pub mknod: bool,
}

impl Access {
    /// Everything.
    pub const ALL: Access = Access {
        read: true,
        write: true,
        mknod: true,
    };
    /// Making the node alone.
    pub const MKNOD: Access = Access {
        read: false,
        write: false,
        mknod: true,
    };
}

impl FromStr for Access {
    type Err = Error;

    /// Any of `r`, `w` and `m`, at least one.
    fn from_str(text: &str) -> Result<Access> {
        let access = Access {
            read: text.contains('r'),
            write: text.contains('w'),
            mknod: text.contains('m'),
        };
        let letters_are_known = text.bytes().all(|byte| b"rwm".contains(&byte));
        if text.is_empty() || text.len() > 3 || !letters_are_known {
            return Err(Error::invalid(format!(
                "invalid device permissions: \"{text}\" is not made of r, w and m"
            )));
        }
        Ok(access)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (set, letter) in [(self.read, 'r'), (self.write, 'w'), (self.mknod, 'm')] {
            if set {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

/// Devices that are allowed or denied. Without a number it is about every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceRule {
    /// Whether it allows.
    pub allow: bool,
    /// Which kind of device.
    pub kind: DeviceKind,
    /// The major number.
    pub major: Option<u32>,
    /// The minor number.
    pub minor: Option<u32>,
    /// What is allowed or denied.
    pub access: Access,
}

impl DeviceRule {
    /// Everything that a privileged container may use.
    pub const ALLOW_ALL: DeviceRule = DeviceRule::allow(DeviceKind::All, None, None, Access::ALL);

    /// A rule that allows.
    pub const fn allow(
        kind: DeviceKind,
        major: Option<u32>,
        minor: Option<u32>,
        access: Access,
    ) -> DeviceRule {
        DeviceRule {
            allow: true,
            kind,
            major,
            minor,
            access,
        }
    }

    /// Whether it is about all that can be done with all devices.
    pub fn is_about_everything(&self) -> bool {
        (self.kind, self.major, self.minor, self.access)
            == (DeviceKind::All, None, None, Access::ALL)
    }

    /// What every container may use: the nodes of its `/dev`, its terminals, and making nodes of whatever it may not
    /// open. Everything else is denied.
    pub fn defaults() -> Vec<DeviceRule> {
        let character = |major, minor| {
            DeviceRule::allow(DeviceKind::Character, Some(major), minor, Access::ALL)
        };
        vec![
            DeviceRule {
                allow: false,
                ..DeviceRule::ALLOW_ALL
            },
            DeviceRule::allow(DeviceKind::Character, None, None, Access::MKNOD),
            DeviceRule::allow(DeviceKind::Block, None, None, Access::MKNOD),
            // null, zero, full, random and urandom
            character(1, Some(3)),
            character(1, Some(5)),
            character(1, Some(7)),
            character(1, Some(8)),
            character(1, Some(9)),
            // tty, console and ptmx
            character(5, Some(0)),
            character(5, Some(1)),
            character(5, Some(2)),
            // pseudo-terminals
            character(136, None),
        ]
    }
}

impl FromStr for DeviceRule {
    type Err = Error;

    /// A rule that allows, as `--device-cgroup-rule` takes it: `c 42:* rmw`.
    fn from_str(text: &str) -> Result<DeviceRule> {
        let invalid = || Error::invalid(format!("invalid device cgroup rule format: '{text}'"));
        let mut parts = text.split(' ');
        let (Some(kind), Some(numbers), Some(access), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(invalid());
        };
        let kind = match kind {
            "a" => DeviceKind::All,
            "b" => DeviceKind::Block,
            "c" => DeviceKind::Character,
            _ => return Err(invalid()),
        };
        let number = |text: &str| match text {
            "*" => Ok(None),
            _ if text.starts_with('+') => Err(invalid()),
            _ => text.parse().map(Some).map_err(|_| invalid()),
        };
        let (major, minor) = numbers.split_once(':').ok_or_else(invalid)?;
        Ok(DeviceRule {
            allow: true,
            kind,
            major: number(major)?,
            minor: number(minor)?,
            access: access.parse().map_err(|_| invalid())?,
        })
    }
}

impl fmt::Display for DeviceRule {
    /// As the files `devices.allow` and `devices.deny` of cgroup v1 take it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DeviceKind::All => 'a',
            DeviceKind::Block => 'b',
            DeviceKind::Character => 'c',
        };
        write!(f, "{kind} ")?;
        match self.major {
            Some(major) => write!(f, "{major}:")?,
            None => f.write_str("*:")?,
        }
        match self.minor {
            Some(minor) => write!(f, "{minor} ")?,
            None => f.write_str("* ")?,
        }
        self.access.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written() {
        for (text, written) in [
            ("c 1:3 mr", "c 1:3 rm"),
            ("b *:* rwm", "b *:* rwm"),
            ("a *:* w", "a *:* w"),
            ("c 136:* r", "c 136:* r"),
        ] {
            let rule: DeviceRule = text.parse().expect(text);
            assert_eq!(rule.to_string(), written);
            assert!(rule.allow);
        }
    }

    #[test]
    fn wrong_rules_are_named() {
        for text in [
            "",
            "c",
            "c 1:3",
            "x 1:3 r",
            "c 1 r",
            "c 1:3 x",
            "c 1:3 ",
            "c  1:3 r",
            "c -1:3 r",
            "c +1:3 r",
            "c 1:3 r m",
            "c 99999999999:0 r",
            "c 1:3 rwmr",
        ] {
            let error = text.parse::<DeviceRule>().expect_err(text);
            assert_eq!(
                error.to_string(),
                format!("invalid device cgroup rule format: '{text}'")
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in "[abc ]{0,3}[0-9*:+-]{0,6}[ rwm]{0,4}") {
            if let Ok(rule) = text.parse::<DeviceRule>() {
                proptest::prop_assert_eq!(rule.to_string().parse::<DeviceRule>().expect("its own form"), rule);
            }
        }
    }
}
