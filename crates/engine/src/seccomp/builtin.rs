//! The profile that containers have if nobody says otherwise: what Docker 29 allows, as a table.

use super::profile::{Action, Argument, Condition, Operator, Profile, Rule, Scope};

/// What every container may call, by what it is about. Names of other architectures' calls are left out where this
/// architecture has none of that name.
const EVERYBODY: [&[&str]; 17] = [
    // files by name
    &[
        "access",
        "chdir",
        "chmod",
        "chown",
        "chown32",
        "creat",
        "faccessat",
        "faccessat2",
        "fchdir",
        "fchmodat",
        "fchmodat2",
        "fchownat",
        "fstatat64",
        "futimesat",
        "getcwd",
        "lchown",
        "lchown32",
        "link",
        "linkat",
        "lstat",
        "lstat64",
        "mkdir",
        "mkdirat",
        "mknod",
        "mknodat",
        "name_to_handle_at",
        "newfstatat",
        "open",
        "openat",
        "openat2",
        "readlink",
        "readlinkat",
        "rename",
        "renameat",
        "renameat2",
        "rmdir",
        "stat",
        "stat64",
        "statfs",
        "statfs64",
        "statx",
        "symlink",
        "symlinkat",
        "truncate",
        "truncate64",
        "umask",
        "unlink",
        "unlinkat",
        "utime",
        "utimensat",
        "utimensat_time64",
        "utimes",
    ],
    // open files
    &[
        "_llseek",
        "cachestat",
        "close",
        "close_range",
        "copy_file_range",
        "dup",
        "dup2",
        "dup3",
        "fadvise64",
        "fadvise64_64",
        "fallocate",
        "fchmod",
        "fchown",
        "fchown32",
        "fcntl",
        "fcntl64",
        "fdatasync",
        "flock",
        "fstat",
        "fstat64",
        "fstatfs",
        "fstatfs64",
        "fsync",
        "ftruncate",
        "ftruncate64",
        "getdents",
        "getdents64",
        "ioctl",
        "lseek",
        "pipe",
        "pipe2",
        "pread64",
        "preadv",
        "preadv2",
        "pwrite64",
        "pwritev",
        "pwritev2",
        "read",
        "readahead",
        "readv",
        "sendfile",
        "sendfile64",
        "splice",
        "sync",
        "sync_file_range",
        "syncfs",
        "tee",
        "vmsplice",
        "write",
        "writev",
    ],
    // extended attributes
    &[
        "fgetxattr",
        "flistxattr",
        "fremovexattr",
        "fsetxattr",
        "getxattr",
        "getxattrat",
        "lgetxattr",
        "listxattr",
        "listxattrat",
        "llistxattr",
        "lremovexattr",
        "lsetxattr",
        "removexattr",
        "removexattrat",
        "setxattr",
        "setxattrat",
    ],
    // mounts, looked at
    &["listmount", "statmount"],
    // waiting for files
    &[
        "_newselect",
        "epoll_create",
        "epoll_create1",
        "epoll_ctl",
        "epoll_ctl_old",
        "epoll_pwait",
        "epoll_pwait2",
        "epoll_wait",
        "epoll_wait_old",
        "eventfd",
        "eventfd2",
        "fanotify_mark",
        "inotify_add_watch",
        "inotify_init",
        "inotify_init1",
        "inotify_rm_watch",
        "poll",
        "ppoll",
        "ppoll_time64",
        "pselect6",
        "pselect6_time64",
        "select",
    ],
    // asynchronous input and output, without io_uring
    &[
        "io_cancel",
        "io_destroy",
        "io_getevents",
        "io_pgetevents",
        "io_pgetevents_time64",
        "io_setup",
        "io_submit",
        "ioprio_get",
        "ioprio_set",
    ],
    // memory
    &[
        "brk",
        "madvise",
        "map_shadow_stack",
        "membarrier",
        "memfd_create",
        "memfd_secret",
        "mincore",
        "mlock",
        "mlock2",
        "mlockall",
        "mmap",
        "mmap2",
        "mprotect",
        "mremap",
        "mseal",
        "msync",
        "munlock",
        "munlockall",
        "munmap",
        "pkey_alloc",
        "pkey_free",
        "pkey_mprotect",
        "process_mrelease",
        "remap_file_pages",
    ],
    // processes and threads
    &[
        "execve",
        "execveat",
        "exit",
        "exit_group",
        "fork",
        "futex",
        "futex_requeue",
        "futex_time64",
        "futex_wait",
        "futex_waitv",
        "futex_wake",
        "get_robust_list",
        "get_thread_area",
        "getcpu",
        "getpgid",
        "getpgrp",
        "getpid",
        "getppid",
        "getsid",
        "gettid",
        "pidfd_open",
        "prctl",
        "restart_syscall",
        "rseq",
        "set_robust_list",
        "set_thread_area",
        "set_tid_address",
        "setpgid",
        "setsid",
        "uretprobe",
        "vfork",
        "wait4",
        "waitid",
        "waitpid",
    ],
    // scheduling and limits
    &[
        "getpriority",
        "getrlimit",
        "getrusage",
        "prlimit64",
        "sched_get_priority_max",
        "sched_get_priority_min",
        "sched_getaffinity",
        "sched_getattr",
        "sched_getparam",
        "sched_getscheduler",
        "sched_rr_get_interval",
        "sched_rr_get_interval_time64",
        "sched_setaffinity",
        "sched_setattr",
        "sched_setparam",
        "sched_setscheduler",
        "sched_yield",
        "setpriority",
        "setrlimit",
        "ugetrlimit",
    ],
    // users, groups and capabilities
    &[
        "capget",
        "capset",
        "getegid",
        "getegid32",
        "geteuid",
        "geteuid32",
        "getgid",
        "getgid32",
        "getgroups",
        "getgroups32",
        "getresgid",
        "getresgid32",
        "getresuid",
        "getresuid32",
        "getuid",
        "getuid32",
        "setfsgid",
        "setfsgid32",
        "setfsuid",
        "setfsuid32",
        "setgid",
        "setgid32",
        "setgroups",
        "setgroups32",
        "setregid",
        "setregid32",
        "setresgid",
        "setresgid32",
        "setresuid",
        "setresuid32",
        "setreuid",
        "setreuid32",
        "setuid",
        "setuid32",
    ],
    // looking at processes of the same user; before Linux 4.8, which is older than what the engine needs, a tracer could
    // have gone past the filter
    &["process_vm_readv", "process_vm_writev", "ptrace"],
    // giving rights up
    &[
        "landlock_add_rule",
        "landlock_create_ruleset",
        "landlock_restrict_self",
        "seccomp",
    ],
    // signals
    &[
        "kill",
        "pause",
        "pidfd_send_signal",
        "rt_sigaction",
        "rt_sigpending",
        "rt_sigprocmask",
        "rt_sigqueueinfo",
        "rt_sigreturn",
        "rt_sigsuspend",
        "rt_sigtimedwait",
        "rt_sigtimedwait_time64",
        "rt_tgsigqueueinfo",
        "sigaltstack",
        "signalfd",
        "signalfd4",
        "sigprocmask",
        "sigreturn",
        "tgkill",
        "tkill",
    ],
    // time; the clock is set by who has CAP_SYS_TIME, which the kernel itself wants of adjtimex
    &[
        "adjtimex",
        "alarm",
        "clock_adjtime",
        "clock_adjtime64",
        "clock_getres",
        "clock_getres_time64",
        "clock_gettime",
        "clock_gettime64",
        "clock_nanosleep",
        "clock_nanosleep_time64",
        "getitimer",
        "gettimeofday",
        "nanosleep",
        "setitimer",
        "time",
        "timer_create",
        "timer_delete",
        "timer_getoverrun",
        "timer_gettime",
        "timer_gettime64",
        "timer_settime",
        "timer_settime64",
        "timerfd_create",
        "timerfd_gettime",
        "timerfd_gettime64",
        "timerfd_settime",
        "timerfd_settime64",
        "times",
    ],
    // sockets that exist; which can be made is below
    &[
        "accept",
        "accept4",
        "bind",
        "connect",
        "getpeername",
        "getsockname",
        "getsockopt",
        "listen",
        "recv",
        "recvfrom",
        "recvmmsg",
        "recvmmsg_time64",
        "recvmsg",
        "send",
        "sendmmsg",
        "sendmsg",
        "sendto",
        "setsockopt",
        "shutdown",
        "socketpair",
    ],
    // messages, semaphores and shared memory
    &[
        "ipc",
        "mq_getsetattr",
        "mq_notify",
        "mq_open",
        "mq_timedreceive",
        "mq_timedreceive_time64",
        "mq_timedsend",
        "mq_timedsend_time64",
        "mq_unlink",
        "msgctl",
        "msgget",
        "msgrcv",
        "msgsnd",
        "semctl",
        "semget",
        "semop",
        "semtimedop",
        "semtimedop_time64",
        "shmat",
        "shmctl",
        "shmdt",
        "shmget",
    ],
    // the machine
    &["getrandom", "riscv_hwprobe", "sysinfo", "uname"],
];

