//! What a filter does to a process, seen from within: a C program makes the calls and says what they returned.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

use engine::seccomp::Filter;
use engine::spec::{Capabilities, Seccomp};

const EPERM: &str = "1";
const EACCES: &str = "13";
const ENOSYS: &str = "38";

/// The program, compiled once.
static CALLS: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seccomp/calls.c");
    let program =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("calls-{}", std::process::id()));
    let status = Command::new("cc")
        .arg("-static")
        .arg("-o")
        .arg(&program)
        .arg(source)
        .status()
        .expect("a C compiler; install gcc");
    assert!(status.success());
    program
});

/// What each call returns under that filter. A filter holds for the thread that loads it, and for what it starts.
fn results(seccomp: Seccomp, capabilities: Capabilities) -> BTreeMap<String, String> {
    let program = CALLS.clone();
    let output = thread::spawn(move || {
        let filter = Filter::new(&seccomp, capabilities).expect("a filter");
        filter.load().expect("a kernel that takes it");
        Command::new(program).output().expect("a process")
    })
    .join()
    .expect("a thread that lives on");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout)
        .expect("text")
        .lines()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, result)| (name.to_owned(), result.to_owned()))
        .collect()
}

fn default_set() -> Capabilities {
    Capabilities::default_set(Capabilities::all())
}

#[test]
fn the_builtin_profile_refuses_what_docker_refuses() {
    let free = results(Seccomp::Unconfined, default_set());
    let filtered = results(Seccomp::Builtin, default_set());
    for (name, result) in &filtered {
        let refusal = match name.as_str() {
            "mount"
            | "umount"
            | "unshare"
            | "setns"
            | "clone-namespace"
            | "keyctl"
            | "add_key"
            | "bpf"
            | "perf_event_open"
            | "io_uring_setup"
            | "userfaultfd"
            | "kexec_load"
            | "init_module"
            | "open_by_handle_at"
            | "settimeofday"
            | "personality-random"
            | "socket-alg"
            | "socket-vsock"
            | "socket-alg-wide"
            | "socket-vsock-wide"
            | "personality-random-wide"
            | "32-bit umount2"
            | "32-bit unshare" => EPERM,
            "clone3"
            | "newer"
            | "x32"
            | "32-bit clone3"
            | "32-bit newer"
            | "32-bit socketcall-socket" => ENOSYS,
            _ => {
                assert_eq!(Some(result), free.get(name), "{name} is not filtered");
                continue;
            }
        };
        assert_eq!(result, refusal, "{name}");
    }
    assert!(filtered.len() > 24, "{filtered:?}");
    assert_ne!(free["mount"], EPERM, "the kernel alone would not refuse");
}

#[test]
fn capabilities_open_what_belongs_to_them() {
    let free = results(Seccomp::Unconfined, Capabilities::all());
    let filtered = results(Seccomp::Builtin, Capabilities::all());
    for name in [
        "mount",
        "umount",
        "setns",
        "clone3",
        "bpf",
        "perf_event_open",
        "init_module",
        "open_by_handle_at",
        "settimeofday",
    ] {
        assert_eq!(filtered[name], free[name], "{name}");
    }
    for name in [
        "keyctl",
        "add_key",
        "kexec_load",
        "userfaultfd",
        "socket-alg",
    ] {
        assert_eq!(filtered[name], EPERM, "{name}");
    }
}

#[test]
fn a_profile_of_one_s_own_refuses_what_it_names() {
    let json = r#"{
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
        "syscalls": [
            {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
            {"names": ["unshare"], "action": "SCMP_ACT_ERRNO"},
            {"names": ["socket"], "action": "SCMP_ACT_ERRNO",
             "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}
        ]
    }"#;
    let filtered = results(Seccomp::Custom(json.to_owned()), Capabilities::none());
    assert_eq!(filtered["chmod"], EACCES);
    assert_eq!(filtered["unshare"], EPERM);
    assert_eq!(filtered["socket-unix"], EPERM);
    assert_eq!(filtered["getpid"], "0");
    if cfg!(target_arch = "x86_64") {
        assert_eq!(filtered["x32"], ENOSYS, "no way past the rules");
        if filtered.contains_key("32-bit unshare") {
            assert_eq!(filtered["32-bit unshare"], EPERM);
        }
    }
}

#[test]
fn the_strictest_rule_counts() {
    let json = r#"{
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 38,
        "architectures": ["SCMP_ARCH_X86"],
        "syscalls": [
            {"names": ["chroot"], "action": "SCMP_ACT_ALLOW"},
            {"names": ["chroot"], "action": "SCMP_ACT_ERRNO", "errnoRet": 13},
            {"names": ["mount", "seccomp"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
            {"names": ["brk", "mmap", "munmap", "mprotect", "read", "write", "close", "fstat", "newfstatat", "execve",
                "exit_group", "exit", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64",
                "readlink", "getrandom", "getcwd", "rt_sigaction", "rt_sigprocmask", "getpid", "clone", "vfork", "wait4",
                "waitid", "pipe2", "poll", "fcntl", "dup2", "dup3", "ioctl", "sigaltstack", "munmap", "madvise",
                "futex", "mremap", "openat", "lseek", "recvmsg", "sendmsg", "socketpair", "clone3", "pidfd_open",
                "uname", "access", "gettid", "tgkill", "readlinkat", "rt_sigreturn", "sched_getaffinity", "read"],
             "action": "SCMP_ACT_ALLOW"}
        ]
    }"#;
    let filtered = results(Seccomp::Custom(json.to_owned()), Capabilities::none());
    assert_eq!(filtered["chroot"], EACCES);
    assert_eq!(filtered["mount"], EPERM);
    assert_eq!(filtered["seccomp"], EPERM);
    assert_eq!(filtered["unshare"], ENOSYS);
    assert_eq!(filtered["getpid"], "0");
}
