//! The architectures whose programs this machine runs, and the numbers that they have for system calls.

use std::str::FromStr;

/// An architecture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Architecture {
    /// How the kernel names it to a filter: `AUDIT_ARCH_*`.
    pub(super) audit: u32,
    /// The number of a system call by its name.
    pub(super) number: fn(&str) -> Option<u32>,
}

/// The machine's own programs.
#[cfg(target_arch = "x86_64")]
pub(super) const NATIVE: Architecture = Architecture {
    audit: 0xc000_003e,
    number: |name| number::<syscalls::x86_64::Sysno>(name, |call| call.id()),
};
#[cfg(target_arch = "aarch64")]
pub(super) const NATIVE: Architecture = Architecture {
    audit: 0xc000_00b7,
    number: |name| number::<syscalls::aarch64::Sysno>(name, |call| call.id()),
};

/// Its 32-bit programs.
#[cfg(target_arch = "x86_64")]
pub(super) const COMPATIBLE: Architecture = Architecture {
    audit: 0x4000_0003,
    number: |name| number::<syscalls::x86::Sysno>(name, |call| call.id()),
};
#[cfg(target_arch = "aarch64")]
pub(super) const COMPATIBLE: Architecture = Architecture {
    audit: 0x4000_0028,
    number: |name| number::<syscalls::arm::Sysno>(name, |call| call.id()),
};

/// Go's name of this machine, which profiles use in their conditions.
#[cfg(target_arch = "x86_64")]
pub(super) const GO_NAME: &str = "amd64";
#[cfg(target_arch = "aarch64")]
pub(super) const GO_NAME: &str = "arm64";

/// libseccomp's name of this machine, which profiles use in their lists of architectures.
#[cfg(target_arch = "x86_64")]
pub(super) const LIBSECCOMP_NAME: &str = "SCMP_ARCH_X86_64";
#[cfg(target_arch = "aarch64")]
pub(super) const LIBSECCOMP_NAME: &str = "SCMP_ARCH_AARCH64";

/// libseccomp's name of its 32-bit programs.
#[cfg(target_arch = "x86_64")]
pub(super) const COMPATIBLE_LIBSECCOMP_NAME: &str = "SCMP_ARCH_X86";
#[cfg(target_arch = "aarch64")]
pub(super) const COMPATIBLE_LIBSECCOMP_NAME: &str = "SCMP_ARCH_ARM";

/// From this number on, calls of x86_64 are those of x32: the same calls under other numbers, past rules that refuse.
pub(super) const X32: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(0x4000_0000)
} else {
    None
};

fn number<Call: FromStr>(name: &str, id: fn(Call) -> i32) -> Option<u32> {
    let call = Call::from_str(name).ok()?;
    u32::try_from(id(call)).ok()
}

/// The kernel's version, as major and minor number.
pub(super) fn running_kernel() -> (u32, u32) {
    let release = rustix::system::uname();
    kernel_version(&release.release().to_string_lossy()).unwrap_or((0, 0))
}

/// The first two numbers of a version.
pub(super) fn kernel_version(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.splitn(3, '.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?;
    let digits = minor.len()
        - minor
            .trim_start_matches(|letter: char| letter.is_ascii_digit())
            .len();
    Some((major, minor[..digits].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, version) in [
            ("6.18.44-fc-v595", Some((6, 18))),
            ("4.8", Some((4, 8))),
            ("5.10-rc1", Some((5, 10))),
            ("5", None),
            ("5.", None),
            ("x.y", None),
            ("", None),
        ] {
            assert_eq!(kernel_version(text), version, "{text}");
        }
        assert!(running_kernel() > (4, 0));
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn calls_have_the_kernel_s_numbers() {
        for (name, native, compatible) in [
            ("read", Some(0), Some(3)),
            ("clone3", Some(435), Some(435)),
            ("fstat64", None, Some(197)),
            ("arch_prctl", Some(158), Some(384)),
            ("no_such_call", None, None),
        ] {
            assert_eq!((NATIVE.number)(name), native, "{name}");
            assert_eq!((COMPATIBLE.number)(name), compatible, "{name}");
        }
    }
}