/// What goes with a capability.
const WITH_CAPABILITY: [(&str, &[&str]); 14] = [
    ("CAP_BPF", &["bpf"]),
    ("CAP_DAC_READ_SEARCH", &["open_by_handle_at"]),
    ("CAP_PERFMON", &["perf_event_open"]),
    (
        "CAP_SYS_ADMIN",
        &[
            "bpf",
            "clone",
            "clone3",
            "fanotify_init",
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "lookup_dcookie",
            "lsm_get_self_attr",
            "lsm_list_modules",
            "lsm_set_self_attr",
            "mount",
            "mount_setattr",
            "move_mount",
            "open_tree",
            "perf_event_open",
            "quotactl",
            "quotactl_fd",
            "setdomainname",
            "sethostname",
            "setns",
            "syslog",
            "umount",
            "umount2",
            "unshare",
        ],
    ),
    ("CAP_SYS_BOOT", &["reboot"]),
    ("CAP_SYS_CHROOT", &["chroot"]),
    (
        "CAP_SYS_MODULE",
        &["delete_module", "finit_module", "init_module"],
    ),
    (
        "CAP_SYS_NICE",
        &[
            "get_mempolicy",
            "mbind",
            "set_mempolicy",
            "set_mempolicy_home_node",
        ],
    ),
    ("CAP_SYS_PACCT", &["acct"]),
    (
        "CAP_SYS_PTRACE",
        &["kcmp", "pidfd_getfd", "process_madvise"],
    ),
    ("CAP_SYS_RAWIO", &["ioperm", "iopl"]),
    (
        "CAP_SYS_TIME",
        &["clock_settime", "clock_settime64", "settimeofday", "stime"],
    ),
    ("CAP_SYS_TTY_CONFIG", &["vhangup"]),
    ("CAP_SYSLOG", &["syslog"]),
];

