//! Capabilities by Docker's rules: a default set, `CapAdd`, `CapDrop`, `ALL` and `Privileged`.

use std::fmt;

use rustix::process::geteuid;
use rustix::thread::{
    CapabilitySet as Mask, CapabilitySets, capability_is_in_bounding_set,
    clear_ambient_capability_set, remove_capability_from_bounding_set, set_capabilities,
};

use crate::{Error, Result};

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Capabilities(Mask);

/// What a container has if nobody says otherwise.
const DEFAULT: Mask = Mask::CHOWN
    .union(Mask::DAC_OVERRIDE)
    .union(Mask::FSETID)
    .union(Mask::FOWNER)
    .union(Mask::MKNOD)
    .union(Mask::NET_RAW)
    .union(Mask::SETGID)
    .union(Mask::SETUID)
    .union(Mask::SETFCAP)
    .union(Mask::SETPCAP)
    .union(Mask::NET_BIND_SERVICE)
    .union(Mask::SYS_CHROOT)
    .union(Mask::KILL)
    .union(Mask::AUDIT_WRITE);

impl Capabilities {
    /// What a container has if nobody says otherwise, as far as `available` has it.
    pub fn default_set(available: Capabilities) -> Capabilities {
        Capabilities(DEFAULT & available.0)
    }

    /// What this process may hand on: its bounding set.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel does not say.
    pub fn available() -> Result<Capabilities> {
        let mut available = Mask::empty();
        for capability in known() {
            match capability_is_in_bounding_set(capability) {
                Ok(true) => available |= capability,
                Ok(false) => {}
                // A capability newer than the kernel.
                Err(rustix::io::Errno::INVAL) => {}
                Err(error) => return Err(Error::io("read the bounding set", error)),
            }
        }
        Ok(Capabilities(available))
    }

    /// All that have a name.
    pub fn all() -> Capabilities {
        Capabilities(known())
    }

    /// None.
    pub fn none() -> Capabilities {
        Capabilities(Mask::empty())
    }

    /// The set of a container that asks for `add` and `drop`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidParameter`](crate::ErrorKind::InvalidParameter) for a name that is no capability's, or one
    /// that is asked for and not in `available`.
    pub fn of_container(
        add: &[String],
        drop: &[String],
        privileged: bool,
        available: Capabilities,
    ) -> Result<Capabilities> {
        let add = Listed::parse(add)
            .map_err(|error| Error::invalid(format!("invalid CapAdd: {error}")))?;
        let drop = Listed::parse(drop)
            .map_err(|error| Error::invalid(format!("invalid CapDrop: {error}")))?;
        if let Some(missing) = add.named.difference(available.0).iter().next() {
            return Err(Error::invalid(format!(
                "invalid CapAdd: capability not supported by your kernel or not available in the current environment: \"{}\"",
                Capabilities(missing)
            )));
        }
        let set = if privileged {
            available.0
        } else if add.all {
            available.0.difference(drop.named)
        } else if drop.all {
            add.named
        } else {
            (DEFAULT & available.0).difference(drop.named) | add.named
        };
        Ok(Capabilities(set))
    }

    /// Whether the capability of that name, `CAP_SYS_ADMIN` for one, is among them.
    pub fn contains(&self, name: &str) -> bool {
        name.strip_prefix("CAP_")
            .and_then(Mask::from_name)
            .is_some_and(|capability| self.0.contains(capability))
    }

    /// Their names, as `CAP_CHOWN`, in the kernel's order.
    pub fn names(&self) -> impl Iterator<Item = String> {
        self.0.iter_names().map(|(name, _)| format!("CAP_{name}"))
    }

    /// The kernel's mask, as `CapEff` in `/proc/PID/status` has it.
    pub fn bits(&self) -> u64 {
        self.0.bits()
    }

