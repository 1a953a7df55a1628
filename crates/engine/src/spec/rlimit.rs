//! Resource limits of processes: what `--ulimit` says.

use bollard_stubs::models::ResourcesUlimits;
use libcontainer::oci_spec::runtime::{PosixRlimit, PosixRlimitBuilder, PosixRlimitType};
use rustix::process::{Resource, getrlimit};

use crate::{Error, Result};

/// Docker's names, the specification's and the kernel's.
const KINDS: [(&str, PosixRlimitType, Resource); 15] = [
    ("core", PosixRlimitType::RlimitCore, Resource::Core),
    ("cpu", PosixRlimitType::RlimitCpu, Resource::Cpu),
    ("data", PosixRlimitType::RlimitData, Resource::Data),
    ("fsize", PosixRlimitType::RlimitFsize, Resource::Fsize),
    ("locks", PosixRlimitType::RlimitLocks, Resource::Locks),
    ("memlock", PosixRlimitType::RlimitMemlock, Resource::Memlock),
    (
        "msgqueue",
        PosixRlimitType::RlimitMsgqueue,
        Resource::Msgqueue,
    ),
    ("nice", PosixRlimitType::RlimitNice, Resource::Nice),
    ("nofile", PosixRlimitType::RlimitNofile, Resource::Nofile),
    ("nproc", PosixRlimitType::RlimitNproc, Resource::Nproc),
    ("rss", PosixRlimitType::RlimitRss, Resource::Rss),
    ("rtprio", PosixRlimitType::RlimitRtprio, Resource::Rtprio),
    ("rttime", PosixRlimitType::RlimitRttime, Resource::Rttime),
    (
        "sigpending",
        PosixRlimitType::RlimitSigpending,
        Resource::Sigpending,
    ),
    ("stack", PosixRlimitType::RlimitStack, Resource::Stack),
];

/// The limits that are asked for, none above what this process may hand on; a warning for each that had to be cut.
///
/// `may_raise` is whether it may hand on more than it has itself, for which the kernel wants `CAP_SYS_RESOURCE`.
pub(super) fn limits(
    ulimits: &[ResourcesUlimits],
    may_raise: bool,
    warnings: &mut Vec<String>,
) -> Result<Vec<PosixRlimit>> {
    let mut limits: Vec<PosixRlimit> = Vec::new();
    for ulimit in ulimits {
        let name = ulimit.name.as_deref().unwrap_or_default();
        let Some(&(_, kind, resource)) = KINDS.iter().find(|(known, ..)| *known == name) else {
            return Err(Error::invalid(format!("invalid ulimit type: {name}")));
        };
        // -1 is no limit, which is the largest number to the kernel.
        let soft = ulimit.soft.unwrap_or(0).cast_unsigned();
        let hard = ulimit.hard.unwrap_or(0).cast_unsigned();
        if soft > hard {
            return Err(Error::invalid(format!(
                "ulimit soft limit must be less than or equal to hard limit: {} > {}",
                ulimit.soft.unwrap_or(0),
                ulimit.hard.unwrap_or(0)
            )));
        }
        let own = getrlimit(resource).maximum.unwrap_or(u64::MAX);
        let most = if may_raise { u64::MAX } else { own };
        if hard > most {
            warnings.push(format!(
                "The hard limit of ulimit {name} is {most}, this engine's own: it may not raise it."
            ));
        }
        let limit = PosixRlimitBuilder::default()
            .typ(kind)
            .soft(soft.min(most))
            .hard(hard.min(most))
            .build()
            .map_err(|error| Error::system(error.to_string()))?;
        limits.retain(|other| other.typ() != kind);
        limits.push(limit);
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulimit(name: &str, soft: i64, hard: i64) -> ResourcesUlimits {
        ResourcesUlimits {
            name: Some(name.to_owned()),
            soft: Some(soft),
            hard: Some(hard),
        }
    }

    #[test]
    fn limits_are_cut_with_a_warning() {
        let mut warnings = Vec::new();
        let set = limits(
            &[ulimit("core", 0, 5), ulimit("nofile", -1, -1)],
            false,
            &mut warnings,
        )
        .expect("limits");
        assert_eq!((set[0].soft(), set[0].hard()), (0, 5));
        let own = getrlimit(Resource::Nofile).maximum.expect("a limit");
        assert_eq!((set[1].soft(), set[1].hard()), (own, own));
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("nofile"), "{warnings:?}");
    }

    #[test]
    fn whoever_may_raise_gets_what_is_asked_for() {
        let mut warnings = Vec::new();
        let set = limits(
            &[ulimit("nofile", 7, 1 << 40), ulimit("nofile", 8, 1 << 41)],
            true,
            &mut warnings,
        )
        .expect("limits");
        assert_eq!(set.len(), 1, "the last one of a name holds");
        assert_eq!((set[0].soft(), set[0].hard()), (8, 1 << 41));
        assert!(warnings.is_empty());
    }

    #[test]
    fn wrong_limits_are_named() {
        for (given, message) in [
            (ulimit("nofiles", 1, 1), "invalid ulimit type: nofiles"),
            (
                ulimit("core", 2, 1),
                "ulimit soft limit must be less than or equal to hard limit: 2 > 1",
            ),
        ] {
            let error = limits(&[given], true, &mut Vec::new()).expect_err("no limit");
            assert_eq!(error.to_string(), message);
        }
    }
}