/// What only some architectures have.
const WITH_ARCHITECTURE: [(&[&str], &[&str]); 4] = [
    (&["amd64", "x32"], &["arch_prctl"]),
    (&["amd64", "x32", "x86"], &["modify_ldt"]),
    (
        &["arm", "arm64"],
        &[
            "arm_fadvise64_64",
            "arm_sync_file_range",
            "breakpoint",
            "cacheflush",
            "set_tls",
            "sync_file_range2",
        ],
    ),
    (&["riscv64"], &["riscv_flush_icache"]),
];

/// Families of sockets that nobody makes, in the kernel's numbers: the kernel's cryptography has had holes, and the other
/// leads to the machine's hypervisor.
const AF_ALG: u64 = 38;
const AF_VSOCK: u64 = 40;

/// What `socketcall` of i386 is asked for when it makes a socket, in the kernel's numbers.
const SYS_SOCKET: u64 = 1;

/// The execution domains that `personality` may choose: Linux, 32-bit Linux, each also with the version number of
/// Linux 2.6, and the question which one it is.
const PERSONALITIES: [u64; 5] = [0x0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff];

/// Every flag that makes a namespace, `CLONE_NEWTIME` aside, which `clone` does not take.
const NAMESPACE_FLAGS: u64 = 0x7e02_0000;

/// The error that says that there is no such system call.
const ENOSYS: u32 = 38;

/// The profile.
pub(super) fn profile() -> Profile {
    let mut rules = vec![allow(&EVERYBODY.concat())];
    rules.push(allow_if("socket", Operator::Less, AF_ALG));
    rules.push(allow_if("socket", Operator::Equal, AF_ALG + 1));
    rules.push(allow_if("socket", Operator::Greater, AF_VSOCK));
    // The family of a socket that socketcall makes lies in memory, where a filter cannot look. Docker leaves that way open; here
    // it does not exist. C libraries take `socket` itself, which i386 has had since Linux 4.3.
    rules.push(allow_if("socketcall", Operator::NotEqual, SYS_SOCKET));
    rules.push(Rule {
        action: Action::Errno(ENOSYS),
        ..allow_if("socketcall", Operator::Equal, SYS_SOCKET)
    });
    for personality in PERSONALITIES {
        rules.push(allow_if("personality", Operator::Equal, personality));
    }
    for (architectures, names) in WITH_ARCHITECTURE {
        rules.push(Rule {
            includes: Scope {
                architectures: architectures.iter().map(|&name| name.to_owned()).collect(),
                ..Scope::default()
            },
            ..allow(names)
        });
    }
    for (capability, names) in WITH_CAPABILITY {
        rules.push(Rule {
            includes: with_capability(capability),
            ..allow(names)
        });
    }
    // Nobody else makes namespaces. The flags of clone3 lie in memory, where a filter cannot look: programs that are
    // told that there is none take clone.
    rules.push(Rule {
        excludes: with_capability("CAP_SYS_ADMIN"),
        ..allow_if("clone", Operator::Masked(NAMESPACE_FLAGS), 0)
    });
    rules.push(Rule {
        excludes: with_capability("CAP_SYS_ADMIN"),
        action: Action::Errno(ENOSYS),
        ..allow(&["clone3"])
    });
    Profile {
        default_action: Action::Errno(super::EPERM),
        compatible: true,
        rules,
        log: false,
        speculation: true,
    }
}

fn allow(names: &[&str]) -> Rule {
    Rule {
        names: names.iter().map(|&name| name.to_owned()).collect(),
        action: Action::Allow,
        conditions: Vec::new(),
        includes: Scope::default(),
        excludes: Scope::default(),
    }
}

fn allow_if(name: &str, operator: Operator, value: u64) -> Rule {
    Rule {
        conditions: vec![Condition {
            argument: Argument::FIRST,
            operator,
            value,
        }],
        ..allow(&[name])
    }
}

fn with_capability(capability: &str) -> Scope {
    Scope {
        capabilities: vec![capability.to_owned()],
        ..Scope::default()
    }
}