    /// Leaves this thread with these capabilities and no others, in the bounding set too; the bounding set is all that a
    /// user other than root is left with.
    ///
    /// That is what such a user's program has in any case, as nothing is inheritable and nothing ambient: so what it may
    /// run is decided without them, too, as with Docker. This thread needs `CAP_SETPCAP`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::System`](crate::ErrorKind::System) if the kernel refuses.
    pub fn apply(&self) -> Result<()> {
        let own = if geteuid().is_root() {
            self.0
        } else {
            Mask::empty()
        };
        let refused = |error| Error::io("drop capabilities", error);
        // A newer kernel may have some without a name here.
        for capability in Mask::all().difference(self.0) {
            match remove_capability_from_bounding_set(capability) {
                Ok(()) | Err(rustix::io::Errno::INVAL) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        clear_ambient_capability_set().map_err(refused)?;
        set_capabilities(
            None,
            CapabilitySets {
                effective: own,
                permitted: own,
                inheritable: Mask::empty(),
            },
        )
        .map_err(refused)
    }
}

/// All that have a name: the type takes every bit.
fn known() -> Mask {
    Mask::all()
        .iter_names()
        .fold(Mask::empty(), |known, (_, capability)| known | capability)
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.names().enumerate() {
            write!(f, "{}{name}", if position == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// `CapAdd` or `CapDrop`.
struct Listed {
    all: bool,
    named: Mask,
}

impl Listed {
    /// Names come in any case, with or without `CAP_`.
    fn parse(names: &[String]) -> std::result::Result<Listed, String> {
        let mut listed = Listed {
            all: false,
            named: Mask::empty(),
        };
        for name in names {
            let upper = name.trim().to_uppercase();
            if upper == "ALL" {
                listed.all = true;
                continue;
            }
            let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
            listed.named |= Mask::from_name(bare)
                .ok_or_else(|| format!("unknown capability: \"CAP_{bare}\""))?;
        }
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn set(add: &[&str], drop: &[&str], privileged: bool) -> Result<Capabilities> {
        Capabilities::of_container(&owned(add), &owned(drop), privileged, Capabilities::all())
    }

    #[test]
    fn the_default_set_is_docker_s() {
        // What CapEff says in a container of dockerd.
        assert_eq!(set(&[], &[], false).expect("a set").bits(), 0xa804_25fb);
    }

    #[test]
    fn sets_are_made_in_docker_s_order() {
        let all = Capabilities::all().bits();
        let default = 0xa804_25fb;
        let admin = 1 << 21;
        let chown = 1;
        for (add, drop, privileged, expected) in [
            (&["SYS_ADMIN"][..], &[][..], false, default | admin),
            (
                &["cap_sys_admin"],
                &["CAP_CHOWN"],
                false,
                (default | admin) & !chown,
            ),
            (&["SYS_ADMIN"], &["all"], false, admin),
            (&["ALL"], &["CHOWN"], false, all & !chown),
            // Whoever adds everything keeps it against a drop of everything.
            (&["ALL"], &["ALL"], false, all),
            // What is added by name stays, also where it is dropped.
            (&["CHOWN"], &["CHOWN"], false, default),
            (&[], &["ALL"], true, all),
        ] {
            assert_eq!(
                set(add, drop, privileged).expect("a set").bits(),
                expected,
                "{add:?} {drop:?}"
            );
        }
    }

    #[test]
    fn unknown_and_unavailable_names_are_named() {
        let error = set(&["SYS_ADMINS"], &[], false).expect_err("no capability");
        assert_eq!(
            error.to_string(),
            "invalid CapAdd: unknown capability: \"CAP_SYS_ADMINS\""
        );
        assert_eq!(error.status(), 400);
        let error = set(&[], &["x"], false).expect_err("no capability");
        assert_eq!(
            error.to_string(),
            "invalid CapDrop: unknown capability: \"CAP_X\""
        );
        let few = Capabilities::default_set(Capabilities::all());
        let error = Capabilities::of_container(&owned(&["SYS_ADMIN"]), &[], false, few)
            .expect_err("not available");
        assert!(
            error.to_string().ends_with(": \"CAP_SYS_ADMIN\""),
            "{error}"
        );
    }

    #[test]
    fn names_are_the_kernel_s() {
        let default = Capabilities::default_set(Capabilities::all());
        assert!(default.contains("CAP_CHOWN") && !default.contains("CAP_SYS_ADMIN"));
        assert!(!default.contains("CHOWN") && !default.contains(""));
        assert_eq!(default.names().count(), 14);
        assert_eq!(Capabilities::all().bits().count_ones(), 41);
    }
}
