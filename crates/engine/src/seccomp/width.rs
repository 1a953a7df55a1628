//! How many bits of an argument the kernel reads.
//!
//! A filter sees 64 bits of every argument. Where the kernel takes an `int` it drops the upper half, so a comparison of all 64
//! bits tells nothing: `socket(1 << 32 | AF_VSOCK, ..)` is not `AF_VSOCK` to the filter, and is to the kernel. libseccomp leaves
//! that to the authors of profiles; here each comparison is of as many bits as the call has.

use super::profile::Argument;

/// What the kernel reads of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// The lower half.
    Half,
    /// All 64 bits.
    Whole,
}

/// The width of an argument of the call with that name; what is not in the table is taken to be whole.
pub(super) fn width(call: &str, argument: Argument) -> Width {
    let is_listed = HALVES
        .iter()
        .any(|(arguments, calls)| arguments.contains(&argument.index()) && calls.contains(&call));
    match is_listed {
        true => Width::Half,
        false => Width::Whole,
    }
}

/// Calls with arguments of 32 bits, by the positions of those: the prototypes of `include/linux/syscalls.h`. `clone` is among
/// them though its flags are a `long`, because the kernel takes the lower half (`lower_32_bits`). Modes of files have even
/// fewer bits (`umode_t`), which the kernel masks.
const HALVES: [(&[u8], &[&str]); 25] = [
    (
        &[0],
        &[
            "arch_prctl",
            "clock_adjtime",
            "clock_getres",
            "clock_gettime",
            "clock_settime",
            "clone",
            "close",
            "dup",
            "epoll_create",
            "epoll_create1",
            "eventfd",
            "exit",
            "exit_group",
            "fchdir",
            "fdatasync",
            "fgetxattr",
            "flistxattr",
            "fremovexattr",
            "fstat",
            "fstatfs",
            "fsync",
            "ftruncate",
            "get_robust_list",
            "getgroups",
            "getitimer",
            "getpgid",
            "getrlimit",
            "getrusage",
            "getsid",
            "inotify_init1",
            "io_setup",
            "io_uring_setup",
            "iopl",
            "keyctl",
            "memfd_secret",
            "migrate_pages",
            "mlockall",
            "mq_getsetattr",
            "mq_notify",
            "mq_timedreceive",
            "openat2",
            "personality",
            "pkey_free",
            "prctl",
            "pread64",
            "process_vm_readv",
            "process_vm_writev",
            "pselect6",
            "pwrite64",
            "read",
            "readahead",
            "rt_sigaction",
            "rt_sigprocmask",
            "sched_get_priority_max",
            "sched_get_priority_min",
            "sched_getparam",
            "sched_getscheduler",
            "sched_rr_get_interval",
            "sched_setparam",
            "select",
            "set_mempolicy",
            "setfsgid",
            "setfsuid",
            "setgid",
            "setgroups",
            "setitimer",
            "setrlimit",
            "setuid",
            "signalfd",
            "socketcall",
            "syncfs",
            "timer_create",
            "timer_delete",
            "timer_getoverrun",
            "timer_gettime",
            "timerfd_gettime",
            "umask",
            "userfaultfd",
            "write",
        ],
    ),
    (
        &[0, 1],
        &[
            "clock_nanosleep",
            "dup2",
            "eventfd2",
            "fallocate",
            "fanotify_init",
            "fchmod",
            "fcntl",
            "flock",
            "getpriority",
            "inotify_rm_watch",
            "ioctl",
            "ioprio_get",
            "ipc",
            "kexec_file_load",
            "kill",
            "landlock_restrict_self",
            "listen",
            "msgctl",
            "msgget",
            "pidfd_open",
            "prlimit64",
            "process_mrelease",
            "rt_sigqueueinfo",
            "sched_getaffinity",
            "sched_setaffinity",
            "sched_setscheduler",
            "seccomp",
            "sendfile",
            "setns",
            "setpgid",
            "setregid",
            "setreuid",
            "shmctl",
            "shutdown",
            "timer_settime",
            "timerfd_create",
            "timerfd_settime",
            "tkill",
        ],
    ),
    (
        &[0, 1, 2],
        &[
            "close_range",
            "dup3",
            "epoll_ctl",
            "fchown",
            "fsmount",
            "getsockopt",
            "ioprio_set",
            "kcmp",
            "membarrier",
            "pidfd_getfd",
            "reboot",
            "rt_tgsigqueueinfo",
            "semctl",
            "semget",
            "setpriority",
            "setresgid",
            "setresuid",
            "socket",
            "socketpair",
            "tgkill",
        ],
    ),
    (&[0, 1, 2, 3], &["io_uring_enter"]),
    (&[0, 1, 2, 4], &["setsockopt"]),
    (
        &[0, 1, 3],
        &[
            "fanotify_mark",
            "io_uring_register",
            "landlock_add_rule",
            "pidfd_send_signal",
            "tee",
            "waitid",
        ],
    ),
    (&[0, 1, 4], &["fsconfig"]),
    (
        &[0, 2],
        &[
            "bind",
            "bpf",
            "connect",
            "faccessat",
            "fchmodat",
            "finit_module",
            "fspick",
            "getdents",
            "getdents64",
            "inotify_add_watch",
            "lseek",
            "mkdirat",
            "mount_setattr",
            "open_by_handle_at",
            "open_tree",
            "quotactl",
            "recvmsg",
            "renameat",
            "sched_setattr",
            "semop",
            "semtimedop",
            "sendmsg",
            "shmat",
            "shmget",
            "syslog",
            "unlinkat",
            "wait4",
        ],
    ),
    (
        &[0, 2, 3],
        &[
            "epoll_pwait",
            "epoll_wait",
            "faccessat2",
            "fchmodat2",
            "mknodat",
            "openat",
            "recvmmsg",
            "sched_getattr",
            "sendmmsg",
            "statx",
        ],
    ),
    (&[0, 2, 3, 4], &["fchownat"]),
    (&[0, 2, 4], &["linkat", "move_mount", "renameat2"]),
    (&[0, 2, 5], &["copy_file_range", "splice"]),
    (
        &[0, 3],
        &[
            "accept4",
            "fadvise64",
            "mq_timedsend",
            "msgsnd",
            "newfstatat",
            "readlinkat",
            "recvfrom",
            "signalfd4",
            "sync_file_range",
            "utimensat",
            "vmsplice",
        ],
    ),
    (&[0, 3, 4], &["process_madvise"]),
    (&[0, 3, 5], &["sendto"]),
    (
        &[0, 4],
        &["execveat", "fsetxattr", "msgrcv", "name_to_handle_at"],
    ),
    (&[0, 5], &["move_pages"]),
    (
        &[1],
        &[
            "access",
            "chmod",
            "creat",
            "delete_module",
            "fsopen",
            "memfd_create",
            "mkdir",
            "ppoll",
            "setdomainname",
            "sethostname",
            "swapon",
            "symlinkat",
            "umount2",
        ],
    ),
    (
        &[1, 2],
        &["chown", "lchown", "mknod", "mq_open", "open", "poll"],
    ),
    (&[1, 2, 3], &["perf_event_open"]),
    (&[1, 2, 5], &["futex"]),
    (
        &[2],
        &[
            "getrandom",
            "ioperm",
            "landlock_create_ruleset",
            "madvise",
            "mlock2",
            "msync",
            "readlink",
        ],
    ),
    (&[3], &["pkey_mprotect", "request_key"]),
    (&[4], &["add_key", "lsetxattr", "setxattr"]),
    (&[5], &["mbind"]),
];

#[cfg(test)]
mod tests {
    use super::super::architecture::NATIVE;
    use super::*;

    #[test]
    fn every_name_is_a_call_and_is_there_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (arguments, calls) in HALVES {
            assert!(arguments.is_sorted() && arguments.iter().all(|&argument| argument < 6));
            for call in calls {
                assert!(seen.insert(call), "{call} is there twice");
                // Other architectures have other calls; this one has nearly all.
                if cfg!(target_arch = "x86_64") && !["ipc", "socketcall"].contains(call) {
                    assert!((NATIVE.number)(call).is_some(), "{call}");
                }
            }
        }
    }

    #[test]
    fn arguments_have_the_width_of_their_prototypes() {
        let argument = |index| Argument::new(index).expect("an argument");
        for (call, index, expected) in [
            ("socket", 0, Width::Half),
            ("ioctl", 1, Width::Half),
            ("ioctl", 2, Width::Whole),
            ("personality", 0, Width::Half),
            ("clone", 0, Width::Half),
            ("clone", 1, Width::Whole),
            ("mmap", 2, Width::Whole),
            ("no_such_call", 0, Width::Whole),
        ] {
            assert_eq!(width(call, argument(index)), expected, "{call} {index}");
        }
    }
}
